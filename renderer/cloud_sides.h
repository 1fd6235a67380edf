// A cloud as seen from three sides, for a run's report. No torch.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "datasets/image.h"
#include "datasets/scene_info.h"

namespace ptl {

/// Three parallel projections beside each other, along the x, y and z axis of the scene, each point a pixel, the nearest in
/// front, at one scale. `box` with a quarter of its size added on each side fills the pictures; points beyond it are left
/// out. Each picture is `side_px` squared. `color`: sRGB, one for each position.
Image cloud_sides(const std::vector<Vec3<float>>& position, const std::vector<std::array<uint8_t, 3>>& color,
                  const ExtentBox& box, int side_px = 360);

}  // namespace ptl
