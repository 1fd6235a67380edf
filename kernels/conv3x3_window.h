// What the convolution's forward and backward share: rows that move down an image, weights in the order of the kernels.
#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <span>
#include <utility>
#include <vector>

#include "kernels/conv3x3_simd.h"

namespace ptl {

inline bool gated(const ConvShape& shape) { return shape.gate != Gate::none; }

inline int filters_of(const ConvShape& shape) { return gated(shape) ? shape.outputs / 2 : shape.outputs; }

/// Uninitialised floats on a cache line's boundary.
class Floats {
 public:
  explicit Floats(size_t count) : data_(static_cast<float*>(::operator new[](count * sizeof(float) + 64, line))) {}
  Floats(const Floats&) = delete;
  Floats& operator=(const Floats&) = delete;
  Floats(Floats&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
  ~Floats() { ::operator delete[](data_, line); }
  float* get() const { return data_; }

 private:
  static constexpr std::align_val_t line{64};
  float* data_;
};

constexpr int padded(int outputs) { return (outputs + conv_lanes - 1) / conv_lanes * conv_lanes; }

inline int total_channels(std::span<const ConvInput> inputs) {
  int total = 0;
  for (const ConvInput& input : inputs) total += input.channels;
  return total;
}

/// The inner loops for an instruction set.
const ConvRowKernels& conv_row_kernels(SimdLevel level);

/// weight [O, C, k, k] in the order of ConvRowKernels::product_row.
/// transposed: the weights of the inputs' gradient, which is the convolution of the outputs' gradient with the kernel
/// turned by 180° and inputs and outputs exchanged.
std::vector<float> pack_weights(const float* weight, int outputs, int inputs, int kernel, bool transposed);

/// Rows [W + 2·border][channels] around a row that moves down, zeros outside the image; each is made once, by
/// fill(image, y, first pixel), which leaves the border alone.
template <class Fill>
class RowWindow {
 public:
  RowWindow(const ConvShape& shape, int channels, Fill fill)
      : shape_(shape), border_(shape.kernel / 2), fill_(std::move(fill)),
        border_floats_(static_cast<size_t>(border_) * channels),
        row_floats_(static_cast<size_t>(shape.width) * channels + 2 * border_floats_),
        rows_(row_floats_ * static_cast<size_t>(shape.kernel + 1)) {
    std::memset(rows_.get(), 0, row_floats_ * static_cast<size_t>(shape.kernel + 1) * sizeof(float));
  }

  /// The `kernel` rows around row y of an image, each from its border on.
  const float* const* around(int image, int y) {
    for (int t = 0; t < shape_.kernel; ++t) pointers_[t] = row(image, y + t - border_);
    return pointers_;
  }

  /// Row y from its first pixel on; y inside the image.
  const float* pixels(int image, int y) { return row(image, y) + border_floats_; }

 private:
  const float* row(int image, int y) {
    if (y < 0 || y >= shape_.height) return rows_.get() + row_floats_ * static_cast<size_t>(shape_.kernel);
    const int slot = y % shape_.kernel;
    float* dest = rows_.get() + row_floats_ * static_cast<size_t>(slot);
    const long id = static_cast<long>(image) * shape_.height + y;
    if (id_[slot] != id) {
      fill_(image, y, dest + border_floats_);
      id_[slot] = id;
    }
    return dest;
  }

  const ConvShape& shape_;
  int border_;
  Fill fill_;
  size_t border_floats_;
  size_t row_floats_;
  Floats rows_;  // kernel rows in turn, then one of zeros
  const float* pointers_[3] = {};
  long id_[3] = {-1, -1, -1};
};

/// Rows of the concatenated, resampled inputs.
inline auto input_rows(const ConvRowKernels& kernels, const ConvShape& shape, std::span<const ConvInput> inputs) {
  const int total = total_channels(inputs);
  return RowWindow(shape, total,
                   [&kernels, &shape, inputs, total,
                    scratch = Floats(static_cast<size_t>(shape.width) * total)](int image, int y, float* dest) {
                     kernels.pack_row(inputs.data(), static_cast<int>(inputs.size()), image, y, shape.height,
                                      shape.width, total, dest, scratch.get());
                   });
}

}  // namespace ptl
