#include "dense/refine.h"

#include <algorithm>
#include <cmath>

namespace ptl {

namespace {

constexpr int radius = match_radius_px, side = 2 * radius + 1, window = side * side;
constexpr float noise_variance = 3.0f;
constexpr int most_sources = 8;

struct SourceView {
  const StereoView* view;
  float base[3][3], shift[3];  ///< rows of source_map
};

/// The reference's window around a pixel: centred luminance.
struct ReferenceWindow {
  float value[window];
  float inverse_deviation;
};

bool read_window(const StereoView& view, int x, int y, ReferenceWindow& out) {
  const StereoCamera& c = view.camera;
  if (x < radius || y < radius || x >= c.width_px - radius || y >= c.height_px - radius) return false;
  float sum = 0;
  int k = 0;
  for (int dy = -radius; dy <= radius; ++dy)
    for (int dx = -radius; dx <= radius; ++dx) {
      const size_t at = c.index(x + dx, y + dy);
      if (!view.valid[at]) return false;
      sum += out.value[k++] = view.luminance[at];
    }
  float square = 0;
  for (float& v : out.value) v -= sum / window, square += v * v;
  out.inverse_deviation = 1.0f / std::sqrt(square / window + noise_variance);
  return true;
}

/// Correlation of the window at inverse depth w with slant (w per pixel) in one source; below −1 where it is not known.
float correlate(const SourceView& source, const ReferenceWindow& reference, float x_px, float y_px, float w,
                float slant_x, float slant_y) {
  constexpr float unknown = -2.0f;
  const StereoCamera& c = source.view->camera;
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
  if (!(u - reach_u > 0.0f && v - reach_v > 0.0f && u + reach_u < static_cast<float>(c.width_px) &&
        v + reach_v < static_cast<float>(c.height_px)))
    return unknown;
  if (!source.view->valid[c.index(static_cast<int>(u), static_cast<int>(v))]) return unknown;
  const float* luminance = source.view->luminance.data();
  float sum = 0, square = 0, product = 0;
  int k = 0;
  for (int dy = -radius; dy <= radius; ++dy)
    for (int dx = -radius; dx <= radius; ++dx) {
      const float su = u - 0.5f + du[0] * static_cast<float>(dx) + du[1] * static_cast<float>(dy);
      const float sv = v - 0.5f + dv[0] * static_cast<float>(dx) + dv[1] * static_cast<float>(dy);
      const int iu = static_cast<int>(su), iv = static_cast<int>(sv);
      const float a = su - static_cast<float>(iu), b = sv - static_cast<float>(iv);
      const float* at = luminance + c.index(iu, iv);
      const float upper = at[0] + a * (at[1] - at[0]);
      const float lower = at[c.width_px] + a * (at[c.width_px + 1] - at[c.width_px]);
      const float value = upper + b * (lower - upper) - 128.0f;
      sum += value, square += value * value, product += value * reference.value[k++];
    }
  const float mean = sum / window;
  const float variance = std::max(square / window - mean * mean, 0.0f) + noise_variance;
  return product / window * reference.inverse_deviation / std::sqrt(variance);
}

/// Which sources see the pixel as well as the best one does: the others may be hidden. The same ones judge all depths
/// of a round, since a comparison of different sources' correlations would say nothing about depth.
int choose_sources(const std::vector<SourceView>& sources, const ReferenceWindow& reference, float x_px, float y_px,
                   float w, Vec2<float> slant, const SourceView** chosen, float& mean) {
  constexpr float as_good = 0.15f;
  float value[most_sources], best = -2;
  const size_t count = std::min<size_t>(sources.size(), most_sources);
  for (size_t i = 0; i < count; ++i) {
    value[i] = correlate(sources[i], reference, x_px, y_px, w, slant.x, slant.y);
    best = std::max(best, value[i]);
  }
  int number = 0;
  mean = 0;
  for (size_t i = 0; i < count && best > -1.5f; ++i)
    if (value[i] > best - as_good) chosen[number++] = &sources[i], mean += value[i];
  if (number > 0) mean /= static_cast<float>(number);
  return number;
}

float mean_correlation(const SourceView* const* chosen, int number, const ReferenceWindow& reference, float x_px,
                       float y_px, float w, Vec2<float> slant) {
  float sum = 0;
  for (int i = 0; i < number; ++i) sum += correlate(*chosen[i], reference, x_px, y_px, w, slant.x, slant.y);
  return sum / static_cast<float>(number);
}

/// Change of the plane's number per pixel along x and y, from the pixels around with a similar number.
Vec2<float> slant_of(const PlaneMap& map, int x, int y) {
  const float centre = map.plane[static_cast<size_t>(y) * static_cast<size_t>(map.width_px) + static_cast<size_t>(x)];
  float along_x = 0, along_y = 0, count_x = 0, count_y = 0;
  for (int dy = -radius; dy <= radius; ++dy)
    for (int dx = -radius; dx <= radius; ++dx) {
      const size_t at = static_cast<size_t>(y + dy) * static_cast<size_t>(map.width_px) + static_cast<size_t>(x + dx);
      const float difference = map.plane[at] - centre;
      if (map.plane[at] < 0.0f || std::fabs(difference) > 2.5f) continue;
      along_x += difference * static_cast<float>(dx), along_y += difference * static_cast<float>(dy);
      count_x += static_cast<float>(dx * dx), count_y += static_cast<float>(dy * dy);
    }
  return {count_x > 0 ? along_x / count_x : 0.0f, count_y > 0 ? along_y / count_y : 0.0f};
}

}  // namespace

RefinedDepths refine_depths(const StereoView& reference, const std::vector<const StereoView*>& sources,
                            const InversePlanes& planes, const PlaneMap& map) {
  std::vector<SourceView> views;
  for (const StereoView* view : sources) {
    SourceView& source = views.emplace_back();
    source.view = view;
    const SourceMap exact = source_map(reference.camera, view->camera);
    for (int row = 0; row < 3; ++row) {
      for (int column = 0; column < 3; ++column) source.base[row][column] = static_cast<float>(exact.base[column][row]);
      source.shift[row] = static_cast<float>(exact.shift[row]);
    }
  }
  const StereoCamera& camera = reference.camera;
  RefinedDepths result;
  result.depth_m.assign(camera.pixel_count(), 0.0f);
  result.match.assign(camera.pixel_count(), 0);
  const float step = static_cast<float>(planes.step), least_w = static_cast<float>(planes.first) * 0.5f;
  for (int y = 0; y < camera.height_px; ++y)
    for (int x = 0; x < camera.width_px; ++x) {
      const size_t at = camera.index(x, y);
      if (map.plane[at] < 0.0f) continue;
      float w = static_cast<float>(planes.at(static_cast<double>(map.plane[at])));
      float best = 0;
      ReferenceWindow own;
      if (read_window(reference, x, y, own)) {
        const Vec2<float> slant = slant_of(map, x, y) * step;
        const float px = static_cast<float>(x) + 0.5f, py = static_cast<float>(y) + 0.5f;
        for (const float share : {0.5f, 0.2f}) {
          const float h = share * step;
          const SourceView* chosen[most_sources];
          float middle = 0;
          const int number = choose_sources(views, own, px, py, w, slant, chosen, middle);
          if (number == 0) break;
          const float before = mean_correlation(chosen, number, own, px, py, w - h, slant);
          const float after = mean_correlation(chosen, number, own, px, py, w + h, slant);
          best = std::max({middle, before, after});
          const float curve = before + after - 2 * middle;
          float move = 0;
          if (curve < 0)
            move = std::clamp(0.5f * (before - after) / curve, -1.0f, 1.0f);
          else if (std::max(before, after) > middle)
            move = before > after ? -1.0f : 1.0f;
          w = std::max(w + move * h, least_w);
        }
      }
      result.depth_m[at] = 1.0f / w;
      result.match[at] = static_cast<uint8_t>(std::clamp(best, 0.0f, 1.0f) * 255.0f);
    }
  return result;
}

}  // namespace ptl
