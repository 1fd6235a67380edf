// What the reader of a format hands over, whatever the format: cameras, poses and points in world coordinates, and
// where the photos are. It becomes a Scene in one place, with the same checks for all.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "datasets/camera_path_nerfstudio.h"
#include "datasets/colmap.h"

namespace ptl {

/// What a reader is asked to read.
struct SceneFiles {
  std::filesystem::path file;          ///< the file or folder that describes the scene
  std::filesystem::path scene_folder;  ///< relative names may be relative to it
  std::filesystem::path
      wanted_images;  ///< --images: absolute or relative to the scene folder; empty: the reader finds it
};

struct SceneDraft {
  std::filesystem::path file;     ///< named in messages about cameras and poses
  ColmapModel model;              ///< world coordinates; names are relative to image_folder
  bool model_is_checked = false;  ///< check_colmap_model() has seen it
  std::filesystem::path image_folder;
  bool photos_may_be_missing = false;  ///< images without a photo are left out instead of refused
  bool cameras_may_be_larger = false;  ///< photos may be smaller than their cameras say, by one ratio, in any folder
  std::map<std::string, std::filesystem::path> masks;  ///< by image name, where the format says so
  std::map<std::string, double> exposure_ev;           ///< the same; EXIF knows better
  std::vector<std::string> held_out;                   ///< names that the dataset itself keeps for testing
  std::filesystem::path cloud_file;                    ///< a PLY that the format names; empty: the model's points
  NerfstudioTransform cloud_file_from_world;           ///< the frame that it is in
  std::string points_source;                           ///< the model's points, for people
  std::vector<std::string> points_photos;  ///< names of the photos that they were made from, where that is known
  std::vector<std::string> oddities;
};

/// A regular file is there; false also for a path that cannot be one (too long, say).
bool is_file(const std::filesystem::path& path);

/// --images, or the first of the `usual` folders that has one of the `names`, or else the first of them. A name may
/// lack its extension.
std::filesystem::path choose_image_folder(const SceneFiles& files, const std::vector<std::filesystem::path>& usual,
                                          const std::vector<std::string>& names);

/// `name` with the extension that its file in the folder has; as it is where it has one, or no such file is there.
std::string with_extension(const std::filesystem::path& image_folder, const std::string& name);

/// The deepest folder that all of these photos are in, and their names relative to it.
struct NamedPhotos {
  std::filesystem::path folder;
  std::vector<std::string> names;
};
NamedPhotos name_photos(const std::vector<std::filesystem::path>& photos);

inline constexpr int colmap_pinhole = 1, colmap_radial = 3, colmap_opencv = 4, colmap_opencv_fisheye = 5;

/// The id of a camera with these parameters, which is added where there is none yet, as the COLMAP model `preferred`
/// where that one can say it, else as camera_to_colmap() chooses. `whose`: for messages, like "frames[3]". InputError: a
/// size that no photo has, a focal length that is not above 0, numbers that are not finite, and skew, which no COLMAP
/// model can say.
uint32_t camera_id_for(SceneDraft& draft, const CameraParams<double>& camera, const std::string& whose,
                       int preferred = colmap_pinhole);

/// Adds an image with the next id.
ColmapImage& add_image(SceneDraft& draft, const std::string& name, const Pose<double>& camera_from_world,
                       uint32_t camera_id);

/// OpenGL's camera axes (x right, y up, z backward) in ours: y and z the other way round. Its own inverse.
inline const Mat3<double> opengl_camera_axes{Vec3<double>(1, 0, 0), Vec3<double>(0, -1, 0), Vec3<double>(0, 0, -1)};

/// camera_from_world for a camera whose axes are the columns of `world_from_camera`, at `centre`.
Pose<double> pose_from_centre(const Mat3<double>& world_from_camera, const Vec3<double>& centre);

/// Checks the draft as COLMAP's own models are checked, and makes it a scene without a cloud. Photos are at
/// image_folder / name. InputError also for no images at all.
Scene scene_from_draft(const SceneDraft& draft);

}  // namespace ptl
