// From a cost volume to one depth per pixel: semi-global matching (Hirschmüller 2008), eight paths.
// Along each path r:  L(p, k) = C(p, k) + min(L(q, k), L(q, k ± 1) + P1, min L(q, ·) + P2) − min L(q, ·),  q = p − r.
// The depth is the minimum of the sum over the paths, between planes by a parabola.
#pragma once

#include <cstdint>
#include <vector>

#include "dense/plane_sweep.h"

namespace ptl {

struct SemiGlobalOptions {
  int small_step = 35;        ///< P1, in units of the cost
  int large_step = 350;       ///< P2 where the photo is smooth
  int least_large_step = 50;  ///< P2 across the strongest edges
  float edge_luminance = 10;  ///< difference of luminance (0..255) at which P2 is halved
};

/// Per pixel: the position among the planes (a fraction; −1 where none is known), the matching cost there, and by how
/// much the next best depth is worse: (S₂ − S₁)/S₁ in 1/255, at least two planes away.
struct PlaneMap {
  int width_px = 0, height_px = 0;
  std::vector<float> plane;
  std::vector<uint8_t> cost, uniqueness;
};

/// Memory of one call, kept for the next.
struct SemiGlobalWork {
  std::vector<uint16_t> sums, paths, next_paths;
  std::vector<uint16_t> minima, next_minima;
};

PlaneMap match_semi_global(const CostVolume& volume, const std::vector<float>& luminance,
                           const std::vector<uint8_t>& valid, const SemiGlobalOptions& options, SemiGlobalWork& work);

}  // namespace ptl
