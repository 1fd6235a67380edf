#include "renderer/exposure_motion.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "renderer/losses.h"
#include "renderer/photo_crop.h"

namespace ptl {

namespace {

namespace nn = torch::nn::functional;

constexpr int looked_at_px = 640;         ///< the longer side
constexpr int directions = 12;            ///< over half a turn: forwards and backwards look the same
constexpr double shortest_px = 2, longest_px = 48, factor = 1.41421356237309515;
constexpr double least_gain = 0.02;       ///< of the error: less may be chance

/// [3, H, W] averaged along a straight line of this length, by rows and columns with linear interpolation. Pixels at the border
/// are repeated; no score looks there.
torch::Tensor blurred(const torch::Tensor& image, double x_px, double y_px) {
  const double length = std::hypot(x_px, y_px);
  const int radius = static_cast<int>(std::ceil(0.5 * length)) + 1, side = 2 * radius + 1;
  torch::Tensor kernel = torch::zeros({side, side});
  float* const weight = kernel.mutable_data_ptr<float>();
  const int samples = 4 * static_cast<int>(std::ceil(length));
  for (int k = 0; k < samples; ++k) {
    const double s = (k + 0.5) / samples - 0.5, x = radius + s * x_px, y = radius + s * y_px;
    const int left = static_cast<int>(x), top = static_cast<int>(y);
    const double right_share = x - left, lower_share = y - top;
    for (int row = 0; row < 2; ++row)
      for (int column = 0; column < 2; ++column)
        weight[(top + row) * side + left + column] +=
            static_cast<float>((row ? lower_share : 1 - lower_share) * (column ? right_share : 1 - right_share) / samples);
  }
  const torch::Tensor padded =
      nn::pad(image.unsqueeze(1), nn::PadFuncOptions({radius, radius, radius, radius}).mode(torch::kReplicate));
  return torch::conv2d(padded, kernel.view({1, 1, side, side}).to(image.device())).squeeze(1);
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
  const torch::Tensor radiance = render_radiance(model, view);
  const auto [photo, mask] = photo_crop(photos, image, crop);
  // Where the longest line of this size stays within the picture, so that all candidates are scored on the same pixels.
  const double most_px = std::min<double>(longest_px, 0.25 * std::min(crop.width_px, crop.height_px));
  const auto margin = static_cast<int32_t>(std::ceil(0.5 * most_px));
  const auto inner = [&](const torch::Tensor& t) {
    return t.narrow(0, margin, crop.height_px - 2 * margin).narrow(1, margin, crop.width_px - 2 * margin);
  };
  const torch::Tensor weight = inner(mask).unsqueeze(2);
  const auto error = [&](double x_px, double y_px) {
    const torch::Tensor moved = std::hypot(x_px, y_px) > 0 ? blurred(radiance, x_px, y_px) : radiance;
    const torch::Tensor difference = inner(develop(model, moved, image, view, setting) - photo) * weight;
    return difference.square().sum(torch::kDouble).item<double>();
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
