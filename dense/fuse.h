// From checked depth maps to one cloud: each surface point once, without what other photos look through.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "datasets/scene.h"
#include "dense/consistency.h"
#include "dense/depth_map.h"

namespace ptl {

/// The dense cloud. `cloud` has normals. The photos that saw point i: seen_by[first_seen[i]] … seen_by[first_seen[i +
/// 1]).
struct DenseCloud {
  PointCloud cloud;
  std::vector<float> confidence;     ///< 0..1; below filled_confidence: an untextured area's plane
  std::vector<uint64_t> first_seen;  ///< one more than points
  std::vector<uint32_t> seen_by;     ///< indices into Scene::images
};
constexpr float filled_confidence = 0.25f;

struct FuseStatistics {
  int64_t accepted = 0;      ///< points before the bound
  int64_t filled = 0;        ///< of these from planes of untextured areas
  int64_t absorbed = 0;      ///< pixels that were represented already
  int64_t seen_through = 0;  ///< removed because other photos look through them
};

/// A point is dropped when two photos or more look through it, at least as many as agree (the photo itself counts), or,
/// for a filled one, any. Position and colour are means over the photos that agree. `checks[i]` lists the places
/// (indices of `maps`) that place i is held against. More than `most_points`: every n-th is kept, in order, so that all
/// photos lose the same share. `images[i]` is the image of place i.
DenseCloud fuse_depths(DepthMapStore& maps, const std::vector<std::vector<size_t>>& checks,
                       const std::vector<int>& images, const ConsistencyOptions& options, int64_t most_points,
                       const std::function<void(int)>& progress, FuseStatistics& statistics);

}  // namespace ptl
