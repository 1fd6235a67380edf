// Confirmed depths that stand alone: two photos sometimes agree by chance, seldom over a whole patch of pixels.
#pragma once

#include <cstdint>

#include "dense/depth_map.h"

namespace ptl {

struct SpeckleOptions {
  int least_pixels = 24;      ///< of a patch that stays; 0: all stay
  double depth_share = 0.02;  ///< neighbouring pixels belong to one patch when their depths differ by less
};

/// Removes patches (of the four neighbours) of fewer pixels. Returns how many depths went.
int64_t remove_speckles(DepthMap& map, const SpeckleOptions& options);

}  // namespace ptl
