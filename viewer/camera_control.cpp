#include "viewer/camera_control.h"

#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>

#include <algorithm>
#include <cmath>

#include "datasets/path_curve.h"

namespace ptl {

namespace {

constexpr double double_click_s = 0.4;
constexpr double click_px = 4;  // a press that moves farther is a drag
constexpr double split_grip_px = 8;
constexpr double turntable_rad_per_s = 0.35;

bool usable(double depth_m) {
  return std::isfinite(depth_m) && depth_m > 0;
}

/// x and y of the picture, from the window's.
Vec2<double> in_picture(double x, double y, const PixelRect& area) {
  return {x - area.x, y - area.y};
}

}  // namespace

void CameraControl::release() {
  held_.clear();
  drag_ = Drag::none;
  clicked_ = false;
}

bool CameraControl::handle(ViewerState& state, const ViewScene& scene, const InputEvent& event, const PixelRect& area,
                           double now_s, const DepthAt& depth_at) {
  using Kind = InputEvent::Kind;
  switch (event.kind) {
    case Kind::key:
      return key(state, scene, event, area);
    case Kind::text:
      return false;
    case Kind::button:
      if (event.down) return press(state, scene, event.code, area, now_s, depth_at);
      if (clicked_ && event.code == GLFW_MOUSE_BUTTON_LEFT && state.frusta)
        if (const int image = frustum_at(state, area); image >= 0) fly_to_image(state, scene, image);
      clicked_ = false;
      drag_ = Drag::none;
      return true;
    case Kind::move: {
      const double dx = event.x - x_, dy = event.y - y_;
      x_ = event.x;
      y_ = event.y;
      if (clicked_ && std::hypot(x_ - press_x_, y_ - press_y_) > click_px) {
        clicked_ = false;
        drag(state, x_ - press_x_, y_ - press_y_, area);
      } else if (!clicked_ && drag_ != Drag::none) {
        drag(state, dx, dy, area);
      }
      return drag_ != Drag::none;
    }
    case Kind::scroll: {
      if (held_.count(GLFW_KEY_LEFT_CONTROL) || held_.count(GLFW_KEY_RIGHT_CONTROL)) {
        state.camera = zoom(state.camera, event.y);
      } else if (state.style == MotionStyle::orbit) {
        state.camera = dolly(state.camera, state.pivot, event.y, 1e-3 * state.extent);
      } else {
        state.speed_clicks = std::clamp(state.speed_clicks + event.y, -25.0, 25.0);
      }
      return true;
    }
  }
  return false;
}

bool CameraControl::press(ViewerState& state, const ViewScene&, int button, const PixelRect& area, double now_s,
                          const DepthAt& depth_at) {
  const bool again = now_s - press_s_ < double_click_s && std::hypot(x_ - press_x_, y_ - press_y_) <= click_px;
  press_x_ = x_;
  press_y_ = y_;
  press_s_ = again ? -1e9 : now_s;
  if (button == GLFW_MOUSE_BUTTON_LEFT && state.split &&
      std::abs(x_ - (area.x + state.split_at * area.width)) < split_grip_px) {
    drag_ = Drag::split;
    return true;
  }
  const Vec2<double> at = in_picture(x_, y_, area);
  const double depth_m = depth_at(at.x, at.y);
  if (button == GLFW_MOUSE_BUTTON_LEFT && again) {
    Vec3<double> ray;
    const CameraParams<double> lens = view_params(state.camera, area.width, area.height);
    if (usable(depth_m) && unproject_ray(lens, at.x, at.y, ray)) {
      state.pivot = inverse(state.camera.camera_from_world) * (ray * depth_m);
      state.style = MotionStyle::orbit;
    }
    clicked_ = false;
    drag_ = Drag::look;
    return true;
  }
  clicked_ = true;
  drag_ = button == GLFW_MOUSE_BUTTON_LEFT ? Drag::look : Drag::pan;
  const Projection<double> pivot = project(view_params(state.camera, area.width, area.height), state.camera.camera_from_world * state.pivot);
  const double pivot_depth_m = pivot.valid ? pivot.depth_m : 0;
  pan_depth_m_ = usable(depth_m) ? depth_m : pivot_depth_m > 0 ? pivot_depth_m : 0.2 * state.extent;
  return true;
}

void CameraControl::drag(ViewerState& state, double dx, double dy, const PixelRect& area) {
  state.flight.reset();
  state.playing = false;
  if (drag_ == Drag::split) {
    state.split_at = std::clamp(state.split_at + dx / area.width, 0.02, 0.98);
    return;
  }
  const Vec2<double> by(dx / area.height, dy / area.height);
  if (drag_ == Drag::pan) {
    state.camera = pan(state.camera, pan_depth_m_, {dx, dy}, area.width, area.height);
  } else if (state.style == MotionStyle::orbit) {
    state.turntable = false;
    state.camera = orbit(state.camera, state.pivot, state.up, by);
  } else {
    FlyInput input;
    input.look = by;
    state.camera = fly(state.camera, input, state.up, 0, 0);
  }
}

bool CameraControl::key(ViewerState& state, const ViewScene& scene, const InputEvent& event, const PixelRect& area) {
  if (!event.down) {
    held_.erase(event.code);
    return true;
  }
  if (!event.repeated) held_.insert(event.code);
  const bool control = held_.count(GLFW_KEY_LEFT_CONTROL) || held_.count(GLFW_KEY_RIGHT_CONTROL);
  if (event.repeated && event.code != GLFW_KEY_LEFT && event.code != GLFW_KEY_RIGHT) return false;
  const bool shift = held_.count(GLFW_KEY_LEFT_SHIFT) || held_.count(GLFW_KEY_RIGHT_SHIFT);
  for (const ViewModeInfo& info : view_modes())
    if (event.code == info.key) {
      if (shift) {
        state.second_mode = info.mode;
        state.split = true;
      } else {
        state.mode = info.mode;
      }
      return true;
    }
  switch (event.code) {
    case GLFW_KEY_F:
      frame_all(state, scene, area.width, area.height);
      return true;
    case GLFW_KEY_R:
      fly_to(state, state.first_camera);
      return true;
    case GLFW_KEY_Z:
      if (control) undo_jump(state);
      return control;
    case GLFW_KEY_BACKSPACE:
      undo_jump(state);
      return true;
    case GLFW_KEY_O:
      state.style = state.style == MotionStyle::fly ? MotionStyle::orbit : MotionStyle::fly;
      return true;
    case GLFW_KEY_T:
      state.turntable = !state.turntable;
      return true;
    case GLFW_KEY_C:
      state.frusta = !state.frusta;
      return true;
    case GLFW_KEY_X:
      state.split = !state.split;
      return true;
    case GLFW_KEY_RIGHT:
      step_image(state, scene, 1);
      return true;
    case GLFW_KEY_LEFT:
      step_image(state, scene, -1);
      return true;
    case GLFW_KEY_TAB:
      state.panels = !state.panels;
      return true;
    case GLFW_KEY_H:
    case GLFW_KEY_F1:
      state.help = !state.help;
      return true;
    case GLFW_KEY_F12:
      state.screenshot = true;
      return true;
    case GLFW_KEY_L:
      state.timeline = !state.timeline;
      return true;
    case GLFW_KEY_K:
      add_key_here(state, scene);
      state.timeline = true;
      return true;
    case GLFW_KEY_SPACE:
      if (state.path.keys.size() > 1) {
        state.playing = !state.playing;
        if (state.path_time_s >= state.path.duration_s()) state.path_time_s = 0;
      }
      return true;
    case GLFW_KEY_LEFT_BRACKET:
      state.light.brighter_stops -= 0.25;
      return true;
    case GLFW_KEY_RIGHT_BRACKET:
      state.light.brighter_stops += 0.25;
      return true;
    case GLFW_KEY_ESCAPE:
      if (state.help)
        state.help = false;
      else
        state.flight.reset();
      return true;
    default:
      return false;
  }
}

bool CameraControl::advance(ViewerState& state, double dt_s) {
  if (state.flight) {
    state.flight_s += std::min(dt_s, longest_step_s);
    state.camera = state.flight->at(state.flight_s);
    if (state.flight->over(state.flight_s)) state.flight.reset();
    return true;
  }
  if (state.playing) {
    state.path_time_s += std::min(dt_s, longest_step_s);
    if (state.path_time_s >= state.path.duration_s()) {
      state.path_time_s =
          state.path.loop ? std::fmod(state.path_time_s, state.path.duration_s()) : state.path.duration_s();
      state.playing = state.path.loop;
    }
    show_frame(state, PathCurve(state.path).at(state.path.keys.front().time_s + state.path_time_s));
    return true;
  }
  bool moved = false;
  const auto axis = [&](int plus, int minus) {
    return static_cast<double>(held_.count(plus)) - static_cast<double>(held_.count(minus));
  };
  const bool control = held_.count(GLFW_KEY_LEFT_CONTROL) || held_.count(GLFW_KEY_RIGHT_CONTROL);
  FlyInput input;
  if (!control) {
    input.right = axis(GLFW_KEY_D, GLFW_KEY_A);
    input.up = axis(GLFW_KEY_E, GLFW_KEY_Q);
    input.forward = axis(GLFW_KEY_W, GLFW_KEY_S);
  }
  if (input.right != 0 || input.up != 0 || input.forward != 0) {
    const double faster = held_.count(GLFW_KEY_LEFT_SHIFT) || held_.count(GLFW_KEY_RIGHT_SHIFT) ? 3 : 1;
    state.camera = fly(state.camera, input, state.up, faster * fly_speed(state.extent, state.speed_clicks), dt_s);
    moved = true;
  }
  if (state.turntable) {
    state.camera = turntable(state.camera, state.pivot, state.up, turntable_rad_per_s, dt_s);
    moved = true;
  }
  return moved;
}

int CameraControl::frustum_at(const ViewerState& state, const PixelRect& area) const {
  const Vec2<double> at = in_picture(x_, y_, area);
  const std::optional<size_t> found =
      pick_frustum(state.camera_frusta, view_params(state.camera, area.width, area.height),
                   state.camera.camera_from_world, at.x, at.y);
  return found ? static_cast<int>(*found) : -1;
}

}  // namespace ptl
