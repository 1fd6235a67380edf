// Inner part of viewer.cpp: one frame after another.
#pragma once

#include <chrono>
#include <deque>
#include <future>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "viewer/camera_control.h"
#include "viewer/edit_actions.h"
#include "viewer/edit_filter.h"
#include "viewer/event_script.h"
#include "viewer/frame_budget.h"
#include "viewer/gl_points.h"
#include "viewer/gl_quad.h"
#include "viewer/panels.h"
#include "viewer/photo_shelf.h"
#include "viewer/saved_state.h"
#include "viewer/view_pacer.h"
#include "viewer/viewer.h"
#include "viewer/window.h"

namespace ptl {

/// A side of the window in pixels: what was asked for, if anything was.
inline int window_side(int asked, int otherwise) {
  return asked > 0 ? asked : otherwise;
}

class ViewerLoop {
 public:
  explicit ViewerLoop(const ViewerOptions& options);
  ViewerLoop(const ViewerLoop&) = delete;
  ViewerLoop& operator=(const ViewerLoop&) = delete;
  ~ViewerLoop();
  void run();

 private:
  struct Shown {      ///< one half of the view
    Picture picture;  ///< without its pixels
    GlTexture texture;
    bool any = false;
  };

  struct HeldOut {
    HeldOutShown shown;
    GlTexture photo, rendering;
  };

  bool frame();  ///< false: the end
  void take_what_is_ready();
  /// By CUDA interop where that works, otherwise by a plain copy; which of them is in transfer_.
  void put(const Picture& picture, bool smooth, GlTexture& texture);
  void new_scene(std::shared_ptr<const ViewScene> scene);
  void first_view();
  void begin_interface_frame();
  void handle_events();
  void follow_images();  ///< which image is nearest, whose photo and light that means
  void ask_for_pictures();
  void draw(bool whole_window);
  void draw_half(size_t half, ViewMode mode, const PixelRect& clip);
  bool settled() const;
  void after_drawing();
  ViewerInfo info();
  double depth_at(double x_px, double y_px);
  PixelRect photo_rect(int image) const;
  void save_screenshot(const std::string& file, const PixelRect& rect);
  // viewer_edit.cpp
  void open_edits();
  EditView edit_view() const;
  StrokeDepths stroke_depths(double x_px);
  std::optional<Vec3<double>> edit_focus();
  bool edit_event(const InputEvent& event);  ///< true: it was for the edits
  bool edit_key(int code);
  void update_edits();  ///< what they remove, to OpenGL
  bool edits_settled() const;
  bool may_close();  ///< false: there is something to ask first
  nlohmann::json edits_state() const;
  // viewer_script.cpp
  void act_script();
  bool act(const ScriptCommand& command);  ///< false: not yet
  void write_state(const std::string& file);

  double now_s() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

  const ViewerOptions options_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  const bool bare_;  ///< a picture without interaction: no panels, no window to be seen
  Window window_;
  GlCanvas canvas_{false};
  std::unique_ptr<GlPoints> points_;
  std::unique_ptr<GlQuad> quad_;
  RenderThread render_;

  ViewerState state_;
  CameraControl control_;
  ViewPacer pacer_;
  PanelLayout layout_;
  std::shared_ptr<const ViewScene> scene_;
  RenderThread::Status status_;
  std::array<Shown, 2> shown_;
  std::string no_interop_;  ///< why pictures cannot stay on the GPU; found out once
  std::string transfer_;    ///< how the last picture came here; empty: it was rendered by the CPU
  std::unique_ptr<PhotoShelf> shelf_;
  std::map<int64_t, HeldOut> held_out_;  ///< by image
  std::map<int, GlTexture> small_photos_;
  std::map<int, unsigned> small_photo_names_;
  GlTexture photo_;
  int photo_image_ = -1, photo_wanted_ = -1;
  std::string photo_note_;
  std::unique_ptr<FitCurves> curves_;
  double curves_s_ = -1e9;

  EditFilter edit_filter_{[] { Window::wake(); }};
  EditFilter::Status edits_decided_;
  std::shared_ptr<const DrawnCloud> edited_cloud_;  ///< what the filter has
  uint64_t edits_sent_ = 0;
  Vec2<double> edit_pointer_{0};  ///< of the mouse in the picture, as far as its events were handled

  // What the interface is told of the mouse and the keys.
  double mouse_x_ = -1, mouse_y_ = -1;
  std::array<bool, 3> mouse_down_ = {}, mouse_pressed_ = {};
  std::vector<int> keys_up_next_;

  FrameBudget frame_budget_;
  double points_ms_ = 0;  ///< of the last frame
  double last_frame_s_ = 0, frame_ms_ = 0, longest_frame_ms_ = 0, longest_recent_ms_ = 0, first_picture_s_ = 0;
  int64_t frames_ = 0, turns_ = 0;  ///< drawn; of the loop
  bool points_done_ = true, busy_ = true;
  uint64_t generations_ = 0;
  std::string pending_screenshot_;  ///< of the picture alone
  std::string pending_window_screenshot_;
  std::vector<std::future<void>> writing_;

  std::deque<ScriptCommand> script_;
  int64_t script_frames_left_ = 0;
  double script_wait_until_s_ = 0;
  int settled_frames_ = 0;
};

}  // namespace ptl
