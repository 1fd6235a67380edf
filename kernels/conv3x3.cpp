#include "kernels/conv3x3.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "kernels/conv3x3_simd.h"

namespace ptl {
namespace {

bool gated(const ConvShape& shape) { return shape.gate != Gate::none; }

/// Uninitialised floats on a cache line's boundary.
class Floats {
 public:
  explicit Floats(size_t count) : data_(static_cast<float*>(::operator new[](count * sizeof(float) + 64, line))) {}
  Floats(const Floats&) = delete;
  Floats& operator=(const Floats&) = delete;
  ~Floats() { ::operator delete[](data_, line); }
  float* get() const { return data_; }

 private:
  static constexpr std::align_val_t line{64};
  float* data_;
};

constexpr int padded(int outputs) { return (outputs + conv_lanes - 1) / conv_lanes * conv_lanes; }

int total_channels(std::span<const ConvInput> inputs) {
  int total = 0;
  for (const ConvInput& input : inputs) total += input.channels;
  return total;
}

const ConvRowKernels& kernels_of(SimdLevel level) {
  return level == SimdLevel::avx512 ? conv_rows_avx512() : conv_rows_avx2();
}

/// Where weight (tap row ky, depth k, output o) lies in the packed weights (ConvRowKernels::product_row).
size_t packed_index(int ky, int k, int o, int taps, int depth, int outputs) {
  const int first = o / conv_block * conv_block;
  const int block = std::min(conv_block, outputs - first);
  return static_cast<size_t>(first) * taps * depth + (static_cast<size_t>(ky) * depth + k) * block + (o - first);
}

/// transposed: the weights of the inputs' gradient, which is the convolution of the outputs' gradient with the kernel
/// turned by 180° and inputs and outputs exchanged.
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

/// Rows of the padded, concatenated input around a row that moves down: each is made once.
class RowWindow {
 public:
  RowWindow(const ConvRowKernels& kernels, const ConvShape& shape, std::span<const ConvInput> inputs)
      : kernels_(kernels), shape_(shape), inputs_(inputs), total_(total_channels(inputs)), border_(shape.kernel / 2),
        row_floats_(static_cast<size_t>(shape.width + 2 * border_) * total_),
        rows_(row_floats_ * static_cast<size_t>(shape.kernel + 1)),
        scratch_(static_cast<size_t>(shape.width) * total_) {
    std::memset(rows_.get(), 0, row_floats_ * static_cast<size_t>(shape.kernel + 1) * sizeof(float));
  }

  /// The `kernel` rows around row y of an image; zeros outside.
  const float* const* around(int image, int y) {
    for (int t = 0; t < shape_.kernel; ++t) pointers_[t] = row(image, y + t - border_);
    return pointers_;
  }

  const float* row(int image, int y) {
    if (y < 0 || y >= shape_.height) return rows_.get() + row_floats_ * static_cast<size_t>(shape_.kernel);
    const int slot = y % shape_.kernel;
    float* dest = rows_.get() + row_floats_ * static_cast<size_t>(slot);
    const long id = static_cast<long>(image) * shape_.height + y;
    if (id_[slot] != id) {
      kernels_.pack_row(inputs_.data(), static_cast<int>(inputs_.size()), image, y, shape_.height, shape_.width,
                        border_, total_, dest, scratch_.get());
      id_[slot] = id;
    }
    return dest;
  }

 private:
  const ConvRowKernels& kernels_;
  const ConvShape& shape_;
  std::span<const ConvInput> inputs_;
  int total_;
  int border_;
  size_t row_floats_;
  Floats rows_;  // kernel rows in turn, then one of zeros
  Floats scratch_;
  const float* pointers_[3] = {};
  long id_[3] = {-1, -1, -1};
};

/// Strips of rows that are worth a task: they only share out work, no sum crosses them.
int row_strips(const ConvShape& shape) { return std::clamp(shape.height / 2, 1, 16) * shape.batch; }

/// Adjoint of the horizontal half of the bilinear ×2: row [W][stride] -> [W / 2][channels].
void gather_columns(const float* row, long stride, int channels, int width, float* out) {
  const int w = width / 2;
  for (int x = 0; x < w; ++x, out += channels) {
    const float* a = row + 2l * x * stride;
    const float* b = a + stride;
    const float* left = x > 0 ? a - stride : a;          // the repeated edge returns its quarter to itself
    const float* right = x + 1 < w ? b + stride : b;
    for (int c = 0; c < channels; ++c) out[c] = 0.75f * (a[c] + b[c]) + 0.25f * (left[c] + right[c]);
  }
}

/// Adjoint of the vertical half: rows [H][count] of one image -> [H / 2][count].
void gather_rows(const float* rows, int height, int y, long count, float* out) {
  const float* a = rows + 2l * y * count;
  const float* b = a + count;
  const float* up = y > 0 ? a - count : a;
  const float* down = 2 * y + 2 < height ? b + count : b;
  for (long i = 0; i < count; ++i) out[i] = 0.75f * (a[i] + b[i]) + 0.25f * (up[i] + down[i]);
}

void spread_pooled(const float* row, long stride, int channels, int width, float* upper, float* lower) {
  for (int x = 0; x < width; ++x, row += stride, upper += 2 * channels, lower += 2 * channels) {
    for (int c = 0; c < channels; ++c) {
      upper[c] = upper[channels + c] = lower[c] = lower[channels + c] = 0.25f * row[c];
    }
  }
}

/// Gradients of the raw outputs, [N·H][W][padded outputs].
void raw_gradients(const ConvRowKernels& kernels, const ConvShape& shape, const float* result_gradient,
                   const float* saved, float* raw) {
  const int rows = shape.batch * shape.height;
  const int outputs = padded(shape.outputs);
  const int filters = gated(shape) ? shape.outputs / 2 : shape.outputs;
#pragma omp parallel for schedule(static)
  for (int r = 0; r < rows; ++r) {
    const size_t pixel = static_cast<size_t>(r) * shape.width;
    float* to = raw + pixel * outputs;
    if (gated(shape)) {
      kernels.gate_gradient_row(result_gradient + pixel * filters, saved + pixel * shape.outputs, filters, shape.width,
                                shape.gate == Gate::elu, to, outputs);
    } else {
      const float* from = result_gradient + pixel * filters;
      for (int x = 0; x < shape.width; ++x, to += outputs, from += filters) {
        for (int o = 0; o < filters; ++o) to[o] = from[o];
        for (int o = filters; o < outputs; ++o) to[o] = 0;
      }
    }
  }
}

/// One partial sum for each strip of rows, the strips chosen by the sizes alone, added from the first to the last.
void weight_gradients(const ConvRowKernels& kernels, const ConvShape& shape, std::span<const ConvInput> inputs,
                      const float* raw, float* weight_gradient, float* bias_gradient) {
  const int rows = shape.batch * shape.height;
  const int strips = std::clamp(rows / 16, 1, 16);
  const int outputs = padded(shape.outputs);
  const int channels = total_channels(inputs);
  const int kernel = shape.kernel;
  const int depth = kernel * channels;
  const size_t tap_floats = static_cast<size_t>(depth) * outputs;
  const size_t strip_floats = tap_floats * kernel + outputs;
  const Floats partial(strip_floats * strips);
#pragma omp parallel
  {
    RowWindow window(kernels, shape, inputs);
#pragma omp for schedule(static)
    for (int strip = 0; strip < strips; ++strip) {
      float* sums = partial.get() + strip_floats * strip;
      float* biases = sums + tap_floats * kernel;
      std::memset(sums, 0, strip_floats * sizeof(float));
      const int end = static_cast<int>(static_cast<long>(rows) * (strip + 1) / strips);
      for (int r = static_cast<int>(static_cast<long>(rows) * strip / strips); r < end; ++r) {
        const float* gradient = raw + static_cast<size_t>(r) * shape.width * outputs;
        kernels.sum_row(gradient, outputs, shape.width, biases);
        const float* const* around = window.around(r / shape.height, r % shape.height);
        for (int ky = 0; ky < kernel; ++ky) {
          const int y = r % shape.height + ky - kernel / 2;
          if (y < 0 || y >= shape.height) continue;
          kernels.weight_row(around[ky], depth, channels, shape.width, gradient, outputs, sums + tap_floats * ky);
        }
      }
    }
#pragma omp for schedule(static)
    for (int o = 0; o < shape.outputs; ++o) {
      for (int i = 0; weight_gradient != nullptr && i < channels; ++i) {
        for (int ky = 0; ky < kernel; ++ky) {
          for (int kx = 0; kx < kernel; ++kx) {
            const float* at = partial.get() + tap_floats * ky + static_cast<size_t>(kx * channels + i) * outputs + o;
            float sum = 0;
            for (int s = 0; s < strips; ++s) sum += at[strip_floats * s];
            weight_gradient[((static_cast<size_t>(o) * channels + i) * kernel + ky) * kernel + kx] = sum;
          }
        }
      }
      if (bias_gradient != nullptr) {
        float sum = 0;
        for (int s = 0; s < strips; ++s) sum += partial.get()[strip_floats * s + tap_floats * kernel + o];
        bias_gradient[o] = sum;
      }
    }
  }
}

void input_gradients_of(const ConvRowKernels& kernels, const ConvShape& shape, std::span<const ConvInput> inputs,
                        const float* weight, const float* raw, std::span<float* const> input_gradients) {
  const int channels = total_channels(inputs);
  const int columns = padded(channels);
  const int outputs = padded(shape.outputs);
  const int w = shape.width / 2;
  const std::vector<float> packed = pack_weights(weight, shape.outputs, channels, shape.kernel, true);
  const std::vector<float> no_bias(columns, 0.0f);
  const ConvInput raw_input{raw, outputs, Resampling::none};
  std::vector<std::unique_ptr<Floats>> half(inputs.size());  // upsampled inputs: columns gathered, rows not yet
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].resampling == Resampling::upsample2 && input_gradients[i] != nullptr) {
      half[i] = std::make_unique<Floats>(static_cast<size_t>(shape.batch) * shape.height * w * inputs[i].channels);
    }
  }
  const int rows = shape.batch * shape.height;
  const int strips = row_strips(shape);
#pragma omp parallel
  {
    RowWindow window(kernels, shape, std::span(&raw_input, 1));
    const Floats row(static_cast<size_t>(shape.width) * columns);
#pragma omp for schedule(static)
    for (int strip = 0; strip < strips; ++strip) {
      const int end = static_cast<int>(static_cast<long>(rows) * (strip + 1) / strips);
      for (int r = static_cast<int>(static_cast<long>(rows) * strip / strips); r < end; ++r) {
        kernels.product_row(window.around(r / shape.height, r % shape.height), shape.kernel, shape.kernel * outputs,
                            outputs, shape.width, packed.data(), columns, no_bias.data(), row.get());
        const float* from = row.get();
        for (size_t i = 0; i < inputs.size(); from += inputs[i++].channels) {
          float* to = input_gradients[i];
          const int c = inputs[i].channels;
          if (to == nullptr) continue;
          if (inputs[i].resampling == Resampling::upsample2) {
            gather_columns(from, columns, c, shape.width, half[i]->get() + static_cast<size_t>(r) * w * c);
          } else if (inputs[i].resampling == Resampling::pool2) {
            const size_t wide = 2 * static_cast<size_t>(shape.width) * c;
            spread_pooled(from, columns, c, shape.width, to + 2 * r * wide, to + (2 * r + 1) * wide);
          } else {
            float* pixel = to + static_cast<size_t>(r) * shape.width * c;
            for (int x = 0; x < shape.width; ++x, pixel += c) {
              std::memcpy(pixel, from + static_cast<size_t>(x) * columns, static_cast<size_t>(c) * sizeof(float));
            }
          }
        }
      }
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!half[i]) continue;
      const size_t count = static_cast<size_t>(w) * inputs[i].channels;
      const int h = shape.height / 2;
#pragma omp for schedule(static)
      for (int r = 0; r < shape.batch * h; ++r) {
        gather_rows(half[i]->get() + static_cast<size_t>(r / h) * shape.height * count, shape.height, r % h,
                    static_cast<long>(count), input_gradients[i] + r * count);
      }
    }
  }
}

}  // namespace

SimdLevel best_simd_level() {
  return __builtin_cpu_supports("avx512f") ? SimdLevel::avx512 : SimdLevel::avx2;
}

void conv_forward(const ConvShape& shape, std::span<const ConvInput> inputs, const float* weight, const float* bias,
                  float* result, float* saved, SimdLevel level) {
  const ConvRowKernels& kernels = kernels_of(level);
  const int channels = total_channels(inputs);
  const int outputs = padded(shape.outputs);
  const int filters = gated(shape) ? shape.outputs / 2 : shape.outputs;
  const std::vector<float> packed = pack_weights(weight, shape.outputs, channels, shape.kernel, false);
  std::vector<float> padded_bias(outputs, 0.0f);
  std::copy_n(bias, shape.outputs, padded_bias.begin());
  const int rows = shape.batch * shape.height;
  const int strips = row_strips(shape);
#pragma omp parallel
  {
    RowWindow window(kernels, shape, inputs);
    const Floats row(static_cast<size_t>(shape.width) * outputs);
#pragma omp for schedule(static)
    for (int strip = 0; strip < strips; ++strip) {
      const int end = static_cast<int>(static_cast<long>(rows) * (strip + 1) / strips);
      for (int r = static_cast<int>(static_cast<long>(rows) * strip / strips); r < end; ++r) {
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

void conv_backward(const ConvShape& shape, std::span<const ConvInput> inputs, const float* weight,
                   const float* result_gradient, const float* saved, std::span<float* const> input_gradients,
                   float* weight_gradient, float* bias_gradient, SimdLevel level) {
  const ConvRowKernels& kernels = kernels_of(level);
  const size_t pixels = static_cast<size_t>(shape.batch) * shape.height * shape.width;
  const Floats raw(pixels * padded(shape.outputs));
  raw_gradients(kernels, shape, result_gradient, saved, raw.get());
  if (weight_gradient != nullptr || bias_gradient != nullptr) {
    weight_gradients(kernels, shape, inputs, raw.get(), weight_gradient, bias_gradient);
  }
  const bool any = std::any_of(input_gradients.begin(), input_gradients.end(), [](const float* g) { return g; });
  if (any) input_gradients_of(kernels, shape, inputs, weight, raw.get(), input_gradients);
}

}  // namespace ptl
