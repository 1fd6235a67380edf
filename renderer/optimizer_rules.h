// The update rules of optimizer.cpp, elementwise over flat memory; and the rows of sparse gradients.
#pragma once

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "renderer/optimizer.h"

namespace ptl {

inline constexpr int64_t elements_per_chunk = 1 << 14;

/// Calls f(begin, end) on fixed chunks. Every element is computed alone, so threads cannot change a bit.
template <class F>
void for_chunks(int64_t n, F&& f) {
  const int64_t chunks = (n + elements_per_chunk - 1) / elements_per_chunk;
#pragma omp parallel for schedule(static) if (chunks > 1)
  for (int64_t chunk = 0; chunk < chunks; ++chunk)
    f(chunk * elements_per_chunk, std::min(n, (chunk + 1) * elements_per_chunk));
}

template <class T>
struct AdamRule {
  T beta1, beta2, epsilon;
  /// Kingma and Ba 2015, algorithm 1: step = rate · m̂ / (√v̂ + ε), with m̂ = m / (1 − β1^t), v̂ = v / (1 − β2^t).
  void operator()(T& value, T& mean, T& square, T gradient, T scaled_rate, T inverse_root_correction) const {
    mean = beta1 * mean + (1 - beta1) * gradient;
    square = beta2 * square + (1 - beta2) * gradient * gradient;
    value -= scaled_rate * mean / (std::sqrt(square) * inverse_root_correction + epsilon);
  }
};

template <class T>
void adam_cpu(const GroupConfig& config, T* value, const T* gradient, T* mean, T* square, int64_t n, int64_t count,
              double rate) {
  const AdamRule<T> rule{static_cast<T>(config.beta1), static_cast<T>(config.beta2), static_cast<T>(config.epsilon)};
  const double t = static_cast<double>(count);
  const T scaled_rate = static_cast<T>(rate / (1 - std::pow(config.beta1, t)));
  const T inverse_root = static_cast<T>(1 / std::sqrt(1 - std::pow(config.beta2, t)));
  for_chunks(n, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) rule(value[i], mean[i], square[i], gradient[i], scaled_rate, inverse_root);
  });
}

/// Sparse Adam on elements [begin, end) of memory with their gradient.
template <class T>
struct SparseAdam {
  AdamRule<T> rule;
  std::span<const double> inverse_mean, inverse_root;
  double rate;
  T *value, *mean, *square;
  int32_t* steps;

  void operator()(int64_t begin, int64_t end, const T* gradient) const {
    const auto last = static_cast<int32_t>(inverse_mean.size()) - 1;
    for (int64_t i = begin; i < end; ++i, ++gradient) {
      if (*gradient == T(0)) continue;
      steps[i] = std::min(steps[i], std::numeric_limits<int32_t>::max() - 1) + 1;
      const auto t = static_cast<size_t>(std::min(steps[i], last));
      rule(value[i], mean[i], square[i], *gradient, static_cast<T>(rate * inverse_mean[t]),
           static_cast<T>(inverse_root[t]));
    }
  }
};

/// A sparse gradient's rows, each once: those that several crops touched are added up in the order of the crops.
struct GradientRows {
  std::vector<int64_t> row;
  torch::Tensor values;  ///< [rows, elements of a row]
};

template <class T>
GradientRows unique_rows(const torch::Tensor& gradient, int64_t row_elements, int64_t total_rows) {
  const torch::Tensor indices = gradient._indices().contiguous();
  const torch::Tensor values = gradient._values().contiguous();
  const int64_t count = values.size(0);
  const int64_t* index = indices.const_data_ptr<int64_t>();
  GradientRows rows{std::vector<int64_t>(index, index + count), values.view({count, row_elements})};
  if (gradient.is_coalesced()) return rows;
  std::vector<int32_t> place(static_cast<size_t>(total_rows), -1);
  int32_t unique = 0;
  for (int64_t i = 0; i < count; ++i)
    if (int32_t& p = place[static_cast<size_t>(index[i])]; p < 0) p = unique++;
  if (unique == count) return rows;
  GradientRows summed{std::vector<int64_t>(static_cast<size_t>(unique)),
                      torch::zeros({unique, row_elements}, values.options())};
  T* sum = summed.values.template mutable_data_ptr<T>();
  const T* from = values.const_data_ptr<T>();
  for (int64_t i = 0; i < count; ++i, from += row_elements) {
    const int32_t p = place[static_cast<size_t>(index[i])];
    summed.row[static_cast<size_t>(p)] = index[i];
    for (int64_t e = 0; e < row_elements; ++e) sum[p * row_elements + e] += from[e];
  }
  return summed;
}

template <class T>
void sgd_cpu(T* value, const T* gradient, int64_t n, double rate) {
  const T step = static_cast<T>(rate);
  for_chunks(n, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) value[i] -= step * gradient[i];
  });
}

/// The same rules in elementwise tensor operations, for parameters on a GPU.
inline void update_by_tensors(const GroupConfig& config, torch::Tensor& value, const torch::Tensor& gradient,
                              torch::Tensor& mean, torch::Tensor& square, torch::Tensor& steps, double rate) {
  if (config.kind == OptimizerKind::sgd) {
    value.sub_(gradient * rate);
    return;
  }
  if (config.kind == OptimizerKind::adam) {
    const double t = static_cast<double>(steps.item<int64_t>());
    mean.mul_(config.beta1).add_(gradient * (1 - config.beta1));
    square.mul_(config.beta2).add_(gradient * gradient * (1 - config.beta2));
    const double inverse_root = 1 / std::sqrt(1 - std::pow(config.beta2, t));
    value.sub_(mean / (square.sqrt() * inverse_root + config.epsilon) * (rate / (1 - std::pow(config.beta1, t))));
    return;
  }
  const torch::Tensor seen = gradient != 0;
  steps.add_(seen.to(torch::kInt32));
  const torch::Tensor t = steps.to(torch::kFloat64).clamp_min(1);
  mean.copy_(torch::where(seen, mean * config.beta1 + gradient * (1 - config.beta1), mean));
  square.copy_(torch::where(seen, square * config.beta2 + gradient * gradient * (1 - config.beta2), square));
  const torch::Tensor rates = (rate / (1 - torch::pow(config.beta1, t))).to(value.scalar_type());
  const torch::Tensor roots = (1 - torch::pow(config.beta2, t)).rsqrt().to(value.scalar_type());
  value.sub_(torch::where(seen, rates * mean / (square.sqrt() * roots + config.epsilon), torch::zeros_like(value)));
}

template <class T>
bool all_finite_cpu(const T* values, int64_t n) {
  const int64_t chunks = (n + elements_per_chunk - 1) / elements_per_chunk;
  int64_t bad = 0;
#pragma omp parallel for schedule(static) reduction(+ : bad) if (chunks > 1)
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    const int64_t end = std::min(n, (chunk + 1) * elements_per_chunk);
    // x − x is 0 for finite numbers and NaN otherwise, and the loop vectorises.
    int64_t here = 0;
    for (int64_t i = chunk * elements_per_chunk; i < end; ++i) here += !(values[i] - values[i] == T(0));
    bad += here;
  }
  return bad == 0;
}

inline bool all_finite(const torch::Tensor& any_gradient) {
  const torch::Tensor gradient = any_gradient.is_sparse() ? any_gradient._values() : any_gradient;
  if (!gradient.is_cpu()) return torch::isfinite(gradient).all().item<bool>();
  const torch::Tensor flat = gradient.contiguous();
  return flat.scalar_type() == torch::kFloat64 ? all_finite_cpu(flat.const_data_ptr<double>(), flat.numel())
                                               : all_finite_cpu(flat.const_data_ptr<float>(), flat.numel());
}

}  // namespace ptl
