#include <algorithm>
#include <memory>

#include "kernels/conv3x3_window.h"

namespace ptl {
namespace {

/// Rows that share a sum of the weights' gradients: few enough to share out, many enough that adding up the sums is cheap.
constexpr int rows_per_sum = 8;

/// Rows of the raw outputs' gradients, [W][padded outputs].
auto gradient_rows(const ConvRowKernels& kernels, const ConvShape& shape, const float* result_gradient,
                   const float* saved) {
  const int outputs = padded(shape.outputs);
  const int filters = filters_of(shape);
  return RowWindow(shape, outputs, [=, &kernels, &shape](int image, int y, float* to) {
    const size_t pixel = (static_cast<size_t>(image) * shape.height + y) * shape.width;
    const float* from = result_gradient + pixel * filters;
    if (gated(shape)) {
      kernels.gate_gradient_row(from, saved + pixel * shape.outputs, filters, shape.width, shape.gate == Gate::elu, to,
                                outputs);
      return;
    }
    for (int x = 0; x < shape.width; ++x, to += outputs, from += filters) {
      for (int o = 0; o < filters; ++o) to[o] = from[o];
      for (int o = filters; o < outputs; ++o) to[o] = 0;
    }
  });
}

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

/// Sums of the weights' and biases' gradients, one for each strip of rows and added from the first to the last. The
/// strips are chosen by the sizes alone.
class WeightSums {
 public:
  WeightSums(const ConvShape& shape, int channels, int strips)
      : shape_(shape), channels_(channels), strips_(strips), outputs_(padded(shape.outputs)),
        tap_floats_(static_cast<size_t>(shape.kernel) * channels * outputs_),
        strip_floats_(tap_floats_ * shape.kernel + outputs_), partial_(strip_floats_ * strips) {}

  void clear(int strip) { std::memset(at(strip), 0, strip_floats_ * sizeof(float)); }

  /// around: the inputs around row y; gradient: of the raw outputs of row y.
  void add_row(const ConvRowKernels& kernels, int strip, int y, const float* const* around, const float* gradient) {
    float* sums = at(strip);
    kernels.sum_row(gradient, outputs_, shape_.width, sums + tap_floats_ * shape_.kernel);
    for (int ky = 0; ky < shape_.kernel; ++ky) {
      const int input_y = y + ky - shape_.kernel / 2;
      if (input_y < 0 || input_y >= shape_.height) continue;
      kernels.weight_row(around[ky], shape_.kernel * channels_, channels_, shape_.width, gradient, outputs_,
                         sums + tap_floats_ * ky);
    }
  }

  /// Of input channel i: weight_gradient[o][i][ky][kx] for all o, ky, kx. sum: scratch, padded outputs.
  void total(int i, float* sum, float* weight_gradient) const {
    const int kernel = shape_.kernel;
    for (int ky = 0; ky < kernel; ++ky) {
      for (int kx = 0; kx < kernel; ++kx) {
        total_row(tap_floats_ * ky + static_cast<size_t>(kx * channels_ + i) * outputs_, sum);
        for (int o = 0; o < shape_.outputs; ++o) {
          weight_gradient[((static_cast<size_t>(o) * channels_ + i) * kernel + ky) * kernel + kx] = sum[o];
        }
      }
    }
  }

  void total_bias(float* sum, float* bias_gradient) const {
    total_row(tap_floats_ * shape_.kernel, sum);
    std::copy_n(sum, shape_.outputs, bias_gradient);
  }

 private:
  float* at(int strip) const { return partial_.get() + strip_floats_ * strip; }

  void total_row(size_t offset, float* sum) const {
    std::fill_n(sum, outputs_, 0.0f);
    for (int s = 0; s < strips_; ++s) {
      const float* from = at(s) + offset;
      for (int o = 0; o < outputs_; ++o) sum[o] += from[o];
    }
  }

  const ConvShape& shape_;
  int channels_;
  int strips_;
  int outputs_;
  size_t tap_floats_;
  size_t strip_floats_;  // [kernel][kernel · channels][padded outputs], then the biases
  Floats partial_;
};

/// Gradients of the inputs, from those of the concatenated, resampled rows.
class InputGradients {
 public:
  InputGradients(const ConvShape& shape, std::span<const ConvInput> inputs, std::span<float* const> gradients)
      : shape_(shape), inputs_(inputs), gradients_(gradients), columns_(padded(total_channels(inputs))),
        half_(inputs.size()) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].resampling == Resampling::upsample2 && gradients[i] != nullptr) {
        half_[i] = std::make_unique<Floats>(static_cast<size_t>(shape.batch) * shape.height * half_row(i));
      }
    }
  }

  /// r: row of all images; from [W][padded channels].
  void put_row(int r, const float* from) {
    for (size_t i = 0; i < inputs_.size(); from += inputs_[i++].channels) {
      float* to = gradients_[i];
      const int c = inputs_[i].channels;
      if (to == nullptr) continue;
      if (inputs_[i].resampling == Resampling::upsample2) {
        gather_columns(from, columns_, c, shape_.width, half_[i]->get() + r * half_row(i));
      } else if (inputs_[i].resampling == Resampling::pool2) {
        const size_t wide = 2 * static_cast<size_t>(shape_.width) * c;
        spread_pooled(from, columns_, c, shape_.width, to + 2 * r * wide, to + (2 * r + 1) * wide);
      } else {
        float* pixel = to + static_cast<size_t>(r) * shape_.width * c;
        for (int x = 0; x < shape_.width; ++x, pixel += c) {
          std::memcpy(pixel, from + static_cast<size_t>(x) * columns_, static_cast<size_t>(c) * sizeof(float));
        }
      }
    }
  }

  /// Called by all threads, after all rows.
  void finish() {
    const int h = shape_.height / 2;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (!half_[i]) continue;
      const size_t count = half_row(i);
#pragma omp for schedule(static)
      for (int r = 0; r < shape_.batch * h; ++r) {
        gather_rows(half_[i]->get() + static_cast<size_t>(r / h) * shape_.height * count, shape_.height, r % h,
                    static_cast<long>(count), gradients_[i] + r * count);
      }
    }
  }

 private:
  size_t half_row(size_t i) const { return static_cast<size_t>(shape_.width / 2) * inputs_[i].channels; }

  const ConvShape& shape_;
  std::span<const ConvInput> inputs_;
  std::span<float* const> gradients_;
  int columns_;
  std::vector<std::unique_ptr<Floats>> half_;  // upsampled inputs: columns gathered, rows not yet
};

}  // namespace

void conv_backward(const ConvShape& shape, std::span<const ConvInput> inputs, const float* weight,
                   const float* result_gradient, const float* saved, std::span<float* const> input_gradients,
                   float* weight_gradient, float* bias_gradient, SimdLevel level) {
  const ConvRowKernels& kernels = conv_row_kernels(level);
  const int channels = total_channels(inputs);
  const int columns = padded(channels);
  const int outputs = padded(shape.outputs);
  const std::vector<float> packed = pack_weights(weight, shape.outputs, channels, shape.kernel, true);
  const std::vector<float> no_bias(columns, 0.0f);
  const int rows = shape.batch * shape.height;
  const int strips = std::clamp(rows / rows_per_sum, 1, 16);
  const bool weights_wanted = weight_gradient != nullptr || bias_gradient != nullptr;
  const bool inputs_wanted = std::any_of(input_gradients.begin(), input_gradients.end(), [](const float* g) { return g; });
  InputGradients to_inputs(shape, inputs, input_gradients);
  WeightSums sums(shape, channels, strips);
  // One pass, so that a row of the outputs' gradients is still in the cache for all that needs it.
#pragma omp parallel
  {
    auto window = input_rows(kernels, shape, inputs);
    auto gradients = gradient_rows(kernels, shape, result_gradient, saved);
    const Floats row(static_cast<size_t>(shape.width) * columns);
    const Floats sum(outputs);
#pragma omp for schedule(static)
    for (int strip = 0; strip < strips; ++strip) {
      sums.clear(strip);
      const int end = static_cast<int>(static_cast<long>(rows) * (strip + 1) / strips);
      for (int r = static_cast<int>(static_cast<long>(rows) * strip / strips); r < end; ++r) {
        const int image = r / shape.height;
        const int y = r % shape.height;
        if (weights_wanted) {
          sums.add_row(kernels, strip, y, window.around(image, y), gradients.pixels(image, y));
        }
        if (inputs_wanted) {
          kernels.product_row(gradients.around(image, y), shape.kernel, shape.kernel * outputs, outputs, shape.width,
                              packed.data(), columns, no_bias.data(), row.get());
          to_inputs.put_row(r, row.get());
        }
      }
    }
    to_inputs.finish();
    if (weight_gradient != nullptr) {
#pragma omp for schedule(static)
      for (int i = 0; i < channels; ++i) sums.total(i, sum.get(), weight_gradient);
    }
    if (bias_gradient != nullptr) {
#pragma omp single
      sums.total_bias(sum.get(), bias_gradient);
    }
  }
}

}  // namespace ptl
