#include "datasets/point_filter.h"

#include <algorithm>
#include <cmath>

#include "datasets/error.h"
#include "datasets/scene.h"

namespace ptl {

namespace {

using Vec = Vec3<double>;
constexpr size_t group_size = 16;

bool within(const Vec& low, const Vec& high, const Vec& p) {
  return p.x >= low.x && p.y >= low.y && p.z >= low.z && p.x <= high.x && p.y <= high.y && p.z <= high.z;
}

bool inside(const EditBox& box, const Vec& p) {
  return within(-box.half_size, box.half_size, box.box_from_scene * (p - box.centre));
}

bool inside(const EditSphere& sphere, const Vec& p) {
  const Vec d = p - sphere.centre;
  return glm::dot(d, d) <= sphere.radius * sphere.radius;
}

bool inside(const EditCylinder& cylinder, const Vec& p) {
  const Vec axis = cylinder.to - cylinder.from, d = p - cylinder.from;
  const double along = glm::dot(d, axis), length_squared = glm::dot(axis, axis);
  if (!(along >= 0 && along <= length_squared)) return false;
  const Vec across = d - axis * (along / length_squared);
  return glm::dot(across, across) <= cylinder.radius * cylinder.radius;
}

}  // namespace

PointFilter::PointFilter(const PointEdits& edits) {
  const auto extend = [](std::vector<Group>& groups, size_t stroke_begin, size_t index, const Vec& a, const Vec& b,
                         double radius) {
    if ((index - stroke_begin) % group_size == 0) groups.push_back({{}, index, index});
    Group& group = groups.back();
    // A touch wider, so that rounding leaves what is on the border to the shape itself.
    const Vec reach(radius * (1 + 1e-9) + 1e-12 * (glm::length(a) + glm::length(b)));
    group.bounds.low = glm::min(group.bounds.low, glm::min(a, b) - reach);
    group.bounds.high = glm::max(group.bounds.high, glm::max(a, b) + reach);
    group.end = index + 1;
  };
  for (const PointEdit& edit : edits) {
    if (edit.kind == PointEdit::Kind::keep_box) keep_.push_back(edit.box);
    if (edit.kind == PointEdit::Kind::remove_box) remove_.push_back(edit.box);
    if (edit.kind == PointEdit::Kind::remove_spheres) {
      const size_t begin = spheres_.size();
      for (const EditSphere& s : edit.spheres) {
        extend(sphere_groups_, begin, spheres_.size(), s.centre, s.centre, s.radius);
        spheres_.push_back(s);
      }
    }
    if (edit.kind == PointEdit::Kind::remove_cylinders) {
      const size_t begin = cylinders_.size();
      for (const EditCylinder& c : edit.cylinders) {
        extend(cylinder_groups_, begin, cylinders_.size(), c.from, c.to, c.radius);
        cylinders_.push_back(c);
      }
    }
  }
}

bool PointFilter::keeps(const Vec& p) const {
  const auto holds = [&](const auto& shape) { return inside(shape, p); };
  if (!keep_.empty() && std::none_of(keep_.begin(), keep_.end(), holds)) return false;
  if (std::any_of(remove_.begin(), remove_.end(), holds)) return false;
  const auto any = [&](const std::vector<Group>& groups, const auto& shapes) {
    for (const Group& group : groups) {
      if (!within(group.bounds.low, group.bounds.high, p)) continue;
      for (size_t i = group.begin; i < group.end; ++i)
        if (inside(shapes[i], p)) return true;
    }
    return false;
  };
  return !any(sphere_groups_, spheres_) && !any(cylinder_groups_, cylinders_);
}

std::vector<uint8_t> PointFilter::kept(const std::vector<Vec3<float>>& scene_positions) const {
  const auto count = static_cast<int64_t>(scene_positions.size());
  std::vector<uint8_t> flags(scene_positions.size());
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < count; ++i)
    flags[static_cast<size_t>(i)] = keeps(Vec(scene_positions[static_cast<size_t>(i)]));
  return flags;
}

size_t drop_edited(PointCloud& cloud, const PointEdits& edits) {
  if (edits.empty()) return 0;
  const size_t before = cloud.size();
  const std::vector<uint8_t> kept = PointFilter(edits).kept(cloud.position);
  keep_flagged(cloud.position, kept);
  keep_flagged(cloud.color, kept);
  keep_flagged(cloud.normal, kept);
  return before - cloud.size();
}

void apply_edits(Scene& scene) {
  if (scene.edits.empty()) return;
  const size_t before = scene.cloud.size(), dropped = drop_edited(scene.cloud, scene.edits);
  if (dropped == before)
    throw InputError("{}: drops all {} points of {}; expected some to stay. Are its boxes in this scene's coordinates?",
                     scene.edits_source, before, scene.cloud_source);
  scene.oddities.push_back(
      dropped == 0
          ? fmt::format("{} drops none of the {} points of {}", scene.edits_source, before, scene.cloud_source)
          : fmt::format("{} drops {} of {} points of {}", scene.edits_source, dropped, before, scene.cloud_source));
}

}  // namespace ptl
