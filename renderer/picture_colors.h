// Colours that mean numbers, the same in pictures and in their legends. No torch.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

namespace ptl {

using Rgb = std::array<float, 3>;

/// Dark blue over violet and orange to light yellow, evenly brighter: 0..1 → sRGB. Values outside are clamped, NaN is
/// 0.
inline Rgb ramp_color(float value) {
  static constexpr Rgb stops[] = {{0.03f, 0.04f, 0.13f}, {0.20f, 0.11f, 0.42f}, {0.48f, 0.14f, 0.50f},
                                  {0.76f, 0.22f, 0.42f}, {0.94f, 0.42f, 0.29f}, {0.99f, 0.69f, 0.33f},
                                  {1.00f, 0.94f, 0.66f}};
  constexpr int last = static_cast<int>(std::size(stops)) - 1;
  const float scaled = (value > 0.0f ? std::min(value, 1.0f) : 0.0f) * last;
  const int segment = std::min(static_cast<int>(scaled), last - 1);
  const float t = scaled - static_cast<float>(segment);
  Rgb color;
  for (size_t c = 0; c < 3; ++c) color[c] = (1 - t) * stops[segment][c] + t * stops[segment + 1][c];
  return color;
}

/// Points on a pixel → 0..1 of the ramp: 0, then by doublings up to 64.
inline constexpr int most_points_shown = 64;
inline float points_on_ramp(int points) {
  return points <= 0 ? 0.0f
                     : std::min(1.0f, 0.15f + 0.85f * std::log2(static_cast<float>(points)) /
                                                  std::log2(static_cast<float>(most_points_shown)));
}

/// Mean absolute difference of the channels → 0..1 of the ramp.
inline constexpr float largest_error_shown = 0.25f;
inline float error_on_ramp(float difference) {
  return difference / largest_error_shown;
}

/// Where a pixel's information came from: layer 0 (its own points) is green, coarser ones go over yellow to red, and
/// pixels without a point on any layer are magenta: there the network guesses from the background.
inline Rgb support_color(int layer, int layers) {
  if (layer < 0) return {0.85f, 0.20f, 0.85f};
  static constexpr Rgb stops[] = {{0.10f, 0.55f, 0.35f},
                                  {0.62f, 0.78f, 0.27f},
                                  {0.98f, 0.80f, 0.25f},
                                  {0.95f, 0.50f, 0.20f},
                                  {0.80f, 0.18f, 0.18f}};
  constexpr int last = static_cast<int>(std::size(stops)) - 1;
  const float scaled = static_cast<float>(layer) / static_cast<float>(std::max(layers - 1, 1)) * last;
  const int segment = std::min(static_cast<int>(scaled), last - 1);
  const float t = scaled - static_cast<float>(segment);
  Rgb color;
  for (size_t c = 0; c < 3; ++c) color[c] = (1 - t) * stops[segment][c] + t * stops[segment + 1][c];
  return color;
}

}  // namespace ptl
