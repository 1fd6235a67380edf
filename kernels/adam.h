// Update rules of the optimiser, elementwise: Adam (Kingma and Ba 2015, algorithm 1), sparse Adam (method section 9), SGD.
// Every element is computed alone, so that neither threads nor the device change a bit.
#pragma once

#include <cstdint>

#include "kernels/device.h"

namespace ptl {

struct AdamSettings {
  double beta1 = 0.9, beta2 = 0.999;  ///< decay of the means of gradients and of squared gradients
  double epsilon = 1e-8;
};

/// value −= rate · m̂ / (√v̂ + ε), with m̂ = m / (1 − β1^t), v̂ = v / (1 − β2^t) after the moments took in the gradient, the
/// `count`-th of this parameter (from 1). All arrays [n], of the device. T: float, double.
template <class T>
void adam_step(const Device& device, const AdamSettings& settings, double rate, int64_t count, const T* gradient, int64_t n,
               T* value, T* mean, T* square);

/// 1 / (1 − β1^t) and 1 / √(1 − β2^t) for t up to `last`, from which on both are 1 to rounding: device memory,
/// [last + 1], entry 0 is not used.
struct BiasCorrections {
  const double* inverse_mean = nullptr;
  const double* inverse_root = nullptr;
  int32_t last = 0;
};

/// Adam for the rows that a gradient has, with a step count of its own for each element: row r of gradient
/// [rows, row_elements] belongs to row `row[r]` of value, mean, square and steps (null: row r). An element whose gradient is
/// exactly 0 is left alone. No row may come twice.
template <class T>
void sparse_adam_step(const Device& device, const AdamSettings& settings, const BiasCorrections& corrections, double rate,
                      const T* gradient, const int64_t* row, int64_t rows, int64_t row_elements, T* value, T* mean,
                      T* square, int32_t* steps);

/// value −= rate · gradient
template <class T>
void sgd_step(const Device& device, double rate, const T* gradient, int64_t n, T* value);

}  // namespace ptl
