// From a cost volume to one depth per pixel: semi-global matching (Hirschmüller 2008), eight paths.
// Along each path r:  L(p, k) = C(p, k) + min(L(q, k), L(q, k ± 1) + P1, min L(q, ·) + P2) − min L(q, ·),  q = p − r.
// The depth is the minimum of the sum over the paths, between planes by a parabola.
// Two drivers with the same bits: by rows on the CPU, by fronts of paths on a GPU (semi_global_fronts.h).
#pragma once

#include <cstdint>

#include "dense/plane_sweep.h"

namespace ptl {

struct SemiGlobalOptions {
  int small_step = 35;        ///< P1, in units of the cost
  int large_step = 350;       ///< P2 where the photo is smooth
  int least_large_step = 50;  ///< P2 across the strongest edges
  float edge_luminance = 10;  ///< difference of luminance (0..255) at which P2 is halved
};

/// plane [height, width]: the position among the planes (a fraction; −1 where none is known). Scratch memory: two bytes
/// a pixel and plane, and some rows.
void match_semi_global(const Device& device, const CostVolume& volume, const MatchPixels& reference,
                       const SemiGlobalOptions& options, float* plane, ImageDriver driver = ImageDriver::automatic);

}  // namespace ptl
