#include <cmath>
#include <memory>
#include <numbers>

#include "datasets/camera_path_json.h"
#include "datasets/error.h"
#include "datasets/rotation_path.h"
#include "datasets/split.h"
#include "datasets/synthetic_place.h"
#include "datasets/synthetic_write.h"
#include "renderer/flicker.h"
#include "renderer/image_tensor.h"

namespace ptl {

namespace {

/// The nearest other place that a photo was taken from, of those that look less than 45° aside where there are any.
int64_t nearest_other(const SceneModel& model, int64_t image) {
  const Pose<double>& pose = model.images[static_cast<size_t>(image)].camera_from_world;
  int64_t nearest = -1;
  double least = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < model.images.size(); ++i) {
    const Pose<double>& other = model.images[i].camera_from_world;
    const double distance = glm::length(camera_centre(other) - camera_centre(pose));
    if (static_cast<int64_t>(i) == image || distance <= 1e-6 * model.median_depth_m) continue;
    const double angle = rotation_angle(other.rotation * glm::transpose(pose.rotation));
    const double far = distance + (angle < std::numbers::pi / 4 ? 0 : 1e6 * model.median_depth_m);
    if (far < least) least = far, nearest = static_cast<int64_t>(i);
  }
  return nearest;
}

/// Mean motion in pixels of what a view sees when it becomes another; 0 where it sees nothing.
double motion_px(const SceneModel& model, const RenderView& view, const Pose<double>& moved) {
  const Image depths = image_from_tensor(render_depth(model, view));
  const Pose<double> step = moved * inverse(view.camera_from_world);
  double sum = 0;
  int count = 0;
  constexpr int every = 4;
  for (int y = 0; y < view.crop.height_px; y += every)
    for (int x = 0; x < view.crop.width_px; x += every) {
      const double depth_m = depths.at(x, y, 0);
      Vec3<double> ray;
      if (!std::isfinite(depth_m) || !unproject_ray(view.camera, x + 0.5, y + 0.5, ray)) continue;
      const Projection<double> p = project(view.camera, step * (ray * depth_m));
      if (!p.valid) continue;
      sum += std::hypot(p.x_px - x - 0.5, p.y_px - y - 0.5);
      ++count;
    }
  return count > 0 ? sum / count : 0;
}

}  // namespace

std::vector<FlickerShot> flicker_walks(const SceneModel& model, int walks, int frames, double motion_between_px) {
  std::vector<int64_t> starts = model.held_out_images();
  if (starts.empty())
    for (size_t i = 0; i < model.images.size(); ++i) starts.push_back(static_cast<int64_t>(i));
  std::vector<FlickerShot> shots;
  for (const int64_t image : spread_evenly(starts, static_cast<size_t>(walks))) {
    const int64_t other = nearest_other(model, image);
    if (other < 0) continue;
    const RenderView view = photo_view(model, image);
    const Pose<double>& goal = model.images[static_cast<size_t>(other)].camera_from_world;
    constexpr double small = 0.01;  // as good as a derivative
    const double whole_px = motion_px(model, view, pose_between(view.camera_from_world, goal, small)) / small;
    const double step = std::min(whole_px > 0 ? motion_between_px / whole_px : 1.0, 1.0 / (frames - 1));
    FlickerShot shot;
    for (int i = 0; i < frames; ++i) {
      PathPicture picture{view, image, photometric_setting(model, image, ExposureProtocol::exif)};
      picture.view.camera_from_world = pose_between(view.camera_from_world, goal, step * i);
      shot.push_back(picture);
    }
    shots.push_back(std::move(shot));
  }
  if (shots.empty())
    throw InputError(
        "{}: flicker is measured on the way from a photo to another one; expected photos from two places, found {} "
        "image(s)",
        model.scene_name, model.images.size());
  return shots;
}

TrueFrame synthetic_truth(const SceneModel& model, const std::filesystem::path& scene_folder) {
  const std::optional<SyntheticOptions> options = read_synthetic_options(scene_folder);
  if (!options || static_cast<size_t>(options->photos) != model.images.size()) return {};
  for (size_t i = 0; i < model.images.size(); ++i)
    if (model.images[i].name != synthetic_photo_name(static_cast<int>(i))) return {};
  const auto place = std::make_shared<SyntheticPlace>(*options);
  return [place, &model](const PathPicture& picture, int64_t frame) {
    const Pose<double> from_world = pose_to_world(picture.view.camera_from_world, model.origin_world);
    // Photos have the draws 0, 1, …: frames others.
    const uint64_t draw = static_cast<uint64_t>(place->options().photos) + static_cast<uint64_t>(frame);
    SyntheticPhoto taken = place->photograph(picture.view.camera, from_world, place->tones()[static_cast<size_t>(picture.image)], draw, true);
    FlickerFrame truth{picture.view.camera, picture.view.camera_from_world, {}, std::move(taken.depth_m)};
    truth.picture = Image(taken.pixels.width, taken.pixels.height, 3);
    for (size_t i = 0; i < truth.picture.pixels.size(); ++i)
      truth.picture.pixels[i] = static_cast<float>(taken.pixels.values8[i]) / 255.0f;
    for (float& depth_m : truth.depth_m.pixels)
      if (depth_m == 0) depth_m = std::numeric_limits<float>::infinity();
    return truth;
  };
}

}  // namespace ptl
