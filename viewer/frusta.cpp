#include "viewer/frusta.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/camera.h"

namespace ptl {

namespace {

using Vec = Vec3<double>;
constexpr double never = std::numeric_limits<double>::infinity();

/// Depth at which the ray (z = 1) from the origin meets the triangle; infinite where it does not. Möller and Trumbore
/// 1997.
double meets(const Vec& ray, const Vec& a, const Vec& b, const Vec& c) {
  const Vec ab = b - a, ac = c - a, p = glm::cross(ray, ac);
  const double determinant = glm::dot(ab, p);
  if (std::abs(determinant) < 1e-300) return never;
  const double u = glm::dot(-a, p) / determinant;
  const Vec q = glm::cross(-a, ab);
  const double v = glm::dot(ray, q) / determinant, t = glm::dot(ac, q) / determinant;
  return u >= 0 && v >= 0 && u + v <= 1 && t > 0 ? t : never;
}

/// Depth of the edge from a to b where it passes the pixel within reach; both in the view's camera frame.
double passes(const CameraParams<double>& camera, Vec a, Vec b, const Vec2<double>& pixel, double reach_px,
              double near) {
  if (a.z < near && b.z < near) return never;
  if (a.z < near) std::swap(a, b);
  if (b.z < near) b = a + (b - a) * ((a.z - near) / (a.z - b.z));
  const Projection<double> from = project(camera, a), to = project(camera, b);
  if (!from.valid || !to.valid) return never;
  const Vec2<double> start(from.x_px, from.y_px), way = Vec2<double>(to.x_px, to.y_px) - start;
  const double length_squared = glm::dot(way, way);
  const double share = length_squared > 0 ? std::clamp(glm::dot(pixel - start, way) / length_squared, 0.0, 1.0) : 0.0;
  if (glm::distance(start + share * way, pixel) > reach_px) return never;
  return 1 / ((1 - share) / a.z + share / b.z);  // 1/z is even along a line in the picture
}

}  // namespace

Frustum camera_frustum(const CameraParams<double>& camera, const Pose<double>& camera_from_world, double depth) {
  const Pose<double> world_from_camera = inverse(camera_from_world);
  Frustum frustum;
  frustum.apex = world_from_camera.translation;
  const double w = camera.width_px, h = camera.height_px;
  const Vec2<double> pixels[4] = {{0, 0}, {w, 0}, {w, h}, {0, h}};
  for (size_t i = 0; i < 4; ++i) {
    Vec ray;
    unproject_ray(camera, pixels[i].x, pixels[i].y, ray);  // at a lens's rim: the ray nearest to it
    frustum.corners[i] = world_from_camera * (ray * depth);
  }
  return frustum;
}

double frustum_depth(const std::vector<Vec>& centres, double scene_extent) {
  std::vector<double> nearest;
  for (size_t i = 0; i < centres.size(); ++i) {
    double distance = never;
    for (size_t k = 0; k < centres.size(); ++k)
      if (k != i) distance = std::min(distance, glm::distance(centres[i], centres[k]));
    if (distance < never) nearest.push_back(distance);
  }
  if (nearest.empty()) return scene_extent / 20;
  const auto middle = nearest.begin() + static_cast<std::ptrdiff_t>(nearest.size() / 2);
  std::nth_element(nearest.begin(), middle, nearest.end());
  return std::clamp(*middle / 2, scene_extent / 200, scene_extent / 20);
}

std::optional<size_t> pick_frustum(const std::vector<Frustum>& frusta, const CameraParams<double>& camera,
                                   const Pose<double>& camera_from_world, double x_px, double y_px, double reach_px) {
  Vec ray;
  if (!unproject_ray(camera, x_px, y_px, ray)) return std::nullopt;
  std::optional<size_t> best;
  double best_depth = never;
  for (size_t i = 0; i < frusta.size(); ++i) {
    const Vec apex = camera_from_world * frusta[i].apex;
    Vec corner[4];
    for (size_t k = 0; k < 4; ++k) corner[k] = camera_from_world * frusta[i].corners[k];
    const double size = glm::distance(apex, corner[0]);
    if (glm::length(apex) < 0.05 * size) continue;
    double depth = std::min(meets(ray, corner[0], corner[1], corner[2]), meets(ray, corner[0], corner[2], corner[3]));
    for (size_t k = 0; k < 4; ++k)
      for (const Vec& other : {apex, corner[(k + 1) % 4]})
        depth = std::min(depth, passes(camera, corner[k], other, {x_px, y_px}, reach_px, 1e-3 * size));
    if (depth < best_depth) {
      best_depth = depth;
      best = i;
    }
  }
  return best;
}

}  // namespace ptl
