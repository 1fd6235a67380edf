// COLMAP's camera models by number and name, and how the pinhole family becomes our camera, without loss.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "kernels/camera.h"

namespace ptl {

struct ColmapCameraModel {
  int id;
  const char* name;
  int param_count;
  bool supported;  ///< camera_from_colmap knows it
};

/// nullptr for a number that COLMAP does not use.
const ColmapCameraModel* find_colmap_camera_model(int id);
const ColmapCameraModel* find_colmap_camera_model(std::string_view name);

/// As above, but throws InputError that names `file`. A known model need not be supported.
const ColmapCameraModel& colmap_camera_model(int id, const std::filesystem::path& file);
const ColmapCameraModel& colmap_camera_model(std::string_view name, const std::filesystem::path& file);

/// Our camera for COLMAP's: focal lengths and centres in pixels, the same pixel convention, valid radius set. Throws
/// InputError that names the model for one that is not supported, and for numbers that cannot be right (a focal length
/// ≤ 0, a wrong count, NaN). `model_folder` is where cameras.bin or cameras.txt is, for messages.
CameraParams<double> camera_from_colmap(int id, const std::vector<double>& params, int width_px, int height_px,
                                        const std::filesystem::path& model_folder);

/// Which of a camera's parameters a fit may move, so that the camera can still be said in COLMAP's model.
struct CameraFreedom {
  bool moves[camera_param_capacity] = {};
  bool one_focal_length = false;  ///< fy is fx
};

/// Those that the supported model with this number has; of a model without distortion also OPENCV's four, so that there is
/// something to fit where distortion is asked for. std::invalid_argument for any other number.
CameraFreedom camera_freedom(int colmap_model_id);

/// COLMAP's camera for ours, whose parameters have moved since they were read.
struct ColmapParams {
  int id = 1;
  std::vector<double> params;  ///< in COLMAP's order
};

/// The model with this number where it still can say it exactly, else the smallest of PINHOLE, OPENCV and FULL_OPENCV that can.
/// std::invalid_argument for a camera with skew, which COLMAP has in no model.
ColmapParams camera_to_colmap(const CameraParams<double>& camera, int preferred_id);

}  // namespace ptl
