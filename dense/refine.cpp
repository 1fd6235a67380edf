#include "dense/refine.h"

#include <algorithm>
#include <cmath>

#include "dense/plane_sweep_formula.h"

namespace ptl {

namespace {

constexpr int radius = match_radius_px, window = match_side_px * match_side_px;

struct SourceView {
  MatchPixels pixels;
  float base[3][3], shift[3];  ///< rows of source_map
};

struct SourceViews {
  SourceView view[most_refined_sources];
  int count = 0;
};

/// The reference's window around a pixel: centred luminance.
struct ReferenceWindow {
  float value[window];
  float inverse_deviation;
};

PTL_HD bool read_window(const MatchPixels& photo, int x, int y, ReferenceWindow& out) {
  if (x < radius || y < radius || x >= photo.width_px - radius || y >= photo.height_px - radius) return false;
  float sum = 0;
  int k = 0;
  for (int dy = -radius; dy <= radius; ++dy)
    for (int dx = -radius; dx <= radius; ++dx) {
      const int64_t at = photo.index(x + dx, y + dy);
      if (!photo.valid[at]) return false;
      sum += out.value[k++] = photo.luminance[at];
    }
  float square = 0;
  for (float& v : out.value) v -= sum / window, square += v * v;
  out.inverse_deviation = 1.0f / std::sqrt(square / window + noise_variance);
  return true;
}

/// Correlation of the window at inverse depth w with slant (w per pixel) in one source; below −1 where it is not known.
PTL_HD float correlate(const SourceView& source, const ReferenceWindow& reference, float x_px, float y_px, float w,
                       float slant_x, float slant_y) {
  constexpr float unknown = -2.0f;
  const MatchPixels& photo = source.pixels;
  float p[3];
  for (int i = 0; i < 3; ++i)
    p[i] = source.base[i][0] * x_px + source.base[i][1] * y_px + source.base[i][2] + source.shift[i] * w;
  if (!(p[2] > 0.0f)) return unknown;
  const float inverse = 1.0f / p[2], u = p[0] * inverse, v = p[1] * inverse;
  // The map around the pixel, linearised: d(u, v)/d(x, y) with w following the slant.
  float du[2], dv[2];
  for (int axis = 0; axis < 2; ++axis) {
    const float slant = axis == 0 ? slant_x : slant_y;
    const float dz = source.base[2][axis] + source.shift[2] * slant;
    du[axis] = (source.base[0][axis] + source.shift[0] * slant - u * dz) * inverse;
    dv[axis] = (source.base[1][axis] + source.shift[1] * slant - v * dz) * inverse;
  }
  const float reach_u = radius * (std::fabs(du[0]) + std::fabs(du[1])) + 1.0f;
  const float reach_v = radius * (std::fabs(dv[0]) + std::fabs(dv[1])) + 1.0f;
  if (!(u - reach_u > 0.0f && v - reach_v > 0.0f && u + reach_u < static_cast<float>(photo.width_px) &&
        v + reach_v < static_cast<float>(photo.height_px)))
    return unknown;
  if (!photo.valid[photo.index(static_cast<int>(u), static_cast<int>(v))]) return unknown;
  float sum = 0, square = 0, product = 0;
  int k = 0;
  for (int dy = -radius; dy <= radius; ++dy)
    for (int dx = -radius; dx <= radius; ++dx) {
      const float su = u - 0.5f + du[0] * static_cast<float>(dx) + du[1] * static_cast<float>(dy);
      const float sv = v - 0.5f + dv[0] * static_cast<float>(dx) + dv[1] * static_cast<float>(dy);
      const int iu = static_cast<int>(su), iv = static_cast<int>(sv);
      const float a = su - static_cast<float>(iu), b = sv - static_cast<float>(iv);
      const float* at = photo.luminance + photo.index(iu, iv);
      const float upper = at[0] + a * (at[1] - at[0]);
      const float lower = at[photo.width_px] + a * (at[photo.width_px + 1] - at[photo.width_px]);
      const float value = upper + b * (lower - upper) - 128.0f;
      sum += value, square += value * value, product += value * reference.value[k++];
    }
  const float mean = sum / window;
  return product / window * reference.inverse_deviation / std::sqrt(noisy_variance(square / window, mean));
}

/// Which sources see the pixel as well as the best one does: the others may be hidden. The same ones judge all depths
/// of a round, since a comparison of different sources' correlations would say nothing about depth.
struct ChosenSources {
  int which[most_refined_sources];
  int number = 0;
  float mean = 0;  ///< correlation

  PTL_HD ChosenSources(const SourceViews& sources, const ReferenceWindow& reference, float x_px, float y_px, float w,
                       Vec2<float> slant) {
    constexpr float as_good = 0.15f;
    float value[most_refined_sources], best = -2;
    for (int i = 0; i < sources.count; ++i) {
      value[i] = correlate(sources.view[i], reference, x_px, y_px, w, slant.x, slant.y);
      best = std::max(best, value[i]);
    }
    for (int i = 0; i < sources.count && best > -1.5f; ++i)
      if (value[i] > best - as_good) which[number++] = i, mean += value[i];
    if (number > 0) mean /= static_cast<float>(number);
  }
  PTL_HD float mean_correlation(const SourceViews& sources, const ReferenceWindow& reference, float x_px, float y_px,
                                float w, Vec2<float> slant) const {
    float sum = 0;
    for (int i = 0; i < number; ++i)
      sum += correlate(sources.view[which[i]], reference, x_px, y_px, w, slant.x, slant.y);
    return sum / static_cast<float>(number);
  }
};

/// Change of the plane's number per pixel along x and y, from the pixels around with a similar number.
PTL_HD Vec2<float> slant_of(const float* plane, int width, int x, int y) {
  const float centre = plane[static_cast<int64_t>(y) * width + x];
  float along_x = 0, along_y = 0, count_x = 0, count_y = 0;
  for (int dy = -radius; dy <= radius; ++dy)
    for (int dx = -radius; dx <= radius; ++dx) {
      const float other = plane[static_cast<int64_t>(y + dy) * width + (x + dx)];
      const float difference = other - centre;
      if (other < 0.0f || std::fabs(difference) > 2.5f) continue;
      along_x += difference * static_cast<float>(dx), along_y += difference * static_cast<float>(dy);
      count_x += static_cast<float>(dx * dx), count_y += static_cast<float>(dy * dy);
    }
  return {count_x > 0 ? along_x / count_x : 0.0f, count_y > 0 ? along_y / count_y : 0.0f};
}

struct RefinePixel {
  MatchPixels reference;
  SourceViews sources;
  InversePlanes planes;
  const float* plane;
  float* depth_m;
  uint8_t* match;

  PTL_HD void operator()(int64_t at) const {
    depth_m[at] = 0;
    match[at] = 0;
    if (plane[at] < 0.0f) return;
    const int x = static_cast<int>(at % reference.width_px), y = static_cast<int>(at / reference.width_px);
    const float step = static_cast<float>(planes.step), least_w = static_cast<float>(planes.first) * 0.5f;
    float w = static_cast<float>(planes.at(static_cast<double>(plane[at])));
    float best = 0;
    ReferenceWindow own;
    if (read_window(reference, x, y, own)) {
      const Vec2<float> slant = slant_of(plane, reference.width_px, x, y) * step;
      const float px = static_cast<float>(x) + 0.5f, py = static_cast<float>(y) + 0.5f;
      for (int round = 0; round < 2; ++round) {
        const float h = (round == 0 ? 0.5f : 0.2f) * step;
        const ChosenSources chosen(sources, own, px, py, w, slant);
        if (chosen.number == 0) break;
        const float middle = chosen.mean;
        const float before = chosen.mean_correlation(sources, own, px, py, w - h, slant);
        const float after = chosen.mean_correlation(sources, own, px, py, w + h, slant);
        best = std::max(std::max(middle, before), after);
        const float curve = before + after - 2 * middle;
        float move = 0;
        if (curve < 0)
          move = std::clamp(0.5f * (before - after) / curve, -1.0f, 1.0f);
        else if (std::max(before, after) > middle)
          move = before > after ? -1.0f : 1.0f;
        w = std::max(w + move * h, least_w);
      }
    }
    depth_m[at] = 1.0f / w;
    match[at] = static_cast<uint8_t>(std::clamp(best, 0.0f, 1.0f) * 255.0f);
  }
};

}  // namespace

void refine_depths(const Device& device, const MatchPixels& reference, std::span<const MatchSource> sources,
                   const InversePlanes& planes, const float* plane, float* depth_m, uint8_t* match) {
  SourceViews views;
  for (const MatchSource& source : sources.first(std::min<size_t>(sources.size(), most_refined_sources))) {
    SourceView& view = views.view[views.count++];
    view.pixels = source.pixels;
    for (int row = 0; row < 3; ++row) {
      for (int column = 0; column < 3; ++column)
        view.base[row][column] = static_cast<float>(source.map.base[column][row]);
      view.shift[row] = static_cast<float>(source.map.shift[row]);
    }
  }
  parallel_for(device, "refine", reference.count(), reference.count(),
               RefinePixel{reference, views, planes, plane, depth_m, match});
}

}  // namespace ptl
