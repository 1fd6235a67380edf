// Stage 2 of 4: the depth pass. Data in: projected points. Data out: per layer and pixel the smallest depth of the points
// that fall into it, +∞ where there is none (method section 2).
#pragma once

#include "kernels/device.h"
#include "kernels/project.h"
#include "kernels/raster_types.h"

namespace ptl {

/// min_depth_m [shape.pixels()]; every entry is written. The GPU's driver: positive floats order like their bits, so an
/// integer minimum in any order gives the same result.
void depth_pass(const Device& device, const PyramidShape& shape, const ProjectedPoint* projected, int64_t count,
                float* min_depth_m);

/// The CPU's driver: one thread a tile. `tile_start` as project_points_tiled made it.
void depth_pass_tiled(const Device& device, const PyramidShape& shape, const TileGrid& grid,
                      const ProjectedPoint* projected, const int64_t* tile_start, float* min_depth_m);

}  // namespace ptl
