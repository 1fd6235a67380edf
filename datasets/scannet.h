// Posed RGB-D folders as ScanNet's reader exports them: color/N.jpg, depth/N.png, pose/N.txt, intrinsic/*.txt.
//
// pose is world_from_camera, 4 x 4 by rows, in metres; axes are ours, x right, y down, z forward. Frames that the
// tracking lost have a pose of infinities. depth is in millimetres, 0 where there is none (ScanNet's SensReader: "depth
// shift 1000"). intrinsic_color.txt and intrinsic_depth.txt are 4 x 4; its tools unproject whole-numbered pixels by (x
// − cx)/fx (SensReader/c++/src/sensorData.h), so centres are at whole numbers and get + 0.5.
#pragma once

#include <filesystem>
#include <vector>

#include "datasets/scene_draft.h"

namespace ptl {

/// The folder itself where it has color/, pose/ and the colour camera's intrinsics.
std::vector<std::filesystem::path> find_scannet(const std::filesystem::path& folder_or_file);

/// Points: about half a million pixels of up to 64 depth maps, evenly spread over frames and pixels, without those at
/// edges of depth, with the colours of their photos; none are made where points.ply is there. InputError for whatever
/// is wrong with the files, and for extrinsics that are not the identity.
SceneDraft read_scannet(const SceneFiles& files);

}  // namespace ptl
