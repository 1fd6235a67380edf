// The similarity between two sets of poses of the same cameras: what a fit that moves poses may have done to the whole
// scene.
#pragma once

#include <vector>

#include "kernels/se3.h"

namespace ptl {

/// x_to = scale · rotation · x_from + translation, of world coordinates.
struct Similarity {
  double scale = 1;
  Mat3<double> rotation{1.0};
  Vec3<double> translation{0};
};

/// The similarity that maps the cameras `from` on to `to` (camera_from_world, as many of both, at least one): its
/// rotation is the mean of the cameras' own (chordal L2: the rotation nearest to the sum), so that cameras in a line
/// determine it too; scale and translation are least squares over the centres. Scale 1 where all centres of `from` are
/// the same.
Similarity align_poses(const std::vector<Pose<double>>& from, const std::vector<Pose<double>>& to);

/// The same camera seen from the mapped world: its centre moves with the world, a point that the camera saw in a pixel
/// is seen there again after it was mapped.
Pose<double> mapped(const Similarity& similarity, const Pose<double>& camera_from_world);

}  // namespace ptl
