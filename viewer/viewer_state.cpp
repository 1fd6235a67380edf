#include "viewer/viewer_state.h"

#include <algorithm>
#include <cmath>

#include "viewer/scene_frame.h"

namespace ptl {

namespace {

constexpr double flight_s_a_jump = 0.6;

}  // namespace

void fly_to(ViewerState& state, const ViewCamera& camera) {
  state.jumps.record(state.camera);
  state.flight = CameraFlight{state.camera, camera, flight_s_a_jump};
  state.flight_s = 0;
  state.turntable = false;
  state.playing = false;
}

void fly_to_image(ViewerState& state, const ViewScene& scene, int image) {
  const ViewImage& to = scene.images[static_cast<size_t>(image)];
  ViewCamera camera;
  camera.camera_from_world = to.camera_from_world;
  camera.lens = to.camera;
  camera.vertical_fov_deg = vertical_fov_deg(camera);
  state.selected = image;
  fly_to(state, camera);
}

void frame_all(ViewerState& state, const ViewScene& scene, int width_px, int height_px) {
  if (!scene.cloud || scene.cloud->vertices.empty()) return;
  ViewCamera free = state.camera;
  free.vertical_fov_deg = vertical_fov_deg(state.camera);
  free.lens.reset();
  const Vec3<double> low(scene.cloud->low), high(scene.cloud->high);
  state.pivot = 0.5 * (low + high);
  fly_to(state, frame_box(free, low, high, width_px, height_px));
}

void undo_jump(ViewerState& state) {
  if (const std::optional<ViewCamera> before = state.jumps.undo(state.camera)) {
    state.flight = CameraFlight{state.camera, *before, flight_s_a_jump};
    state.flight_s = 0;
  }
}

void step_image(ViewerState& state, const ViewScene& scene, int direction) {
  const int count = static_cast<int>(scene.images.size());
  if (count == 0) return;
  const int from = state.selected >= 0      ? state.selected
                   : state.standing_in >= 0 ? state.standing_in
                                            : std::max(0, state.nearest) - direction;
  fly_to_image(state, scene, ((from + direction) % count + count) % count);
}

void set_path(ViewerState& state, CameraPath path) {
  state.path = std::move(path);
  if (!state.path.keys.empty()) state.path_exposures = state.path.keys.front().exposure_ev.has_value();
}

void show_frame(ViewerState& state, const PathFrame& frame) {
  state.camera.camera_from_world = frame.camera_from_world;
  state.camera.vertical_fov_deg = frame.vertical_fov_deg;
  state.camera.lens.reset();
  state.flight.reset();
  state.shown_frame = frame;
}

PathFrame key_of_view(const ViewerState& state) {
  PathFrame frame;
  frame.camera_from_world = state.camera.camera_from_world;
  frame.vertical_fov_deg = vertical_fov_deg(state.camera);
  if (state.path_exposures) frame.exposure_ev = state.shown_exposure_ev;
  return frame;
}

ViewLight light_of_view(const ViewerState& state, const ViewScene& scene) {
  const std::optional<PathFrame>& frame = state.shown_frame;
  if (!frame || !frame->exposure_ev || state.camera.lens ||
      frame->camera_from_world != state.camera.camera_from_world)
    return state.light;
  ViewLight light;
  light.image = state.light.image;
  for (size_t i = 0; i < scene.images.size(); ++i)
    if (scene.images[i].name == state.path.image) light.image = static_cast<int64_t>(i);
  light.path_exposure_ev = frame->exposure_ev;
  return light;
}

void add_key_here(ViewerState& state, const ViewScene& scene) {
  CameraPath path = state.path;
  const PathFrame frame = key_of_view(state);
  const auto light = static_cast<size_t>(std::max<int64_t>(0, state.light.image));
  if (path.keys.empty() && path.image.empty() && light < scene.images.size()) path.image = scene.images[light].name;
  const size_t added = append_key(path, frame, path.keys.empty() ? 0 : state.next_key_s);
  state.path_steps.record(state.path);
  state.path = std::move(path);
  state.selected_key = static_cast<int>(added);
  state.path_message.clear();
}

void begin_view(ViewerState& state, const ViewScene& scene) {
  std::vector<Pose<double>> poses;
  for (const ViewImage& image : scene.images) poses.push_back(image.camera_from_world);
  state.up = estimate_up(poses);
  if (scene.cloud) {
    state.extent = glm::length(Vec3<double>(scene.cloud->high) - Vec3<double>(scene.cloud->low));
    state.pivot = 0.5 * (Vec3<double>(scene.cloud->low) + Vec3<double>(scene.cloud->high));
  }
  // Far mountains make no difference to how fast one walks: cameras stand where the scene is.
  Vec3<double> low(1e300), high(-1e300);
  for (const Pose<double>& pose : poses) {
    low = glm::min(low, camera_centre(pose));
    high = glm::max(high, camera_centre(pose));
  }
  if (poses.size() > 1 && glm::length(high - low) > 0)
    state.extent = std::min(state.extent, 6 * glm::length(high - low));
  if (!(state.extent > 0)) state.extent = 1;
  std::vector<Vec3<double>> centres;
  for (const Pose<double>& pose : poses) centres.push_back(camera_centre(pose));
  state.frustum_depth = frustum_depth(centres, state.extent);
  if (!poses.empty()) {
    const size_t first = middle_camera(poses);
    state.camera.camera_from_world = poses[first];
    state.camera.lens = scene.images[first].camera;
    state.camera.vertical_fov_deg = vertical_fov_deg(state.camera);
  }
  state.first_camera = state.camera;
  state.mode = scene.has_model ? ViewMode::neural : ViewMode::points;
  state.second_mode = scene.has_model ? ViewMode::points : ViewMode::photo;
}

void make_frusta(ViewerState& state, const ViewScene& scene) {
  state.camera_frusta.clear();
  for (const ViewImage& image : scene.images)
    state.camera_frusta.push_back(camera_frustum(image.camera, image.camera_from_world, state.frustum_depth));
}

int nearest_image(const ViewScene& scene, const Pose<double>& camera_from_world, double extent) {
  int best = -1;
  double best_cost = 1e300;
  const Vec3<double> centre = camera_centre(camera_from_world), forward = forward_of(camera_from_world);
  for (size_t i = 0; i < scene.images.size(); ++i) {
    const Pose<double>& pose = scene.images[i].camera_from_world;
    // Looking elsewhere by 60° counts as much as standing a tenth of the scene away.
    const double cost =
        glm::distance(camera_centre(pose), centre) / (0.1 * extent) + 2 * (1 - glm::dot(forward_of(pose), forward));
    if (cost < best_cost) {
      best_cost = cost;
      best = static_cast<int>(i);
    }
  }
  return best;
}

int image_stood_in(const ViewScene& scene, const ViewCamera& camera) {
  if (!camera.lens) return -1;
  for (size_t i = 0; i < scene.images.size(); ++i)
    if (scene.images[i].camera_from_world == camera.camera_from_world &&
        scene.images[i].camera.width_px == camera.lens->width_px &&
        scene.images[i].camera.height_px == camera.lens->height_px)
      return static_cast<int>(i);
  return -1;
}

}  // namespace ptl
