// Camera paths as files of our own. Files hold world coordinates of the dataset, poses as COLMAP writes them.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "datasets/camera_path.h"

namespace ptl {

inline constexpr const char* camera_path_format = "pointillist camera path";

/// {"format": "pointillist camera path", "version": 1, "fps": 30, "loop": false, "width_px": …, "height_px": … (both or
/// none),
///  "image": NAME (optional), "lens_of_image": false, "key_frames": [{"time_s": 0, "camera_from_world": [[r r r t] ×
///  3], "vertical_fov_deg": 60, "exposure_ev": 0 (all or none)}, …]}. Numbers are written so that they come back bit
///  for bit.
void write_camera_path(const CameraPath& path, const Vec3<double>& origin_world, const std::filesystem::path& file);

/// InputError with file and place for anything that is not as above: another format or version, unknown names, and what
/// check_path() refuses.
CameraPath read_camera_path(const std::filesystem::path& file, const Vec3<double>& origin_world);
/// The same of a file that was read already.
CameraPath camera_path_from_json(const nlohmann::json& document, const std::string& file,
                                 const Vec3<double>& origin_world);

/// The path as a file of it would be read: poses go to world coordinates and back, which rounds. InputError as
/// check_path().
CameraPath path_as_read_back(const CameraPath& path, const Vec3<double>& origin_world);

/// A pose from scene to world coordinates, and back.
Pose<double> pose_to_world(const Pose<double>& camera_from_scene, const Vec3<double>& origin_world);
Pose<double> pose_to_scene(const Pose<double>& camera_from_world, const Vec3<double>& origin_world);

}  // namespace ptl
