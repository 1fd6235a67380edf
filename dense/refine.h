// From depths on a grid of planes to continuous ones: each pixel's window is a slanted plane, moved until it fits best.
#pragma once

#include <vector>

#include "dense/plane_sweep.h"
#include "dense/semi_global.h"

namespace ptl {

/// Depths [height, width] in scene units (0: none) and the correlation that they reach (0..255 for 0..1; the mean of
/// the better half of the sources). The slant comes from an affine fit to the planes around the pixel; two rounds of
/// three depths and a parabola, at a half and at a fifth of a plane's distance.
struct RefinedDepths {
  std::vector<float> depth_m;
  std::vector<uint8_t> match;
};
RefinedDepths refine_depths(const StereoView& reference, const std::vector<const StereoView*>& sources,
                            const InversePlanes& planes, const PlaneMap& map);

}  // namespace ptl
