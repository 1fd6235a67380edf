#include "dense/speckles.h"

#include <cmath>
#include <vector>

namespace ptl {

int64_t remove_speckles(DepthMap& map, const SpeckleOptions& options) {
  const int width = map.camera.width_px, height = map.camera.height_px;
  std::vector<uint8_t> seen(map.depth_m.size(), 0);
  std::vector<size_t> patch;
  int64_t removed = 0;
  for (size_t first = 0; first < map.depth_m.size(); ++first) {
    if (seen[first] || !(map.depth_m[first] > 0)) continue;
    patch.assign(1, first);
    seen[first] = 1;
    for (size_t next = 0; next < patch.size(); ++next) {
      const size_t at = patch[next];
      const int x = static_cast<int>(at % static_cast<size_t>(width)), y = static_cast<int>(at / static_cast<size_t>(width));
      const auto visit = [&](int nx, int ny) {
        if (nx < 0 || nx >= width || ny < 0 || ny >= height) return;
        const size_t there = map.camera.index(nx, ny);
        if (seen[there] || !(map.depth_m[there] > 0)) return;
        const double depth = static_cast<double>(map.depth_m[at]);
        if (std::fabs(static_cast<double>(map.depth_m[there]) - depth) > options.depth_share * depth) return;
        seen[there] = 1;
        patch.push_back(there);
      };
      visit(x - 1, y), visit(x + 1, y), visit(x, y - 1), visit(x, y + 1);
    }
    if (static_cast<int>(patch.size()) >= options.least_pixels) continue;
    for (const size_t at : patch) map.depth_m[at] = 0, map.agreeing[at] = 0;
    removed += static_cast<int64_t>(patch.size());
  }
  return removed;
}

}  // namespace ptl
