// agreed_points(): which of the traced points stay.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "dense/error_rays.h"
#include "kernels/hash.h"

namespace ptl {

namespace {

using Cell = std::array<int64_t, 3>;

/// Of the grid whose cells are 2^level wide.
Cell cell_of(const Vec3<float>& position, int level) {
  Cell cell;
  for (int axis = 0; axis < 3; ++axis)
    cell[static_cast<size_t>(axis)] =
        static_cast<int64_t>(std::floor(std::ldexp(static_cast<double>(position[axis]), -level)));
  return cell;
}

uint64_t key_of(int level, const Cell& cell) {
  uint64_t key = mix64(static_cast<uint64_t>(static_cast<int64_t>(level)));
  for (const int64_t axis : cell) key = mix64(key ^ static_cast<uint64_t>(axis));
  return key;
}

int level_of(const RayPoint& point) { return static_cast<int>(std::floor(std::log2(point.spacing_m))); }

}  // namespace

std::vector<uint32_t> agreed_points(const std::vector<RayPoint>& points, int least_views) {
  std::vector<uint32_t> order(points.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return points[a].score > points[b].score; });
  // Views by cell, one bit each (beyond 64 they share bits: an agreement may then be missed). A view that is nearer or
  // farther has another spacing, so that each point stands in the grids of three levels.
  std::unordered_map<uint64_t, uint64_t> views;
  for (const RayPoint& point : points)
    for (int level = level_of(point); level < level_of(point) + 3; ++level)
      views[key_of(level, cell_of(point.position, level))] |= uint64_t{1} << (point.view % 64);
  std::unordered_set<uint64_t> taken;
  std::vector<uint32_t> agreed;
  for (const uint32_t i : order) {
    const int level = level_of(points[i]);
    if (!taken.insert(key_of(level, cell_of(points[i].position, level))).second) continue;
    uint64_t seen = 0;
    const Cell cell = cell_of(points[i].position, level + 1);
    for (int64_t dz = -1; dz <= 1; ++dz)
      for (int64_t dy = -1; dy <= 1; ++dy)
        for (int64_t dx = -1; dx <= 1; ++dx) {
          const auto found = views.find(key_of(level + 1, {cell[0] + dx, cell[1] + dy, cell[2] + dz}));
          if (found != views.end()) seen |= found->second;
        }
    if (std::popcount(seen) >= least_views) agreed.push_back(i);
  }
  return agreed;
}

}  // namespace ptl
