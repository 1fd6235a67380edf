// Stage 1 of 4: from points to pixels. Data in: points, visible blocks, a view. Data out: those that fall into the image,
// each with its pixel, depth and number of layers (method section 1).
#pragma once

#include "kernels/device.h"
#include "kernels/raster_types.h"

namespace ptl {

/// Number of layers on which a footprint of `footprint_px` = f · r / (z · sqrt u) pixels on layer 0 is drawn: layer l
/// while footprint · 2^-l ≥ τ.
PTL_HD inline int layers_of_footprint(float footprint_px, float threshold_px, int layers) {
  int drawn = 0;
  while (drawn < layers && footprint_px >= threshold_px) {
    ++drawn;
    footprint_px *= 0.5f;
  }
  return drawn;
}

/// The stage, in the order of the points. `out` has room for 256 · block_count entries; returns how many were written.
int64_t project_points(const Device& device, const PointsView& points, const RasterView& view,
                       const RasterConfig& config, const uint32_t* blocks, int64_t block_count, ProjectedPoint* out);

/// Tiles of the image for the CPU's driver: side `tile_px`, a power of two that holds whole pixels of every layer.
struct TileRect {
  int32_t begin_x, begin_y, end_x, end_y;  ///< pixels of one layer
};
struct TileGrid {
  int32_t tile_px = 64, columns = 0, rows = 0;
  int32_t count() const { return columns * rows; }
  /// The pixels of a tile on a layer. The rectangles of all tiles cover each layer once.
  TileRect rect(const PyramidShape& shape, int32_t tile, int layer) const {
    const int32_t x = tile % columns * tile_px, y = tile / columns * tile_px;
    const int32_t end_x = x + tile_px < shape.width_px ? x + tile_px : shape.width_px;
    const int32_t end_y = y + tile_px < shape.height_px ? y + tile_px : shape.height_px;
    return {x >> layer, y >> layer, end_x >> layer, end_y >> layer};
  }
};
TileGrid tile_grid(const PyramidShape& shape);

/// The same points grouped by tile, within a tile in the order of the points; tile t is [tile_start[t], tile_start[t + 1]).
/// `out` as above, tile_start [tiles + 1]. CPU only.
int64_t project_points_tiled(const Device& device, const PointsView& points, const RasterView& view,
                             const RasterConfig& config, const uint32_t* blocks, int64_t block_count,
                             const TileGrid& grid, ProjectedPoint* out, int64_t* tile_start);

}  // namespace ptl
