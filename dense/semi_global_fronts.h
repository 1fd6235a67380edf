// Semi-global matching by fronts: what the paths of a direction reach with the same step, all planes at once. What a
// GPU runs, and the CPU can; and the choice of planes, which both drivers share.
#pragma once

#include "dense/semi_global.h"

namespace ptl {

/// sums [height, width, planes] of the eight paths.
void sum_paths_by_fronts(const Device& device, const CostVolume& volume, const MatchPixels& reference,
                         const SemiGlobalOptions& options, uint16_t* sums);

/// From the sums to the planes of the valid pixels.
void choose_least_planes(const Device& device, const CostVolume& volume, const uint16_t* sums, const uint8_t* valid,
                         float* plane);

}  // namespace ptl
