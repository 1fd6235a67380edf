#include "viewer/lens_table.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ptl {

namespace {

Vec2<double> pixel_at(const CameraParams<double>& camera, double angle_rad, double turn_rad) {
  const Projection<double> at = project(camera, Vec3<double>(std::sin(angle_rad) * std::cos(turn_rad),
                                                             std::sin(angle_rad) * std::sin(turn_rad), std::cos(angle_rad)));
  return {at.x_px, at.y_px};
}

}  // namespace

Vec2<double> LensTable::pixel(const Vec3<double>& x_camera) const {
  const double level = std::hypot(x_camera.x, x_camera.y), angle = std::atan2(level, x_camera.z);
  const double place = std::clamp(angle / largest_angle_rad, 0.0, 1.0) * steps;
  const auto k = std::min(static_cast<size_t>(place), static_cast<size_t>(steps - 1));
  const double r = radius[k] + (place - static_cast<double>(k)) * (radius[k + 1] - radius[k]);
  if (level == 0) return centre_px;
  return centre_px + (r / level) * (x_camera.x * columns_px[0] + x_camera.y * columns_px[1]);
}

LensTable lens_table(const CameraParams<double>& camera) {
  constexpr double small_rad = 1e-3, half_turn = std::numbers::pi;
  LensTable table;
  table.largest_angle_rad = std::min(camera.valid_radius, half_turn) * (1 - 1e-9);
  table.centre_px = 0.5 * (pixel_at(camera, small_rad, 0) + pixel_at(camera, small_rad, half_turn));
  for (int axis = 0; axis < 2; ++axis)
    table.columns_px[axis] = (pixel_at(camera, small_rad, axis * half_turn / 2) - pixel_at(camera, small_rad, (axis + 2) * half_turn / 2)) /
                             (2 * small_rad);
  const Vec2<double> a = table.columns_px[0], b = table.columns_px[1];
  const double determinant = a.x * b.y - a.y * b.x;
  for (int i = 0; i <= LensTable::steps; ++i) {
    const double angle = table.largest_angle_rad * i / LensTable::steps;
    constexpr int turns = 8;
    double sum = 0;
    for (int k = 0; k < turns && i > 0; ++k) {
      const Vec2<double> d = pixel_at(camera, angle, 2 * half_turn * k / turns) - table.centre_px;
      sum += std::hypot((b.y * d.x - b.x * d.y) / determinant, (a.x * d.y - a.y * d.x) / determinant) / turns;
    }
    table.radius[static_cast<size_t>(i)] = static_cast<float>(sum);
  }
  return table;
}

}  // namespace ptl
