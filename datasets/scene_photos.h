// A scene's photos and masks on the disk: which are there, of which size, with which EXIF. Only headers are read.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/error.h"
#include "datasets/scene_draft.h"

namespace ptl {

/// LoadOptions::photo_faults: runs `step`; where `faults` is given, the message of its InputError is put there.
template <class Step>
void refuse_or_collect(std::vector<std::string>* faults, const Step& step) {
  try {
    step();
  } catch (const InputError& error) {
    if (!faults) throw;
    faults->push_back(error.what());
  }
}

/// "a, b, c and 4 more".
std::string listed(const std::vector<std::string>& names);

/// The draft's image folder, or one of its reduced copies beside it (images_2, images_4, …) where that is the one whose
/// photos have the cameras' size, or the only one that is there. Says so in `oddities`.
std::filesystem::path choose_reduced_folder(const SceneDraft& draft, std::vector<std::string>& oddities);

/// InputError where the folder or photos are missing, or, where they `may_be_missing`, when fewer than two are left:
/// the images without are then left out. Photos without a pose, and those left out, are oddities; the former are only
/// looked for within the scene's folder or one that the user named.
void find_photos(Scene& scene, const std::filesystem::path& image_folder, bool may_be_missing, bool named_by_user,
                 std::vector<std::string>* faults = nullptr);

/// In a folder whose name ends in _NUMBER, or in any, cameras are scaled to photos that are smaller by the same ratio
/// in both axes; said in the oddities.
void adopt_reduced_photos(Scene& scene, const std::filesystem::path& image_folder, bool in_any_folder);

/// Exposure and time of each photo; InputError for one of another size than its camera's.
void read_photo_headers(Scene& scene, std::vector<std::string>* faults = nullptr);

/// Masks under the names in use, except where the dataset named one and none were demanded; then a photo's own alpha channel. InputError: a mask of
/// another size than its photo's, or none at all where they were demanded.
void find_masks(Scene& scene, const std::filesystem::path& mask_folder, bool demanded,
                std::vector<std::string>* faults = nullptr);

}  // namespace ptl
