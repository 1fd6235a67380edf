#include "kernels/depth.h"

#include <algorithm>
#include <limits>

namespace ptl {

void depth_pass(const Device& device, const PyramidShape& shape, const ProjectedPoint* projected, int64_t count,
                float* min_depth_m) {
  auto* const bits = reinterpret_cast<uint32_t*>(min_depth_m);
  const uint32_t empty = float_bits(std::numeric_limits<float>::infinity());
  parallel_for(device, "depth_clear", shape.pixels(), [=] PTL_HD(int64_t i) { bits[i] = empty; });
  parallel_for(device, "depth", count, [=] PTL_HD(int64_t i) {
    const ProjectedPoint p = projected[i];
    const uint32_t depth = float_bits(p.depth_m);
    int64_t first = 0;
    for (int l = 0; l < p.layers; ++l) {
      atomic_min(bits + first + static_cast<int64_t>(p.y_px >> l) * shape.width(l) + (p.x_px >> l), depth);
      first += static_cast<int64_t>(shape.width(l)) * shape.height(l);
    }
  });
}

void depth_pass_tiled(const Device& device, const PyramidShape& shape, const TileGrid& grid,
                      const ProjectedPoint* projected, const int64_t* tile_start, float* min_depth_m) {
  if (device.type != DeviceType::cpu) throw_device_error("depth_pass_tiled", "tiles are the CPU's driver");
  float* layer[max_pyramid_layers];
  for (int l = 0; l < shape.layers; ++l) layer[l] = min_depth_m + shape.first(l);
#pragma omp parallel for schedule(dynamic, 1)
  for (int32_t t = 0; t < grid.count(); ++t) {
    // The tile's pixels are cleared while they are about to be used.
    for (int l = 0; l < shape.layers; ++l) {
      const TileRect rect = grid.rect(shape, t, l);
      for (int32_t y = rect.begin_y; y < rect.end_y; ++y) {
        float* const row = layer[l] + static_cast<int64_t>(y) * shape.width(l);
        std::fill(row + rect.begin_x, row + rect.end_x, std::numeric_limits<float>::infinity());
      }
    }
    for (int64_t i = tile_start[t]; i < tile_start[t + 1]; ++i) {
      const ProjectedPoint& p = projected[i];
      for (int l = 0; l < p.layers; ++l) {
        float& z = layer[l][static_cast<int64_t>(p.y_px >> l) * shape.width(l) + (p.x_px >> l)];
        z = std::min(z, p.depth_m);
      }
    }
  }
}

}  // namespace ptl
