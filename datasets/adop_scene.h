// Scene folders of ADOP and its successors, both ways: dataset.ini, camera*.ini, images.txt, camera_indices.txt,
// poses.txt, masks.txt, exposure.txt and a PLY, as ADOP's scenes/README.md and src/lib/data/SceneData.* describe them.
//
// A line of poses.txt is world_from_camera, qx qy qz qw tx ty tz; axes are ours, x right, y down, z forward. Pixels are
// not shifted: such folders carry COLMAP's numbers as they are (method section 1). K is fx fy cx cy s; distortion is
// k1 k2 k3 k4 k5 k6 p1 p2 of OpenCV's rational model. With camera_type_int = 1 lenses are OCam's: op is c d e cx cy (row
// and column of the centre), poly_world2cam the polynomial of kernels/camera_ocam.h, ocam_cutoff the angle up to which it
// is used; poly_cam2world, its approximate inverse, is not read.
#pragma once

#include <filesystem>
#include <vector>

#include "datasets/scene_draft.h"

namespace ptl {

/// dataset.ini of a folder, or the path itself, where it has ADOP's section.
std::vector<std::filesystem::path> find_adop_scene(const std::filesystem::path& folder_or_file);

/// image_dir is looked for where it says, then in the scene folder by its last name, then as "images". exposure.txt
/// counts where a photo has no EXIF; the same number for all says nothing. InputError for whatever is wrong with the
/// files.
SceneDraft read_adop_scene(const SceneFiles& files);

/// Writes such a folder: world coordinates, cameras at the stored resolution, the cloud as point_cloud.ply, exposures
/// where any is known (the mean of the others for the rest). Photos stay where they are: image_dir is their absolute
/// path. Each file is written atomically. InputError for photos without a common folder, and for lenses other than pinholes.
void write_adop_scene(const Scene& scene, const std::filesystem::path& folder);

}  // namespace ptl
