#include "viewer/saved_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "datasets/atomic_file.h"
#include "datasets/json_place.h"
#include "renderer/fingerprint.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

constexpr int state_version = 1;

}  // namespace

fs::path saved_state_file(const std::string& scene_path) {
  fs::path folder;
  if (const char* config = std::getenv("XDG_CONFIG_HOME"); config && *config)
    folder = config;
  else if (const char* home = std::getenv("HOME"); home && *home)
    folder = fs::path(home) / ".config";
  else
    return {};
  Fingerprint fingerprint;
  fingerprint.add(scene_path.data(), scene_path.size());
  return folder / "pointillist" / "views" /
         fmt::format("{}-{}.json", fs::path(scene_path).filename().string(), fingerprint.text());
}

void save_state(const ViewerState& state, const fs::path& file) {
  if (file.empty()) return;
  const nlohmann::json document = {{"version", state_version},
                                   {"camera_from_scene", json_of_pose(state.camera.camera_from_world)},
                                   {"vertical_fov_deg", vertical_fov_deg(state.camera)},
                                   {"standing_in", state.standing_in},
                                   {"mode", view_mode_info(state.mode).name},
                                   {"second_mode", view_mode_info(state.second_mode).name},
                                   {"split", state.split},
                                   {"split_at", state.split_at},
                                   {"style", state.style == MotionStyle::fly ? "fly" : "orbit"},
                                   {"pivot", {state.pivot.x, state.pivot.y, state.pivot.z}},
                                   {"speed_clicks", state.speed_clicks},
                                   {"frusta", state.frusta},
                                   {"frusta_photos", state.frusta_photos},
                                   {"panels", state.panels},
                                   {"timeline", state.timeline},
                                   {"frames_per_s", state.frames_per_s}};
  try {
    write_file_atomically(file, document.dump(2) + "\n");
  } catch (const std::exception&) {
  }
}

bool load_state(ViewerState& state, const ViewScene& scene, const fs::path& file) {
  std::ifstream stream(file);
  if (!stream) return false;
  try {
    const nlohmann::json document = nlohmann::json::parse(stream);
    if (document.at("version") != state_version) return false;
    ViewerState read = state;
    Pose<double>& pose = read.camera.camera_from_world;
    bool finite = true;
    for (int row = 0; row < 3; ++row) {
      const nlohmann::json& numbers = document.at("camera_from_scene").at(static_cast<size_t>(row));
      for (int column = 0; column < 3; ++column)
        finite &= std::isfinite(pose.rotation[column][row] = numbers.at(static_cast<size_t>(column)).get<double>());
      finite &= std::isfinite(pose.translation[row] = numbers.at(3).get<double>());
    }
    const Mat3<double> deviation = pose.rotation * glm::transpose(pose.rotation) - Mat3<double>(1.0);
    for (int column = 0; column < 3; ++column) finite &= glm::length(deviation[column]) < 1e-6;
    read.camera.vertical_fov_deg =
        std::clamp(document.at("vertical_fov_deg").get<double>(), least_fov_deg, largest_fov_deg);
    read.camera.lens.reset();
    const int image = document.at("standing_in").get<int>();
    if (image >= 0 &&
        static_cast<size_t>(image) < scene.images.size()) {  // exactly there, as the photo's poses are now
      const ViewImage& at = scene.images[static_cast<size_t>(image)];
      read.camera.camera_from_world = at.camera_from_world;
      read.camera.lens = at.camera;
    }
    const auto mode = [&](const char* key, ViewMode& value) {
      const auto found = view_mode_of(document.at(key).get<std::string>());
      if (found && (scene.has_model || !view_mode_info(*found).needs_model)) value = *found;
    };
    mode("mode", read.mode);
    mode("second_mode", read.second_mode);
    read.split = document.at("split").get<bool>();
    read.split_at = std::clamp(document.at("split_at").get<double>(), 0.02, 0.98);
    read.style = document.at("style") == "orbit" ? MotionStyle::orbit : MotionStyle::fly;
    for (int axis = 0; axis < 3; ++axis)
      read.pivot[axis] = document.at("pivot").at(static_cast<size_t>(axis)).get<double>();
    read.speed_clicks = std::clamp(document.at("speed_clicks").get<double>(), -25.0, 25.0);
    read.frusta = document.at("frusta").get<bool>();
    read.frusta_photos = document.at("frusta_photos").get<bool>();
    read.panels = document.at("panels").get<bool>();
    read.timeline = document.at("timeline").get<bool>();
    read.frames_per_s = std::clamp(document.at("frames_per_s").get<double>(), 2.0, 60.0);
    if (!finite) return false;
    state = read;
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

}  // namespace ptl
