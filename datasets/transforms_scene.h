// Reading transforms.json: nerfstudio's and instant-ngp's, and NeRF-synthetic's transforms_train.json with
// transforms_test.json.
//
// transform_matrix is world_from_camera with OpenGL's camera axes (x right, y up, z backward): nerfstudio's
// documentation "Data conventions", instant-ngp's docs/nerf_dataset_tips.md. Pixels: both put the centre of the
// upper-left pixel at (0.5, 0.5) (nerfstudio: cameras/cameras.py, pixel_offset; instant-ngp: src/nerf_loader.cu,
// principal_point = cx / w), so nothing is shifted.
// applied_transform and applied_scale say how the file's frame came from the original world, x_file = scale · (A ·
// x_world); they are undone, for poses and for ply_file_path, so that other exports of the same reconstruction fit.
// Intrinsics stand at a frame or are shared: fl_x, fl_y, or x_fov, y_fov (degrees), or camera_angle_x, camera_angle_y
// (radians); cx, cy (else the middle); w, h (else the photo's); k1, k2, k3, p1, p2 as OpenCV. Without fl_y it is fl_x.
// camera_model OPENCV_FISHEYE: fl_x, fl_y, k1 … k4 as OpenCV's fisheye, and p1, p2 in its plane, as nerfstudio does.
// EQUIRECTANGULAR (nerfstudio): the whole sphere, W = 2 H, the camera looks at its middle.
#pragma once

#include <filesystem>
#include <vector>

#include "datasets/scene_draft.h"

namespace ptl {

/// transforms.json and transforms_train.json of a folder, or the path itself where it is a JSON file with "frames".
std::vector<std::filesystem::path> find_transforms(const std::filesystem::path& folder_or_file);

/// With transforms_train.json its neighbour transforms_test.json is read too; those photos, and test_filenames and
/// val_filenames, are held out by the dataset. Frames whose photos are not there are left out later. InputError for
/// whatever is wrong with a file; for other lenses, by name; for k4 of a perspective lens, which is not OpenCV's.
SceneDraft read_transforms(const SceneFiles& files);

}  // namespace ptl
