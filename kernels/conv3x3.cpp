#include "kernels/conv3x3.h"

#include <algorithm>

#include "kernels/conv3x3_window.h"

namespace ptl {
namespace {

/// Where weight (tap row ky, depth k, output o) lies in the packed weights (ConvRowKernels::product_row).
size_t packed_index(int ky, int k, int o, int taps, int depth, int outputs) {
  const int first = o / conv_block * conv_block;
  const int block = std::min(conv_block, outputs - first);
  return static_cast<size_t>(first) * taps * depth + (static_cast<size_t>(ky) * depth + k) * block + (o - first);
}

/// Strips of rows that are worth a task: they only share out work, no sum crosses them.
int row_strips(const ConvShape& shape) { return std::clamp(shape.height / 2, 1, 16) * shape.batch; }

}  // namespace

std::vector<float> pack_weights(const float* weight, int outputs, int inputs, int kernel, bool transposed) {
  const int from = transposed ? padded(outputs) : inputs;
  const int to = padded(transposed ? inputs : outputs);
  const int depth = kernel * from;
  std::vector<float> packed(static_cast<size_t>(kernel) * depth * to, 0.0f);
  for (int o = 0; o < outputs; ++o) {
    for (int i = 0; i < inputs; ++i) {
      for (int ky = 0; ky < kernel; ++ky) {
        for (int kx = 0; kx < kernel; ++kx, ++weight) {
          const size_t at =
              transposed ? packed_index(kernel - 1 - ky, (kernel - 1 - kx) * from + o, i, kernel, depth, to)
                         : packed_index(ky, kx * from + i, o, kernel, depth, to);
          packed[at] = *weight;
        }
      }
    }
  }
  return packed;
}

const ConvRowKernels& conv_row_kernels(SimdLevel level) {
  return level == SimdLevel::avx512 ? conv_rows_avx512() : conv_rows_avx2();
}

SimdLevel best_simd_level() {
  return __builtin_cpu_supports("avx512f") ? SimdLevel::avx512 : SimdLevel::avx2;
}

void conv_forward(const ConvShape& shape, std::span<const ConvInput> inputs, const float* weight, const float* bias,
                  float* result, float* saved, SimdLevel level, const std::atomic<bool>* stop) {
  const ConvRowKernels& kernels = conv_row_kernels(level);
  const int channels = total_channels(inputs);
  const int outputs = padded(shape.outputs);
  const int filters = filters_of(shape);
  const std::vector<float> packed = pack_weights(weight, shape.outputs, channels, shape.kernel, false);
  std::vector<float> padded_bias(outputs, 0.0f);
  std::copy_n(bias, shape.outputs, padded_bias.begin());
  const int rows = shape.batch * shape.height;
  const int strips = row_strips(shape);
#pragma omp parallel
  {
    auto window = input_rows(kernels, shape, inputs);
    const Floats row(static_cast<size_t>(shape.width) * outputs);
#pragma omp for schedule(static)
    for (int strip = 0; strip < strips; ++strip) {
      const int end = static_cast<int>(static_cast<long>(rows) * (strip + 1) / strips);
      for (int r = static_cast<int>(static_cast<long>(rows) * strip / strips); r < end; ++r) {
        if (stop && stop->load(std::memory_order_relaxed)) break;
        const size_t pixel = static_cast<size_t>(r) * shape.width;
        kernels.product_row(window.around(r / shape.height, r % shape.height), shape.kernel, shape.kernel * channels,
                            channels, shape.width, packed.data(), outputs, padded_bias.data(), row.get());
        float* to = result + pixel * filters;
        if (gated(shape)) {
          kernels.gate_row(row.get(), outputs, filters, shape.width, shape.gate == Gate::elu, to,
                           saved == nullptr ? nullptr : saved + pixel * shape.outputs);
        } else {
          for (int x = 0; x < shape.width; ++x, to += filters) {
            std::memcpy(to, row.get() + static_cast<size_t>(x) * outputs, static_cast<size_t>(filters) * sizeof(float));
          }
        }
      }
    }
  }
}

}  // namespace ptl
