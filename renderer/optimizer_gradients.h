// What the optimiser does with gradients before the update rules (kernels/adam.h): are they finite, which rows they have.
#pragma once

#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace ptl {

/// A sparse gradient's rows, each once: those that several crops touched are added up in the order of the crops.
struct GradientRows {
  torch::Tensor row;     ///< [rows] int64
  torch::Tensor values;  ///< [rows, elements of a row]
};

template <class T>
GradientRows unique_rows(const torch::Tensor& any_gradient, int64_t row_elements, int64_t total_rows) {
  const torch::Tensor gradient = any_gradient.is_cpu() ? any_gradient : any_gradient.coalesce();
  const GradientRows rows{gradient._indices().select(0, 0).contiguous(),
                          gradient._values().contiguous().view({-1, row_elements})};
  if (gradient.is_coalesced()) return rows;
  // Without sorting, which would cost more than all the rest of a step.
  const int64_t count = rows.row.numel();
  const int64_t* index = rows.row.const_data_ptr<int64_t>();
  std::vector<int32_t> place(static_cast<size_t>(total_rows), -1);
  int32_t unique = 0;
  for (int64_t i = 0; i < count; ++i)
    if (int32_t& p = place[static_cast<size_t>(index[i])]; p < 0) p = unique++;
  if (unique == count) return rows;
  GradientRows summed{torch::empty({unique}, torch::kInt64), torch::zeros({unique, row_elements}, rows.values.options())};
  int64_t* row = summed.row.mutable_data_ptr<int64_t>();
  T* sum = summed.values.template mutable_data_ptr<T>();
  const T* from = rows.values.template const_data_ptr<T>();
  for (int64_t i = 0; i < count; ++i, from += row_elements) {
    const int32_t p = place[static_cast<size_t>(index[i])];
    row[p] = index[i];
    for (int64_t e = 0; e < row_elements; ++e) sum[p * row_elements + e] += from[e];
  }
  return summed;
}

template <class T>
bool all_finite_cpu(const T* values, int64_t n) {
  constexpr int64_t elements_per_chunk = 1 << 14;
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

/// The gradient's stored values: those of its rows where it is sparse.
inline torch::Tensor stored_values(const torch::Tensor& gradient) {
  return gradient.is_sparse() ? gradient._values() : gradient;
}

inline bool all_finite_cpu(const torch::Tensor& gradient) {
  const torch::Tensor flat = stored_values(gradient).contiguous();
  return flat.scalar_type() == torch::kFloat64 ? all_finite_cpu(flat.const_data_ptr<double>(), flat.numel())
                                               : all_finite_cpu(flat.const_data_ptr<float>(), flat.numel());
}

}  // namespace ptl
