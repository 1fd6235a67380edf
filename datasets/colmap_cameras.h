// COLMAP's camera models by number and name, and how each becomes our camera and goes back, without loss.
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

/// Scenes keep their cameras as COLMAP's. For one of ours that COLMAP lacks, OCam, this number stands in its place, far from
/// those that COLMAP may come to use; its parameters are in our order. It is part of the model file format. COLMAP's own
/// files never hold it: it is refused there, both ways.
inline constexpr int ocam_model_id = 1007;

/// nullptr for a number that neither COLMAP uses nor we.
const ColmapCameraModel* find_colmap_camera_model(int id);
const ColmapCameraModel* find_colmap_camera_model(std::string_view name);

/// As above, but COLMAP's own only, and throws InputError that names `file`.
const ColmapCameraModel& colmap_camera_model(int id, const std::filesystem::path& file);
const ColmapCameraModel& colmap_camera_model(std::string_view name, const std::filesystem::path& file);

/// Our camera for COLMAP's: focal lengths and centres in pixels, the same pixel convention, valid radius set. Throws
/// InputError for numbers that cannot be right (a focal length ≤ 0, a wrong count, NaN; a panorama of another size than its
/// photo). `model_folder` is where cameras.bin or cameras.txt is, for messages.
CameraParams<double> camera_from_colmap(int id, const std::vector<double>& params, int width_px, int height_px,
                                        const std::filesystem::path& model_folder);

/// Which of a camera's parameters a fit may move, so that the camera can still be said in COLMAP's model.
struct CameraFreedom {
  bool moves[camera_param_capacity] = {};
  bool one_focal_length = false;  ///< fy is fx
};

/// Those that the model with this number has; of a pinhole without distortion also OPENCV's four, of a fisheye
/// OPENCV_FISHEYE's, so that there is something to fit where distortion is asked for; of OCam's polynomial a0 to a5.
/// std::invalid_argument for any other number.
CameraFreedom camera_freedom(int colmap_model_id);

/// COLMAP's camera for ours, whose parameters have moved since they were read.
struct ColmapParams {
  int id = 1;
  std::vector<double> params;  ///< in COLMAP's order
};

/// The model with this number where it still can say it exactly, else the smallest of its kin that can: PINHOLE, OPENCV and
/// FULL_OPENCV; FISHEYE, OPENCV_FISHEYE and THIN_PRISM_FISHEYE; DIVISION. std::invalid_argument for a camera with skew,
/// which COLMAP has in no model.
ColmapParams camera_to_colmap(const CameraParams<double>& camera, int preferred_id);

}  // namespace ptl
