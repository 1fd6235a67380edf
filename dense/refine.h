// From depths on a grid of planes to continuous ones: each pixel's window is a slanted plane, moved until it fits best.
#pragma once

#include "dense/plane_sweep.h"

namespace ptl {

/// Of a reference's sources the first so many are looked at.
inline constexpr int most_refined_sources = 8;

/// depth_m [height, width] in scene units (0: none), and match [height, width], the correlation that it reaches (0..255
/// for 0..1; the mean of the better half of the sources), from match_semi_global's `plane`. The slant comes from an
/// affine fit to the planes around the pixel; two rounds of three depths and a parabola, at a half and at a fifth of a
/// plane's distance.
void refine_depths(const Device& device, const MatchPixels& reference, std::span<const MatchSource> sources,
                   const InversePlanes& planes, const float* plane, float* depth_m, uint8_t* match);

}  // namespace ptl
