// Scores of pictures that any program made, by the code and the protocol of `eval`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/image_cache.h"
#include "datasets/scene.h"
#include "datasets/split.h"
#include "renderer/eval_result.h"
#include "renderer/scored_picture.h"

namespace ptl {

/// Names of picture files, in the order of `images` (names of photos): each photo's with .png for its ending, or behind
/// it where two would be the same.
std::vector<std::string> picture_names(const std::vector<std::string>& images);

/// The picture of each photo in `folder`: the photo's name, or that with a picture's ending for its own or behind it,
/// where only one such file is there. `by_order`: the folder's pictures, sorted by name, are those of the photos in
/// their order, whatever their names. Throws InputError that names the photos without a picture, or those with several.
std::vector<std::filesystem::path> find_pictures(const std::filesystem::path& folder,
                                                 const std::vector<std::string>& images, bool by_order);

/// Scores the pictures of the split's held-out photos. The protocol's words are the caller's. Throws InputError as
/// find_pictures does, when nothing is held out, and for a picture of another size than its photo is used at.
EvalResult score_pictures(const Scene& scene, const Split& split, ImageCache& photos,
                          const std::filesystem::path& folder, bool by_order, const ScoringOptions& options);

}  // namespace ptl
