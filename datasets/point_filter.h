// Applies edits (datasets/point_edits.h) to points.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "datasets/point_edits.h"
#include "kernels/se3.h"

namespace ptl {

struct PointCloud;
struct Scene;

/// Edits made ready for many points: neighbouring dabs of a stroke share bounds, so that far points cost little.
class PointFilter {
 public:
  explicit PointFilter(const PointEdits& edits);
  bool keeps(const Vec3<double>& scene_position) const;
  /// 1 for each point that is kept; in parallel.
  std::vector<uint8_t> kept(const std::vector<Vec3<float>>& scene_positions) const;

 private:
  struct Bounds {
    Vec3<double> low{INFINITY}, high{-INFINITY};
  };
  struct Group {
    Bounds bounds;
    size_t begin = 0, end = 0;  ///< of spheres_ or cylinders_
  };
  std::vector<EditBox> keep_, remove_;
  std::vector<EditSphere> spheres_;
  std::vector<EditCylinder> cylinders_;
  std::vector<Group> sphere_groups_, cylinder_groups_;
};

/// Leaves the points whose flag is not 0, in their order.
template <class T>
void keep_flagged(std::vector<T>& values, const std::vector<uint8_t>& kept) {
  if (values.empty()) return;  // a property that the cloud does not have
  size_t count = 0;
  for (size_t i = 0; i < kept.size(); ++i)
    if (kept[i]) values[count++] = values[i];
  values.resize(count);
}

/// Drops what the edits do not keep. Returns how many points went.
size_t drop_edited(PointCloud& cloud, const PointEdits& edits);

/// The scene's edits on its cloud; an oddity says how many points went. Nothing where there are no edits. InputError
/// when no point is left.
void apply_edits(Scene& scene);

}  // namespace ptl
