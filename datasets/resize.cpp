#include "datasets/resize.h"

#include <algorithm>
#include <cmath>

#include "datasets/error.h"

namespace ptl {

namespace {

/// Rows are filtered along x once, when the first output row needs them, and kept until the last one has.
template <class T>
void sample_rows(const T* input, int input_width, int channels, const AxisTaps& x, const AxisTaps& y, float divisor,
                 float* output) {
  const size_t columns = x.first_input.size(), rows = y.first_input.size(), stride = static_cast<size_t>(channels);
  const size_t row_values = columns * stride;
  int held_rows = 1;
  for (size_t i = 0; i < rows; ++i) held_rows = std::max(held_rows, y.tap_count(static_cast<int>(i)));
  std::vector<float> filtered(static_cast<size_t>(held_rows) * row_values);
  std::vector<int> held(static_cast<size_t>(held_rows), -1);  // which input row each part of `filtered` holds

  const auto filter_row = [&](int row) {
    const size_t place = static_cast<size_t>(row % held_rows);
    float* result = filtered.data() + place * row_values;
    if (held[place] == row) return static_cast<const float*>(result);
    held[place] = row;
    const T* source = input + static_cast<size_t>(row) * static_cast<size_t>(input_width) * stride;
    for (size_t column = 0; column < columns; ++column) {
      const int first_tap = x.first_tap[column], count = x.first_tap[column + 1] - first_tap;
      const T* pixel = source + static_cast<size_t>(x.first_input[column]) * stride;
      for (size_t c = 0; c < stride; ++c) {
        float sum = 0;
        for (int k = 0; k < count; ++k) {
          const T value = pixel[static_cast<size_t>(k) * stride + c];
          sum += x.weight[static_cast<size_t>(first_tap + k)] * static_cast<float>(value);
        }
        result[column * stride + c] = sum;
      }
    }
    return static_cast<const float*>(result);
  };

  for (size_t row = 0; row < rows; ++row) {
    float* out = output + row * row_values;
    std::fill(out, out + row_values, 0.0f);
    const int first_tap = y.first_tap[row], count = y.first_tap[row + 1] - first_tap;
    for (int k = 0; k < count; ++k) {
      const float weight = y.weight[static_cast<size_t>(first_tap + k)];
      const float* source = filter_row(y.first_input[row] + k);
      for (size_t i = 0; i < row_values; ++i) out[i] += weight * source[i];
    }
    if (divisor != 1.0f)
      for (size_t i = 0; i < row_values; ++i) out[i] /= divisor;
  }
}

void check_reduction(int width, int height, int width_px, int height_px) {
  if (width_px < 1 || height_px < 1 || width_px > width || height_px > height)
    throw InputError("an image of {} × {} pixels cannot be reduced to {} × {}; expected a size of at least 1 × 1 and at "
                     "most its own", width, height, width_px, height_px);
}

AxisTaps reduction_taps(int input_size, int output_size) {
  return make_axis_taps(input_size, output_size, static_cast<double>(input_size) / output_size, 0.0);
}

template <class T>
std::vector<T> rounded(const std::vector<float>& values, float largest) {
  std::vector<T> result(values.size());
  for (size_t i = 0; i < values.size(); ++i)
    result[i] = static_cast<T>(std::clamp(values[i] + 0.5f, 0.0f, largest));  // towards zero after + 0.5
  return result;
}

}  // namespace

AxisTaps make_axis_taps(int input_size, int output_size, double step, double offset) {
  AxisTaps taps;
  taps.first_input.reserve(static_cast<size_t>(output_size));
  taps.first_tap.reserve(static_cast<size_t>(output_size) + 1);
  taps.first_tap.push_back(0);
  std::vector<double> weights;
  for (int i = 0; i < output_size; ++i) {
    const double centre = (i + 0.5 + offset) * step;
    int first = 0;
    weights.clear();
    if (centre >= 0 && centre < input_size) {
      if (step > 1) {
        const double low = std::max(0.0, (i + offset) * step);
        const double high = std::min<double>(input_size, (i + 1 + offset) * step);
        // Shares below a millionth of a pixel come from rounding at pixel borders.
        constexpr double tolerance = 1e-6;
        first = static_cast<int>(std::floor(low + tolerance));
        const int last = std::min(input_size, static_cast<int>(std::ceil(high - tolerance)));
        double total = 0;
        for (int k = first; k < last; ++k) {
          weights.push_back(std::min<double>(high, k + 1) - std::max<double>(low, k));
          total += weights.back();
        }
        for (double& weight : weights) weight /= total;
      } else {
        const double position = centre - 0.5;
        first = static_cast<int>(std::floor(position));
        const double fraction = position - first;
        if (first < 0)
          first = 0, weights = {1.0};
        else if (fraction == 0 || first + 1 >= input_size)
          weights = {1.0};
        else
          weights = {1 - fraction, fraction};
      }
    }
    taps.first_input.push_back(first);
    for (const double weight : weights) taps.weight.push_back(static_cast<float>(weight));
    taps.first_tap.push_back(static_cast<int>(taps.weight.size()));
  }
  return taps;
}

AxisTaps make_wrapped_axis_taps(int input_size, int output_size, double step, double offset) {
  AxisTaps taps;
  taps.first_tap.push_back(0);
  for (int i = 0; i < output_size; ++i) {
    const double turns = std::floor((i + 0.5 + offset) * step / input_size);
    const AxisTaps one = make_axis_taps(input_size, 1, step, i + offset - turns * input_size / step);
    taps.first_input.push_back(one.first_input[0]);
    taps.weight.insert(taps.weight.end(), one.weight.begin(), one.weight.end());
    taps.first_tap.push_back(static_cast<int>(taps.weight.size()));
  }
  return taps;
}

Image reduce_area(const Image& image, int width_px, int height_px) {
  check_reduction(image.width, image.height, width_px, height_px);
  Image result(width_px, height_px, image.channels);
  sample_rows(image.pixels.data(), image.width, image.channels, reduction_taps(image.width, width_px),
              reduction_taps(image.height, height_px), 1.0f, result.pixels.data());
  return result;
}

StoredImage reduce_area(const StoredImage& image, int width_px, int height_px) {
  check_reduction(image.width, image.height, width_px, height_px);
  StoredImage result;
  result.width = width_px;
  result.height = height_px;
  result.channels = image.channels;
  result.bits = image.bits;
  const AxisTaps x = reduction_taps(image.width, width_px), y = reduction_taps(image.height, height_px);
  std::vector<float> values(result.value_count());
  if (image.bits == 8) {
    sample_rows(image.values8.data(), image.width, image.channels, x, y, 1.0f, values.data());
    result.values8 = rounded<uint8_t>(values, 255.0f);
  } else {
    sample_rows(image.values16.data(), image.width, image.channels, x, y, 1.0f, values.data());
    result.values16 = rounded<uint16_t>(values, 65535.0f);
  }
  return result;
}

void sample_separable(const StoredImage& image, const AxisTaps& x, const AxisTaps& y, float* output) {
  if (image.bits == 8)
    sample_rows(image.values8.data(), image.width, image.channels, x, y, 255.0f, output);
  else
    sample_rows(image.values16.data(), image.width, image.channels, x, y, 65535.0f, output);
}

}  // namespace ptl
