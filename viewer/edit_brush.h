// The brush that removes points: what a circle in a view covers, along its way and in depth. Pure functions.
#pragma once

#include <optional>
#include <vector>

#include "datasets/image.h"
#include "viewer/drawn_cloud.h"
#include "viewer/edit_box.h"

namespace ptl {

/// How deep a brush reaches.
enum class BrushDepth {
  surface,    ///< around the surface that the stroke began on, as far as it goes on: what lies behind stays
  any,        ///< around what is under the cursor, wherever that is
  everything  ///< all that the circle covers, however far
};

inline constexpr double least_brush_px = 2, largest_brush_px = 300;

struct Brush {
  double radius_px = 24;
  BrushDepth depth = BrushDepth::surface;
  double thickness = 1;  ///< how far it reaches before and behind that depth, in its own radii there
};

/// Depth at the pixel of `depth_m` (1 channel, +∞ where nothing is) that is nearest to (x, y) and has one, within
/// `reach_px`; nothing where none has.
std::optional<double> nearest_depth(const Image& depth_m, double x, double y, double reach_px);

/// From the nearest to the farthest depth (camera z) at which a block of the cloud may have points in the brush's
/// circle; nothing where it has none.
struct DepthRange {
  double near_m = 0, far_m = 0;
};
std::optional<DepthRange> depths_under_brush(const DrawnCloud& cloud, const EditView& view, const Vec2<double>& pixel,
                                             double radius_px);

/// How far it reaches before and behind a depth, scene units.
double brush_reach_m(const Brush& brush, const EditView& view, double depth_m);
/// One cylinder around a depth.
std::optional<EditCylinder> surface_dab(const Brush& brush, const EditView& view, const Vec2<double>& pixel,
                                        double depth_m);
/// All of a range: as a view's circle grows with the depth, several cylinders one behind the other, each off the circle
/// by a tenth at most.
std::vector<EditCylinder> through_dab(const Brush& brush, const EditView& view, const Vec2<double>& pixel,
                                      const DepthRange& range);

/// Where a stroke dabs on its way from its last dab to a pixel: half a radius apart, so that its border is smooth.
std::vector<Vec2<double>> dab_places(const Vec2<double>& last_px, const Vec2<double>& now_px, double radius_px);

}  // namespace ptl
