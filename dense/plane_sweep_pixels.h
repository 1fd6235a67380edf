// The plane sweep a thread a pixel and plane: what a GPU runs, and the CPU can.
#pragma once

#include "dense/plane_sweep.h"
#include "dense/plane_sweep_formula.h"

namespace ptl {

/// plate.value, which `memory` is the memory of, from the photo.
void fill_plate(const Device& device, const MatchPixels& photo, const Plate& plate, float* memory);

/// As sweep_planes().
void sweep_planes_by_pixels(const Device& device, const MatchPixels& reference, std::span<const MatchSource> sources,
                            const InversePlanes& planes, const CostVolume& volume);

}  // namespace ptl
