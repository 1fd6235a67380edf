// Convolution for training on a CPU: 3×3 (or 1×1), stride 1, zero padding, float32, channels last ([N, H, W, C]), with
// the resampling and concatenation of its inputs and the gate of its outputs fused (method section 5).
//
// Everything is a product of matrices on rows that lie side by side: with a row of the padded input stored as
// [W + 2][C], the 3·C inputs of one kernel row at pixel x are contiguous, from x·C on. Three such products, one a
// kernel row, make the convolution; the weights' gradient is the product of the same rows with the outputs' gradient.
//
// Sums have an order that depends on the sizes only: any number of threads gives the same bits. The instructions are
// chosen at run time, AVX2 with FMA (the floor of every supported processor) or AVX-512; each sum is taken in the same
// order with the same fused operations, so that the two agree to the bit as well (a test holds them to it).
#pragma once

#include <atomic>
#include <span>

namespace ptl {

/// How an input gets to the size of the output.
enum class Resampling : int {
  none = 0,
  upsample2 = 1,  ///< from half the size: bilinear, align_corners off, edges repeated
  pool2 = 2,      ///< from twice the size: mean of 2×2
};

/// One of the inputs that are concatenated along their channels; [N, h, w, channels], h and w before resampling.
struct ConvInput {
  const float* data;
  int channels;
  Resampling resampling;
};

/// What becomes of the outputs. Gated: there are 2F of them, F values and then F gates, and the result has F channels.
enum class Gate : int {
  none = 0,
  linear = 1,  ///< value · sigmoid(gate)
  elu = 2,     ///< elu(value) · sigmoid(gate)
};

struct ConvShape {
  int batch;      ///< N
  int height;     ///< of the output, pixels
  int width;
  int kernel;     ///< 3 or 1
  int outputs;    ///< O; when gated 2F
  Gate gate;
};

enum class SimdLevel : int { avx2 = 0, avx512 = 1 };

/// The best that this machine has.
SimdLevel best_simd_level();

/// weight [O, C, k, k] with C the sum of the inputs' channels; bias [O]; result [N, H, W, O or F].
/// saved: null, or [N, H, W, 2F] for conv_backward (value or elu(value), then sigmoid(gate)); used when gated only.
/// stop: null, or what is looked at before each row; once it is true the rows that are left are not computed, and the result
/// is good for nothing.
void conv_forward(const ConvShape& shape, std::span<const ConvInput> inputs, const float* weight, const float* bias,
                  float* result, float* saved, SimdLevel level = best_simd_level(),
                  const std::atomic<bool>* stop = nullptr);

/// result_gradient [N, H, W, O or F]; saved as filled by conv_forward.
/// input_gradients: one for each input, of its shape, or null where not wanted; weight_gradient [O, C, k, k] and
/// bias_gradient [O], or null. All are overwritten, not added to.
void conv_backward(const ConvShape& shape, std::span<const ConvInput> inputs, const float* weight,
                   const float* result_gradient, const float* saved, std::span<float* const> input_gradients,
                   float* weight_gradient, float* bias_gradient, SimdLevel level = best_simd_level());

}  // namespace ptl
