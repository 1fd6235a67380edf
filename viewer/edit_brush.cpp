#include "viewer/edit_brush.h"

#include <algorithm>
#include <cmath>

#include "kernels/camera.h"

namespace ptl {

namespace {

using Vec = Vec3<double>;

constexpr double depth_step = 1.2;       // of a cylinder's ends: the circle is off by a tenth there
constexpr double deepest_range = 10000;  // far / near that is worth cylinders

}  // namespace

std::optional<double> nearest_depth(const Image& depth_m, double x, double y, double reach_px) {
  const int x0 = static_cast<int>(std::floor(x)), y0 = static_cast<int>(std::floor(y));
  const int rings = static_cast<int>(std::ceil(reach_px));
  double best_squared = reach_px * reach_px;
  std::optional<double> best;
  const auto look = [&](int px, int py) {
    if (px < 0 || py < 0 || px >= depth_m.width || py >= depth_m.height) return;
    const double distance_squared = static_cast<double>((px - x0) * (px - x0) + (py - y0) * (py - y0));
    if (distance_squared > best_squared || (best && distance_squared == best_squared)) return;
    const auto value = static_cast<double>(depth_m.at(px, py, 0));
    if (!std::isfinite(value) || value <= 0) return;
    best_squared = distance_squared;
    best = value;
  };
  for (int ring = 0; ring <= rings; ++ring) {
    if (best && static_cast<double>(ring) * ring > best_squared) break;  // a corner may be farther than the next ring
    for (int i = -ring; i <= ring; ++i) {
      look(x0 + i, y0 - ring);
      look(x0 + i, y0 + ring);
      look(x0 - ring, y0 + i);
      look(x0 + ring, y0 + i);
    }
  }
  return best;
}

std::optional<DepthRange> depths_under_brush(const DrawnCloud& cloud, const EditView& view, const Vec2<double>& pixel,
                                             double radius_px) {
  Vec ray;
  if (!unproject_ray(view.camera, pixel.x, pixel.y, ray)) return std::nullopt;
  const Vec direction = glm::normalize(ray);
  const double spread = radius_px / focal_length_px(view.camera);  // of the circle a unit of depth
  DepthRange range{INFINITY, 0};
  for (const CloudBlock& block : cloud.blocks) {
    const Vec low(block.low), high(block.high);
    const Vec x = view.camera_from_scene * (0.5 * (low + high));
    const double radius = 0.5 * glm::length(high - low);
    const double along = glm::dot(x, direction);
    const double depth_m = project(view.camera, x).depth_m;
    if ((view.camera.model == CameraModel::pinhole ? x.z : along) + radius <= 0) continue;
    // The circle's cone is widest at the block's far end; a lens's rim stretches it somewhat.
    if (glm::length(x - along * direction) > radius + 1.5 * spread * (std::max(0.0, depth_m) + radius)) continue;
    range.near_m = std::min(range.near_m, depth_m - radius);
    range.far_m = std::max(range.far_m, depth_m + radius);
  }
  if (!(range.far_m > 0)) return std::nullopt;
  range.far_m *= 1 + 1e-6;
  range.near_m = std::max(range.near_m * (1 - 1e-6), range.far_m / deepest_range);
  return range;
}

double brush_reach_m(const Brush& brush, const EditView& view, double depth_m) {
  return brush.thickness * brush.radius_px * depth_m / focal_length_px(view.camera);
}

std::optional<EditCylinder> surface_dab(const Brush& brush, const EditView& view, const Vec2<double>& pixel,
                                        double depth_m) {
  // As far behind as before, so that the circle is the brush's at the depth itself; never behind the camera.
  const double within_m = std::min(brush_reach_m(brush, view, depth_m), 0.99 * depth_m);
  return brush_cylinder(view.camera, view.camera_from_scene, pixel.x, pixel.y, brush.radius_px, depth_m - within_m,
                        depth_m + within_m);
}

std::vector<EditCylinder> through_dab(const Brush& brush, const EditView& view, const Vec2<double>& pixel,
                                      const DepthRange& range) {
  const double parts = std::max(1.0, std::ceil(std::log(range.far_m / range.near_m) / std::log(depth_step)));
  const double step = std::pow(range.far_m / range.near_m, 1 / parts);
  std::vector<EditCylinder> cylinders;
  double near_m = range.near_m;
  for (int part = 0; part < static_cast<int>(parts); ++part) {
    const double far_m = near_m * step * (1 + 1e-9);  // no gap by rounding
    if (const auto cylinder =
            brush_cylinder(view.camera, view.camera_from_scene, pixel.x, pixel.y, brush.radius_px, near_m, far_m))
      cylinders.push_back(*cylinder);
    near_m *= step;
  }
  return cylinders;
}

std::vector<Vec2<double>> dab_places(const Vec2<double>& last_px, const Vec2<double>& now_px, double radius_px) {
  const double spacing = std::max(1.0, 0.5 * radius_px), length = glm::distance(last_px, now_px);
  std::vector<Vec2<double>> places;
  for (int i = 1; i * spacing <= length; ++i) places.push_back(last_px + (now_px - last_px) * (i * spacing / length));
  return places;
}

}  // namespace ptl
