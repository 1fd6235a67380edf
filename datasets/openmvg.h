// OpenMVG's sfm_data.json: views, intrinsics, extrinsics, structure.
//
// A pose is a rotation camera_from_world and the camera's centre; axes are ours, x right, y down, z forward
// (openMVG/geometry/pose3.hpp, multiview/projection.hpp). Pixels have their centres at whole numbers: undistortion
// samples at (column, row) (openMVG/cameras/Camera_undistort_image.hpp). So principal points and observations get +
// 0.5. Distortion is that of normalised coordinates, k1, k2, k3, t1, t2 as OpenCV's k1, k2, k3, p1, p2
// (openMVG/cameras/Camera_Pinhole_Radial.hpp, Camera_Pinhole_Brown.hpp); a fisheye's k1 … k4 are those of OpenCV's fisheye
// (Camera_Pinhole_Fisheye.hpp). Its spherical camera has y up and is left-handed (Camera_Spherical.hpp: latitude
// atan2(−Y, …) grows with the row), which no rotation takes to ours: refused.
#pragma once

#include <filesystem>
#include <vector>

#include "datasets/scene_draft.h"

namespace ptl {

/// Files *.json of a folder that have OpenMVG's sfm_data_version, or the path itself. sfm_data.json alone where it is
/// there.
std::vector<std::filesystem::path> find_openmvg(const std::filesystem::path& folder_or_file);

/// Views without a pose or a lens are left out. Points have no colour in this format: mid grey. InputError for whatever
/// is wrong with the file, and for lenses other than pinholes and fisheyes, by name.
SceneDraft read_openmvg(const SceneFiles& files);

}  // namespace ptl
