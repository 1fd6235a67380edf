// Morton order of a cloud, for the preparation.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/se3.h"

namespace ptl {

/// Indices of the points along the Z-curve through the cube around them (21 bits an axis, x the lowest bit of each
/// triple); points of one cell keep their order.
std::vector<uint32_t> prepare_morton_order(const std::vector<Vec3<float>>& points);

}  // namespace ptl
