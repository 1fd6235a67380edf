#include "renderer/cloud_sides.h"

#include <algorithm>
#include <limits>

namespace ptl {

Image cloud_sides(const std::vector<Vec3<float>>& position, const std::vector<std::array<uint8_t, 3>>& color,
                  const ExtentBox& box, int side_px) {
  constexpr float margin = 0.25f, ground = 0.12f;
  const Vec3<float> size = box.high - box.low, middle = 0.5f * (box.low + box.high);
  const ExtentBox shown{box.low - margin * size, box.high + margin * size};
  const float widest = (1 + 2 * margin) * std::max({size.x, size.y, size.z, 1e-30f});
  const float scale = static_cast<float>(side_px) / widest;
  Image picture(3 * side_px, side_px, 3, ground);
  std::vector<float> nearest(static_cast<size_t>(picture.width) * static_cast<size_t>(side_px),
                             std::numeric_limits<float>::infinity());
  for (size_t i = 0; i < position.size(); ++i) {
    if (!shown.contains(position[i])) continue;
    for (int axis = 0; axis < 3; ++axis) {
      const int right = (axis + 1) % 3, down = (axis + 2) % 3;
      const auto place = [&](int along) {
        return std::clamp(static_cast<int>((position[i][along] - middle[along]) * scale) + side_px / 2, 0, side_px - 1);
      };
      const int x = axis * side_px + place(right), y = place(down);
      float& front = nearest[static_cast<size_t>(y) * static_cast<size_t>(picture.width) + static_cast<size_t>(x)];
      if (position[i][axis] >= front) continue;
      front = position[i][axis];
      for (int c = 0; c < 3; ++c) picture.at(x, y, c) = static_cast<float>(color[i][static_cast<size_t>(c)]) / 255.0f;
    }
  }
  return picture;
}

}  // namespace ptl
