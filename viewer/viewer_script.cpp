// The part of the viewer that acts out scripts and tells tests what they want to know.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "datasets/atomic_file.h"
#include "datasets/error.h"
#include "datasets/json_place.h"
#include "viewer/viewer_loop.h"

namespace ptl {

void ViewerLoop::act_script() {
  if (script_frames_left_ > 0 && --script_frames_left_ > 0) return;
  while (!script_.empty()) {
    const ScriptCommand command = script_.front();
    if (!act(command)) return;
    script_.pop_front();
    settled_frames_ = 0;
    script_wait_until_s_ = 0;
    // Each command has a frame of its own, as a user's would.
    script_frames_left_ = 1;
    return;
  }
}

bool ViewerLoop::act(const ScriptCommand& command) {
  using Kind = InputEvent::Kind;
  const std::string& name = command.name;
  const auto send = [&](Kind kind, int code, bool down, double x = 0, double y = 0) {
    window_.inject({kind, code, down, false, x, y});
  };
  if (name == "wait") {
    if (script_wait_until_s_ == 0) script_wait_until_s_ = now_s() + command.number(0);
    return now_s() >= script_wait_until_s_;
  }
  if (name == "settle") {
    settled_frames_ = settled() ? settled_frames_ + 1 : 0;
    return settled_frames_ >= 3;
  }
  if (name == "source") return scene_ && std::filesystem::path(scene_->source_file).filename() == command.words[0];
  if (name == "notice") return !status_.notice.empty() || !status_.error.empty();
  if (name == "file") return std::filesystem::exists(command.words[0]);
  if (name == "exported") return !render_.export_status().running();
  if (name == "frames-done")
    return static_cast<double>(render_.export_status().frames_done) >= command.number(0) ||
           !render_.export_status().running();
  if (name == "held-out")
    return static_cast<double>(std::count_if(held_out_.begin(), held_out_.end(), [&](const auto& entry) {
             return scene_ && entry.second.shown.generation == scene_->generation;
           })) >= command.number(0);
  if (name == "generation") return static_cast<double>(generations_) >= command.number(0);
  // Everything else is about a scene that is there.
  if (!scene_ && name != "quit") return false;
  if (name == "key") {
    const bool only_up = command.words.size() > 1 && command.words[1] == "up";
    const bool only_down = command.words.size() > 1 && command.words[1] == "down";
    if (!only_up) send(Kind::key, command.key(), true);
    if (!only_down) send(Kind::key, command.key(), false);
  } else if (name == "move") {
    send(Kind::move, 0, false, command.number(0), command.number(1));
  } else if (name == "press" || name == "release") {
    send(Kind::button, command.button(0), name == "press");
  } else if (name == "click") {
    // Down and up in two frames: a panel sees a click only then.
    send(Kind::button, command.button(0), true);
    script_.insert(script_.begin() + 1, {"release", command.words, command.line});
  } else if (name == "push") {
    std::string what;
    for (const std::string& word : command.words) what += (what.empty() ? "" : " ") + word;
    const auto place = state_.places.find(what);
    if (place == state_.places.end()) throw InputError("script, line {}: nothing is called '{}'", command.line, what);
    const std::string x = fmt::format("{}", place->second[0]), y = fmt::format("{}", place->second[1]);
    const std::vector<ScriptCommand> parts = {
        {"move", {x, y}, command.line}, {"frames", {"2"}, command.line}, {"click", {"left"}, command.line}};
    script_.insert(script_.begin() + 1, parts.begin(), parts.end());
  } else if (name == "drag") {
    constexpr int steps = 10;
    std::vector<ScriptCommand> parts;
    const std::vector<std::string> button =
        command.words.size() > 4 ? std::vector<std::string>{command.words[4]} : std::vector<std::string>{"left"};
    for (int step = 0; step <= steps; ++step) {
      const double t = static_cast<double>(step) / steps;
      const double x = command.number(0) + t * (command.number(2) - command.number(0));
      const double y = command.number(1) + t * (command.number(3) - command.number(1));
      parts.push_back({"move", {fmt::format("{}", x), fmt::format("{}", y)}, command.line});
      if (step == 0) parts.push_back({"press", button, command.line});
    }
    parts.push_back({"release", button, command.line});
    script_.insert(script_.begin() + 1, parts.begin(), parts.end());
  } else if (name == "scroll") {
    send(Kind::scroll, 0, false, 0, command.number(0));
  } else if (name == "text") {
    for (const char c : command.words[0]) send(Kind::text, c, true);
  } else if (name == "resize") {
    window_.set_size(static_cast<int>(command.number(0)), static_cast<int>(command.number(1)));
  } else if (name == "frames") {
    script_frames_left_ = static_cast<int64_t>(command.number(0));
    script_.pop_front();
    return false;
  } else if (name == "screenshot") {
    (command.words.size() > 1 && command.words[1] == "panels" ? pending_window_screenshot_ : pending_screenshot_) =
        command.words[0];
  } else if (name == "state") {
    write_state(command.words[0]);
  } else if (name == "close") {
    window_.close();
  } else if (name == "quit") {
    state_.quit = true;
  }
  return true;
}

void ViewerLoop::write_state(const std::string& file) {
  const CameraParams<double> lens = view_params(state_.camera, layout_.picture.width, layout_.picture.height);
  nlohmann::json cameras = nlohmann::json::array();
  for (size_t i = 0; i < scene_->images.size(); ++i) {
    Vec3<double> middle(0);
    for (const Vec3<double>& corner : state_.camera_frusta[i].corners) middle += 0.25 * corner;
    const Projection<double> at = project(lens, state_.camera.camera_from_world * middle);
    if (at.valid)
      cameras.push_back({{"image", i},
                         {"x", layout_.picture.x + at.x_px},
                         {"y", layout_.picture.y + at.y_px},
                         {"depth", at.depth_m}});
  }
  const auto picture = [&](const Shown& shown) {
    return nlohmann::json{{"width", shown.picture.camera.width_px},
                          {"height", shown.picture.camera.height_px},
                          {"scale", shown.picture.scale},
                          {"milliseconds", shown.picture.milliseconds},
                          {"exposure_ev", shown.picture.exposure_ev},
                          {"message", shown.picture.message}};
  };
  nlohmann::json held_out = nlohmann::json::array();
  for (const auto& [image, one] : held_out_)
    held_out.push_back({{"image", image},
                        {"step", one.shown.step},
                        {"psnr_db", one.shown.psnr_db},
                        {"size", {one.shown.width_px, one.shown.height_px}}});
  const nlohmann::json document = {
      {"camera_from_scene", json_of_pose(state_.camera.camera_from_world)},
      {"vertical_fov_deg", vertical_fov_deg(state_.camera)},
      {"lens", state_.camera.lens.has_value()},
      {"pivot", {state_.pivot.x, state_.pivot.y, state_.pivot.z}},
      {"style", state_.style == MotionStyle::fly ? "fly" : "orbit"},
      {"speed_clicks", state_.speed_clicks},
      {"mode", view_mode_info(state_.mode).name},
      {"split", state_.split},
      {"split_at", state_.split_at},
      {"standing_in", state_.standing_in},
      {"nearest", state_.nearest},
      {"key_frames", state_.path.keys.size()},
      {"picture", {layout_.picture.x, layout_.picture.y, layout_.picture.width, layout_.picture.height}},
      {"window", {canvas_.width(), canvas_.height()}},
      {"shown", {picture(shown_[0]), picture(shown_[1])}},
      {"cameras", cameras},
      {"generations", generations_},
      {"step", scene_->step},
      {"points_drawn", points_->points_drawn()},
      {"points_held", scene_->cloud ? scene_->cloud->vertices.size() : 0},
      {"points_per_ms", points_->points_per_ms()},
      {"frames", frames_},
      {"turns", turns_},
      {"export",
       {{"running", render_.export_status().running()},
        {"done", render_.export_status().frames_done},
        {"message", render_.export_status().message}}},
      {"path_message", state_.path_message},
      {"held_out", held_out},
      {"error", status_.error},
      {"notice", status_.notice},
      {"edits", edits_state()},
      {"longest_frame_ms_since_state", std::exchange(longest_recent_ms_, 0)},
      {"longest_frame_ms", longest_frame_ms_},
      {"first_picture_s", first_picture_s_},
      {"transfer", transfer_},
      {"driver", window_.driver()}};
  write_file_atomically(file, document.dump(2) + "\n");
}

}  // namespace ptl
