// A camera path from a file of any kind that we read: our own, or nerfstudio's.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/camera_path.h"

namespace ptl {

struct OpenedPath {
  CameraPath path;
  std::vector<PathFrame> frames;     ///< the file's own frames (nerfstudio's camera_path); empty: only key frames
  std::vector<std::string> remarks;  ///< for people
};

/// `transform_file`: nerfstudio's dataparser_transforms.json; empty: its path is in the dataset's coordinates.
/// InputError when the file is neither kind, or as of their readers (datasets/camera_path_json.h, camera_path_nerfstudio.h).
OpenedPath open_path(const std::filesystem::path& file, const Vec3<double>& origin_world,
                     const std::filesystem::path& transform_file = {});

}  // namespace ptl
