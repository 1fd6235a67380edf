// Pictures along a camera path: `render --path` and the viewer's export make them here, so that both give the same
// pixels.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "datasets/camera_path_file.h"
#include "datasets/frame_folder.h"
#include "renderer/photometry.h"
#include "renderer/pipeline.h"
#include "renderer/scene_model.h"

namespace ptl {

/// One picture: a view, and how it is developed.
struct PathPicture {
  RenderView view;
  int64_t image = 0;  ///< whose camera's vignette and response
  PhotometricSetting setting;
};

/// Which image's tone mapping a path's pictures get: the path's, or the model's first where it names none. InputError
/// when the model has no image of that name.
int64_t path_image(const SceneModel& model, const CameraPath& path);

struct PictureSize {
  int width_px = 0, height_px = 0;
};
/// What is asked for (0: nothing): where only one side is, the other one follows. InputError beyond 16384 pixels.
PictureSize asked_size(PictureSize usual, int width_px, int height_px);
/// What is asked for (0: nothing), else what the path says, else the size of the image's camera; where only one side is
/// asked for, the other one follows. InputError beyond 16384 pixels.
PictureSize path_size(const SceneModel& model, const CameraPath& path, int asked_width_px, int asked_height_px);

/// The picture of a frame of the path. The exposure is the frame's, or the image's own where it has none; white balance
/// is the image's.
PathPicture path_picture(const SceneModel& model, const CameraPath& path, const PathFrame& frame, PictureSize size);

/// The frames to make pictures of: at the file's own frames where it has them and no rate is asked for, else at
/// `asked_frames_per_s` (0: the path's).
std::vector<PathFrame> path_frames(const OpenedPath& opened, double asked_frames_per_s);

/// All pictures of a path.
struct PathPlan {
  std::vector<PathPicture> pictures;
  PictureSize size;
  double frames_per_s = 0;
};
/// `asked_*`: 0: as the path says. InputError for a rate or a size that is out of range.
PathPlan plan_path(const SceneModel& model, const OpenedPath& path, double asked_frames_per_s, int asked_width_px,
                   int asked_height_px);

/// What besides views decides the pixels, as words.
std::string path_development(const std::string& kind = "neural", int layer = -1, double brighter_stops = 0,
                             const std::vector<double>& white_balance = {});

/// The folder that a plan's pictures go to, with their note. InputError as FrameFolder's.
FrameFolder path_folder(const PathPlan& plan, const std::filesystem::path& model_file, const std::string& development,
                        const std::filesystem::path& folder, bool resume);

/// 32 digits that are the same only for the same model file, views and development.
std::string pictures_fingerprint(const std::filesystem::path& model_file, const std::vector<PathPicture>& pictures);

}  // namespace ptl
