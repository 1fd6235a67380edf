// COLMAP models (cameras, images, points3D), binary and text, in and out.
// Poses are camera_from_world with quaternions (w, x, y, z); pixel coordinates put the centre of the upper-left pixel at
// (0.5, 0.5), as ours do.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "datasets/scene.h"

namespace ptl {

struct ColmapCamera {
  uint32_t id = 0;
  int32_t model_id = 1;        ///< COLMAP's number of the camera model
  uint64_t width_px = 0;
  uint64_t height_px = 0;
  std::vector<double> params;  ///< in COLMAP's order
};

struct ColmapImage {
  uint32_t id = 0;
  std::array<double, 4> rotation_wxyz{1, 0, 0, 0};  ///< as in the file; not normalised
  std::array<double, 3> translation{0, 0, 0};       ///< camera_from_world, world coordinates
  uint32_t camera_id = 0;
  std::string name;
  std::vector<Observation> observations;
};

/// The three files as they are: world coordinates in double, the files' order. Reading and writing one in binary gives
/// the same bytes, in text the same numbers.
struct ColmapModel {
  std::vector<ColmapCamera> cameras;
  std::vector<ColmapImage> images;
  std::vector<SparsePoint> points;  ///< positions in world coordinates
};

enum class ColmapFormat { binary, text };

/// The folder that holds cameras.bin (or .txt): `folder`/sparse/0, `folder`/sparse or `folder` itself, in this order.
/// Throws InputError that lists where it looked.
std::filesystem::path find_colmap_model(const std::filesystem::path& folder);

/// The same folder, empty where there is none (also where `folder` is no folder).
std::filesystem::path colmap_model_in(const std::filesystem::path& folder);
/// All three files are there, in one of the two formats.
bool is_whole_colmap_model(const std::filesystem::path& model_folder);

/// Reads the binary files where all three are there, otherwise the text files. Throws InputError for whatever is wrong:
/// missing, truncated or oversized files, counts larger than the file, unknown camera models or ids, duplicate ids or
/// names, unsafe names (absolute, or with ".."), positions, poses or parameters that are NaN or infinite. What newer
/// versions write beside them (rigs, frames) is not needed: each image has its own pose here.
ColmapModel read_colmap_model(const std::filesystem::path& model_folder);

/// The checks of the contents alone: ids, names, numbers. The files are those that messages name.
void check_colmap_model(const ColmapModel& model, const std::filesystem::path& cameras_file,
                        const std::filesystem::path& images_file, const std::filesystem::path& points_file);

/// Writes the three files into `model_folder` (made when missing), each atomically.
void write_colmap_model(const ColmapModel& model, const std::filesystem::path& model_folder, ColmapFormat format);

/// The scene of a model: poses and points relative to the scene origin (scene_origin), images sorted by the bytes of
/// their names, cameras by id; everything at the stored resolution. Photo and mask paths, exposure and the cloud stay
/// empty: that is load_scene's part. `model_folder` is named in messages (a camera model that is not supported).
Scene scene_from_colmap(const ColmapModel& model, const std::filesystem::path& model_folder);

/// The model of a scene: the origin is added back; cameras with their stored (unscaled) COLMAP parameters.
ColmapModel colmap_from_scene(const Scene& scene);

/// colmap_from_scene and write_colmap_model in one.
void write_colmap(const Scene& scene, const std::filesystem::path& model_folder,
                  ColmapFormat format = ColmapFormat::binary);

/// Where scene coordinates have their zero (method section 10): the component-wise median of the camera centres,
/// rounded to a multiple of a power of two near extent/1024. So short numbers are subtracted and added back, mostly
/// without any rounding, and a scene that is moved by whole numbers gets an origin moved by exactly as much.
Vec3<double> scene_origin(const ColmapModel& model);

/// Refuses names that could lead out of a folder: empty, absolute, with a ".." or "." component, a backslash or a
/// control character. `file` is named in the message.
void check_image_name(const std::string& name, const std::filesystem::path& file);

}  // namespace ptl
