#include "viewer/view_pacer.h"

#include <algorithm>
#include <cmath>

namespace ptl {

namespace {

bool same_camera(const ViewCamera& a, const ViewCamera& b) {
  return a.camera_from_world == b.camera_from_world && (a.lens || a.vertical_fov_deg == b.vertical_fov_deg) &&
         a.lens == b.lens;
}

}  // namespace

bool same_view(const WantedView& a, const WantedView& b) {
  return a.width_px == b.width_px && a.height_px == b.height_px && a.light == b.light && a.wanted == b.wanted &&
         a.generation == b.generation && same_camera(a.camera, b.camera);
}

ViewRequest ViewPacer::make(const WantedView& view, double scale) {
  ViewRequest request;
  request.serial = ++serial_;
  const int width = std::max(16, static_cast<int>(std::lround(view.width_px * scale)));
  const int height = std::max(16, static_cast<int>(std::lround(view.height_px * scale)));
  request.camera = view_params(view.camera, scale == 1 ? view.width_px : width, scale == 1 ? view.height_px : height);
  request.camera_from_world = view.camera.camera_from_world;
  request.scale = scale;
  request.light = view.light;
  request.wanted = view.wanted;
  missing_ = view.wanted.size();
  sent_ = view;
  sent_scale_ = scale;
  return request;
}

std::optional<ViewRequest> ViewPacer::next(const WantedView& view, double now_s) {
  if (view.wanted.empty() || view.width_px < 1 || view.height_px < 1) {
    sent_.reset();
    missing_ = 0;
    complete_ = view.wanted.empty();
    moving_ = false;
    return std::nullopt;
  }
  const bool first = !any_;
  if (!any_ || !same_view(view, last_)) changed_s_ = first ? now_s - rest_s : now_s;
  any_ = true;
  last_ = view;
  moving_ = now_s - changed_s_ < rest_s;
  const bool shown = sent_ && same_view(*sent_, view);
  if (shown && sent_scale_ == 1) {
    complete_ = missing_ == 0;
    return std::nullopt;
  }
  complete_ = false;
  const double pixels = static_cast<double>(view.width_px) * view.height_px;
  const double scale = chooser_.moving_scale(pixels);
  if (moving_) {
    // The picture on its way is let through, unless it is a sharp one.
    if (missing_ > 0 && sent_scale_ <= scale * 1.5) return std::nullopt;
    if (shown) return std::nullopt;
    return make(view, scale);
  }
  if (missing_ > 0 && shown) return std::nullopt;  // of a smaller size, on its way
  const bool slow = chooser_.predicted_ms(pixels) > half_step_ms || chooser_.predicted_ms(1) == 0;
  if (slow && scale < 0.5 && !(shown && sent_scale_ >= 0.5)) return make(view, shown || scale >= 0.5 ? 0.5 : scale);
  return make(view, 1);
}

bool ViewPacer::arrived(const Picture& picture) {
  if (picture.serial != serial_) return false;
  if (missing_ > 0) --missing_;
  // The whole request's time stands for its size; the last picture has it.
  if (missing_ == 0 && picture.message.empty() && last_.width_px > 0)
    chooser_.measured(static_cast<double>(picture.camera.width_px) * picture.camera.height_px, picture.milliseconds);
  return true;
}

}  // namespace ptl
