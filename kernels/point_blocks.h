// Blocks of 256 points: the unit of culling. A block that no crop can see costs nothing but this test.
#pragma once

#include "kernels/device.h"
#include "kernels/raster_types.h"

namespace ptl {

/// Planes through the camera centre that bound what a crop can see, in camera coordinates: a point with z > 0 that lands
/// in the crop has x ≥ low_x·z, x ≤ high_x·z, and the same for y.
struct FrustumBounds {
  float low_x = -1e30f, high_x = 1e30f, low_y = -1e30f, high_y = 1e30f;
};

/// Of a pinhole, from the rays of the crop's border (distortion is inverted), with a margin of 2 % and a pixel. Where a ray
/// has no inverse, or could have two, the bounds are those of the camera's valid radius. Wider models: kernels/view_cone.h.
FrustumBounds frustum_bounds(const RasterView& view);

/// Bounds [blocks, 6] of positions [count, 3]. Points that are not finite are left out: none is drawn.
void compute_block_bounds(const Device& device, const float* position, int64_t count, float* block_bounds);

/// The same for these blocks only, [block_count], whose points have moved.
void update_block_bounds(const Device& device, const float* position, int64_t count, const int64_t* blocks,
                         int64_t block_count, float* block_bounds);

/// Writes the indices of the blocks that may be seen, rising, to `visible` [blocks] and returns their number. Never leaves
/// out a block of which a point lands in the crop.
int64_t find_visible_blocks(const Device& device, const PointsView& points, const RasterView& view, uint32_t* visible);

}  // namespace ptl
