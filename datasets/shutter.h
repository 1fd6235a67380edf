// Cameras that move while they take a photo. The rows are read one after the other (rolling shutter), and each is
// exposed for a while (motion blur). A photo's pose is that of the middle of both:
//   pose of row y at the moment s of its exposure = exp(s·ζ) · exp(t·ξ) · camera_from_world,  t = y / height − 1/2
#pragma once

#include <array>

#include "kernels/camera.h"
#include "kernels/row_pose.h"
#include "kernels/se3.h"

namespace ptl {

/// Tangents in the camera's frame: translation in scene units, rotation as axis · radians.
struct PhotoMotion {
  Tangent<double> readout_motion;   ///< ξ: from the first row (t = −1/2) to the last (t = 1/2)
  Tangent<double> exposure_motion;  ///< ζ: from the opening of the shutter (s = −1/2) to its closing (s = 1/2)
};

inline Tangent<double> operator*(double factor, const Tangent<double>& motion) {
  return {factor * motion.translation, factor * motion.rotation};
}

/// camera_from_world of the row `y_px` (pixels of the whole photo, 0 at its upper border) at the moment `exposure_time`
/// of its exposure, −1/2 to 1/2; 0 is its middle.
inline Pose<double> pose_at_row(const Pose<double>& camera_from_world, const PhotoMotion& motion, double y_px,
                                int32_t height_px, double exposure_time = 0) {
  return exp(exposure_time * motion.exposure_motion) *
         (exp(readout_time(y_px, height_px) * motion.readout_motion) * camera_from_world);
}

/// How fast the pixel of a point moves along each component of a tangent: the derivatives of project(exp(ξ) ·
/// x_camera)'s x_px and y_px at ξ = 0. Only where project() is valid.
inline std::array<Tangent<double>, 2> pixel_gradients(const CameraParams<double>& camera,
                                                      const Vec3<double>& x_camera) {
  const ProjectionJacobian<double> jacobian = project_jacobian(camera, x_camera);
  return {tangent_gradient(x_camera, jacobian.point[0]), tangent_gradient(x_camera, jacobian.point[1])};
}

/// How far a motion moves points at `depth_m` in pixels, all over the photo, on average.
double mean_motion_px(const CameraParams<double>& camera, double depth_m, const Tangent<double>& motion);

/// Where the photo shows a point of the world, in the middle of the exposure: in the row whose own pose projects it
/// there. Invalid where there is no such row, as for points that overtake the readout.
Projection<double> project_in_motion(const CameraParams<double>& camera, const Pose<double>& camera_from_world,
                                     const PhotoMotion& motion, const Vec3<double>& x_world);

}  // namespace ptl
