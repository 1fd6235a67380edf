#include "datasets/camera_path_json.h"

#include "datasets/atomic_file.h"
#include "datasets/json_place.h"

namespace ptl {

using nlohmann::ordered_json;

Pose<double> pose_to_world(const Pose<double>& pose, const Vec3<double>& origin_world) {
  return {pose.rotation, pose.translation - pose.rotation * origin_world};
}

Pose<double> pose_to_scene(const Pose<double>& pose, const Vec3<double>& origin_world) {
  return {pose.rotation, pose.translation + pose.rotation * origin_world};
}

namespace {

ordered_json json_of_path(const CameraPath& path, const Vec3<double>& origin_world) {
  ordered_json document = {
      {"format", camera_path_format}, {"version", 1}, {"fps", path.frames_per_s}, {"loop", path.loop}};
  if (path.width_px > 0) {
    document["width_px"] = path.width_px;
    document["height_px"] = path.height_px;
  }
  if (!path.image.empty()) document["image"] = path.image;
  document["lens_of_image"] = path.lens_of_image;
  ordered_json keys = ordered_json::array();
  for (const PathFrame& key : path.keys) {
    ordered_json one = {{"time_s", key.time_s},
                        {"camera_from_world", json_of_pose(pose_to_world(key.camera_from_world, origin_world))},
                        {"vertical_fov_deg", key.vertical_fov_deg}};
    if (key.exposure_ev) one["exposure_ev"] = *key.exposure_ev;
    keys.push_back(std::move(one));
  }
  document["key_frames"] = std::move(keys);
  return document;
}

}  // namespace

void write_camera_path(const CameraPath& path, const Vec3<double>& origin_world, const std::filesystem::path& file) {
  check_path(path, file.string());
  write_file_atomically(file, json_of_path(path, origin_world).dump(1) + "\n");
}

CameraPath path_as_read_back(const CameraPath& path, const Vec3<double>& origin_world) {
  constexpr const char* where = "the camera path";
  check_path(path, where);
  return camera_path_from_json(json_of_path(path, origin_world), where, origin_world);
}

CameraPath camera_path_from_json(const nlohmann::json& document, const std::string& file,
                                 const Vec3<double>& origin_world) {
  const JsonPlace root(document, file);
  root.expect_format(camera_path_format);
  root.only({"format", "version", "fps", "loop", "width_px", "height_px", "image", "lens_of_image", "key_frames"});
  CameraPath path;
  path.frames_per_s = root.at("fps").number(1e-3, 1000);
  if (const auto loop = root.find("loop")) path.loop = loop->boolean();
  if (root.find("width_px") || root.find("height_px")) {
    path.width_px = root.at("width_px").whole(1, 16384);
    path.height_px = root.at("height_px").whole(1, 16384);
  }
  if (const auto image = root.find("image")) path.image = image->text();
  if (const auto lens = root.find("lens_of_image")) path.lens_of_image = lens->boolean();
  const JsonPlace keys = root.at("key_frames");
  for (size_t i = 0; i < keys.size("a list of key frames"); ++i) {
    const JsonPlace at = keys.at(i);
    at.only({"time_s", "camera_from_world", "vertical_fov_deg", "exposure_ev"});
    PathFrame& key = path.keys.emplace_back();
    key.time_s = at.at("time_s").number();
    key.camera_from_world = pose_to_scene(at.at("camera_from_world").pose(), origin_world);
    key.vertical_fov_deg = at.at("vertical_fov_deg").number(least_fov_deg, largest_fov_deg);
    if (const auto exposure = at.find("exposure_ev")) key.exposure_ev = exposure->number(-100, 100);
  }
  check_path(path, file);
  return path;
}

CameraPath read_camera_path(const std::filesystem::path& file, const Vec3<double>& origin_world) {
  return camera_path_from_json(read_json_file(file), file.string(), origin_world);
}

}  // namespace ptl
