// From keys and mouse to motions of the camera. Knows the window's size and nothing else of it.
#pragma once

#include <functional>
#include <set>

#include "viewer/pixel_rect.h"
#include "viewer/viewer_state.h"
#include "viewer/window.h"

namespace ptl {

class CameraControl {
 public:
  /// What a place of the picture shows: depth along the camera's z at a pixel of the picture; +∞ or less than 0:
  /// nothing.
  using DepthAt = std::function<double(double x_px, double y_px)>;

  /// An event over the picture (pixels of the window). True when it was used.
  bool handle(ViewerState& state, const ViewScene& scene, const InputEvent& event, const PixelRect& area, double now_s,
              const DepthAt& depth_at);
  /// Keys that are held, flights, the turntable, the path's playback. True while any of them moves the camera.
  bool advance(ViewerState& state, double dt_s);
  /// All keys and buttons are up: the interface took them.
  void release();
  bool dragging() const { return drag_ != Drag::none; }

 private:
  enum class Drag { none, look, pan, split };
  bool key(ViewerState& state, const ViewScene& scene, const InputEvent& event, const PixelRect& area);
  bool press(ViewerState& state, const ViewScene& scene, int button, const PixelRect& area, double now_s,
             const DepthAt& depth_at);
  void drag(ViewerState& state, double dx, double dy, const PixelRect& area);
  int frustum_at(const ViewerState& state, const PixelRect& area) const;

  std::set<int> held_;
  Drag drag_ = Drag::none;
  double x_ = 0, y_ = 0;  ///< of the mouse
  double press_x_ = 0, press_y_ = 0, press_s_ = -1e9;
  double pan_depth_m_ = 1;
  bool clicked_ = false;  ///< pressed and not moved since
};

}  // namespace ptl
