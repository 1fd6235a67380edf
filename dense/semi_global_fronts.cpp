#include "dense/semi_global_fronts.h"

#include <utility>

#include "dense/semi_global_formula.h"

namespace ptl {
namespace {

/// The paths that advance by whole rows (three: diagonal, straight, diagonal) or by whole columns (one) to the next
/// front. Places are pixels within a front; arrays over them have one entry more at each end.
struct FrontSweep {
  CostVolume volume;
  MatchPixels reference;
  SemiGlobalOptions options;
  bool by_rows;
  int direction;  ///< 1: to larger rows or columns; −1: to smaller ones

  PTL_HD int paths() const { return by_rows ? 3 : 1; }
  PTL_HD int places() const { return by_rows ? volume.width_px : volume.height_px; }
  PTL_HD int fronts() const { return by_rows ? volume.height_px : volume.width_px; }
  PTL_HD int64_t pixel(int front, int place) const {
    return by_rows ? reference.index(place, front) : reference.index(front, place);
  }
  PTL_HD int stride() const { return volume.planes + path_pad; }
  PTL_HD int64_t entries() const { return static_cast<int64_t>(paths()) * (places() + 2); }
  /// Of a path at a place, −1 and places() included.
  PTL_HD int64_t entry(int path, int place) const { return static_cast<int64_t>(path) * (places() + 2) + place + 1; }
  int64_t values() const { return entries() * stride() + path_pad; }
};

/// far_away around each entry's planes.
struct ClearPaths {
  int stride;
  uint16_t *values, *next_values;

  PTL_HD void operator()(int64_t i) const {
    values[i] = next_values[i] = i % stride < path_pad ? far_away : uint16_t(0);
  }
};

struct ClearMinima {
  uint32_t *a, *b, *c;

  PTL_HD void operator()(int64_t i) const { a[i] = b[i] = c[i] = far_away; }
};

/// Plane i % planes of place i / planes. A path's minimum over the planes is needed with the next front only: the
/// smallest in any order is the same.
struct AdvanceFront {
  FrontSweep sweep;
  int front;
  const uint16_t* values;
  uint16_t* next_values;
  const uint32_t* minima;
  uint32_t *next_minima, *minima_after;  ///< the latter are made ready for the front after this one
  uint16_t* sums;

  PTL_HD void operator()(int64_t i) const {
    const int planes = sweep.volume.planes, place = static_cast<int>(i) / planes, k = static_cast<int>(i) % planes;
    const int before = front - sweep.direction;
    const int64_t pixel = sweep.pixel(front, place);
    const uint8_t cost = sweep.volume.at(pixel)[k];
    uint16_t sum = 0;
    for (int path = 0; path < sweep.paths(); ++path) {
      const int from_place = sweep.by_rows ? place + path - 1 : place;
      const int64_t to = sweep.entry(path, place);
      uint16_t value = cost;
      if (before >= 0 && before < sweep.fronts() && from_place >= 0 && from_place < sweep.places()) {
        const int64_t from = sweep.entry(path, from_place);
        const uint16_t* at = values + from * sweep.stride() + path_pad + k;
        const uint16_t p2 = jump_penalty(sweep.reference.luminance[pixel],
                                         sweep.reference.luminance[sweep.pixel(before, from_place)], sweep.options);
        value = path_value(cost, at[-1], at[0], at[1], static_cast<uint16_t>(minima[from]),
                           static_cast<uint16_t>(sweep.options.small_step), p2);
      }
      next_values[to * sweep.stride() + path_pad + k] = value;
      atomic_min(next_minima + to, value);
      if (k == 0) minima_after[to] = far_away;
      sum = static_cast<uint16_t>(sum + value);
    }
    uint16_t& total = sums[pixel * planes + k];
    total = static_cast<uint16_t>(total + sum);
  }
};

void run(const Device& device, const FrontSweep& sweep, uint16_t* sums) {
  const Scratch<uint16_t> path_values(device, 2 * sweep.values());
  uint16_t *values = path_values.data(), *next_values = values + sweep.values();
  parallel_for(device, "clear_paths", sweep.values(), ClearPaths{sweep.stride(), values, next_values});
  const Scratch<uint32_t> path_minima(device, 3 * sweep.entries());
  uint32_t *minima = path_minima.data(), *next_minima = minima + sweep.entries(),
           *after = next_minima + sweep.entries();
  parallel_for(device, "clear_minima", sweep.entries(), ClearMinima{minima, next_minima, after});
  const int64_t n = static_cast<int64_t>(sweep.places()) * sweep.volume.planes;
  for (int step = 0; step < sweep.fronts(); ++step) {
    const int front = sweep.direction > 0 ? step : sweep.fronts() - 1 - step;
    parallel_for(device, "advance_front", n, n,
                 AdvanceFront{sweep, front, values, next_values, minima, next_minima, after, sums});
    std::swap(values, next_values);
    minima = std::exchange(next_minima, std::exchange(after, minima));
  }
}

struct ClearSums {
  uint16_t* sums;

  PTL_HD void operator()(int64_t i) const { sums[i] = 0; }
};

struct ChoosePlane {
  CostVolume volume;
  const uint16_t* sums;
  const uint8_t* valid;
  float* plane;

  PTL_HD void operator()(int64_t i) const {
    plane[i] = valid[i] ? least_plane(sums + i * volume.planes, volume.planes) : -1.0f;
  }
};

}  // namespace

void sum_paths_by_fronts(const Device& device, const CostVolume& volume, const MatchPixels& reference,
                         const SemiGlobalOptions& options, uint16_t* sums) {
  parallel_for(device, "clear_sums", volume.pixels() * volume.planes, ClearSums{sums});
  for (const bool by_rows : {true, false})
    for (const int direction : {1, -1}) run(device, {volume, reference, options, by_rows, direction}, sums);
}

void choose_least_planes(const Device& device, const CostVolume& volume, const uint16_t* sums, const uint8_t* valid,
                         float* plane) {
  parallel_for(device, "least_plane", volume.pixels(), volume.pixels(), ChoosePlane{volume, sums, valid, plane});
}

}  // namespace ptl
