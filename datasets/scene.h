// Scene: what every reader reads into. Plain data; no pixels (photos are decoded when needed, datasets/image_cache.h).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "datasets/log_range.h"
#include "datasets/point_edits.h"
#include "kernels/camera.h"
#include "kernels/se3.h"

namespace ptl {

/// A physical camera (or one setting of it), at the resolution that the scene is used at.
struct SceneCamera {
  uint32_t id = 0;                   ///< id in the dataset
  int32_t colmap_model_id = 1;       ///< as read, so that a model can be written back in kind
  std::vector<double> colmap_params; ///< in COLMAP's order, at the stored (unscaled) resolution
  int32_t stored_width_px = 0;       ///< size of the photos as stored
  int32_t stored_height_px = 0;
  CameraParams<double> params;       ///< at the used resolution (after image_scale)
};

/// A keypoint of an image, in pixels of the stored photo (centre of the upper-left pixel at (0.5, 0.5)).
struct Observation {
  double x_px = 0, y_px = 0;
  uint64_t point_id = UINT64_MAX;    ///< UINT64_MAX: not triangulated
};

struct SceneImage {
  uint32_t id = 0;                   ///< id in the dataset
  uint32_t camera_id = 0;
  std::string name;                  ///< as in the dataset: path relative to the image folder, '/' separators
  std::filesystem::path photo_path;  ///< where the photo is
  std::filesystem::path mask_path;   ///< empty: no mask; photo_path: its alpha channel
  Pose<double> camera_from_world;    ///< world = scene coordinates, relative to Scene::origin_world
  std::optional<double> exposure_ev; ///< log2(N²/t) − log2(ISO/100) from EXIF; nothing when unknown
  std::optional<double> capture_time_s; ///< from EXIF, on the camera's clock; nothing when unknown
  std::vector<Observation> observations;
};

/// A sparse point with its track, kept so that a model can be written back.
struct SparsePoint {
  uint64_t id = 0;
  Vec3<double> position{0};          ///< scene coordinates
  std::array<uint8_t, 3> color{};    ///< sRGB
  double reprojection_error_px = 0;
  std::vector<std::pair<uint32_t, uint32_t>> track;  ///< (image id, index into its observations)
};

/// The cloud that is drawn. Arrays are parallel; normals may be empty.
struct PointCloud {
  std::vector<Vec3<float>> position;           ///< scene coordinates
  std::vector<std::array<uint8_t, 3>> color;   ///< sRGB; always as long as position (mid grey when the file has none)
  std::vector<Vec3<float>> normal;             ///< unit, or empty
  size_t size() const { return position.size(); }
};

struct Scene {
  std::filesystem::path folder;
  Vec3<double> origin_world{0};      ///< world coordinates = scene coordinates + origin_world (method section 10)
  double image_scale = 1.0;          ///< used size / stored size
  std::vector<SceneCamera> cameras;  ///< in order of id
  std::vector<SceneImage> images;    ///< sorted by the bytes of their names: "capture order" (method section 9)
  std::vector<SparsePoint> sparse_points;
  PointCloud cloud;
  std::string cloud_source;          ///< what the cloud was read from, for people
  std::vector<std::string> cloud_photos;  ///< names of the photos that it was made from, where its file says so
  std::vector<std::string> held_out_by_dataset;  ///< names of the photos that the dataset keeps for testing; often none
  PointEdits edits;                  ///< what the user does not want; apply_edits() drops it (datasets/point_filter.h)
  std::string edits_source;          ///< the file that they were read from, for people
  std::optional<LogRange> photo_range; ///< of HDR photos, once it is chosen (datasets/hdr_photo.h); nothing: ordinary photos
  std::vector<std::string> oddities; ///< what a user should know: missing EXIF, unused cameras, …

  const SceneCamera& camera_of(const SceneImage& image) const {
    for (const SceneCamera& camera : cameras)
      if (camera.id == image.camera_id) return camera;
    return cameras.front();  // readers refuse images whose camera is missing
  }
};

}  // namespace ptl
