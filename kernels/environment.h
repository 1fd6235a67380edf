// Stage 4 of 4: what is behind the points. Data in: the pyramid's features and weights; out: the features with every
// empty pixel (weight 0) replaced by the environment map in the direction of its ray, or by one background descriptor.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/camera.h"
#include "kernels/device.h"
#include "kernels/row_pose.h"

namespace ptl {

/// One layer of the pyramid. Its pixel (x, y) is number first + y·width + x and covers 2^l pixels of the crop each way.
struct PyramidLayer {
  int32_t width_px = 0;
  int32_t height_px = 0;
  int64_t first = 0;
};

/// From where the pyramid is seen.
template <class T>
struct EnvironmentView {
  CameraParams<T> camera;
  Mat3<T> world_from_camera{T(1)};  ///< rotation only: the map is infinitely far away
  Crop crop;
  std::vector<PyramidLayer> layers; ///< finest first, one after another; at most max_pyramid_layers
  Vec3<T> readout_rotation{T(0)};   ///< of a rolling shutter (kernels/row_pose.h)
};

/// Map [height, width, channels]. Longitude atan2(x, z) runs over the width, from −π to π; latitude
/// atan2(y, √(x²+z²)) over the height, from −π/2 to π/2. Texel centres at halves. Height 1 and width 1 with `constant`
/// is the background descriptor.
struct EnvironmentShape {
  int32_t height = 0;
  int32_t width = 0;
  int32_t channels = 0;
  bool constant = false;  ///< one descriptor for all directions: no rays are computed
};

/// The four texels of a direction: columns x[0], x[1] (wrapped), rows y[0], y[1] (clamped), weights of the second ones.
template <class T>
struct EnvironmentSample {
  int32_t x[2], y[2];
  T weight_x, weight_y;

  /// Of a pixel that no direction lands in, beyond the rim of a wide lens: it shows 0 and gives no gradient.
  PTL_HD static EnvironmentSample none() { return {{-1, -1}, {0, 0}, T(0), T(0)}; }
  PTL_HD bool is_none() const { return x[0] < 0; }
};

template <class T>
PTL_HD EnvironmentSample<T> environment_sample(const EnvironmentShape& shape, const Vec3<T>& direction_world) {
  constexpr T pi = T(3.14159265358979323846);
  const Vec3<T>& d = direction_world;
  const T longitude = std::atan2(d.x, d.z), latitude = std::atan2(d.y, std::sqrt(d.x * d.x + d.z * d.z));
  const T u = (longitude / (T(2) * pi) + T(0.5)) * static_cast<T>(shape.width) - T(0.5);
  T v = (latitude / pi + T(0.5)) * static_cast<T>(shape.height) - T(0.5);
  const T last_row = static_cast<T>(shape.height - 1);
  v = v > T(0) ? (v < last_row ? v : last_row) : T(0);
  const T left = std::floor(u), top = std::floor(v);
  EnvironmentSample<T> s;
  s.x[0] = (static_cast<int32_t>(left) + 2 * shape.width) % shape.width;
  s.x[1] = (s.x[0] + 1) % shape.width;
  s.y[0] = static_cast<int32_t>(top);
  s.y[1] = s.y[0] + 1 < shape.height ? s.y[0] + 1 : s.y[0];
  s.weight_x = u - left;
  s.weight_y = v - top;
  return s;
}

/// Where the centre of a texel lies: environment_sample's inverse.
template <class T>
PTL_HD Vec3<T> environment_direction(const EnvironmentShape& shape, int32_t x, int32_t y) {
  constexpr T pi = T(3.14159265358979323846);
  const T longitude = ((static_cast<T>(x) + T(0.5)) / static_cast<T>(shape.width) - T(0.5)) * T(2) * pi;
  const T latitude = ((static_cast<T>(y) + T(0.5)) / static_cast<T>(shape.height) - T(0.5)) * pi;
  return {std::cos(latitude) * std::sin(longitude), std::sin(latitude), std::cos(latitude) * std::cos(longitude)};
}

/// The weight of one of the sample's texels: of its upper or lower row, left or right column.
template <class T>
PTL_HD T texel_weight(const EnvironmentSample<T>& sample, bool lower, bool right) {
  return (lower ? sample.weight_y : T(1) - sample.weight_y) * (right ? sample.weight_x : T(1) - sample.weight_x);
}

/// An empty pixel and where it looks. Plain data: the forward's list serves the backward.
template <class T>
struct EmptyPixel {
  int64_t pixel;
  EnvironmentSample<T> sample;  ///< zeros for a constant background
};

// All pointers and lists below are memory of the device.

/// Empty pixels are counted by runs of so many pixels.
inline constexpr int64_t empty_run_pixels = 16;
inline int64_t empty_runs(int64_t pixel_count) { return (pixel_count + empty_run_pixels - 1) / empty_run_pixels; }

/// How many of weight [P] are 0. run_first [empty_runs(P) + 1]: the number of empty pixels before each run.
int64_t count_empty_pixels(const Device& device, int64_t pixel_count, const int32_t* weight, int64_t* run_first);

/// The empty pixels of weight [P] in ascending order, with their samples. `empty` has as many entries as
/// count_empty_pixels, whose run_first this takes, has counted. std::invalid_argument for too many layers.
template <class T>
void find_empty_pixels(const Device& device, const EnvironmentView<T>& view, const EnvironmentShape& shape,
                       int64_t pixel_count, const int32_t* weight, const int64_t* run_first,
                       std::span<EmptyPixel<T>> empty);

/// features [P, C], weight [P], map [H, W, C] and the empty pixels → output [P, C], or [P, C + 1] with the coverage (1
/// where weight > 0) last.
template <class T>
void environment_forward(const Device& device, const EnvironmentShape& shape, int64_t pixel_count, const T* features,
                         const int32_t* weight, std::span<const EmptyPixel<T>> empty, const T* map,
                         bool append_coverage, T* output);

/// How gradients reach the map. Both give the same bits, at any number of threads: a texel adds up what it gets as the
/// upper row of samples, then as the lower one, each in the order of the pixels.
enum class EnvironmentDriver {
  automatic,  ///< rows on the CPU, sorted on the GPU
  rows,       ///< empty pixels sorted by map row, then one thread a row; CPU only
  sorted,     ///< contributions sorted by texel, then one thread a texel's channel; what the GPU runs, and the CPU can
};

/// The map rows that the empty pixels' samples touch, ascending, in `rows` [H]; returns how many. Row 0 alone for a
/// constant background. Gradients are 0 in all others, which are most of a map: they are neither stored nor read.
template <class T>
int64_t touched_rows(const Device& device, const EnvironmentShape& shape, std::span<const EmptyPixel<T>> empty,
                     int64_t* rows);

/// grad_output as output → grad_features [P, C] (0 where empty), grad_rows [rows, W, C] of the touched rows; both are
/// overwritten. std::invalid_argument where 32 bits do not number the contributions or texels.
template <class T>
void environment_backward(const Device& device, const EnvironmentShape& shape, int64_t pixel_count,
                          const int32_t* weight, std::span<const EmptyPixel<T>> empty, std::span<const int64_t> rows,
                          const T* grad_output, bool append_coverage, T* grad_features, T* grad_rows,
                          EnvironmentDriver driver = EnvironmentDriver::automatic);

}  // namespace ptl
