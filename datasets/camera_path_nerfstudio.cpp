#include "datasets/camera_path_nerfstudio.h"

#include <algorithm>
#include <cmath>

#include "datasets/atomic_file.h"
#include "datasets/error.h"
#include "datasets/json_place.h"

namespace ptl {

using nlohmann::ordered_json;

namespace {

/// OpenGL's camera axes from ours: y and z the other way round. Its own inverse.
const Mat3<double> opengl_axes(Vec3<double>(1, 0, 0), Vec3<double>(0, -1, 0), Vec3<double>(0, 0, -1));

/// world_from_camera there → camera_from_world here, in scene coordinates.
Pose<double> pose_from(const Mat3<double>& world_from_camera, const Vec3<double>& centre,
                       const NerfstudioTransform& transform, const Vec3<double>& origin_world) {
  const Mat3<double> back = glm::transpose(transform.rotation);
  const Vec3<double> centre_scene = back * (centre / transform.scale - transform.translation) - origin_world;
  Pose<double> pose;
  pose.rotation = glm::transpose(back * world_from_camera * opengl_axes);
  pose.translation = -(pose.rotation * centre_scene);
  return pose;
}

/// The 16 numbers by rows.
ordered_json numbers_of(const Pose<double>& pose, const NerfstudioTransform& transform,
                        const Vec3<double>& origin_world) {
  const Mat3<double> m = transform.rotation * glm::transpose(pose.rotation) * opengl_axes;
  const Vec3<double> centre =
      transform.scale * (transform.rotation * (camera_centre(pose) + origin_world) + transform.translation);
  ordered_json numbers = ordered_json::array();
  for (int row = 0; row < 3; ++row) {
    for (int column = 0; column < 3; ++column) numbers.push_back(m[column][row]);
    numbers.push_back(centre[row]);
  }
  for (const double last : {0.0, 0.0, 0.0, 1.0}) numbers.push_back(last);
  return numbers;
}

/// A matrix of 16 numbers, as a list or as a text that holds a list; by rows or by columns, as its zeros say.
Pose<double> read_matrix(const JsonPlace& at, const NerfstudioTransform& transform, const Vec3<double>& origin_world) {
  constexpr const char* expected = "the 16 numbers of a 4 x 4 matrix of rotation and translation";
  nlohmann::json list = at.value();
  const bool is_text = list.is_string();
  if (is_text) list = nlohmann::json::parse(list.get<std::string>(), nullptr, false);
  if (!list.is_array() || list.size() != 16) at.refuse(expected);
  double n[16];
  for (size_t i = 0; i < 16; ++i) {
    n[i] = list[i].is_number() ? list[i].get<double>() : NAN;
    if (!std::isfinite(n[i])) at.refuse(expected);
  }
  const bool rows = n[12] == 0 && n[13] == 0 && n[14] == 0, columns = n[3] == 0 && n[7] == 0 && n[11] == 0;
  if (n[15] != 1 || !(rows || columns)) at.refuse(expected);
  const bool by_columns = rows && columns ? is_text : columns;  // without a translation both fit
  Mat3<double> m;
  Vec3<double> centre;
  for (int row = 0; row < 3; ++row) {
    for (int column = 0; column < 3; ++column) m[column][row] = by_columns ? n[4 * column + row] : n[4 * row + column];
    centre[row] = by_columns ? n[12 + row] : n[4 * row + 3];
  }
  const std::optional<Mat3<double>> rotation = as_rotation(m);
  if (!rotation) at.refuse(expected);
  return pose_from(*rotation, centre, transform, origin_world);
}

/// Seconds from the key frame before to this one.
double transition_s(const JsonPlace& key, double usual_s) {
  const auto enabled = key.find("override_transition_enabled");
  const auto seconds = key.find("override_transition_sec");
  return enabled && enabled->boolean() && seconds ? seconds->number(1e-3, 1e5) : usual_s;
}

void read_keys(const JsonPlace& root, const JsonPlace& keys, const NerfstudioTransform& transform,
               const Vec3<double>& origin_world, double seconds, CameraPath& path) {
  const size_t count = keys.size("a list of key frames");
  const bool cycle = root.find("is_cycle") && root.at("is_cycle").boolean() && count >= 2;
  // Files from before nerfstudio 1.0 have no times of their own: the key frames share the seconds.
  const size_t parts = cycle ? count : count - 1;
  double usual_s = parts > 0 ? seconds / static_cast<double>(parts) : 1;
  if (const auto stated = root.find("default_transition_sec")) usual_s = stated->number(1e-3, 1e5);
  for (size_t i = 0; i < count; ++i) {
    PathFrame key;
    key.camera_from_world = read_matrix(keys.at(i).at("matrix"), transform, origin_world);
    key.vertical_fov_deg = keys.at(i).at("fov").number(least_fov_deg, largest_fov_deg);
    key.time_s = path.keys.empty() ? 0 : path.keys.back().time_s + transition_s(keys.at(i), usual_s);
    path.keys.push_back(key);
  }
  if (cycle) close_loop(path, transition_s(keys.at(size_t{0}), usual_s));
}

}  // namespace

NerfstudioTransform read_nerfstudio_transform(const std::filesystem::path& file) {
  const nlohmann::json document = read_json_file(file);
  const JsonPlace root(document, file.string());
  const Pose<double> pose = root.at("transform").pose();
  return {pose.rotation, pose.translation, root.at("scale").number(1e-12, 1e12)};
}

NerfstudioPath nerfstudio_path_from_json(const nlohmann::json& document, const std::string& file,
                                         const Vec3<double>& origin_world, const NerfstudioTransform& transform) {
  const JsonPlace root(document, file);
  NerfstudioPath result;
  if (const auto type = root.find("camera_type"); type && type->text() != "perspective")
    type->refuse("\"perspective\", the only kind of camera that can be rendered here");
  result.path.width_px = root.at("render_width").whole(1, 16384);
  result.path.height_px = root.at("render_height").whole(1, 16384);
  const double seconds = root.at("seconds").number(0, 1e6);
  const std::optional<JsonPlace> keys = root.find("keyframes"), frames = root.find("camera_path");
  const size_t key_count = keys ? keys->size("a list of key frames") : 0;
  const size_t frame_count = frames ? frames->size("a list of frames") : 0;
  if (key_count == 0 && frame_count == 0)
    throw InputError("{}: expected \"keyframes\" or \"camera_path\" with at least one camera, found none", file);
  // The player's rate: ns-render gives the frames the file's seconds.
  const double frame_s = frame_count > 0 && seconds > 0 ? seconds / static_cast<double>(frame_count) : 0;
  if (const auto fps = root.find("fps"))
    result.path.frames_per_s = fps->number(1e-3, 1000);
  else if (frame_s > 0)
    result.path.frames_per_s = std::clamp(1 / frame_s, 1e-3, 1000.0);
  for (size_t i = 0; i < frame_count; ++i) {
    const JsonPlace at = frames->at(i);
    PathFrame frame;
    frame.time_s = static_cast<double>(i) * (frame_s > 0 ? frame_s : 1 / result.path.frames_per_s);
    frame.camera_from_world = read_matrix(at.at("camera_to_world"), transform, origin_world);
    frame.vertical_fov_deg = at.at("fov").number(least_fov_deg, largest_fov_deg);
    result.frames.push_back(frame);
  }
  if (key_count > 0)
    read_keys(root, *keys, transform, origin_world, seconds, result.path);
  else
    result.path.keys = result.frames;
  if (root.find("crop")) result.remarks.push_back("its crop is not applied");
  if (const auto smoothness = root.find("smoothness_value"); smoothness && key_count > 0 && smoothness->number() != 0.5)
    result.remarks.push_back("its smoothness is not applied to the way between key frames");
  check_path(result.path, file);
  return result;
}

NerfstudioPath read_nerfstudio_path(const std::filesystem::path& file, const Vec3<double>& origin_world,
                                    const NerfstudioTransform& transform) {
  return nerfstudio_path_from_json(read_json_file(file), file.string(), origin_world, transform);
}

std::vector<std::string> write_nerfstudio_path(const CameraPath& path, const Vec3<double>& origin_world,
                                               const std::filesystem::path& file,
                                               const NerfstudioTransform& transform) {
  check_path(path, file.string());
  if (path.width_px < 1 || path.height_px < 1)
    throw InputError("{}: nerfstudio's file says the pictures' size, and the path has none; give it one",
                     file.string());
  if (path.lens_of_image)
    throw InputError(
        "{}: nerfstudio's file has no words for a lens with distortion; switch the path to fields of view "
        "(lens_of_image "
        "false)",
        file.string());
  const double aspect = static_cast<double>(path.width_px) / path.height_px;
  const size_t count = path.keys.size() - (path.loop ? 1 : 0);
  ordered_json keys = ordered_json::array();
  for (size_t i = 0; i < count; ++i) {
    const PathFrame& key = path.keys[i];
    // The part that ends here; in a cycle the first key frame ends the last part.
    const size_t end = i > 0 ? i : path.loop ? count : 0;
    const double before_s = end > 0 ? path.keys[end].time_s - path.keys[end - 1].time_s : 0;
    ordered_json transition = nullptr;
    if (before_s > 0) transition = before_s;
    keys.push_back({{"matrix", numbers_of(key.camera_from_world, transform, origin_world)},
                    {"fov", key.vertical_fov_deg},
                    {"aspect", aspect},
                    {"override_transition_enabled", before_s > 0},
                    {"override_transition_sec", transition}});
  }
  ordered_json frames = ordered_json::array();
  for (const PathFrame& frame : sample_path(path, path.frames_per_s))
    frames.push_back({{"camera_to_world", numbers_of(frame.camera_from_world, transform, origin_world)},
                      {"fov", frame.vertical_fov_deg},
                      {"aspect", aspect}});
  const double seconds = static_cast<double>(frames.size()) / path.frames_per_s;
  const ordered_json document = {{"default_fov", path.keys.front().vertical_fov_deg},
                                 {"default_transition_sec", 2.0},
                                 {"keyframes", std::move(keys)},
                                 {"camera_type", "perspective"},
                                 {"render_height", path.height_px},
                                 {"render_width", path.width_px},
                                 {"fps", path.frames_per_s},
                                 {"seconds", seconds},
                                 {"is_cycle", path.loop},
                                 {"smoothness_value", 0.5},
                                 {"camera_path", std::move(frames)}};
  write_file_atomically(file, document.dump(1) + "\n");
  std::vector<std::string> lost;
  if (path.keys.front().exposure_ev) lost.push_back("exposures, for which nerfstudio's file has no words");
  return lost;
}

}  // namespace ptl
