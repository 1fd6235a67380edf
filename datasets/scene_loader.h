// From a folder to a Scene: the COLMAP model, the photos' sizes and exposures, the masks and the cloud.
#pragma once

#include <filesystem>
#include <string>

#include "datasets/scene.h"

namespace ptl {

struct LoadOptions {
  std::filesystem::path points_file;   ///< --points: a PLY in the scene's frame; empty: points.ply, else sparse points
  std::filesystem::path edits_file;    ///< --edits: read into Scene::edits; the cloud stays whole
  std::filesystem::path image_folder;  ///< --images: absolute or relative to the scene folder; empty: "images"
  std::filesystem::path mask_folder;   ///< --masks: the same; empty: "masks" where it is there
  double image_scale = 1.0;            ///< --image-scale: used size / stored size, in (0, 1]
  int max_size_px = 0;                 ///< --max-size: the longer side of the largest photo; 0: no limit
  bool photos_needed = true;           ///< off: photos are neither looked for nor opened (rendering from poses alone)
};

/// Reads the scene in `folder`. Photos are only looked at by their headers (size, EXIF). Throws InputError for all that
/// is wrong with it: no such folder, no or a broken model, fewer than two images, photos that are missing or of another
/// size than their camera's, masks of another size, no points at all, or every point behind every camera.
Scene load_scene(const std::filesystem::path& folder, const LoadOptions& options = {});

/// A cloud's file names the photos that it was made from in its header, one a comment line: this, then the name.
inline constexpr const char* cloud_photo_comment = "dense_photo ";

/// Replaces the scene's cloud by a PLY file's, told to people as `source`.
void read_cloud_file(Scene& scene, const std::filesystem::path& file, const std::string& source);

/// The size of a photo of `stored_px` pixels on a side when used at `scale`: max(1, floor(stored · scale + 0.5)).
int scaled_size_px(int stored_px, double scale);

}  // namespace ptl
