// How far a fit moved its cameras, and what that was worth.
#pragma once

#include <string>
#include <vector>

#include "datasets/image_cache.h"
#include "renderer/report.h"
#include "renderer/scene_model.h"

namespace ptl {

struct CameraMove {
  int64_t image = 0;
  double mean_px = 0;     ///< between where the image's points are seen as given and as fitted (pose and camera)
  double distance_m = 0;  ///< of the camera's centre, in scene units
  double degrees = 0;     ///< that it turned by
};

/// Of all training images, in their order; empty when nothing moved.
std::vector<CameraMove> camera_moves(const SceneModel& model);

/// PSNR of training images as fitted less that with the pose and camera as given, in the fitted model, at a longer side
/// of `side_px`; in the order of `images`.
std::vector<double> pose_gains_db(const SceneModel& model, ImageCache& photos, const std::vector<int64_t>& images,
                                  int side_px);

/// For the report: pixels by image, and the cameras seen from above, as given and as fitted.
std::vector<ReportChart> camera_charts(const SceneModel& model, const std::vector<CameraMove>& moves);

}  // namespace ptl
