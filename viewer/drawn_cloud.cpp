#include "viewer/drawn_cloud.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "datasets/prepare.h"
#include "datasets/prepare_morton.h"

namespace ptl {

namespace {

// Spacings as powers: 255 steps over five decades.
constexpr float spacing_step = 0.045f;                   // of ln
constexpr uint32_t spacing_run = 64, spacing_part = 16;  // points that lie together

/// Distance between neighbours of points on a surface that fill the two longer sides of their box.
float spacing_of_box(const Vec3<float>& low, const Vec3<float>& high, uint32_t points) {
  std::array<float, 3> side = {high.x - low.x, high.y - low.y, high.z - low.z};
  std::sort(side.begin(), side.end());
  return std::sqrt(std::max(side[1], side[2] / 8) * side[2]) /
         std::max(1.0f, std::sqrt(static_cast<float>(points)) - 1);
}

/// Blocks that follow the curve already, but not the points within each (datasets/prepare.h).
std::vector<uint32_t> order_within_blocks(std::span<const Vec3<float>> positions) {
  std::vector<uint32_t> curve;
  curve.reserve(positions.size());
  for (size_t first = 0; first < positions.size(); first += prepared_block_size) {
    const auto block = positions.subspan(first, std::min<size_t>(prepared_block_size, positions.size() - first));
    for (const uint32_t i : prepare_morton_order({block.begin(), block.end()}))
      curve.push_back(static_cast<uint32_t>(first) + i);
  }
  return curve;
}

void bound(std::span<const Vec3<float>> positions, DrawnCloud& cloud) {
  // A sample says enough; its order does not matter.
  const size_t stride = std::max<size_t>(1, positions.size() / 200000);
  for (int axis = 0; axis < 3; ++axis) {
    std::vector<float> values;
    for (size_t i = 0; i < positions.size(); i += stride) values.push_back(positions[i][axis]);
    const size_t cut = values.size() / 100;
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(cut), values.end());
    cloud.low[axis] = values[cut];
    const size_t top = values.size() - 1 - cut;
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(top), values.end());
    cloud.high[axis] = values[top];
  }
}

}  // namespace

float DrawnCloud::spacing_of(uint8_t code) const {
  return least_spacing * std::exp(spacing_step * code);
}

std::vector<uint32_t> spread_order(uint32_t count) {
  std::vector<uint32_t> order;
  order.reserve(count);
  const int bits = count > 1 ? std::bit_width(count - 1) : 0;
  for (uint32_t i = 0; i < (1u << bits); ++i) {
    uint32_t reversed = 0;
    for (int bit = 0; bit < bits; ++bit) reversed |= ((i >> bit) & 1u) << (bits - 1 - bit);
    if (reversed < count) order.push_back(reversed);
  }
  return order;
}

DrawnCloud arrange_cloud(std::span<const Vec3<float>> positions, std::span<const std::array<uint8_t, 3>> colors,
                         bool in_order, uint64_t most_points) {
  DrawnCloud cloud;
  cloud.total = positions.size();
  if (positions.empty()) return cloud;
  const std::vector<uint32_t> curve =
      in_order ? order_within_blocks(positions) : prepare_morton_order({positions.begin(), positions.end()});
  const auto on_curve = [&](size_t i) { return curve[i]; };
  bound(positions, cloud);
  const Vec3<float> extent = cloud.high - cloud.low;
  cloud.least_spacing = std::max(1e-9f, std::max({extent.x, extent.y, extent.z}) * 1e-6f);
  const double share = std::min(1.0, static_cast<double>(most_points) / static_cast<double>(positions.size()));

  for (size_t first = 0; first < positions.size(); first += cloud_block_points) {
    const auto count = static_cast<uint32_t>(std::min<size_t>(cloud_block_points, positions.size() - first));
    CloudBlock block;
    block.first = static_cast<uint32_t>(cloud.vertices.size());
    block.stands_for = count;
    block.low = block.high = positions[on_curve(first)];
    std::vector<uint8_t> spacing_code(count);
    for (uint32_t run = 0; run < count; run += spacing_run) {
      // The curve jumps now and then: where it does, a box says too much. The second smallest of four does not see it.
      std::vector<float> spacings;
      const uint32_t end = std::min(run + spacing_run, count);
      for (uint32_t part = run; part < end; part += spacing_part) {
        const uint32_t part_end = std::min(part + spacing_part, end);
        Vec3<float> low = positions[on_curve(first + part)], high = low;
        for (uint32_t i = part; i < part_end; ++i) {
          low = glm::min(low, positions[on_curve(first + i)]);
          high = glm::max(high, positions[on_curve(first + i)]);
        }
        spacings.push_back(spacing_of_box(low, high, part_end - part));
        block.low = glm::min(block.low, low);
        block.high = glm::max(block.high, high);
      }
      std::sort(spacings.begin(), spacings.end());
      const float spacing = spacings[std::min<size_t>(1, spacings.size() - 1)];
      const float code = std::log(std::max(spacing / cloud.least_spacing, 1.0f)) / spacing_step;
      std::fill(spacing_code.begin() + run, spacing_code.begin() + end,
                static_cast<uint8_t>(std::clamp(code, 0.0f, 254.0f)));
    }
    const auto kept = static_cast<uint32_t>(std::ceil(share * count));
    const std::vector<uint32_t> order = spread_order(count);
    for (uint32_t i = 0; i < kept; ++i) {
      const size_t point = on_curve(first + order[i]);
      const Vec3<float>& p = positions[point];
      const std::array<uint8_t, 3>& color = colors[point];
      cloud.vertices.push_back({p.x, p.y, p.z, color[0], color[1], color[2], spacing_code[order[i]]});
    }
    block.count = kept;
    cloud.blocks.push_back(block);
  }
  return cloud;
}

}  // namespace ptl
