// When to ask for pictures, and at which size: small ones while the view moves, sharp ones when it rests. No clock of
// its own, no thread.
#pragma once

#include <optional>

#include "datasets/view_camera.h"
#include "viewer/resolution.h"
#include "viewer/view_request.h"

namespace ptl {

/// What the interface wants to see, at the size of its window.
struct WantedView {
  ViewCamera camera;
  int width_px = 0, height_px = 0;
  ViewLight light;
  std::vector<WantedPicture> wanted;
  uint64_t generation = 0;  ///< of the scene
};
bool same_view(const WantedView& a, const WantedView& b);

class ViewPacer {
 public:
  /// `frames_per_s`: what pictures should hold while the view moves.
  explicit ViewPacer(double frames_per_s = 15) : chooser_(1000 / frames_per_s) {}
  void set_frames_per_s(double frames_per_s) { chooser_.set_target_ms(1000 / frames_per_s); }

  /// Once a frame of the interface: the request that should be sent now, if any. A moving view's pictures are not
  /// cancelled by the next one, so that they arrive; a sharp one is, as soon as the view moves.
  std::optional<ViewRequest> next(const WantedView& view, double now_s);
  /// A picture has arrived. True when it belongs to the last request, or shows a moving view on its way.
  bool arrived(const Picture& picture);
  /// All that was wanted is there, at its full size.
  bool complete() const { return complete_; }
  bool moving() const { return moving_; }
  const ResolutionChooser& chooser() const { return chooser_; }

  static constexpr double rest_s = 0.15;       ///< without a change: the view rests
  static constexpr double half_step_ms = 900;  ///< sharp pictures that take longer come after one of half the size

 private:
  ViewRequest make(const WantedView& view, double scale);

  ResolutionChooser chooser_;
  WantedView last_;  ///< as of the last call
  std::optional<WantedView> sent_;
  double sent_scale_ = 0;
  double changed_s_ = -1e9;
  uint64_t serial_ = 0;
  size_t missing_ = 0;  ///< pictures of the last request that have not arrived
  bool moving_ = false, complete_ = false, any_ = false;
};

}  // namespace ptl
