#include "viewer/resolution.h"

#include <algorithm>
#include <cmath>

namespace ptl {

namespace {
constexpr size_t kept_samples = 16;
}

void ResolutionChooser::measured(double pixels, double milliseconds) {
  if (!(pixels > 0) || !(milliseconds > 0)) return;
  samples_.push_back({pixels, milliseconds});
  if (samples_.size() > kept_samples) samples_.pop_front();
}

ResolutionChooser::Line ResolutionChooser::line() const {
  // Weighted by 1 / pixels²: a time is wrong by a share of itself, and times of small pictures must count.
  double w = 0, wx = 0, wy = 0, wxx = 0, wxy = 0;
  for (const auto& [x, y] : samples_) {
    const double weight = 1 / (x * x);
    w += weight, wx += weight * x, wy += weight * y, wxx += weight * x * x, wxy += weight * x * y;
  }
  const double determinant = w * wxx - wx * wx;
  // One size so far: all of it by pixels.
  if (!(determinant > 1e-6 * w * wxx)) return {0, wxy / wxx};
  const double per_pixel = (w * wxy - wx * wy) / determinant;
  const double fixed = (wy - per_pixel * wx) / w;
  if (per_pixel < 0) return {wy / w, 0};
  if (fixed < 0) return {0, wxy / wxx};
  return {fixed, per_pixel};
}

double ResolutionChooser::predicted_ms(double pixels) const {
  if (samples_.empty()) return 0;
  const auto [fixed, per_pixel] = line();
  return fixed + per_pixel * pixels;
}

double ResolutionChooser::moving_scale(double full_pixels) const {
  if (samples_.empty()) return 0.25;
  const auto [fixed, per_pixel] = line();
  if (per_pixel <= 0) return 1;
  const double for_pixels = std::max(target_ms_ - fixed, fixed / 3);
  const double scale = std::sqrt(for_pixels / per_pixel / full_pixels);
  return std::clamp(std::floor(scale * 16) / 16, least_scale, 1.0);
}

}  // namespace ptl
