// The inner loops of conv3x3.cpp, on one image row each; compiled once for every instruction set (conv3x3_rows.inl).
#pragma once

#include "kernels/conv3x3.h"

namespace ptl {

/// Numbers of outputs are padded to a multiple of this; packed weights come in blocks of two of them.
inline constexpr int conv_lanes = 16;
inline constexpr int conv_block = 32;

struct ConvRowKernels {
  /// One row of the concatenated, resampled inputs: dest [W][total channels].
  /// scratch: W · (largest number of channels) floats.
  void (*pack_row)(const ConvInput* inputs, int count, int image, int y, int height, int width, int total, float* dest,
                   float* scratch);

  /// out[x][o] = bias[o] + sum over t, k of rows[t][x·stride + k] · weights[t][k][o], for o < outputs (padded).
  /// weights: for each block of 32 outputs (the last one may be 16): [taps][depth][block].
  void (*product_row)(const float* const* rows, int taps, int depth, int stride, int width, const float* weights,
                      int outputs, const float* bias, float* out);

  /// weight_gradient[k][o] += sum over x of row[x·stride + k] · gradient[x][o].
  void (*weight_row)(const float* row, int depth, int stride, int width, const float* gradient, int outputs,
                     float* weight_gradient);

  /// raw [W][stride] (F values, F gates) -> result [W][F], saved [W][2F] or null.
  void (*gate_row)(const float* raw, int stride, int filters, int width, bool elu, float* result, float* saved);

  /// gradient of raw [W][stride] from the result's gradient [W][F] and what gate_row saved.
  void (*gate_gradient_row)(const float* result_gradient, const float* saved, int filters, int width, bool elu,
                            float* gradient, int stride);

  /// sums[o] += sum over x of gradient[x][o].
  void (*sum_row)(const float* gradient, int outputs, int width, float* sums);
};

const ConvRowKernels& conv_rows_avx2();
const ConvRowKernels& conv_rows_avx512();

}  // namespace ptl
