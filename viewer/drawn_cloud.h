// A cloud arranged for drawing a part of it: blocks that lie together, and in each block an order of which every
// beginning is spread over the whole block, so that any share of the points can be drawn.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/se3.h"

namespace ptl {

/// As OpenGL reads it.
struct CloudVertex {
  float x, y, z;             ///< scene coordinates
  uint8_t red, green, blue;  ///< sRGB
  uint8_t spacing_code;      ///< 0..254, spacing_of(code): distance between neighbours, scene units
};
static_assert(sizeof(CloudVertex) == 16);

struct CloudBlock {
  uint32_t first = 0, count = 0;  ///< of DrawnCloud::vertices
  uint64_t stands_for = 0;        ///< points of the cloud; more than count where only a share is held
  Vec3<float> low{0}, high{0};
};

struct DrawnCloud {
  std::vector<CloudVertex> vertices;
  std::vector<CloudBlock> blocks;
  uint64_t total = 0;           ///< points of the whole cloud
  float least_spacing = 1e-6f;  ///< spacing code 0
  Vec3<float> low{0}, high{0};  ///< around 98 % of the points on each axis: without stray ones
  float spacing_of(uint8_t code) const;
};

inline constexpr uint32_t cloud_block_points = 16384;
/// Bytes of a drawn cloud are bounded: 12 million points are 192 MB.
inline constexpr uint64_t most_drawn_points = 12'000'000;

/// positions and colours run in parallel. `in_order`: the points' blocks already follow a curve that fills space (a
/// model's do); otherwise they are sorted along one. At most `most_points` are held, the same share of every block.
DrawnCloud arrange_cloud(std::span<const Vec3<float>> positions, std::span<const std::array<uint8_t, 3>> colors,
                         bool in_order, uint64_t most_points = most_drawn_points);

/// The numbers 0 .. count − 1 in an order of which each beginning is evenly spread: bits reversed.
std::vector<uint32_t> spread_order(uint32_t count);

}  // namespace ptl
