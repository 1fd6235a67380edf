#include "dense/fuse.h"

#include <algorithm>
#include <cmath>

namespace ptl {

namespace {

struct Fused {
  Vec3<double> position{0};
  Vec3<float> normal{0};
  std::array<uint8_t, 3> color{};
  float confidence = 0;   ///< 0: not accepted
  uint32_t agreeing = 0;  ///< bits of the photo's checks
  bool through = false;
};

constexpr size_t most_checks = 32;

void keep_evenly(DenseCloud& dense, int64_t most_points) {
  const auto count = static_cast<int64_t>(dense.cloud.size());
  if (count <= most_points) return;
  DenseCloud kept;
  kept.first_seen.push_back(0);
  for (int64_t i = 0; i < count; ++i) {
    if (i * most_points / count == (i + 1) * most_points / count) continue;
    const auto at = static_cast<size_t>(i);
    kept.cloud.position.push_back(dense.cloud.position[at]);
    kept.cloud.color.push_back(dense.cloud.color[at]);
    kept.cloud.normal.push_back(dense.cloud.normal[at]);
    kept.confidence.push_back(dense.confidence[at]);
    kept.seen_by.insert(kept.seen_by.end(), dense.seen_by.begin() + static_cast<std::ptrdiff_t>(dense.first_seen[at]),
                        dense.seen_by.begin() + static_cast<std::ptrdiff_t>(dense.first_seen[at + 1]));
    kept.first_seen.push_back(kept.seen_by.size());
  }
  dense = std::move(kept);
}

/// Everything about one pixel that does not depend on the other pixels.
Fused fuse_pixel(const DepthMap& map, const std::vector<std::shared_ptr<const DepthMap>>& others, const DepthView& view,
                 const std::vector<DepthView>& other_views, int x, int y, const ConsistencyOptions& options) {
  Fused fused;
  const size_t at = map.camera.index(x, y);
  const bool filled = map.agreeing[at] == filled_in;
  const Vec3<double> own = map.camera.position_world(x + 0.5, y + 0.5, static_cast<double>(map.depth_m[at]));
  Vec3<double> sum = own, color(map.color[at][0], map.color[at][1], map.color[at][2]);
  int agreeing = 0, through = 0;
  for (size_t k = 0; k < others.size() && k < most_checks; ++k) {
    const DepthMap& other = *others[k];
    const DepthProbe probe = probe_depth(other_views[k], own);
    const Opinion opinion = opinion_of(other_views[k], probe, view, x, y, options, false);
    through += opinion == Opinion::through;
    if (opinion != Opinion::agrees) continue;
    const size_t there = other.camera.index(probe.x, probe.y);
    fused.agreeing |= 1u << k;
    if ((other.agreeing[there] == filled_in) != filled) continue;  // a plane does not pull a measured point
    ++agreeing;
    // Along this photo's ray only: the other's pixel centre lies beside it.
    sum += own * (static_cast<double>(probe.found_m) / probe.depth_m) +
           camera_centre(other.camera.camera_from_world) * (1 - static_cast<double>(probe.found_m) / probe.depth_m);
    color += Vec3<double>(other.color[there][0], other.color[there][1], other.color[there][2]);
  }
  fused.through = filled ? through > 0 : through >= 2 && through >= agreeing + 1;
  if (fused.through || (!filled && agreeing == 0)) return fused;
  fused.position = sum / (agreeing + 1.0);
  for (size_t c = 0; c < 3; ++c)
    fused.color[c] = static_cast<uint8_t>(color[static_cast<int>(c)] / (agreeing + 1) + 0.5);
  fused.normal =
      glm::normalize(glm::transpose(Mat3<float>(map.camera.camera_from_world.rotation)) * normal_at(map, x, y));
  const float match = 0.5f + 0.5f * static_cast<float>(map.match[at]) / 255.0f;
  fused.confidence =
      filled ? filled_confidence * static_cast<float>(agreeing + 1) / static_cast<float>(agreeing + 2)
             : filled_confidence + (1 - filled_confidence) * match * (1 - std::exp2(-static_cast<float>(agreeing)));
  return fused;
}

}  // namespace

DenseCloud fuse_depths(DepthMapStore& maps, const std::vector<std::vector<size_t>>& checks,
                       const std::vector<int>& images, const ConsistencyOptions& options, int64_t most_points,
                       const std::function<void(int)>& progress, FuseStatistics& statistics) {
  DenseCloud dense;
  dense.first_seen.push_back(0);
  std::vector<std::vector<bool>> used(images.size());  // a bit a pixel: represented by a point already
  for (size_t place = 0; place < images.size(); ++place) {
    progress(static_cast<int>(place));
    const auto map = maps.get(place);
    std::vector<std::shared_ptr<const DepthMap>> others;
    std::vector<DepthView> views;
    for (const size_t check : checks[place]) views.emplace_back(*others.emplace_back(maps.get(check)));
    const DepthView view(*map);
    const int width = map->camera.width_px, height = map->camera.height_px;
    if (used[place].empty()) used[place].resize(map->camera.pixel_count());
    std::vector<Fused> fused(map->camera.pixel_count());
#pragma omp parallel for schedule(dynamic, 8)
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const size_t at = map->camera.index(x, y);
        if (map->depth_m[at] > 0 && !used[place][at]) fused[at] = fuse_pixel(*map, others, view, views, x, y, options);
      }
    for (size_t at = 0; at < fused.size(); ++at) {
      const Fused& point = fused[at];
      statistics.seen_through += point.through;
      if (map->depth_m[at] > 0 && used[place][at]) ++statistics.absorbed;
      if (!(point.confidence > 0)) continue;
      ++statistics.accepted;
      statistics.filled += map->agreeing[at] == filled_in;
      dense.cloud.position.emplace_back(point.position);
      dense.cloud.normal.push_back(point.normal);
      dense.cloud.color.push_back(point.color);
      dense.confidence.push_back(point.confidence);
      dense.seen_by.push_back(static_cast<uint32_t>(images[place]));
      for (size_t k = 0; k < others.size() && k < most_checks; ++k) {
        if ((point.agreeing >> k & 1u) == 0) continue;
        dense.seen_by.push_back(static_cast<uint32_t>(images[checks[place][k]]));
        const DepthProbe probe = probe_depth(views[k], point.position);
        std::vector<bool>& there = used[checks[place][k]];
        if (there.empty()) there.resize(others[k]->camera.pixel_count());
        if (probe.inside) there[others[k]->camera.index(probe.x, probe.y)] = true;
      }
      dense.first_seen.push_back(dense.seen_by.size());
    }
  }
  keep_evenly(dense, most_points);
  return dense;
}

}  // namespace ptl
