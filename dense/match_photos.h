// Depths of all photos by PatchMatch in two passes, kept as files: the second pass goes on from a photo's planes of the
// first one and sees its sources' depths.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "datasets/scene.h"
#include "dense/depth_map.h"
#include "dense/patch_match.h"
#include "dense/view_selection.h"

namespace ptl {

/// Called with the step's name, and how far it is. From several threads, one at a time.
using DenseProgress = std::function<void(const char* step, int done, int total)>;

/// Files of the photos, by their place in the plans.
struct MatchFiles {
  std::vector<std::filesystem::path> planes;  ///< of the first pass; gone when all depths are there
  std::vector<std::filesystem::path> depths;  ///< depth maps (dense/depth_map.h)
  uint64_t key = 0;                           ///< names everything that they depend on
};

struct MatchPhotosOptions {
  PatchMatchOptions patches;
  bool strict_split = false;           ///< start without sparse points that fewer than two of the photos saw
  double scale = 1;                    ///< stereo pixels per pixel of the photos
  uint64_t memory_bytes = 3ull << 30;  ///< bounds how many photos are matched at the same time
  Device device;  ///< on a GPU a photo at a time; on the CPU a photo a thread, each with its own scratch memory
};

/// Everything about `plans` that the files depend on.
uint64_t match_key(const Scene& scene, const std::vector<ViewPlan>& plans, const MatchPhotosOptions& options);

/// Makes the depth maps that are not there yet, and for these the planes of the photo and of its sources. A photo
/// without sources gets an empty one. The result depends neither on threads, nor on device, nor on what an interrupted
/// run has left. Returns how many depth maps were there. Throws InputError as ImageCache does, and for photos whose
/// stereo view is larger than most_patch_side_px.
int match_photos(const Scene& scene, const std::vector<ViewPlan>& plans, const MatchPhotosOptions& options,
                 const MatchFiles& files, const DenseProgress& progress);

}  // namespace ptl
