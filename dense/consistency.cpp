#include "dense/consistency.h"

#include <algorithm>
#include <cmath>

namespace ptl {

Opinion opinion_of(const DepthMap& other, const DepthProbe& probe, const DepthMap& map, int x, int y,
                   const ConsistencyOptions& options, bool trust_all) {
  if (!probe.inside || !(probe.found_m > 0)) return Opinion::none;
  const double found = static_cast<double>(probe.found_m);
  if (std::fabs(found - probe.depth_m) <= options.depth_share * probe.depth_m) {
    // The other's own ray, at its depth, back in this photo.
    const Vec3<double> back =
        map.camera.camera_from_world * other.camera.position_world(probe.x + 0.5, probe.y + 0.5, found);
    if (!(back.z > 0)) return Opinion::none;
    const Vec2<double> difference = map.camera.pixel(back) - Vec2<double>(x + 0.5, y + 0.5);
    // A pixel of a coarser photo covers several here.
    const double coarser = std::max(1.0, map.camera.focal_x_px / back.z / (other.camera.focal_x_px / found));
    return glm::length(difference) <= options.reprojection_px * coarser ? Opinion::agrees : Opinion::none;
  }
  if (found < probe.depth_m) return Opinion::hidden;
  if (found < probe.depth_m * (1 + options.through_share)) return Opinion::none;
  const uint8_t confirmed = other.agreeing[other.camera.index(probe.x, probe.y)];
  if (!trust_all && (confirmed == 0 || confirmed == filled_in)) return Opinion::none;
  for (int dy = -1; dy <= 1; ++dy)
    for (int dx = -1; dx <= 1; ++dx) {
      const int px = std::clamp(probe.x + dx, 0, other.camera.width_px - 1);
      const int py = std::clamp(probe.y + dy, 0, other.camera.height_px - 1);
      const double around = static_cast<double>(other.depth_m[other.camera.index(px, py)]);
      if (around > 0 && around < probe.depth_m * (1 + options.through_share)) return Opinion::none;
    }
  return Opinion::through;
}

void check_depths(DepthMap& map, const std::vector<std::shared_ptr<const DepthMap>>& others,
                  const ConsistencyOptions& options) {
  std::vector<float> kept(map.depth_m.size(), 0.0f);
#pragma omp parallel for schedule(dynamic, 8)
  for (int y = 0; y < map.camera.height_px; ++y)
    for (int x = 0; x < map.camera.width_px; ++x) {
      const size_t at = map.camera.index(x, y);
      map.agreeing[at] = 0;
      if (!(map.depth_m[at] > 0)) continue;
      const Vec3<double> position = map.camera.position_world(x + 0.5, y + 0.5, static_cast<double>(map.depth_m[at]));
      int agreeing = 0;
      for (const auto& other : others)
        agreeing += opinion_of(*other, probe_depth(*other, position), map, x, y, options, true) == Opinion::agrees;
      map.agreeing[at] = static_cast<uint8_t>(std::min(agreeing, 250));
      const int match = map.match[at];
      const int wanted = match < options.weak_match ? 3 : match < options.sure_match ? 2 : 1;
      const int needed = std::min(wanted, static_cast<int>(others.size()));  // three photos have two others each
      if (match >= options.least_match && agreeing >= std::max(1, needed))
        kept[at] = map.depth_m[at];
      else
        map.agreeing[at] = 0;
    }
  map.depth_m = std::move(kept);
}

}  // namespace ptl
