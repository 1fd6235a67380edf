// What the rasteriser's benchmarks draw, and the bytes that drawing it must move.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "kernels/point_blocks.h"
#include "kernels/project.h"

namespace ptl {

inline constexpr int channels = 4, layers = 4;
inline constexpr int32_t photo_width_px = 1920, photo_height_px = 1080;

/// A wavy wall, about 3 m away, that fills a photo of 1920 × 1080 and a tenth more: points along a Morton curve, radii
/// from their spacing, each block sorted as prepared clouds are.
struct Wall {
  std::vector<float> position, radius, descriptors, grad_projected, bounds;
  std::vector<int64_t> id;
  PointsView points;

  explicit Wall(int64_t count) {
    const auto n = static_cast<size_t>(count);
    position.resize(3 * n);
    radius.resize(n);
    id.resize(n);
    descriptors.resize(channels * n);
    grad_projected.assign(channels * n, 0.0f);
    int levels = 0;
    while ((int64_t{1} << (2 * levels)) < count) ++levels;
    const double half_width_m = 0.6 * 3 * 1.1, half_height_m = 0.3375 * 3 * 1.1;
    const double area_m2 = 4 * half_width_m * half_height_m;
    // Distance to the 4th neighbour in a random cloud: π r² · density = 4.
    const double fourth_neighbour_m = std::sqrt(4 * area_m2 / (3.14159265358979 * static_cast<double>(count)));
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < count; ++i) {
      const auto cell = static_cast<uint64_t>(static_cast<double>(i) / static_cast<double>(count) *
                                              static_cast<double>(int64_t{1} << (2 * levels)));
      uint64_t column = 0, row = 0;
      for (int b = 0; b < levels; ++b) {
        column |= (cell >> (2 * b) & 1) << b;
        row |= (cell >> (2 * b + 1) & 1) << b;
      }
      const auto draw = [&](uint64_t which) {
        return draw_unit(1, DrawPurpose::synthetic, static_cast<uint64_t>(i), which);
      };
      const double side = static_cast<double>(int64_t{1} << levels);
      const double x = half_width_m * (2 * (static_cast<double>(column) + draw(0)) / side - 1);
      const double y = half_height_m * (2 * (static_cast<double>(row) + draw(1)) / side - 1);
      position[static_cast<size_t>(3 * i)] = static_cast<float>(x);
      position[static_cast<size_t>(3 * i + 1)] = static_cast<float>(y);
      position[static_cast<size_t>(3 * i + 2)] = static_cast<float>(3 + 0.15 * std::sin(4 * x) * std::cos(5 * y));
      radius[static_cast<size_t>(i)] = static_cast<float>(fourth_neighbour_m / std::sqrt(draw(2)));
      id[static_cast<size_t>(i)] = i;
      for (int c = 0; c < channels; ++c)
        descriptors[static_cast<size_t>(channels * i + c)] = draw(3 + static_cast<uint64_t>(c));
    }
    for (int64_t b = 0; b < count; b += points_per_block)
      std::sort(radius.begin() + b, radius.begin() + std::min(count, b + points_per_block), std::greater<float>());
    points.count = count;
    points.position = position.data();
    points.radius_over_sqrt_u = radius.data();
    points.id = id.data();
    bounds.resize(static_cast<size_t>(6 * points.blocks()));
    compute_block_bounds(Device{}, position.data(), count, bounds.data());
    points.block_bounds = bounds.data();
  }
};

inline Wall& wall(int64_t count) {
  static std::map<int64_t, std::unique_ptr<Wall>> walls;
  if (!walls.count(count)) {
    walls.clear();  // one at a time: ten million points take half a gigabyte
    walls[count] = std::make_unique<Wall>(count);
  }
  return *walls[count];
}

inline RasterView view_of(int32_t width_px, int32_t height_px) {
  RasterView view;
  view.camera.width_px = photo_width_px;
  view.camera.height_px = photo_height_px;
  view.camera.value[PinholeModel::fx] = view.camera.value[PinholeModel::fy] = 1600;
  view.camera.value[PinholeModel::cx] = 960;
  view.camera.value[PinholeModel::cy] = 540;
  view.camera.value[PinholeModel::k1] = -0.05f;
  update_valid_radius(view.camera);
  view.crop.width_px = width_px;
  view.crop.height_px = height_px;
  view.crop.offset_x_px = static_cast<float>(photo_width_px - width_px) / 2;
  view.crop.offset_y_px = static_cast<float>(photo_height_px - height_px) / 2;
  return view;
}

/// Each counted once: position and radius_over_sqrt_u of the points of visible blocks (16 bytes a point), the projected
/// points (16 each), the descriptors of the projected points (4 C), features, weight and depth of all pixels of all layers
/// (4 C + 8 a pixel).
inline int64_t forward_bytes(int64_t blocks, int64_t projected, const PyramidShape& shape) {
  return 16 * blocks * points_per_block + (16 + 4 * channels) * projected + (4 * channels + 8) * shape.pixels();
}

/// The projected points (16), gradients of the features, weight and depth of all pixels (4 C + 8 a pixel), the gradients of
/// the projected points' descriptors (4 C).
inline int64_t backward_bytes(int64_t projected, const PyramidShape& shape) {
  return (16 + 4 * channels) * projected + (4 * channels + 8) * shape.pixels();
}

}  // namespace ptl
