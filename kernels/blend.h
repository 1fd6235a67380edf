// Stage 3 of 4: the fuzzy depth test and the blend. Data in: projected points, smallest depths, descriptors. Data out: per
// layer and pixel the mean descriptor of the contributors and their number (method section 3); backward to descriptors.
#pragma once

#include <type_traits>

#include "kernels/device.h"
#include "kernels/project.h"
#include "kernels/raster_types.h"

namespace ptl {

inline constexpr int max_channels = 16;

/// Calls f with the number of channels as a constant where it is a usual one (so that loops unroll), else with 0.
template <class F>
void with_channels(int count, F&& f) {
  switch (count) {
    case 3: return f(std::integral_constant<int, 3>{});
    case 4: return f(std::integral_constant<int, 4>{});
    case 8: return f(std::integral_constant<int, 8>{});
    default: return f(std::integral_constant<int, 0>{});
  }
}

/// A point contributes to its pixel iff z ≤ (1 + α) z_min and it is no ghost.
PTL_HD inline bool contributes(const ProjectedPoint& p, float min_depth_m, float depth_tolerance) {
  return !p.ghost && p.depth_m <= (1.0f + depth_tolerance) * min_depth_m;
}

/// descriptors [count of points, channels]; features [pixels, channels] (0 where empty) and weight [pixels]: all entries
/// are written. Contributions to a pixel are added in the order of the points. The GPU's driver.
void blend(const Device& device, const PyramidShape& shape, const ProjectedPoint* projected, int64_t count,
           const float* min_depth_m, float depth_tolerance, const float* descriptors, int channels, float* features,
           int32_t* weight);

/// The CPU's driver; the same bits.
void blend_tiled(const Device& device, const PyramidShape& shape, const TileGrid& grid, const ProjectedPoint* projected,
                 const int64_t* tile_start, const float* min_depth_m, float depth_tolerance, const float* descriptors,
                 int channels, float* features, int32_t* weight);

/// grad_projected[i] = Σ over the layers that projected point i contributes to of grad_features[pixel] / weight[pixel]: the
/// gradient of that point's descriptor, [count, channels], all entries written. Exact: the blend is a mean. Each projected
/// point is another point, so that nothing collides. Both drivers.
void blend_backward(const Device& device, const PyramidShape& shape, const ProjectedPoint* projected, int64_t count,
                    const float* min_depth_m, float depth_tolerance, const int32_t* weight, const float* grad_features,
                    int channels, float* grad_projected);

}  // namespace ptl
