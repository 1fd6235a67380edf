// Images and weights by the formula of tests/reference/record_image_values.py.
#pragma once

#include <torch/torch.h>

#include <cmath>
#include <vector>

#include "kernels/hash.h"

namespace ptl::test {

/// Number i of a stream in [0, 1).
inline double unit(uint64_t seed, uint64_t i) {
  return static_cast<double>(mix64(mix64(seed) ^ i) >> 40) / 16777216.0;
}

/// [H,W,3] float32, a wave with noise; some values lie outside [0,1].
inline torch::Tensor formula_image(int64_t height, int64_t width, uint64_t seed) {
  torch::Tensor out = torch::empty({height, width, 3});
  float* data = out.mutable_data_ptr<float>();
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t c = 0; c < 3; ++c) {
        const int64_t i = (y * width + x) * 3 + c;
        const double wave = 0.5 + 0.35 * std::sin(0.31 * static_cast<double>(x) + 0.17 * static_cast<double>(y) +
                                                  static_cast<double>(c));
        data[i] = static_cast<float>(wave + 0.2 * (unit(seed, static_cast<uint64_t>(i)) - 0.5));
      }
  return out;
}

/// [H,W] float32 of 0 and 1.
inline torch::Tensor formula_mask(int64_t height, int64_t width) {
  torch::Tensor out = torch::empty({height, width});
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) out.mutable_data_ptr<float>()[y * width + x] = (x + 2 * y) % 7 > 1 ? 1.f : 0.f;
  return out;
}

/// scale · unit + shift, in double, rounded to float32.
inline torch::Tensor formula_tensor(std::vector<int64_t> shape, uint64_t seed, double scale, double shift) {
  torch::Tensor out = torch::empty(shape);
  float* data = out.mutable_data_ptr<float>();
  for (int64_t i = 0; i < out.numel(); ++i)
    data[i] = static_cast<float>((unit(seed, static_cast<uint64_t>(i)) + shift) * scale);
  return out;
}

}  // namespace ptl::test
