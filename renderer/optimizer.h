// Adam, sparse Adam and SGD per group of parameters. Every update is elementwise and in a fixed order, so it is
// bit-identical for any number of threads. (Adam: Kingma and Ba 2015, with their bias correction.)
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "renderer/safetensors.h"

namespace ptl {

enum class OptimizerKind {
  adam,
  sparse_adam,  ///< an element whose gradient is exactly 0 is left alone, with its own step count (method section 9)
  sgd,
};
inline std::vector<std::string> enum_names(OptimizerKind*) { return {"adam", "sparse_adam", "sgd"}; }

/// A group of parameters that share one rule.
struct GroupConfig {
  std::string name;                   ///< set by the code, not by the user
  OptimizerKind kind = OptimizerKind::adam;
  double learning_rate = 1e-3;        ///< before the schedule's factor
  double beta1 = 0.9;                 ///< Adam: decay of the mean of gradients
  double beta2 = 0.999;               ///< Adam: decay of the mean of squared gradients
  double epsilon = 1e-8;              ///< Adam: 1e-15 where gradients are tiny (descriptors, points, poses, …)
  bool frozen = false;                ///< never updated
  int64_t locked_until = 0;           ///< first step (counted from 0) at which the group is updated

  template <class V>
  void visit(V&& v) {
    v("kind", kind, "", "update rule (method section 9)");
    v("learning_rate", learning_rate, "1", "step length before the schedule (method section 9)");
    v("beta1", beta1, "1", "Adam: decay of the mean of gradients");
    v("beta2", beta2, "1", "Adam: decay of the mean of squared gradients");
    v("epsilon", epsilon, "1", "Adam: added to the root of the squared mean; 1e-15 where gradients are tiny");
    v("frozen", frozen, "", "true: the group keeps its initial values");
    v("locked_until", locked_until, "steps", "the group is updated from this step on");
  }
  /// InputError that names the group, the field and the range.
  void check() const;
};

/// One group's parameters and moments. The parameters are leaf tensors (float32 or float64, CPU or CUDA, contiguous),
/// updated in place.
class ParameterGroup {
 public:
  /// `parameters` keep their names in the saved state: each must be unique within the group.
  ParameterGroup(GroupConfig config, NamedTensors parameters);

  const GroupConfig& config() const { return config_; }
  GroupConfig& config() { return config_; }
  const NamedTensors& parameters() const { return parameters_; }
  /// Neither frozen nor locked at this step.
  bool active(int64_t step) const { return !config_.frozen && step >= config_.locked_until; }

  /// One update from .grad(), dense or sparse in its rows (an undefined gradient counts as absent: the tensor is skipped).
  void step(double rate_factor);
  void zero_grad();
  /// The first parameter whose gradient holds a value that is not finite, or an empty name.
  std::string first_gradient_not_finite() const;

  /// "NAME/mean", "NAME/square", "NAME/steps" for each parameter, not copied. Tensors of sgd have no state.
  void save(const std::string& prefix, NamedTensors& out) const;
  void load(const std::string& prefix, const SafetensorsFile& file);

  /// Replaces a parameter and its moments after rows were kept, reordered or added: row i of the new tensor continues
  /// row kept_rows[i] of the old one, −1: a new row with zero moments. `parameter` has kept_rows.size() rows.
  void remap_rows(const std::string& name, torch::Tensor parameter, const torch::Tensor& kept_rows);

 private:
  struct Moments {
    torch::Tensor mean, square;  ///< like the parameter
    torch::Tensor steps;         ///< int64 [1] (adam) or int32 like the parameter (sparse_adam)
  };
  void make_moments(size_t index);
  /// [2, t]: kernels/adam.h's BiasCorrections, on the parameter's device.
  const torch::Tensor& bias_corrections(torch::Device device);
  template <class T>
  void update(torch::Tensor& value, const torch::Tensor& gradient, Moments& moments, double rate);

  GroupConfig config_;
  NamedTensors parameters_;
  std::vector<Moments> moments_;
  torch::Tensor bias_corrections_;  ///< of sparse_adam; made at its first step
  double corrected_beta1_ = -1, corrected_beta2_ = -1;  ///< what they were made for
};

/// All groups of a fit.
class Optimizer {
 public:
  ParameterGroup& add(GroupConfig config, NamedTensors parameters);
  ParameterGroup& group(const std::string& name);
  std::deque<ParameterGroup>& groups() { return groups_; }
  const std::deque<ParameterGroup>& groups() const { return groups_; }

  /// Updates every active group: learning rate × rate_factors[name] (absent: 1). Gradients of active groups are looked at
  /// before anything is changed: where one is not finite, nothing is, and its "GROUP/PARAMETER" is returned.
  std::string step(int64_t step, const std::map<std::string, double>& rate_factors = {});
  /// "GROUP/PARAMETER" of the first parameter with a value that is not finite; empty where all are.
  std::string first_value_not_finite() const;
  void zero_grad();

  /// State for a checkpoint: names begin with "optimizer/GROUP/". load() restores it bit for bit, InputError when a
  /// tensor is missing or has another shape or dtype.
  void save(NamedTensors& out) const;
  void load(const SafetensorsFile& file);

 private:
  std::deque<ParameterGroup> groups_;
};

}  // namespace ptl
