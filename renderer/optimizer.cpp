#include "renderer/optimizer.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "datasets/error.h"
#include "kernels/adam.h"
#include "renderer/optimizer_gradients.h"
#include "renderer/tensor_device.h"

namespace ptl {

const torch::Tensor& ParameterGroup::bias_corrections(torch::Device device) {
  if (bias_corrections_.defined() && corrected_beta1_ == config_.beta1 && corrected_beta2_ == config_.beta2)
    return bias_corrections_;
  const double slowest = std::max(config_.beta1, config_.beta2);
  int64_t size = 2;
  if (slowest > 0) size = std::clamp<int64_t>(static_cast<int64_t>(-40 / std::log(slowest)) + 2, 2, 1 << 17);
  const torch::Tensor table = torch::ones({2, size}, torch::kFloat64);
  double* inverse_mean = table.mutable_data_ptr<double>();
  double* inverse_root = inverse_mean + size;
  for (int64_t t = 1; t < size; ++t) {
    inverse_mean[t] = 1 / (1 - std::pow(config_.beta1, static_cast<double>(t)));
    inverse_root[t] = 1 / std::sqrt(1 - std::pow(config_.beta2, static_cast<double>(t)));
  }
  bias_corrections_ = table.to(device);
  corrected_beta1_ = config_.beta1;
  corrected_beta2_ = config_.beta2;
  return bias_corrections_;
}

void GroupConfig::check() const {
  const auto refuse = [&](const char* field, const std::string& expected, double found) {
    throw InputError("{}.{}: expected {}, found {}", name, field, expected, found);
  };
  if (!(learning_rate >= 0) || !std::isfinite(learning_rate))
    refuse("learning_rate", "a finite number of at least 0", learning_rate);
  if (!(beta1 >= 0 && beta1 < 1)) refuse("beta1", "a number in [0, 1)", beta1);
  if (!(beta2 >= 0 && beta2 < 1)) refuse("beta2", "a number in [0, 1)", beta2);
  if (!(epsilon > 0) || !std::isfinite(epsilon)) refuse("epsilon", "a number above 0", epsilon);
  if (locked_until < 0) refuse("locked_until", "a step of at least 0", static_cast<double>(locked_until));
}

ParameterGroup::ParameterGroup(GroupConfig config, NamedTensors parameters)
    : config_(std::move(config)), parameters_(std::move(parameters)) {
  config_.check();
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const auto& [name, value] = parameters_[i];
    TORCH_CHECK(value.defined() && value.is_leaf(), "optimizer: ", config_.name, "/", name, " is no leaf tensor");
    TORCH_CHECK(value.is_non_overlapping_and_dense(), "optimizer: ", config_.name, "/", name, " is not dense");
    TORCH_CHECK(value.scalar_type() == torch::kFloat32 || value.scalar_type() == torch::kFloat64, "optimizer: ",
                config_.name, "/", name, ": expected float32 or float64, got ", value.scalar_type());
    for (size_t j = 0; j < i; ++j)
      TORCH_CHECK(parameters_[j].first != name, "optimizer: two parameters of ", config_.name, " are named ", name);
  }
  moments_.resize(parameters_.size());
  for (size_t i = 0; i < parameters_.size(); ++i) make_moments(i);
}

void ParameterGroup::make_moments(size_t index) {
  const torch::NoGradGuard no_grad;
  Moments& moments = moments_[index];
  moments = {};
  if (config_.kind == OptimizerKind::sgd) return;
  const torch::Tensor value = parameters_[index].second.detach();
  moments.mean = torch::zeros_like(value);
  moments.square = torch::zeros_like(value);
  moments.steps = config_.kind == OptimizerKind::sparse_adam
                      ? torch::zeros_like(value, value.options().dtype(torch::kInt32))
                      : torch::zeros({1}, torch::kInt64);
}

template <class T>
void ParameterGroup::update(torch::Tensor& value, const torch::Tensor& gradient, Moments& moments, double rate) {
  const TensorDevice device("optimizer", value);
  const AdamSettings settings{config_.beta1, config_.beta2, config_.epsilon};
  const int64_t n = value.numel();
  T* v = value.mutable_data_ptr<T>();
  if (config_.kind == OptimizerKind::sgd) return sgd_step(device, rate, gradient.const_data_ptr<T>(), n, v);
  T* mean = moments.mean.mutable_data_ptr<T>();
  T* square = moments.square.mutable_data_ptr<T>();
  if (config_.kind == OptimizerKind::adam)
    return adam_step(device, settings, rate, moments.steps.item<int64_t>(), gradient.const_data_ptr<T>(), n, v, mean, square);
  const torch::Tensor& table = bias_corrections(value.device());
  const BiasCorrections corrections{table.const_data_ptr<double>(), table.const_data_ptr<double>() + table.size(1),
                                    static_cast<int32_t>(table.size(1) - 1)};
  int32_t* steps = moments.steps.mutable_data_ptr<int32_t>();
  const int64_t row_elements = n / std::max<int64_t>(1, value.size(0));
  if (!gradient.is_sparse())
    return sparse_adam_step(device, settings, corrections, rate, gradient.const_data_ptr<T>(), nullptr, n, 1, v, mean,
                            square, steps);
  const GradientRows rows = unique_rows<T>(gradient, row_elements, value.size(0));
  sparse_adam_step(device, settings, corrections, rate, rows.values.template const_data_ptr<T>(),
                   rows.row.const_data_ptr<int64_t>(), rows.row.size(0), row_elements, v, mean, square, steps);
}

void ParameterGroup::step(double rate_factor) {
  const torch::NoGradGuard no_grad;
  const double rate = config_.learning_rate * rate_factor;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    auto& [name, parameter] = parameters_[i];
    torch::Tensor gradient = parameter.grad();
    if (!gradient.defined()) continue;
    TORCH_CHECK(gradient.sizes() == parameter.sizes() && gradient.scalar_type() == parameter.scalar_type(),
                "optimizer: the gradient of ", config_.name, "/", name, " has another shape or type");
    torch::Tensor value = parameter.detach();
    Moments& moments = moments_[i];
    if (config_.kind == OptimizerKind::adam) moments.steps += 1;
    // Rows that a sparse gradient lacks have the gradient 0: only sparse Adam leaves them alone.
    const bool by_rows = gradient.is_sparse() && gradient.sparse_dim() == 1 && value.is_contiguous() &&
                         config_.kind == OptimizerKind::sparse_adam;
    // Coalesced first: on a GPU the addition of rows that come twice would be in any order.
    if (gradient.is_sparse() && !by_rows) gradient = gradient.coalesce().to_dense();
    // One flat loop over memory: the gradient is brought to the parameter's layout.
    if (!by_rows && gradient.strides() != value.strides()) gradient = torch::empty_like(value).copy_(gradient);
    if (value.scalar_type() == torch::kFloat64)
      update<double>(value, gradient, moments, rate);
    else
      update<float>(value, gradient, moments, rate);
    parameter.unsafeGetTensorImpl()->bump_version();  // written behind autograd's back
  }
}

void ParameterGroup::zero_grad() {
  for (auto& [name, parameter] : parameters_) parameter.mutable_grad().reset();
}

std::string ParameterGroup::first_gradient_not_finite() const {
  // A GPU is asked once for all parameters.
  std::vector<torch::Tensor> flags;
  std::vector<size_t> flagged;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const auto& [name, parameter] = parameters_[i];
    if (!parameter.grad().defined()) continue;
    if (parameter.is_cpu()) {
      if (!all_finite_cpu(parameter.grad())) return name;
    } else {
      flags.push_back(torch::isfinite(stored_values(parameter.grad())).all());
      flagged.push_back(i);
    }
  }
  if (flags.empty()) return "";
  const torch::Tensor finite = torch::stack(flags).to(torch::kCPU);
  for (size_t k = 0; k < flagged.size(); ++k)
    if (!finite.const_data_ptr<bool>()[k]) return parameters_[flagged[k]].first;
  return "";
}

void ParameterGroup::save(const std::string& prefix, NamedTensors& out) const {
  if (config_.kind == OptimizerKind::sgd) return;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const std::string name = prefix + parameters_[i].first;
    out.emplace_back(name + "/mean", moments_[i].mean);
    out.emplace_back(name + "/square", moments_[i].square);
    out.emplace_back(name + "/steps", moments_[i].steps);
  }
}

void ParameterGroup::load(const std::string& prefix, const SafetensorsFile& file) {
  if (config_.kind == OptimizerKind::sgd) return;
  const torch::NoGradGuard no_grad;
  std::vector<Moments> loaded(moments_.size());  // all or nothing
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const std::string name = prefix + parameters_[i].first;
    const auto read = [&](const char* what, const torch::Tensor& like) {
      torch::Tensor out = torch::empty_like(like);
      out.copy_(file.read(name + what, like.scalar_type(), like.sizes().vec()));
      return out;
    };
    loaded[i] = {read("/mean", moments_[i].mean), read("/square", moments_[i].square),
                 read("/steps", moments_[i].steps)};
  }
  moments_ = std::move(loaded);
}

void ParameterGroup::remap_rows(const std::string& name, torch::Tensor parameter, const torch::Tensor& kept_rows) {
  const torch::NoGradGuard no_grad;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (parameters_[i].first != name) continue;
    const torch::Tensor old = parameters_[i].second;
    TORCH_CHECK(kept_rows.dim() == 1 && kept_rows.scalar_type() == torch::kInt64,
                "remap_rows: expected rows [M] int64, got ", kept_rows.sizes(), " ", kept_rows.scalar_type());
    TORCH_CHECK(parameter.is_leaf() && parameter.is_non_overlapping_and_dense() && parameter.dim() == old.dim() &&
                    old.dim() > 0 && parameter.size(0) == kept_rows.size(0) &&
                    parameter.scalar_type() == old.scalar_type() &&
                    parameter.sizes().slice(1) == old.sizes().slice(1),
                "remap_rows: ", config_.name, "/", name, ": expected a dense leaf of ", kept_rows.size(0),
                " rows like ", old.sizes(), ", got ", parameter.sizes());
    const torch::Tensor rows = kept_rows.contiguous();
    const int64_t* row = rows.const_data_ptr<int64_t>();
    for (int64_t r = 0; r < rows.numel(); ++r)
      TORCH_CHECK(row[r] >= -1 && row[r] < old.size(0), "remap_rows: ", config_.name, "/", name, ": row ", row[r],
                  " of ", old.size(0));
    Moments moments = moments_[i];
    parameters_[i].second = parameter;
    if (config_.kind == OptimizerKind::sgd) return;
    const torch::Tensor source = rows.clamp_min(0).to(parameter.device());
    std::vector<int64_t> broadcast(static_cast<size_t>(old.dim()), 1);
    broadcast[0] = rows.numel();
    const torch::Tensor is_new = (rows < 0).to(parameter.device()).view(broadcast);
    const auto remap = [&](torch::Tensor& state) {
      torch::Tensor out = torch::zeros_like(parameter, parameter.options().dtype(state.scalar_type()));
      if (old.size(0) > 0) out.copy_(state.index_select(0, source).masked_fill(is_new, 0));
      state = out;
    };
    remap(moments.mean);
    remap(moments.square);
    if (config_.kind == OptimizerKind::sparse_adam) remap(moments.steps);
    moments_[i] = moments;
    return;
  }
  TORCH_CHECK(false, "remap_rows: ", config_.name, " has no parameter ", name);
}

ParameterGroup& Optimizer::add(GroupConfig config, NamedTensors parameters) {
  for (const ParameterGroup& other : groups_)
    TORCH_CHECK(other.config().name != config.name, "optimizer: two groups are named ", config.name);
  groups_.emplace_back(std::move(config), std::move(parameters));
  return groups_.back();
}

ParameterGroup& Optimizer::group(const std::string& name) {
  for (ParameterGroup& candidate : groups_)
    if (candidate.config().name == name) return candidate;
  TORCH_CHECK(false, "optimizer: there is no group ", name);
}

std::string Optimizer::step(int64_t step, const std::map<std::string, double>& rate_factors) {
  for (const ParameterGroup& group : groups_) {
    if (!group.active(step)) continue;
    if (const std::string bad = group.first_gradient_not_finite(); !bad.empty()) return group.config().name + "/" + bad;
  }
  for (ParameterGroup& group : groups_) {
    if (!group.active(step)) continue;
    const auto factor = rate_factors.find(group.config().name);
    group.step(factor == rate_factors.end() ? 1.0 : factor->second);
  }
  return "";
}

std::string Optimizer::first_value_not_finite() const {
  for (const ParameterGroup& group : groups_)
    for (const auto& [name, parameter] : group.parameters())
      if (!torch::isfinite(parameter.detach()).all().item<bool>()) return group.config().name + "/" + name;
  return "";
}

void Optimizer::zero_grad() {
  for (ParameterGroup& group : groups_) group.zero_grad();
}

void Optimizer::save(NamedTensors& out) const {
  for (const ParameterGroup& group : groups_) group.save("optimizer/" + group.config().name + "/", out);
}

void Optimizer::load(const SafetensorsFile& file) {
  for (ParameterGroup& group : groups_) group.load("optimizer/" + group.config().name + "/", file);
}

}  // namespace ptl
