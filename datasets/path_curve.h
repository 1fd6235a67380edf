// The smooth curve through a path's key frames.
//
// Its shape does not depend on the times: positions follow a Catmull-Rom spline over centripetal knots (no loops or
// cusps between key frames, however unevenly they lie), rotations the same on the rotation group
// (datasets/rotation_path.h). Where the camera is on that curve at a time is a monotone cubic through the key frames'
// times (Fritsch and Butland 1984): it never goes back, and slow parts do not make fast ones swing out. Field of view
// (as the logarithm of the focal length) and exposure follow monotone cubics too: no value beyond those of the key
// frames. All of it has a continuous first derivative.
#pragma once

#include <vector>

#include "datasets/camera_path.h"
#include "datasets/rotation_path.h"

namespace ptl {

class PathCurve {
 public:
  /// The path must pass check_path().
  explicit PathCurve(const CameraPath& path);

  /// At a time, held within the path's ends. At a key frame's time the key frame itself, bit for bit.
  PathFrame at(double time_s) const;

  /// Scene units that the camera's centre travels between key frames `part` and `part` + 1.
  double length(size_t part) const;
  /// Radians that it turns from one to the other, on the shortest way.
  double angle_rad(size_t part) const;

 private:
  struct Knot {
    double knot = 0;  ///< centripetal
    Vec3<double> centre{0};
    Vec3<double> centre_slope{0};    ///< per unit of the knots
    Quaternion rotation{};           ///< world_from_camera
    Vec3<double> rotation_slope{0};  ///< radians per unit of the knots, in the camera's frame
    double knot_speed = 0;           ///< units of the knots a second
    double log_focal = 0, log_focal_slope = 0, exposure_slope = 0;
  };
  Vec3<double> centre_slope_at(size_t part, double u) const;

  std::vector<PathFrame> keys_;
  std::vector<Knot> knots_;
};

}  // namespace ptl
