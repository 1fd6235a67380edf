// Bundler's reconstructions (bundle.out, version 0.3, and the list of its photos), as VisualSFM and others write them
// too.
//
// P = R X + t, p = −P / P.z, p' = f (1 + k1 |p|² + k2 |p|⁴) p: the camera's x is right, y up, z backward, and the
// pixel's origin is the middle of the photo with y up (Bundler's README, "Output format and scene representation"). So
// our axes are R and t with rows 1 and 2 negated, and x_px = width/2 + p'.x, y_px = height/2 − p'.y, without a shift:
// the middle of the photo is the same point whatever the centres of pixels are called. The file has no sizes: they are
// the photos'.
#pragma once

#include <filesystem>
#include <vector>

#include "datasets/scene_draft.h"

namespace ptl {

/// Files *.out of a folder, or of its folder "bundle", that begin as Bundler's do; or the path itself. bundle.out alone
/// where it is there: others are steps on the way to it.
std::vector<std::filesystem::path> find_bundler(const std::filesystem::path& folder_or_file);

/// The list is list.txt beside the file or one folder above, or NAME.list.txt for NAME.bundle.out and NAME.out. Cameras
/// with f = 0 were not reconstructed and are left out. InputError for whatever is wrong with the two files, and for
/// photos that are not there, since their sizes are needed.
SceneDraft read_bundler(const SceneFiles& files);

}  // namespace ptl
