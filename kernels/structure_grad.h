// The approximate gradient to structure: point positions, pose, intrinsics, distortion (method section 8). Data in: a
// rendered pyramid and the loss's gradient at its pixels. The rasteriser is discrete, so a point's gradient at its
// pixel is a finite difference: what the loss would change by if the point were drawn one pixel further, on every
// layer.
#pragma once

#include "kernels/device.h"
#include "kernels/project.h"
#include "kernels/raster_types.h"

namespace ptl {

/// Which points get structure gradients.
enum class StructurePoints {
  ghosts,  ///< those that dropout left out of the blend: the pixels show the scene without them (ADOP)
  drawn,   ///< those that were drawn
};

/// What a point does to a pixel that it moves to.
enum class NeighbourRule {
  tested,      ///< nothing where it is hidden, override in front of all, else blend (method section 8)
  overriding,  ///< it always replaces what is there (ADOP's shipped configurations)
};

struct StructureConfig {
  StructurePoints points = StructurePoints::ghosts;
  NeighbourRule neighbours = NeighbourRule::tested;
};

/// A rendered pyramid of P pixels and the gradient at it. Memory of the device.
struct StructureImage {
  PyramidShape shape;
  const ProjectedPoint* projected = nullptr;  ///< [count]
  int64_t count = 0;
  const float* min_depth_m = nullptr;     ///< [P]
  const int32_t* weight = nullptr;        ///< [P]
  const float* displayed = nullptr;       ///< [P, displayed_stride]: features, in empty pixels what is behind
  int64_t displayed_stride = 0;           ///< floats a pixel; at least `channels`
  const float* grad_displayed = nullptr;  ///< [P, channels]: of the loss (kernels/holes.h: displayed_gradient)
  const float* descriptors = nullptr;     ///< [points, channels]
  int channels = 0;
  float depth_tolerance = 0;  ///< α
};

/// Derivative of the loss with respect to where a point is seen.
struct PixelGradient {
  float x = 0, y = 0;  ///< sum over layers; per pixel of layer 0 (of the crop)
  int32_t terms = 0;   ///< layers with a gradient
};

/// On each layer of a projected point ½ Σ_c (ΔI(x+1) G(x+1) − ΔI(x−1) G(x−1)) / C, the same for y, where it passes the
/// fuzzy test at its own pixel, 2 or more pixels from the border.
PixelGradient structure_pixel_gradient(const StructureImage& image, const StructureConfig& config, int64_t projected);

/// A projected point that has a gradient.
struct StructureEntry {
  uint32_t projected = 0;  ///< index into StructureImage::projected
  PixelGradient gradient;
};

/// All of them at `entries` [count]; returns their number. By tile, within a tile in the order of the points, whatever
/// the driver; by_tile: `projected` stands so already (project_points_tiled).
int64_t find_structure_entries(const Device& device, const StructureImage& image, const StructureConfig& config,
                               bool by_tile, StructureEntry* entries);

/// Sums over all terms of an image, in double and in a fixed order: not yet averaged.
struct StructureSums {
  double pose[6] = {};                        ///< tangent at camera_from_world: translation, rotation (kernels/se3.h)
  double readout[6] = {};                     ///< of RasterView::readout_motion
  double camera[camera_param_capacity] = {};  ///< of CameraParams::value, in its units
  int64_t terms = 0;
};

/// From pixels through the crop and the camera's Jacobians. rows [entries] and grad_position [entries, 3]: each entry's
/// point and the gradient of its position in scene coordinates, the mean over its terms (method section 8). The sums
/// depend on the entries and their order only, not on threads or the device. StructureSums::readout is filled where it is wanted
/// or where rows have poses of their own, else 0.
StructureSums structure_chain(const Device& device, const PointsView& points, const RasterView& view,
                              const ProjectedPoint* projected, const StructureEntry* entries, int64_t entry_count,
                              int64_t* rows, float* grad_position, bool of_readout = false);

}  // namespace ptl
