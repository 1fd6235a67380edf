#include "renderer/exposure_motion.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "renderer/additive_light.h"
#include "renderer/photo_crop.h"

namespace ptl {

namespace {

constexpr int looked_at_px = 320;         ///< the longer side
constexpr int directions = 12;            ///< over half a turn: forwards and backwards look the same
constexpr double shortest_px = 1.5, longest_px = 24, factor = 1.41421356237309515;
constexpr double least_gain = 0.02;       ///< of the error: less may be chance

/// The inside of [3, H, W], `margin` pixels from its border, averaged along a straight line of this length: a sample each half
/// pixel, at the nearest one.
torch::Tensor inside_blurred(const torch::Tensor& image, int64_t margin, double x_px, double y_px) {
  const int samples = 1 + 2 * static_cast<int>(std::ceil(std::hypot(x_px, y_px)));
  torch::Tensor sum;
  for (int k = 0; k < samples; ++k) {
    const double s = (k + 0.5) / samples - 0.5;
    const torch::Tensor moved = image.narrow(1, margin + std::llround(s * y_px), image.size(1) - 2 * margin)
                                    .narrow(2, margin + std::llround(s * x_px), image.size(2) - 2 * margin);
    sum = sum.defined() ? sum.add_(moved) : moved.clone();
  }
  return sum.div_(samples);
}

}  // namespace

Tangent<double> find_exposure_motion(const SceneModel& model, ImageCache& photos, int64_t image, const RenderView& whole,
                                     const PhotometricSetting& setting, int32_t width_px) {
  const torch::NoGradGuard no_gradient;
  RenderView view = whole;
  view.exposure_motion = {};
  Crop& crop = view.crop;
  crop.zoom = std::min(1.0f, static_cast<float>(looked_at_px) / static_cast<float>(std::max(crop.width_px, crop.height_px)));
  crop.width_px = static_cast<int32_t>(crop.zoom * static_cast<float>(width_px));
  crop.height_px = static_cast<int32_t>(crop.zoom * static_cast<float>(crop.height_px));
  const torch::Tensor light = additive_light(model, render_radiance(model, view));
  // Where the longest line stays within the picture, so that all candidates are scored on the same pixels.
  const double most_px = std::min<double>(longest_px, 0.25 * std::min(crop.width_px, crop.height_px));
  const auto margin = static_cast<int32_t>(std::ceil(0.5 * most_px));
  RenderView inside = view;
  inside.crop.offset_x_px += static_cast<float>(margin);
  inside.crop.offset_y_px += static_cast<float>(margin);
  inside.crop.width_px -= 2 * margin;
  inside.crop.height_px -= 2 * margin;
  const auto [photo, mask] = photo_crop(photos, image, inside.crop);
  const torch::Tensor weight = mask.unsqueeze(2);
  const auto error = [&](double x_px, double y_px) {
    const torch::Tensor blurred = output_of_light(model, inside_blurred(light, margin, x_px, y_px));
    const torch::Tensor picture = develop(model, blurred, image, inside, setting);
    return ((picture - photo) * weight).square().sum(torch::kDouble).item<double>();
  };
  const double still = error(0, 0);
  double best = (1 - least_gain) * still, best_x_px = 0, best_y_px = 0;
  for (double length_px = shortest_px; length_px <= most_px; length_px *= factor)
    for (int k = 0; k < directions; ++k) {
      const double angle = std::numbers::pi * k / directions;
      const double x_px = length_px * std::cos(angle), y_px = length_px * std::sin(angle), found = error(x_px, y_px);
      if (!(found < best)) continue;
      best = found;
      best_x_px = x_px;
      best_y_px = y_px;
    }
  // exp(ζ) moves a point before the camera by ω × x: to the right by ω_y z, down by −ω_x z.
  const double focal_px = focal_length_px(view.camera) * static_cast<double>(crop.zoom);
  return {Vec3<double>(0), Vec3<double>(-best_y_px / focal_px, best_x_px / focal_px, 0)};
}

void find_exposure_motions(SceneModel& model, ImageCache& photos) {
  for (const int64_t image : model.training_images()) {
    ModelImage& entry = model.images[static_cast<size_t>(image)];
    if (moves(entry.exposure_motion)) continue;
    const RenderView view = photo_view(model, image);
    entry.exposure_motion = find_exposure_motion(model, photos, image, view,
                                                 photometric_setting(model, image, ExposureProtocol::exif), view.crop.width_px);
  }
}

}  // namespace ptl
