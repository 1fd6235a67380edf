// What other photos say about a photo's depths: how many agree, and how many look straight through.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dense/depth_map.h"

namespace ptl {

struct ConsistencyOptions {
  double depth_share = 0.0065;   ///< depths agree within this share
  double reprojection_px = 1.2;  ///< and come back to the pixel within this
  double through_share = 0.02;   ///< a photo looks through a point when it sees this much deeper
  int least_match = 25;          ///< correlation (0..255 for 0..1) below which no depth is kept: sky, bare walls
  int weak_match = 90;           ///< below it three others must agree
  int sure_match = 190;          ///< below it two others must agree
};

enum class Opinion : uint8_t { none, agrees, through, hidden };

/// What `other` says about the position that `map` has at pixel (x, y); `probe`: probe_depth(other, that position). `through` only where all depths of the 3 × 3
/// pixels around are deeper and the middle one was confirmed or `trust_all`: silhouettes of half a pixel are no
/// evidence.
Opinion opinion_of(const DepthMap& other, const DepthProbe& probe, const DepthMap& map, int x, int y,
                   const ConsistencyOptions& options, bool trust_all);

/// Counts agreeing photos for every depth of `map` into `agreeing` and removes depths (0) with which none agrees.
void check_depths(DepthMap& map, const std::vector<std::shared_ptr<const DepthMap>>& others,
                  const ConsistencyOptions& options);

}  // namespace ptl
