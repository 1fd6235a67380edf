#include "kernels/view_cone.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ptl {
namespace {

constexpr int cells = 24;  // a side
constexpr double pi = 3.14159265358979323846;

/// Directions within an angle from a centre.
struct Cap {
  Vec3<double> centre;
  double angle;
};

/// The smallest cone around caps, nearly: the axis moves towards the farthest one by ever smaller steps.
ViewCone cone_around(const std::vector<Cap>& caps) {
  ViewCone cone;
  if (caps.empty()) {  // nothing can be seen
    cone.everything = false;
    cone.cosine = 1;
    return cone;
  }
  Vec3<double> sum(0);
  for (const Cap& cap : caps) sum += cap.centre;
  if (!(glm::length(sum) > 1e-3 * static_cast<double>(caps.size()))) return cone;
  Vec3<double> axis = glm::normalize(sum), best_axis = axis;
  double best = 2 * pi;
  for (int i = 0; i < 16; ++i) {
    double half = 0;
    const Cap* farthest = nullptr;
    for (const Cap& cap : caps) {
      const double reach = std::acos(std::clamp(glm::dot(axis, cap.centre), -1.0, 1.0)) + cap.angle;
      if (farthest && reach <= half) continue;
      half = reach;
      farthest = &cap;
    }
    if (half < best) {
      best = half;
      best_axis = axis;
    }
    axis += (farthest->centre - axis) / (i + 2.0);
    if (!(glm::length(axis) > 1e-3)) break;
    axis = glm::normalize(axis);
  }
  const double half = best + 1e-3;  // what floats may round
  if (!(half < pi - 1e-2)) return cone;
  cone.everything = false;
  cone.axis_x = static_cast<float>(best_axis.x);
  cone.axis_y = static_cast<float>(best_axis.y);
  cone.axis_z = static_cast<float>(best_axis.z);
  cone.cosine = static_cast<float>(std::cos(half));
  cone.sine = static_cast<float>(std::sin(half));
  return cone;
}

/// The profile's values at equal steps of the angle up to the rim.
template <class Model>
struct Profile {
  static constexpr int steps = 256;
  double rim, radius[steps + 1];

  explicit Profile(const CameraParams<double>& camera) : rim(Model::rim(camera)) {
    double largest = 0;  // a polynomial may begin a little below 0
    for (int i = 0; i <= steps; ++i)
      radius[i] = largest = std::max(largest, Model::profile(camera, rim * i / steps).radius);
  }
  /// A bound from above of the angles with at most this radius, and one from below of those with at least.
  double highest_angle(double r) const {
    const auto i = std::upper_bound(radius, radius + steps + 1, r) - radius;
    return rim * static_cast<double>(std::min<std::ptrdiff_t>(i, steps)) / steps;
  }
  double lowest_angle(double r) const {
    const auto i = std::lower_bound(radius, radius + steps + 1, r) - radius;
    return rim * static_cast<double>(std::max<std::ptrdiff_t>(i - 1, 0)) / steps;
  }
};

double cross(const Vec2<double>& a, const Vec2<double>& b) { return a.x * b.y - a.y * b.x; }

/// The distance of a parallelogram's nearest point from the origin; 0 where it holds it. Corners in turn.
double nearest_radius(const Vec2<double> (&corner)[4]) {
  double nearest = 1e300;
  int left = 0, right = 0;
  for (int i = 0; i < 4; ++i) {
    const Vec2<double> a = corner[i], along = corner[(i + 1) % 4] - a;
    const double turn = cross(along, -a), square = glm::dot(along, along);
    (turn < 0 ? left : right) += 1;
    const double t = square > 0 ? std::clamp(-glm::dot(a, along) / square, 0.0, 1.0) : 0.0;
    nearest = std::min(nearest, glm::length(a + t * along));
  }
  return left == 0 || right == 0 ? 0 : nearest;
}

double largest_sine(double low, double high) {
  return low <= pi / 2 && high >= pi / 2 ? 1 : std::max(std::sin(low), std::sin(high));
}

template <class Model>
void add_cell(const CameraParams<double>& camera, const Profile<Model>& profile, const Vec2<double> (&corner)[4],
              std::vector<Cap>& caps) {
  const double nearest = nearest_radius(corner);
  double farthest = 0;
  for (const Vec2<double>& c : corner) farthest = std::max(farthest, glm::length(c));
  // What a point may be away from where its profile says: first at most, then at the angles that this leaves.
  const double hole = std::max(0.0, -Model::profile(camera, 0.0).radius);
  double off = hole + Model::off_radial(camera, profile.rim);
  for (int i = 0; i < 2; ++i) off = hole + Model::off_radial(camera, profile.highest_angle(farthest + off));
  if (nearest - off > profile.radius[Profile<Model>::steps]) return;  // beyond the rim
  const double low = profile.lowest_angle(nearest - off), high = profile.highest_angle(farthest + off);
  const Vec2<double> middle = 0.25 * (corner[0] + corner[1] + corner[2] + corner[3]);
  if (!(nearest > 1.01 * off) || !(glm::length(middle) > 0)) {  // any way from the axis
    caps.push_back({{0, 0, 1}, high});
    return;
  }
  double turn = 0;
  for (const Vec2<double>& c : corner)
    turn = std::max(turn, std::abs(std::atan2(cross(middle, c), glm::dot(middle, c))));
  turn += std::asin(off / nearest);
  const double angle = 0.5 * (low + high);
  const Vec2<double> direction = glm::normalize(middle);
  caps.push_back({{direction.x * std::sin(angle), direction.y * std::sin(angle), std::cos(angle)},
                  0.5 * (high - low) + turn * largest_sine(low, high)});
}

/// The crop's cells, a pixel more on each side, as corners in pixels of the photo: f(low, high).
template <class F>
void for_each_cell(const Crop& crop, const F& f) {
  const Vec2<double> low = undo_crop(crop, Vec2<double>(-1, -1));
  const Vec2<double> high = undo_crop(crop, Vec2<double>(crop.width_px + 1.0, crop.height_px + 1.0));
  const Vec2<double> step = (high - low) / static_cast<double>(cells);
  for (int y = 0; y < cells; ++y)
    for (int x = 0; x < cells; ++x) f(low + step * Vec2<double>(x, y), low + step * Vec2<double>(x + 1, y + 1));
}

template <class Model>
void add_caps(Model, const CameraParams<double>& camera, const Crop& crop, std::vector<Cap>& caps) {
  const Profile<Model> profile(camera);
  for_each_cell(crop, [&](const Vec2<double>& low, const Vec2<double>& high) {
    const Vec2<double> corner[4] = {
        Model::plane_of_pixel(camera, low.x, low.y), Model::plane_of_pixel(camera, high.x, low.y),
        Model::plane_of_pixel(camera, high.x, high.y), Model::plane_of_pixel(camera, low.x, high.y)};
    add_cell<Model>(camera, profile, corner, caps);
  });
}

void add_caps(EquirectangularModel, const CameraParams<double>& camera, const Crop& crop, std::vector<Cap>& caps) {
  const double width = camera.width_px, height = camera.height_px;
  for_each_cell(crop, [&](const Vec2<double>& low, const Vec2<double>& high) {
    const double left = low.x, right = high.x;  // x wraps, as the crop may
    const double top = std::max(low.y, 0.0), bottom = std::min(high.y, height);
    if (!(left <= right && top <= bottom)) return;
    const double colatitude_low = top / height * pi, colatitude_high = bottom / height * pi;
    Vec3<double> centre;
    EquirectangularModel::unproject(camera, 0.5 * (left + right), 0.5 * (top + bottom), centre);
    caps.push_back({centre, 0.5 * (colatitude_high - colatitude_low) +
                                (right - left) / width * pi * largest_sine(colatitude_low, colatitude_high)});
  });
}

void add_caps(PinholeModel, const CameraParams<double>&, const Crop&, std::vector<Cap>& caps) {
  caps.push_back({{0, 0, 1}, pi / 2});
}

}  // namespace

ViewCone view_cone(const RasterView& view) {
  const CameraParams<double> camera = camera_cast<double>(view.camera);
  std::vector<Cap> caps;
  caps.reserve(cells * cells);
  visit_camera(camera.model, [&](auto model) { add_caps(model, camera, view.crop, caps); });
  return cone_around(caps);
}

}  // namespace ptl
