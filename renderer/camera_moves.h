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
  double readout_px = 0;  ///< that points move by while its rows are read out (datasets/shutter.h)
  double exposure_px = 0; ///< the same during its exposure
};

/// Of all training images, in their order; empty when nothing moved.
std::vector<CameraMove> camera_moves(const SceneModel& model);

/// PSNR of training images as fitted less that with the pose and camera as given and no motion, in the fitted model, at a longer side
/// of `side_px`; in the order of `images`.
std::vector<double> pose_gains_db(const SceneModel& model, ImageCache& photos, const std::vector<int64_t>& images,
                                  int side_px);

/// For the report: pixels by image, what moved while photos were taken, and the cameras seen from above, as given and as
/// fitted; those of them of which there is something.
std::vector<ReportChart> camera_charts(const SceneModel& model, const std::vector<CameraMove>& moves);

}  // namespace ptl
