// Semi-global matching by rows: the planes of a pixel are vector code.
#include "dense/semi_global.h"

#include <algorithm>
#include <utility>

#include "dense/semi_global_formula.h"
#include "dense/semi_global_fronts.h"

namespace ptl {

namespace {

constexpr size_t pad = path_pad;

/// One step along a path for all planes of a pixel. `from` and `to` are padded; returns the new minimum.
uint16_t step_path(const uint8_t* cost, const uint16_t* from, uint16_t from_minimum, uint16_t p1, uint16_t p2,
                   int count, uint16_t* to, uint16_t* sum) {
  uint16_t minimum = far_away;
  for (int k = 0; k < count; ++k) {
    const uint16_t value = path_value(cost[k], from[k - 1], from[k], from[k + 1], from_minimum, p1, p2);
    to[k] = value;
    sum[k] = static_cast<uint16_t>(sum[k] + value);
    minimum = std::min(minimum, value);
  }
  return minimum;
}

/// Two rows of path values, and their minima.
struct PathRows {
  uint16_t *values, *next_values, *minima, *next_minima;
};

struct Sweep {
  const CostVolume& volume;
  const MatchPixels& reference;
  const SemiGlobalOptions& options;
  PathRows rows;
  uint16_t* sums;
  size_t stride;  ///< of a pixel's padded planes

  /// The four paths that come from above and from one side; with `direction` −1 everything is turned by half a turn.
  void run(int direction) {
    const int width = volume.width_px, height = volume.height_px, count = volume.planes;
    const size_t columns = static_cast<size_t>(width), depth_count = static_cast<size_t>(count);
    // Per path three rows of columns + 2 pixels; the ones outside of the image stay as they are: free to start.
    const size_t row_values = (columns + 2) * stride;
    for (uint16_t* const values : {rows.values, rows.next_values}) {
      std::fill_n(values, 4 * row_values, uint16_t(0));
      for (size_t pixel = 0; pixel <= 4 * (columns + 2); ++pixel) std::fill_n(values + pixel * stride, pad, far_away);
    }
    const auto p1 = static_cast<uint16_t>(options.small_step);
    for (int step_y = 0; step_y < height; ++step_y) {
      const int y = direction > 0 ? step_y : height - 1 - step_y;
      for (int step_x = 0; step_x < width; ++step_x) {
        const int x = direction > 0 ? step_x : width - 1 - step_x;
        const size_t at = static_cast<size_t>(y) * columns + static_cast<size_t>(x);
        const size_t place = static_cast<size_t>(x) + 1;
        const uint8_t* cost = volume.at(x, y);
        uint16_t* sum = sums + at * depth_count;
        // Path 0: along the row; 1 to 3: from the row before, diagonal, straight, diagonal.
        for (int path = 0; path < 4; ++path) {
          const int shift_x = path == 0 ? -direction : path - 2;
          const int from_x = x + shift_x, from_y = path == 0 ? y : y - direction;
          const bool inside = from_x >= 0 && from_x < width && from_y >= 0 && from_y < height;
          const size_t part = static_cast<size_t>(path) * (columns + 2);
          const size_t source = part + static_cast<size_t>(static_cast<std::ptrdiff_t>(place) + shift_x);
          const uint16_t* const from = path == 0 ? rows.next_values : rows.values;
          const uint16_t* const minima = path == 0 ? rows.next_minima : rows.minima;
          uint16_t* const to = rows.next_values + (part + place) * stride + pad;
          uint16_t minimum = far_away;
          if (inside) {
            const size_t from_pixel = static_cast<size_t>(from_y) * columns + static_cast<size_t>(from_x);
            const uint16_t p2 = jump_penalty(reference.luminance[at], reference.luminance[from_pixel], options);
            minimum = step_path(cost, from + source * stride + pad, minima[source], p1, p2, count, to, sum);
          } else {
            for (int k = 0; k < count; ++k) {
              to[k] = cost[k];
              sum[k] = static_cast<uint16_t>(sum[k] + cost[k]);
              minimum = std::min(minimum, to[k]);
            }
          }
          rows.next_minima[part + place] = minimum;
        }
      }
      std::swap(rows.values, rows.next_values);
      std::swap(rows.minima, rows.next_minima);
    }
  }
};

void sum_paths_by_rows(const Device& device, const CostVolume& volume, const MatchPixels& reference,
                       const SemiGlobalOptions& options, uint16_t* sums) {
  std::fill_n(sums, volume.pixels() * volume.planes, uint16_t(0));
  const int64_t stride = volume.planes + path_pad, pixels = 4 * (static_cast<int64_t>(volume.width_px) + 2);
  const Scratch<uint16_t> values(device, pixels * stride + path_pad), next_values(device, pixels * stride + path_pad);
  const Scratch<uint16_t> minima(device, pixels), next_minima(device, pixels);
  Sweep sweep{volume,  reference,
              options, {values.data(), next_values.data(), minima.data(), next_minima.data()},
              sums,    static_cast<size_t>(stride)};
  sweep.run(1);
  sweep.run(-1);
}

}  // namespace

void match_semi_global(const Device& device, const CostVolume& volume, const MatchPixels& reference,
                       const SemiGlobalOptions& options, float* plane, ImageDriver driver) {
  const Scratch<uint16_t> sums(device, volume.pixels() * volume.planes);
  if (goes_by_rows("match_semi_global", device, driver))
    sum_paths_by_rows(device, volume, reference, options, sums.data());
  else
    sum_paths_by_fronts(device, volume, reference, options, sums.data());
  choose_least_planes(device, volume, sums.data(), reference.valid, plane);
}

}  // namespace ptl
