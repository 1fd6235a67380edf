// What semi-global matching computes for one plane of a pixel, for both of its drivers.
#pragma once

#include <algorithm>
#include <cmath>

#include "dense/semi_global.h"

namespace ptl {

/// A path's values at a pixel stand between this many entries of far_away, so that planes −1 and count exist.
inline constexpr int path_pad = 16;
inline constexpr uint16_t far_away = 30000;

/// P2 between two pixels.
PTL_HD inline uint16_t jump_penalty(float luminance, float luminance_before, const SemiGlobalOptions& options) {
  const float difference = std::fabs(luminance - luminance_before) / options.edge_luminance;
  const float p2 = static_cast<float>(options.large_step) / (1.0f + difference);
  return static_cast<uint16_t>(std::max(p2, static_cast<float>(options.least_large_step)));
}

/// L(p, k). `below`, `same`, `above`: of planes k − 1, k, k + 1 at the pixel before; `least`: of all planes there.
PTL_HD inline uint16_t path_value(uint8_t cost, uint16_t below, uint16_t same, uint16_t above, uint16_t least,
                                  uint16_t p1, uint16_t p2) {
  const uint16_t beside = static_cast<uint16_t>(std::min(below, above) + p1);
  const uint16_t jump = static_cast<uint16_t>(least + p2);
  return static_cast<uint16_t>(cost + static_cast<uint16_t>(std::min(std::min(same, beside), jump) - least));
}

/// The minimum of a pixel's sums; −1 where there is none.
PTL_HD inline float least_plane(const uint16_t* sum, int count) {
  int best = 0;
  for (int k = 1; k < count; ++k)
    if (sum[k] < sum[best]) best = k;
  // At either end the minimum may lie beyond: sky, and what is too close.
  if (best == 0 || best + 1 == count) return -1.0f;
  const float least = sum[best], before = sum[best - 1], after = sum[best + 1], curve = before + after - 2 * least;
  float plane = static_cast<float>(best);
  if (curve > 0) plane += std::clamp(0.5f * (before - after) / curve, -0.5f, 0.5f);
  return plane;
}

}  // namespace ptl
