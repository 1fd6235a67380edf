// What the plane sweep computes at one pixel, for both of its drivers.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "dense/plane_sweep.h"

namespace ptl {

inline constexpr int match_side_px = 2 * match_radius_px + 1;
/// Of luminance 0..255; below it a window holds nothing to compare.
inline constexpr float noise_variance = 3.0f;
inline constexpr uint8_t no_cost = 255;
inline constexpr float not_known = std::numeric_limits<float>::quiet_NaN();

/// Luminance around 0 with a border of one pixel; NaN wherever nothing is known: it spreads through every sum that
/// touches it, so that validity needs no sums of its own.
struct Plate {
  int width = 0, height = 0;  ///< with the border
  const float* value = nullptr;

  explicit Plate(const MatchPixels& photo, const float* memory = nullptr)
      : width(photo.width_px + 2), height(photo.height_px + 2), value(memory) {}
  int64_t count() const { return static_cast<int64_t>(width) * height; }
  /// Of the photo's row y, without the border.
  PTL_HD const float* row(int y) const { return value + static_cast<int64_t>(y + 1) * width + 1; }
};

PTL_HD inline float plate_value(const MatchPixels& photo, int x, int y) {
  const bool inside = x >= 0 && y >= 0 && x < photo.width_px && y < photo.height_px;
  return inside && photo.valid[photo.index(x, y)] ? photo.luminance[photo.index(x, y)] - 128.0f : not_known;
}

/// A row of the reference in a source, if everything lay at inverse depth w: pixel x is seen at base + step · x.
struct RowInSource {
  float base[3], step[3];

  RowInSource() = default;
  PTL_HD RowInSource(const SourceMap& map, int y, double w) {
    const Vec3<double> start = map.base * Vec3<double>(0.5, y + 0.5, 1) + map.shift * w;
    for (int axis = 0; axis < 3; ++axis) {
      base[axis] = static_cast<float>(start[axis]);
      step[axis] = static_cast<float>(map.base[0][axis]);
    }
  }
};

/// The source's value there, bilinear. + 0.5 leads from pixel coordinates to indices of the plate, whose border is one
/// pixel wide. In the order of vector instructions, which return the second operand for a NaN.
PTL_HD inline float warped_value(const Plate& source, const RowInSource& row, int x) {
  const float right = static_cast<float>(source.width) - 1.001f, bottom = static_cast<float>(source.height) - 1.001f;
  const float fx = static_cast<float>(x);
  const float z = row.base[2] + row.step[2] * fx;
  const float inverse = 1.0f / z;
  float u = (row.base[0] + row.step[0] * fx) * inverse + 0.5f, v = (row.base[1] + row.step[1] * fx) * inverse + 0.5f;
  u = z > 0.0f ? u : 0.0f;
  u = u > 0.0f ? u : 0.0f, u = u < right ? u : right;
  v = v > 0.0f ? v : 0.0f, v = v < bottom ? v : bottom;
  const int iu = static_cast<int>(u), iv = static_cast<int>(v);
  const float a = u - static_cast<float>(iu), b = v - static_cast<float>(iv);
  const float* at = source.value + iv * source.width + iu;
  const float upper = at[0] + a * (at[1] - at[0]);
  const float lower = at[source.width] + a * (at[source.width + 1] - at[source.width]);
  return upper + b * (lower - upper);
}

/// A window's mean is that of its columns' sums, each in this order.
PTL_HD inline float sum_of_five(float a, float b, float c, float d, float e) {
  return ((a + b) + (c + d)) + e;
}

PTL_HD inline float mean_of_columns(float a, float b, float c, float d, float e) {
  return sum_of_five(a, b, c, d, e) * (1.0f / static_cast<float>(match_side_px * match_side_px));
}

PTL_HD inline float noisy_variance(float mean_square, float mean) {
  return std::max(mean_square - mean * mean, 0.0f) + noise_variance;
}

PTL_HD inline float inverse_deviation(float mean_square, float mean) {
  return 1.0f / std::sqrt(noisy_variance(mean_square, mean));
}

/// From the means of s, s² and r · s over the window (s: source, r: reference); no_cost where it is not known.
PTL_HD inline uint8_t matching_cost(float mean_s, float mean_ss, float mean_rs, float mean_r, float inverse_r) {
  const float correlation = (mean_rs - mean_r * mean_s) * inverse_r / std::sqrt(noisy_variance(mean_ss, mean_s));
  const float value = std::min(std::max(127.5f - 127.0f * correlation, 0.0f), 254.0f);
  // A NaN, and only that, is unequal to itself.
  return static_cast<uint8_t>(static_cast<int>(correlation == correlation ? value : static_cast<float>(no_cost)));
}

/// The three best costs of a pixel and how many were known.
struct BestCosts {
  uint8_t best0 = no_cost, best1 = no_cost, best2 = no_cost, known = 0;

  PTL_HD void insert(uint8_t cost) {
    known = static_cast<uint8_t>(known + (cost != no_cost));
    const uint8_t second = std::max(best0, cost);
    best0 = std::min(best0, cost);
    const uint8_t third = std::max(best1, second);
    best1 = std::min(best1, second);
    best2 = std::min(best2, third);
  }
  /// Mean of the better half.
  PTL_HD uint8_t combined() const {
    const uint16_t b0 = best0, b1 = best1, b2 = best2;
    const uint16_t two = static_cast<uint16_t>((b0 + b1) >> 1);
    const uint16_t three = static_cast<uint16_t>(((b0 + b1 + b2) * 171) >> 9);  // / 3, exact for sums below 766
    uint16_t value = b0;
    value = known > 2 ? two : value;
    value = known > 4 ? three : value;
    return static_cast<uint8_t>(known == 0 ? unknown_cost : value);
  }
};

}  // namespace ptl
