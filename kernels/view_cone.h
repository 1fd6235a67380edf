// A cone that holds all that a crop of a wide camera can see: models that see more than half of the sphere have no planes
// that bound a crop.
#pragma once

#include "kernels/raster_types.h"

namespace ptl {

/// Directions within an angle from an axis, in camera coordinates.
struct ViewCone {
  bool everything = true;  ///< the cone is as wide as the sphere
  float axis_x = 0, axis_y = 0, axis_z = 1;
  float cosine = -1, sine = 0;  ///< of the angle
};

/// Of every direction whose point lands in the view's crop. The crop, a pixel larger on each side, is cut into cells; the
/// angles from the axis that a cell's points can have follow from its nearest and farthest corner, since a lens's profile
/// increases, and from what its distortion may differ from that. So folds of the image lose no direction.
ViewCone view_cone(const RasterView& view);

/// False only for a ball that the cone does not touch. `centre` in camera coordinates.
PTL_HD inline bool touches_cone(const ViewCone& cone, const Vec3<float>& centre, float radius) {
  const float distance = std::sqrt(centre.x * centre.x + centre.y * centre.y + centre.z * centre.z);
  if (cone.everything || !(distance > radius)) return true;
  // The ball is seen at β around its centre, sin β = radius / distance: the angle to the axis is at most α + β.
  const float sine = radius / distance, cosine = std::sqrt(1.0f - sine * sine);
  if (cosine <= -cone.cosine) return true;  // α + β ≥ π
  const float along = (cone.axis_x * centre.x + cone.axis_y * centre.y + cone.axis_z * centre.z) / distance;
  return along >= cone.cosine * cosine - cone.sine * sine - 1e-5f;
}

}  // namespace ptl
