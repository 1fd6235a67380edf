// The window's part of editing points: which events are for the edits, and what they remove, on its way to OpenGL.
#include <epoxy/gl.h>
// After the loader's header.
#include <GLFW/glfw3.h>
#include <imgui.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "viewer/viewer_loop.h"

namespace ptl {

namespace {

constexpr size_t removed_a_frame = 1'000'000;  // points whose flags reach OpenGL: a byte each
constexpr double split_grip_px = 8;

const char* name_of(EditTool tool) {
  return tool == EditTool::brush ? "brush" : tool == EditTool::keep_box ? "keep_box" : "remove_box";
}

}  // namespace

void ViewerLoop::open_edits() {
  PointEditing& editing = state_.editing;
  editing.file = default_edits_file(*scene_);
  if (options_.edits.empty()) return;
  editing.load(options_.edits, scene_->origin_world);
  if (bare_ || !options_.screenshot.empty()) return;
  set_editing(state_, true);
}

EditView ViewerLoop::edit_view() const {
  return {view_params(state_.camera, layout_.picture.width, layout_.picture.height), state_.camera.camera_from_world};
}

StrokeDepths ViewerLoop::stroke_depths(double x_px) {
  StrokeDepths depths;
  depths.cloud = scene_->cloud;
  const bool right = state_.split && x_px > state_.split_at * layout_.picture.width;
  if ((right ? state_.second_mode : state_.mode) == ViewMode::points)
    depths.depth_m = std::make_shared<Image>(points_->depths_m());
  else if (shown_[right ? 1 : 0].any)
    depths.depth_m = shown_[right ? 1 : 0].picture.depth_m;
  return depths;
}

std::optional<Vec3<double>> ViewerLoop::edit_focus() {
  const EditView view = edit_view();
  const Vec2<double> middle(0.5 * view.camera.width_px, 0.5 * view.camera.height_px);
  const StrokeDepths depths = stroke_depths(middle.x);
  Vec3<double> ray;
  if (!depths.depth_m || !unproject_ray(view.camera, middle.x, middle.y, ray)) return std::nullopt;
  constexpr double reach = 0.1;  // of the picture's height: points leave holes
  const Image& depth = *depths.depth_m;
  const auto depth_m = nearest_depth(depth, 0.5 * depth.width, 0.5 * depth.height, reach * depth.height);
  if (!depth_m) return std::nullopt;
  return inverse(view.camera_from_scene) * (ray * *depth_m);
}

bool ViewerLoop::edit_event(const InputEvent& event) {
  using Kind = InputEvent::Kind;
  PointEditing& editing = state_.editing;
  const ImGuiIO& io = ImGui::GetIO();
  const PixelRect& area = layout_.picture;
  if (event.kind == Kind::move) edit_pointer_ = {event.x - area.x, event.y - area.y};
  if (event.kind == Kind::key && event.down && event.code == GLFW_KEY_B && !io.KeyCtrl) {
    if (!event.repeated) set_editing(state_, !editing.on);
    return true;
  }
  if (!editing.on) return false;
  switch (event.kind) {
    case Kind::key:
      return event.down && edit_key(event.code);
    case Kind::text:
      return false;
    case Kind::scroll:
      if (editing.tool != EditTool::brush || io.KeyCtrl || io.KeyShift) return false;
      editing.wheel(event.y);
      return true;
    case Kind::move:
      editing.move(edit_view(), edit_pointer_);
      return false;  // the camera's control follows the mouse all the same
    case Kind::button: {
      // With the brush in the left button, the middle one turns the view.
      if (event.code == GLFW_MOUSE_BUTTON_MIDDLE) {
        InputEvent left = event;
        left.code = GLFW_MOUSE_BUTTON_LEFT;
        control_.handle(state_, *scene_, left, area, now_s(), [&](double x, double y) { return depth_at(x, y); });
        return true;
      }
      if (event.code != GLFW_MOUSE_BUTTON_LEFT) return false;
      if (!event.down) {
        const bool was_active = editing.active();
        editing.release();
        return was_active;
      }
      const bool on_split = state_.split && std::abs(edit_pointer_.x - state_.split_at * area.width) < split_grip_px;
      if (io.KeyAlt || on_split) return false;
      const bool brush = editing.tool == EditTool::brush;
      return editing.press(edit_view(), edit_pointer_, brush ? stroke_depths(edit_pointer_.x) : StrokeDepths{},
                           1e-4 * state_.extent);
    }
  }
  return false;
}

bool ViewerLoop::edit_key(int code) {
  PointEditing& editing = state_.editing;
  const ImGuiIO& io = ImGui::GetIO();
  if (io.KeyCtrl) {
    if (code == GLFW_KEY_Z) io.KeyShift ? editing.redo() : editing.undo();
    if (code == GLFW_KEY_Y) editing.redo();
    if (code == GLFW_KEY_S) save_edits(editing, *scene_);
    return code == GLFW_KEY_Z || code == GLFW_KEY_Y || code == GLFW_KEY_S;
  }
  if (code == GLFW_KEY_DELETE && editing.selected() >= 0) {
    editing.remove(static_cast<size_t>(editing.selected()));
    return true;
  }
  return false;
}

void ViewerLoop::update_edits() {
  const PointEditing& editing = state_.editing;
  if (edited_cloud_ != scene_->cloud) {
    edited_cloud_ = scene_->cloud;
    edit_filter_.set_cloud(edited_cloud_);
  }
  if (edits_sent_ != editing.version()) {
    edits_sent_ = editing.version();
    edit_filter_.request(editing.shown(), edits_sent_);
  }
  for (const EditFilter::Decided& decided : edit_filter_.take(removed_a_frame))
    points_->set_removed(decided.block, decided.removed, decided.low, decided.high);
  points_->show_removed(editing.show_removed);
  edits_decided_ = edit_filter_.status();
}

bool ViewerLoop::edits_settled() const {
  return edits_decided_.version == state_.editing.version() && edits_decided_.taken;
}

bool ViewerLoop::may_close() {
  if (!scene_ || !state_.editing.unsaved()) return true;
  window_.stay_open();
  state_.editing.asks_to_leave = true;
  return false;
}

nlohmann::json ViewerLoop::edits_state() const {
  const PointEditing& editing = state_.editing;
  nlohmann::json state = {{"on", editing.on},
                          {"tool", name_of(editing.tool)},
                          {"edits", editing.edits().size()},
                          {"removed", edits_decided_.removed},
                          {"points", scene_->cloud ? scene_->cloud->total : 0},
                          {"exact", edits_decided_.exact},
                          {"settled", edits_settled()},
                          {"can_undo", editing.can_undo()},
                          {"can_redo", editing.can_redo()},
                          {"unsaved", editing.unsaved()},
                          {"asks_to_leave", editing.asks_to_leave},
                          {"radius_px", editing.brush.radius_px},
                          {"file", editing.file},
                          {"message", editing.message},
                          {"command", edits_command(editing, *scene_)}};
  if (const EditBox* box = editing.selected_box()) {
    nlohmann::json handles = nlohmann::json::array();
    const EditView view = edit_view();
    for (int handle = 0; handle < box_handles; ++handle) {
      const Projection<double> at = project(view.camera, view.camera_from_scene * box_handle(*box, handle));
      handles.push_back({{"x", layout_.picture.x + at.x_px},
                         {"y", layout_.picture.y + at.y_px},
                         {"seen", at.valid && can_drag(*box, handle, view)}});
    }
    state["box"] = {{"centre", {box->centre.x, box->centre.y, box->centre.z}},
                    {"half_size", {box->half_size.x, box->half_size.y, box->half_size.z}},
                    {"handles", handles}};
  }
  return state;
}

}  // namespace ptl
