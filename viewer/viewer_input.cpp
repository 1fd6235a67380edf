// The window's input: what Dear ImGui is told of it, and what moves the camera instead.
#include <epoxy/gl.h>
// After the loader's header.
#include <GLFW/glfw3.h>
#include <backends/imgui_impl_glfw.h>
#include <backends/imgui_impl_opengl3.h>
#include <imgui.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "viewer/viewer_loop.h"

namespace ptl {

void ViewerLoop::begin_interface_frame() {
  int width = std::max(16, window_.framebuffer_width()), height = std::max(16, window_.framebuffer_height());
  if (bare_) {
    width = window_side(options_.width, 1280);
    height = window_side(options_.height, 800);
    if (scene_ && state_.camera.lens && options_.width == 0 && options_.height == 0) {
      width = state_.camera.lens->width_px;
      height = state_.camera.lens->height_px;
    }
  }
  canvas_.resize(width, height);
  layout_ = panel_layout(width, height, state_.panels, state_.timeline, options_.render.follow && state_.held_out,
                         static_cast<float>(window_.scale()));
  if (bare_)
    layout_ = PanelLayout{
        .picture = {0, 0, width, height}, .left = {}, .right = {}, .timeline = {}, .status = {}, .held_out = {}};
  ImGui_ImplOpenGL3_NewFrame();
  ImGui_ImplGlfw_NewFrame();
}

void ViewerLoop::handle_events() {
  ImGuiIO& io = ImGui::GetIO();
  // All in pixels of the framebuffer, and the mouse as the events have it: real and acted ones are alike.
  io.DisplaySize = {static_cast<float>(canvas_.width()), static_cast<float>(canvas_.height())};
  io.DisplayFramebufferScale = {1, 1};
  const std::vector<InputEvent> events = window_.take_events();
  using Kind = InputEvent::Kind;
  mouse_pressed_ = {};
  for (const int key : std::exchange(keys_up_next_, {})) io.KeysDown[key] = false;
  std::vector<int> down_now;
  for (const InputEvent& event : events) {
    switch (event.kind) {
      case Kind::key:
        if (event.code < 0 || event.code >= static_cast<int>(std::size(io.KeysDown))) break;
        // Pressed and released within a frame is seen all the same: it is let go in the next one.
        if (!event.down && std::find(down_now.begin(), down_now.end(), event.code) != down_now.end()) {
          keys_up_next_.push_back(event.code);
          break;
        }
        io.KeysDown[event.code] = event.down;
        if (event.down) down_now.push_back(event.code);
        break;
      case Kind::text:
        io.AddInputCharacter(static_cast<unsigned>(event.code));
        break;
      case Kind::button:
        if (event.code < 3) {
          mouse_down_[static_cast<size_t>(event.code)] = event.down;
          // Pressed and released within a frame is a click all the same.
          mouse_pressed_[static_cast<size_t>(event.code)] |= event.down;
        }
        break;
      case Kind::move:
        mouse_x_ = event.x, mouse_y_ = event.y;
        break;
      case Kind::scroll:
        io.MouseWheel += static_cast<float>(event.y);
        break;
    }
  }
  io.KeyCtrl = io.KeysDown[GLFW_KEY_LEFT_CONTROL] || io.KeysDown[GLFW_KEY_RIGHT_CONTROL];
  io.KeyShift = io.KeysDown[GLFW_KEY_LEFT_SHIFT] || io.KeysDown[GLFW_KEY_RIGHT_SHIFT];
  io.KeyAlt = io.KeysDown[GLFW_KEY_LEFT_ALT] || io.KeysDown[GLFW_KEY_RIGHT_ALT];
  io.MousePos = {static_cast<float>(mouse_x_), static_cast<float>(mouse_y_)};
  for (size_t button = 0; button < 3; ++button) io.MouseDown[button] = mouse_down_[button] || mouse_pressed_[button];
  ImGui::NewFrame();
  if (!scene_) return;
  for (const InputEvent& event : events) {
    const bool over_picture = !io.WantCaptureMouse && layout_.picture.contains(mouse_x_, mouse_y_);
    switch (event.kind) {
      case Kind::key:
        if (event.down && io.WantTextInput) continue;
        break;
      case Kind::button:
        if (event.down && !over_picture) continue;
        break;
      case Kind::scroll:
        if (!over_picture) continue;
        break;
      case Kind::text:
      case Kind::move:
        break;
    }
    if (edit_event(event)) continue;
    control_.handle(state_, *scene_, event, layout_.picture, now_s(),
                    [&](double x, double y) { return depth_at(x, y); });
  }
}

double ViewerLoop::depth_at(double x_px, double y_px) {
  const bool right = state_.split && x_px > state_.split_at * layout_.picture.width;
  const ViewMode mode = right ? state_.second_mode : state_.mode;
  if (mode == ViewMode::points)
    return static_cast<double>(points_->depth_m(static_cast<int>(x_px), static_cast<int>(y_px)));
  const Picture& picture = shown_[right ? 1 : 0].picture;
  if (!picture.depth_m) return -1;
  // Points leave holes: the nearest pixel around that has one.
  const Image& depth = *picture.depth_m;
  constexpr double reach_px = 12;
  return nearest_depth(depth, x_px / layout_.picture.width * depth.width, y_px / layout_.picture.height * depth.height,
                       reach_px)
      .value_or(-1);
}

}  // namespace ptl
