// Posed photos in, a dense cloud out: the whole chain. docs/dense.md says why it is made this way.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "datasets/scene.h"
#include "datasets/split.h"
#include "dense/consistency.h"
#include "dense/fill.h"
#include "dense/fuse.h"
#include "dense/match_photos.h"
#include "dense/view_selection.h"

namespace ptl {

struct DenseOptions {
  int max_side_px = 0;  ///< longer side that the stereo works at; 0: so that all photos have `all_pixels` together
  double all_pixels = 36e6;
  int64_t max_points = 2000000;
  bool fill = true;  ///< planes in untextured areas
  ViewSelectionOptions views;
  PatchMatchOptions matching;
  ConsistencyOptions consistency;
  FillOptions filling;
  uint64_t memory_bytes = 3ull << 30;  ///< bounds how many photos are matched at the same time
  /// Where photos are matched and checked; the result is the same. On a GPU a photo at a time; on the CPU a photo a
  /// thread, and each thread brings its own scratch memory.
  Device device;
};

constexpr double doubtful_share = 0.2;  ///< sound scenes have 0.5 and more, wrong poses 0.15 at most

struct DenseResult {
  DenseCloud points;
  FuseStatistics statistics;
  std::vector<int> photos;       ///< images that took part
  std::vector<int> unconnected;  ///< of these: without any photo to match with
  int stereo_side_px = 0;        ///< longer side of the largest photo in the stereo
  double seconds_matching = 0, seconds_fusing = 0;
  double confirmed_share =
      0;  ///< of the pixels with a depth: another photo agrees. Below doubtful_share something is wrong
  size_t edited_away = 0;  ///< of the points: dropped by the scene's edits (densify_to_file)
  int reused = 0;          ///< photos whose depths an interrupted run had left
};

/// Stereo pixels per pixel of the used photos, at most 1.
double stereo_scale(const Scene& scene, const std::vector<int>& photos, const DenseOptions& options);

/// Dense points of `photos` (indices into Scene::images; no other photo is opened). Depth maps are kept in
/// `work_folder` while it runs, under a key of settings, poses and photos: a run that was interrupted goes on where it
/// ended. The result does not depend on the number of threads. Throws InputError as select_views and ImageCache do, and
/// when no point is confirmed by two photos (wrong poses, blurred photos).
DenseResult densify(const Scene& scene, const std::vector<int>& photos, const DenseOptions& options,
                    const std::filesystem::path& work_folder, const DenseProgress& progress = {});

/// What the PLY's header says: program, settings, split, photos, one comment a line.
std::vector<std::string> dense_comments(const Scene& scene, const DenseResult& result, const std::string& split,
                                        const std::vector<int>& held_out);

/// Where densify_to_file writes.
struct DenseFile {
  std::filesystem::path ply;
  std::filesystem::path work_folder;  ///< of depth maps; gone at the end unless `keep_work`
  bool keep_work = false;
};

/// densify(), its points written to a PLY in world coordinates with dense_comments() in the header.
DenseResult densify_to_file(const Scene& scene, const Split& split, const std::vector<int>& photos,
                            const DenseOptions& options, const DenseFile& file, const DenseProgress& progress = {});

/// A sentence for people where confirmed_share is below doubtful_share, else empty.
std::string dense_doubt(const DenseResult& result);

}  // namespace ptl
