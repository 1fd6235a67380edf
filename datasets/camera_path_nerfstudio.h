// Camera paths as nerfstudio's JSON, both ways: what its viewer and its Blender add-on write and `ns-render
// camera-path` reads.
//
//   keyframes     matrix (world_from_camera, 16 numbers), fov, aspect, override_transition_enabled,
//   override_transition_sec camera_path   the frames themselves: camera_to_world (16 numbers, by rows), fov, aspect
//   beside them   render_width, render_height, fps, seconds, default_fov, default_transition_sec, camera_type,
//   is_cycle,
//                 smoothness_value
//
// Camera axes are OpenGL's (x right, y up, z backward); fov is the vertical field of view in degrees. The viewer writes
// matrix by rows; older viewers and the add-on by columns, as a text.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "datasets/camera_path.h"

namespace ptl {

/// nerfstudio moves and scales the scenes that it reads: x_nerfstudio = scale · (rotation · x_world + translation).
struct NerfstudioTransform {
  Mat3<double> rotation{1};
  Vec3<double> translation{0};
  double scale = 1;
};
/// dataparser_transforms.json of a nerfstudio run: {"transform": [[r r r t] × 3], "scale": s}. InputError for anything
/// else.
NerfstudioTransform read_nerfstudio_transform(const std::filesystem::path& file);

struct NerfstudioPath {
  CameraPath path;                   ///< of its key frames; where it has none, its frames are the key frames
  std::vector<PathFrame> frames;     ///< camera_path: what ns-render makes pictures of; may be empty
  std::vector<std::string> remarks;  ///< what it says that has no meaning here: a crop, a smoothness
};

/// InputError with file and place for what is not as above, and for cameras that are not perspective.
NerfstudioPath read_nerfstudio_path(const std::filesystem::path& file, const Vec3<double>& origin_world,
                                    const NerfstudioTransform& transform = {});
/// The same of a file that was read already.
NerfstudioPath nerfstudio_path_from_json(const nlohmann::json& document, const std::string& file,
                                         const Vec3<double>& origin_world, const NerfstudioTransform& transform);

/// Both the key frames and, as camera_path, the frames at the path's rate. Returns what was lost: exposures. InputError
/// where the path says no size, or has a lens, for which the file has no words. Atomic.
std::vector<std::string> write_nerfstudio_path(const CameraPath& path, const Vec3<double>& origin_world,
                                               const std::filesystem::path& file,
                                               const NerfstudioTransform& transform = {});

}  // namespace ptl
