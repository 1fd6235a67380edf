#include "datasets/synthetic_truth.h"

#include <algorithm>
#include <cmath>

#include "datasets/prepare.h"
#include "datasets/scene_info.h"

namespace ptl {

using synthetic::Float3;
using synthetic::Hit;
using synthetic::Primitive;
using synthetic::Ray;
using synthetic::Shape;

namespace {

double distance_to_segment(const Vec3<double>& a, const Vec3<double>& b, const Vec3<double>& p) {
  const Vec3<double> along = b - a;
  const double square = glm::dot(along, along);
  const double t = square > 0 ? std::clamp(glm::dot(p - a, along) / square, 0.0, 1.0) : 0.0;
  return glm::length(p - a - along * t);
}

double distance_to_triangle(const Vec3<double>& a, const Vec3<double>& b, const Vec3<double>& c,
                            const Vec3<double>& p) {
  const Vec3<double> normal = glm::cross(b - a, c - a);
  const double square = glm::dot(normal, normal);
  if (square > 0) {
    // The foot of the perpendicular is within the triangle when it lies on the inner side of all three edges.
    const auto inner = [&](const Vec3<double>& from, const Vec3<double>& to) {
      return glm::dot(glm::cross(to - from, p - from), normal) >= 0;
    };
    if (inner(a, b) && inner(b, c) && inner(c, a)) return std::fabs(glm::dot(p - a, normal)) / std::sqrt(square);
  }
  return std::min({distance_to_segment(a, b, p), distance_to_segment(b, c, p), distance_to_segment(c, a, p)});
}

/// Of a box around the origin with half sizes h: outside the usual distance, inside the nearest face.
double distance_to_box(const Vec3<double>& half, const Vec3<double>& p) {
  const Vec3<double> q = glm::abs(p) - half;
  const double inside = std::max({q.x, q.y, q.z});
  return inside > 0 ? glm::length(glm::max(q, Vec3<double>(0))) : -inside;
}

struct Place {
  Vec3<double> position{0};
  double area_m2 = 0;
  int seen = 0;
};

}  // namespace

double distance_to_primitive(const Primitive& primitive, const Vec3<double>& point) {
  const Vec3<double> a(primitive.a), b(primitive.b), c(primitive.c);
  switch (primitive.shape) {
    case Shape::triangle:
      return distance_to_triangle(a, b, c, point);
    case Shape::sphere:
      return std::fabs(glm::length(point - a) - static_cast<double>(primitive.radius));
    case Shape::capsule:
      return std::fabs(distance_to_segment(a, b, point) - static_cast<double>(primitive.radius));
    case Shape::box:
      break;
  }
  const double cosine = std::cos(c.x), sine = std::sin(c.x);
  const Vec3<double> d = point - a;
  return distance_to_box(b, {cosine * d.x + sine * d.y, -sine * d.x + cosine * d.y, d.z});
}

SurfaceDistance::SurfaceDistance(const synthetic::SyntheticScene& scene) : scene_(scene) {
  for (const Primitive& primitive : scene.primitives) {
    const Vec3<double> a(primitive.a), b(primitive.b), c(primitive.c);
    const auto radius = static_cast<double>(primitive.radius);
    Bound bound{a, radius};
    if (primitive.shape == Shape::box) bound.radius_m = glm::length(b);
    if (primitive.shape == Shape::capsule) bound = {(a + b) / 2.0, glm::length(b - a) / 2 + radius};
    if (primitive.shape == Shape::triangle) {
      bound.centre = (a + b + c) / 3.0;
      bound.radius_m =
          std::max({glm::length(a - bound.centre), glm::length(b - bound.centre), glm::length(c - bound.centre)});
    }
    bounds_.push_back(bound);
  }
}

double SurfaceDistance::operator()(const Vec3<double>& point, double limit_m) const {
  double least = limit_m;
  for (size_t i = 0; i < bounds_.size(); ++i) {
    const Vec3<double> offset = point - bounds_[i].centre;
    const double reach = bounds_[i].radius_m + least;
    if (glm::dot(offset, offset) < reach * reach)
      least = std::min(least, distance_to_primitive(scene_.primitives[i], point));
  }
  return least;
}

CloudTruth measure_cloud(const synthetic::Tracer& tracer, const CameraParams<double>& camera,
                         const std::vector<Pose<double>>& poses, const std::vector<Vec3<float>>& points,
                         int64_t most_points, int pixel_step) {
  CloudTruth truth;
  const int columns = camera.width_px / pixel_step, rows = camera.height_px / pixel_step;
  std::vector<Place> places(poses.size() * static_cast<size_t>(columns) * static_cast<size_t>(rows));
  const double pixel_rad = pixel_step / focal_length_px(camera);
  const auto photo_count = static_cast<int64_t>(poses.size());
#pragma omp parallel for schedule(dynamic, 1)
  for (int64_t i = 0; i < photo_count; ++i)
    for (int row = 0; row < rows; ++row)
      for (int column = 0; column < columns; ++column) {
        const Pose<double>& pose = poses[static_cast<size_t>(i)];
        const Ray ray = synthetic_ray(camera, pose, (column + 0.5) * pixel_step, (row + 0.5) * pixel_step);
        const Hit hit = tracer.closest(ray);
        if (hit.primitive < 0) continue;
        Place& place = places[(static_cast<size_t>(i) * static_cast<size_t>(rows) + static_cast<size_t>(row)) *
                                  static_cast<size_t>(columns) +
                              static_cast<size_t>(column)];
        place.position = Vec3<double>(ray.origin) + Vec3<double>(ray.direction) * static_cast<double>(hit.distance);
        const Float3 normal = tracer.surface(ray, hit).normal;
        const double slant = std::max(0.05, std::fabs(static_cast<double>(glm::dot(normal, ray.direction))));
        const double length = static_cast<double>(hit.distance) * pixel_rad;
        for (const Pose<double>& other : poses) {
          const Projection<double> p = project(camera, other * place.position);
          if (!p.valid || p.x_px < 0 || p.y_px < 0 || p.x_px >= camera.width_px || p.y_px >= camera.height_px) continue;
          const Vec3<double> centre = camera_centre(other);
          const Vec3<double> offset = place.position - centre;
          const double distance = glm::length(offset);
          const Ray sight{Float3(centre), Float3(offset / distance)};
          place.seen += !tracer.blocked(sight, static_cast<float>(distance * (1 - 1e-4) - 2e-3));
        }
        place.area_m2 = place.seen > 0 ? length * length / slant / place.seen : 0;
      }
  std::vector<Vec3<float>> seen;
  for (const Place& place : places)
    if (place.seen > 0) seen.emplace_back(place.position);
  truth.extent_m = scene_extent(seen);
  truth.threshold_m = 0.005 * truth.extent_m;

  // Hills on the horizon have more area than all that the photos are about: area counts within the extent's box.
  const ExtentBox box = extent_box(seen);
  const std::vector<uint32_t> nearest = points.empty() ? std::vector<uint32_t>{} : nearest_target(seen, points);
  double area = 0, covered = 0;
  int64_t covered_places = 0;
  size_t place_seen = 0;  // its number in `seen`
  for (const Place& place : places) {
    if (place.seen == 0) continue;
    const size_t at = place_seen++;
    if (place.seen < 3) continue;
    ++truth.places_tested;
    const bool near = !nearest.empty() &&
                      glm::length(Vec3<double>(points[nearest[at]]) - place.position) <= truth.threshold_m;
    covered_places += near;
    if (!box.contains(seen[at])) continue;
    area += place.area_m2;
    if (near) covered += place.area_m2;
  }
  truth.covered_pixels =
      static_cast<double>(covered_places) / static_cast<double>(std::max<int64_t>(1, truth.places_tested));
  truth.covered_share = area > 0 ? covered / area : 0;

  const auto count = static_cast<int64_t>(points.size());
  truth.points_tested = std::min(count, most_points);
  const SurfaceDistance surface_distance(tracer.scene());
  std::vector<double> errors(static_cast<size_t>(truth.points_tested));
#pragma omp parallel for schedule(dynamic, 64)
  for (int64_t i = 0; i < truth.points_tested; ++i)
    errors[static_cast<size_t>(i)] = surface_distance(
        Vec3<double>(points[static_cast<size_t>(i * count / truth.points_tested)]), 2 * truth.threshold_m);
  int64_t far = 0, inside = 0, far_inside = 0;
  for (int64_t i = 0; i < truth.points_tested; ++i) {
    const Vec3<float>& p = points[static_cast<size_t>(i * count / truth.points_tested)];
    const bool is_far = errors[static_cast<size_t>(i)] > truth.threshold_m;
    const bool is_inside = box.contains(p);
    far += is_far;
    inside += is_inside;
    far_inside += is_inside && is_far;
  }
  truth.far_share_inside = static_cast<double>(far_inside) / static_cast<double>(std::max<int64_t>(1, inside));
  if (!errors.empty()) {
    truth.far_share = static_cast<double>(far) / static_cast<double>(errors.size());
    std::nth_element(errors.begin(), errors.begin() + static_cast<std::ptrdiff_t>(errors.size() / 2), errors.end());
    truth.median_error_m = errors[errors.size() / 2];
  }
  return truth;
}

}  // namespace ptl
