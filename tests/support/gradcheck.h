// Gradients of torch functions against central differences in float64. Tests of their own in tests/renderer/
// tone_mapper_test.cpp catch a wrong gradient.
#pragma once

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "kernels/hash.h"

namespace ptl::testing {

using TensorFunction = std::function<torch::Tensor(const std::vector<torch::Tensor>&)>;

struct GradcheckOptions {
  double step = 1e-6;
  double relative_tolerance = 1e-5;
  double absolute_tolerance = 1e-8;
  int64_t max_elements = 200;  ///< of each input; beyond that a fixed random choice
};

/// Deterministic numbers in (low, high], double.
inline torch::Tensor test_values(torch::IntArrayRef shape, uint64_t seed, double low = -1, double high = 1) {
  torch::Tensor t = torch::empty(shape, torch::kDouble);
  double* values = t.mutable_data_ptr<double>();
  for (int64_t i = 0; i < t.numel(); ++i)
    values[i] = low + (high - low) * static_cast<double>(draw_unit(seed, DrawPurpose::synthetic, static_cast<uint64_t>(i)));
  return t;
}

/// Checks the gradient of Σ weight · f(inputs), with fixed random weights, with respect to every input that is double.
/// f must be smooth within `step` around the inputs.
inline ::testing::AssertionResult gradcheck(const TensorFunction& f, const std::vector<torch::Tensor>& inputs,
                                            const GradcheckOptions& options = {}) {
  std::vector<torch::Tensor> leaves;
  for (const torch::Tensor& input : inputs) {
    torch::Tensor leaf = input.detach().clone();
    leaves.push_back(leaf.scalar_type() == torch::kDouble ? leaf.requires_grad_(true) : leaf);
  }
  const torch::Tensor output = f(leaves);
  if (output.scalar_type() != torch::kDouble) return ::testing::AssertionFailure() << "gradcheck needs a double output";
  const torch::Tensor weight = test_values(output.sizes(), 77);
  (output * weight).sum().backward();
  const auto loss = [&](const std::vector<torch::Tensor>& at) {
    torch::NoGradGuard no_grad;
    return (f(at) * weight).sum().item<double>();
  };
  for (size_t input = 0; input < leaves.size(); ++input) {
    if (!leaves[input].requires_grad()) continue;
    torch::Tensor gradient = leaves[input].grad().defined() ? leaves[input].grad() : torch::zeros_like(leaves[input]);
    gradient = (gradient.is_sparse() ? gradient.to_dense() : gradient).contiguous();
    const int64_t count = leaves[input].numel(), tries = std::min(count, options.max_elements);
    for (int64_t k = 0; k < tries; ++k) {
      const int64_t element = tries == count ? k
                                             : static_cast<int64_t>(draw_bits(5, DrawPurpose::synthetic, input,
                                                                              static_cast<uint64_t>(k)) %
                                                                    static_cast<uint64_t>(count));
      double sides[2];
      for (int side = 0; side < 2; ++side) {
        std::vector<torch::Tensor> moved;
        for (const torch::Tensor& leaf : leaves) moved.push_back(leaf.detach());
        moved[input] = moved[input].clone(torch::MemoryFormat::Contiguous);
        moved[input].mutable_data_ptr<double>()[element] += side ? options.step : -options.step;
        sides[side] = loss(moved);
      }
      const double numeric = (sides[1] - sides[0]) / (2 * options.step);
      const double analytic = gradient.const_data_ptr<double>()[element];
      const double allowed =
          options.absolute_tolerance + options.relative_tolerance * std::max(std::abs(numeric), std::abs(analytic));
      // Not "difference > allowed": NaN must fail.
      if (!(std::abs(numeric - analytic) <= allowed))
        return ::testing::AssertionFailure() << "input " << input << ", element " << element << ": gradient " << analytic
                                             << ", finite difference " << numeric;
    }
  }
  return ::testing::AssertionSuccess();
}

}  // namespace ptl::testing
