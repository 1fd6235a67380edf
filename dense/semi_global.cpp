#include "dense/semi_global.h"

#include <algorithm>
#include <cmath>

namespace ptl {

namespace {

constexpr size_t pad = 16;  ///< entries before the planes of a pixel, so that k − 1 exists
constexpr uint16_t far_away = 30000;

/// One step along a path for all planes of a pixel. `from` and `to` are padded; returns the new minimum.
uint16_t step_path(const uint8_t* cost, const uint16_t* from, uint16_t from_minimum, uint16_t p1, uint16_t p2,
                   int count, uint16_t* to, uint16_t* sum) {
  uint16_t minimum = far_away;
  const uint16_t jump = static_cast<uint16_t>(from_minimum + p2);
  for (int k = 0; k < count; ++k) {
    const uint16_t beside = static_cast<uint16_t>(std::min(from[k - 1], from[k + 1]) + p1);
    const uint16_t least = std::min(std::min(from[k], beside), jump);
    const uint16_t value = static_cast<uint16_t>(cost[k] + static_cast<uint16_t>(least - from_minimum));
    to[k] = value;
    sum[k] = static_cast<uint16_t>(sum[k] + value);
    minimum = std::min(minimum, value);
  }
  return minimum;
}

struct Sweep {
  const CostVolume& volume;
  const std::vector<float>& luminance;
  const SemiGlobalOptions& options;
  SemiGlobalWork& work;
  size_t stride;  ///< of a pixel's padded planes

  uint16_t jump_penalty(size_t a, size_t b) const {
    const float difference = std::fabs(luminance[a] - luminance[b]) / options.edge_luminance;
    const float p2 = static_cast<float>(options.large_step) / (1.0f + difference);
    return static_cast<uint16_t>(std::max(p2, static_cast<float>(options.least_large_step)));
  }

  /// The four paths that come from above and from one side; with `direction` −1 everything is turned by half a turn.
  void run(int direction) {
    const int width = volume.width_px, height = volume.height_px, count = volume.planes.count;
    const size_t columns = static_cast<size_t>(width), depth_count = static_cast<size_t>(count);
    // Per path three rows of columns + 2 pixels; the ones outside of the image stay as they are: free to start.
    const size_t row_values = (columns + 2) * stride;
    for (auto* buffer : {&work.paths, &work.next_paths}) {
      buffer->assign(4 * row_values + pad, 0);
      for (size_t pixel = 0; pixel < 4 * (columns + 2); ++pixel) {
        std::fill_n(buffer->begin() + static_cast<std::ptrdiff_t>(pixel * stride), pad, far_away);
      }
      std::fill_n(buffer->begin() + static_cast<std::ptrdiff_t>(4 * row_values), pad, far_away);
    }
    work.minima.assign(4 * (columns + 2), 0);
    work.next_minima.assign(4 * (columns + 2), 0);
    const auto p1 = static_cast<uint16_t>(options.small_step);
    for (int step_y = 0; step_y < height; ++step_y) {
      const int y = direction > 0 ? step_y : height - 1 - step_y;
      for (int step_x = 0; step_x < width; ++step_x) {
        const int x = direction > 0 ? step_x : width - 1 - step_x;
        const size_t at = static_cast<size_t>(y) * columns + static_cast<size_t>(x);
        const size_t place = static_cast<size_t>(x) + 1;
        const uint8_t* cost = volume.cost.data() + at * depth_count;
        uint16_t* sum = work.sums.data() + at * depth_count;
        // Path 0: along the row; 1 to 3: from the row before, diagonal, straight, diagonal.
        for (int path = 0; path < 4; ++path) {
          const int shift_x = path == 0 ? -direction : path - 2;
          const int from_x = x + shift_x, from_y = path == 0 ? y : y - direction;
          const bool inside = from_x >= 0 && from_x < width && from_y >= 0 && from_y < height;
          const size_t part = static_cast<size_t>(path) * (columns + 2);
          const size_t source = part + static_cast<size_t>(static_cast<std::ptrdiff_t>(place) + shift_x);
          const auto& from = path == 0 ? work.next_paths : work.paths;
          const auto& minima = path == 0 ? work.next_minima : work.minima;
          const size_t from_pixel = static_cast<size_t>(from_y) * columns + static_cast<size_t>(from_x);
          const uint16_t p2 = inside ? jump_penalty(at, from_pixel) : p1;
          if (inside) {
            work.next_minima[part + place] =
                step_path(cost, from.data() + source * stride + pad, minima[source], p1, p2, count,
                          work.next_paths.data() + (part + place) * stride + pad, sum);
          } else {
            uint16_t* to = work.next_paths.data() + (part + place) * stride + pad;
            uint16_t minimum = far_away;
            for (int k = 0; k < count; ++k) {
              to[k] = cost[k];
              sum[k] = static_cast<uint16_t>(sum[k] + cost[k]);
              minimum = std::min(minimum, to[k]);
            }
            work.next_minima[part + place] = minimum;
          }
        }
      }
      std::swap(work.paths, work.next_paths);
      std::swap(work.minima, work.next_minima);
    }
  }
};

}  // namespace

PlaneMap match_semi_global(const CostVolume& volume, const std::vector<float>& luminance,
                           const std::vector<uint8_t>& valid, const SemiGlobalOptions& options, SemiGlobalWork& work) {
  const int count = volume.planes.count;
  const size_t depth_count = static_cast<size_t>(count);
  const size_t pixels = static_cast<size_t>(volume.width_px) * static_cast<size_t>(volume.height_px);
  work.sums.assign(pixels * depth_count, 0);
  Sweep sweep{volume, luminance, options, work, depth_count + pad};
  sweep.run(1);
  sweep.run(-1);

  PlaneMap map;
  map.width_px = volume.width_px;
  map.height_px = volume.height_px;
  map.plane.assign(pixels, -1.0f);
  map.cost.assign(pixels, unknown_cost);
  map.uniqueness.assign(pixels, 0);
  for (size_t at = 0; at < pixels; ++at) {
    if (!valid[at]) continue;
    const uint16_t* sum = work.sums.data() + at * depth_count;
    const int best = static_cast<int>(std::min_element(sum, sum + count) - sum);
    // At either end the minimum may lie beyond: sky, and what is too close.
    if (best == 0 || best + 1 == count) continue;
    uint16_t second = 65535;
    for (int k = 0; k < count; ++k)
      if (std::abs(k - best) > 2) second = std::min(second, sum[k]);
    const float least = sum[best];
    float plane = static_cast<float>(best);
    const float before = sum[best - 1], after = sum[best + 1], curve = before + after - 2 * least;
    if (curve > 0) plane += std::clamp(0.5f * (before - after) / curve, -0.5f, 0.5f);
    map.plane[at] = plane;
    map.cost[at] = volume.cost[at * depth_count + static_cast<size_t>(best)];
    const float margin = 255.0f * (static_cast<float>(second) - least) / std::max(least, 1.0f);
    map.uniqueness[at] = static_cast<uint8_t>(std::clamp(margin, 0.0f, 255.0f));
  }
  return map;
}

}  // namespace ptl
