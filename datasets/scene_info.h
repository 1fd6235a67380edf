// What `pointillist info` prints of a scene.
#pragma once

#include <string>
#include <vector>

#include "datasets/scene.h"

namespace ptl {

/// Between the 5th and the 95th percentile of points on each axis.
struct ExtentBox {
  Vec3<float> low{0}, high{0};
  bool contains(const Vec3<float>& p) const {
    return glm::all(glm::greaterThanEqual(p, low)) && glm::all(glm::lessThanEqual(p, high));
  }
};
ExtentBox extent_box(const std::vector<Vec3<float>>& points);

/// "Extent" of a scene, everywhere (method section 10): the diagonal of that box. 0 for fewer than two points.
double scene_extent(const std::vector<Vec3<float>>& points);

/// A table for people: folder, cameras, images and their sizes, exposure range, masks, points, extent, origin, what is odd.
std::string describe_scene(const Scene& scene);

}  // namespace ptl
