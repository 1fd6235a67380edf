// What `pointillist info` prints of a scene.
#pragma once

#include <string>
#include <vector>

#include "datasets/scene.h"

namespace ptl {

/// "Extent" of a scene, everywhere (method section 10): the diagonal of the box between the 5th and the 95th percentile
/// of the points on each axis. 0 for fewer than two points.
double scene_extent(const std::vector<Vec3<float>>& points);

/// A table for people: folder, cameras, images and their sizes, exposure range, masks, points, extent, origin, what is odd.
std::string describe_scene(const Scene& scene);

}  // namespace ptl
