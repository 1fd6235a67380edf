// From a folder to a Scene: cameras and poses in whatever format, the photos' sizes and exposures, the masks, the cloud.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/scene.h"

namespace ptl {

struct LoadOptions {
  std::string format;                  ///< --format: the name of a format (datasets/scene_formats.h); empty: recognised
  std::filesystem::path points_file;   ///< --points: a PLY in the scene's frame; empty: points.ply, else sparse points
  std::filesystem::path edits_file;    ///< --edits: read into Scene::edits; the cloud stays whole
  std::filesystem::path image_folder;  ///< --images: absolute or relative to the scene folder; empty: the format's
  std::filesystem::path mask_folder;   ///< --masks: the same; empty: "masks" where it is there
  double image_scale = 1.0;            ///< --image-scale: used size / stored size, in (0, 1]
  int max_size_px = 0;                 ///< --max-size: the longer side of the largest photo; 0: no limit
  bool photos_needed = true;           ///< off: photos are neither looked for nor opened (rendering from poses alone)
  /// Where given, what is wrong with photos and masks is put there, one message each, instead of thrown: for commands
  /// that look at what is left. Such images stay in the scene.
  std::vector<std::string>* photo_faults = nullptr;
};

/// Reads the scene in a folder, or that a file describes: in any of the formats of datasets/scene_formats.h. Photos are
/// only looked at by their headers (size, EXIF). Throws InputError for all that is wrong with it: no such folder, no or a
/// broken model, fewer than two images, photos that are missing or of another size than their camera's (other than
/// reduced ones in a folder like images_4), masks of another size, no points at all, or every point behind every camera.
Scene load_scene(const std::filesystem::path& folder_or_file, const LoadOptions& options = {});

/// A cloud's file names the photos that it was made from in its header, one a comment line: this, then the name.
inline constexpr const char* cloud_photo_comment = "dense_photo ";

/// Replaces the scene's cloud by a PLY file's, told to people as `source`. The file's frame has its zero at `origin`
/// (without: Scene::origin_world).
void read_cloud_file(Scene& scene, const std::filesystem::path& file, const std::string& source);
void read_cloud_file(Scene& scene, const std::filesystem::path& file, const std::string& source,
                     const Vec3<double>& origin);

/// The size of a photo of `stored_px` pixels on a side when used at `scale`: max(1, floor(stored · scale + 0.5)).
int scaled_size_px(int stored_px, double scale);

}  // namespace ptl
