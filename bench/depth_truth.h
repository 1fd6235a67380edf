// Depth maps against a synthetic scene, pixel by pixel, by how a surface is seen: its slant and its texture.
#pragma once

#include <string>
#include <vector>

#include "datasets/synthetic_trace.h"
#include "dense/stereo_view.h"

namespace ptl {

/// One photo's depths [height, width] (0: none): as matched, and those that other photos confirmed.
struct JudgedDepths {
  const StereoView* view = nullptr;
  const std::vector<float>*raw = nullptr, *kept = nullptr;
};

/// Of the pixels of one class whose true surface lies within the extent's box and three or more of the photos see.
/// Right: within 1 % of the true depth.
struct DepthScore {
  std::string name;
  size_t pixels = 0, raw_right = 0, kept = 0, kept_right = 0;
  double median_error = 0;  ///< |depth/truth − 1| of the pixels that are kept and right
};

/// Every `pixel_step`-th row and column. `origin_world`: what the scene's coordinates are relative to.
std::vector<DepthScore> score_depths(const synthetic::Tracer& tracer, const std::vector<JudgedDepths>& photos,
                                     const Vec3<double>& origin_world, int pixel_step = 6);

}  // namespace ptl
