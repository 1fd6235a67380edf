#include "datasets/prepare_morton.h"

#include <algorithm>

namespace ptl {

namespace {

constexpr int bits = 21;

/// The low 21 bits of x, each followed by two zeros.
uint64_t spread(uint64_t x) {
  x &= 0x1fffff;
  x = (x | x << 32) & 0x1f00000000ffffull;
  x = (x | x << 16) & 0x1f0000ff0000ffull;
  x = (x | x << 8) & 0x100f00f00f00f00full;
  x = (x | x << 4) & 0x10c30c30c30c30c3ull;
  return (x | x << 2) & 0x1249249249249249ull;
}

}  // namespace

std::vector<uint32_t> prepare_morton_order(const std::vector<Vec3<float>>& points) {
  if (points.empty()) return {};
  Vec3<float> low = points[0], high = points[0];
  for (const Vec3<float>& point : points) {
    low = glm::min(low, point);
    high = glm::max(high, point);
  }
  const Vec3<double> size = Vec3<double>(high) - Vec3<double>(low);
  const double side = std::max({size.x, size.y, size.z});
  const double scale = side > 0 ? static_cast<double>((1 << bits) - 1) / side : 0;
  std::vector<std::pair<uint64_t, uint32_t>> keyed(points.size());
  for (size_t i = 0; i < points.size(); ++i) {
    const Vec3<double> cell = (Vec3<double>(points[i]) - Vec3<double>(low)) * scale;
    const auto code = spread(static_cast<uint64_t>(cell.x)) | spread(static_cast<uint64_t>(cell.y)) << 1 |
                      spread(static_cast<uint64_t>(cell.z)) << 2;
    keyed[i] = {code, static_cast<uint32_t>(i)};
  }
  std::sort(keyed.begin(), keyed.end());
  std::vector<uint32_t> order(points.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = keyed[i].second;
  return order;
}

}  // namespace ptl
