// Cameras as transforms.json: what Instant-NGP and nerfstudio read.
#pragma once

#include <filesystem>

#include "datasets/scene.h"

namespace ptl {

/// Frames with file_path ("images/NAME"), transform_matrix (world_from_camera in world coordinates, camera axes of
/// OpenGL: x right, y up, z backward) and their intrinsics at the stored resolution (camera_model OPENCV: w, h, fl_x,
/// fl_y, cx, cy, k1, k2, k3, p1, p2; pixels as ours). `cameras`: of the scene, at the stored resolution, in the scene's
/// order. InputError for a camera that this file format has no words for. Atomic.
void write_transforms_json(const Scene& scene, const std::filesystem::path& path);

}  // namespace ptl
