// A lone cloud as a scene: no photos and no cameras, but one to look at all of it from.
#pragma once

#include <filesystem>

#include "datasets/scene.h"

namespace ptl {

/// The image of the scene that scene_of_cloud makes.
inline constexpr const char* overview_name = "overview";

/// Where all but the outermost tenth of the points fills the picture. The cloud's flattest direction is taken for the
/// vertical, and as up the side that most normals point to (without normals: z, or −y where that is nearer). From the
/// side that the walls' normals point to, 25 degrees above.
Pose<double> overview_pose(const PointCloud& cloud, double vertical_fov_deg, double aspect);

/// A PLY file and one image of 1280 × 720, 50 degrees high. The origin moves to the cloud where it lies far from it.
/// InputError as of a PLY (datasets/ply.h).
Scene scene_of_cloud(const std::filesystem::path& file);

}  // namespace ptl
