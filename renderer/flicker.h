// How much pictures change from frame to frame where nothing in the place changes: flicker, what the user of a viewer
// sees first. Each frame is held against the one before it, moved by depth. A blurred picture flickers less than a
// sharp one, so the figure stands beside PSNR and SSIM and beside that of true pictures, which is not 0: highlights
// move, and pictures are sampled anew.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "datasets/image.h"
#include "renderer/eval_result.h"
#include "renderer/path_pictures.h"
#include "renderer/scene_model.h"

namespace ptl {

struct FlickerFrame {
  CameraParams<double> camera;
  Pose<double> camera_from_world;
  Image picture;  ///< 3 channels, 0..1 as encoded
  Image depth_m;  ///< 1 channel, as the camera measures it (Projection::depth_m); +∞: not known
};

/// Differences between two frames.
struct FrameChange {
  double sum_levels = 0;  ///< over the compared pixels: mean over channels of the difference's size, 0..255
  int64_t compared = 0;   ///< pixels of `now` whose place `before` shows too: at the same depth within depth_tolerance
};
inline constexpr double flicker_depth_tolerance = 0.02;

/// Each pixel of `now` with a depth against `before` where its place was seen there, interpolated linearly between
/// pixels.
FrameChange frame_change(const FlickerFrame& before, const FlickerFrame& now);

/// Frames that follow each other.
using FlickerShot = std::vector<PathPicture>;

/// Short walks from held-out photos (all photos where none is held out), spread over the scene: each from the photo's
/// place towards that of the nearest other photo, `frames` pictures, points moving by `motion_px` on average from one
/// to the next (less where the other photo is too near for that). InputError for a model of one photo.
std::vector<FlickerShot> flicker_walks(const SceneModel& model, int walks = 4, int frames = 8, double motion_px = 2);

/// What is really there: picture and depth of a frame, number `frame` over all shots.
using TrueFrame = std::function<FlickerFrame(const PathPicture& picture, int64_t frame)>;

/// The pictures of the shots, as files hold them. Depth is that of the truth where there is one, else that of the
/// nearest points, of layers 0 to 2. `progress`: frames done and of how many; may be empty. InputError where no pixel
/// could be compared.
FlickerScore measure_flicker(const SceneModel& model, const std::vector<FlickerShot>& shots, const TrueFrame& truth,
                             const std::function<void(int, int)>& progress = {});

/// The true frames of a synthetic scene; nothing where `scene_folder` holds none, or where the model is of another
/// scene. Tone mapping is the true one of the picture's image. Takes a few seconds for the scene's light.
TrueFrame synthetic_truth(const SceneModel& model, const std::filesystem::path& scene_folder);

}  // namespace ptl
