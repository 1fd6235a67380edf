#include "doctor/sightings.h"

#include <algorithm>
#include <unordered_map>

#include "kernels/camera.h"

namespace ptl::doctor {

namespace {

constexpr size_t cloud_sample = 30000;  // points of the cloud that stand for all, where there are no tracks
constexpr int hiding_cells = 96;        // on a photo's longer side: what is nearer in a cell hides what is behind
constexpr float hiding_ratio = 1.08f;   // of depths

/// The projection in shares of width and height.
void project_sighting(const CameraParams<double>& camera, const Pose<double>& pose, const Vec3<double>& position,
                      Sighting& sighting) {
  const Projection<double> p = project(camera, pose * position);
  sighting.projected = p.valid;
  if (!p.valid) return;
  sighting.x = static_cast<float>(p.x_px / camera.width_px);
  sighting.y = static_cast<float>(p.y_px / camera.height_px);
  sighting.depth_m = static_cast<float>(p.depth_m);
}

size_t triangulated(const SceneImage& image) {
  return static_cast<size_t>(std::count_if(image.observations.begin(), image.observations.end(),
                                           [](const Observation& o) { return o.point_id != UINT64_MAX; }));
}

bool has_tracks(const Scene& scene) {
  std::vector<size_t> counts;
  for (const SceneImage& image : scene.images) counts.push_back(triangulated(image));
  const auto middle = counts.begin() + static_cast<std::ptrdiff_t>(counts.size() / 2);
  std::nth_element(counts.begin(), middle, counts.end());
  return *middle >= least_tracked;
}

void tracked_sightings(const Scene& scene, Sightings& sightings) {
  std::unordered_map<uint64_t, uint32_t> place;
  for (const SparsePoint& point : scene.sparse_points) {
    place[point.id] = static_cast<uint32_t>(sightings.position.size());
    sightings.position.push_back(point.position);
    sightings.color.push_back(point.color);
  }
  const auto count = static_cast<int64_t>(scene.images.size());
#pragma omp parallel for schedule(dynamic, 1)
  for (int64_t i = 0; i < count; ++i) {
    const SceneImage& image = scene.images[static_cast<size_t>(i)];
    const SceneCamera& camera = scene.camera_of(image);
    std::vector<Sighting>& list = sightings.by_image[static_cast<size_t>(i)];
    for (const Observation& observation : image.observations) {
      const auto found = place.find(observation.point_id);
      if (found == place.end()) continue;
      Sighting sighting;
      sighting.point = found->second;
      sighting.seen_x = static_cast<float>(observation.x_px / camera.stored_width_px);
      sighting.seen_y = static_cast<float>(observation.y_px / camera.stored_height_px);
      project_sighting(camera.params, image.camera_from_world, sightings.position[sighting.point], sighting);
      list.push_back(sighting);
    }
    std::stable_sort(list.begin(), list.end(), [](const Sighting& a, const Sighting& b) { return a.point < b.point; });
    list.erase(
        std::unique(list.begin(), list.end(), [](const Sighting& a, const Sighting& b) { return a.point == b.point; }),
        list.end());
  }
}

void projected_sightings(const Scene& scene, Sightings& sightings) {
  const size_t size = scene.cloud.size(), kept = std::min(size, cloud_sample);
  for (size_t k = 0; k < kept; ++k) {
    sightings.position.emplace_back(scene.cloud.position[k * size / kept]);
    sightings.color.push_back(scene.cloud.color[k * size / kept]);
  }
  const auto count = static_cast<int64_t>(scene.images.size());
#pragma omp parallel for schedule(dynamic, 1)
  for (int64_t i = 0; i < count; ++i) {
    const SceneImage& image = scene.images[static_cast<size_t>(i)];
    const CameraParams<double>& camera = scene.camera_of(image).params;
    const double longest = std::max(camera.width_px, camera.height_px);
    const int columns = std::max(1, static_cast<int>(hiding_cells * camera.width_px / longest));
    const int rows = std::max(1, static_cast<int>(hiding_cells * camera.height_px / longest));
    std::vector<float> nearest(static_cast<size_t>(columns * rows), INFINITY);
    const auto cell = [&](const Sighting& s) {
      return static_cast<size_t>(static_cast<int>(s.y * static_cast<float>(rows)) * columns +
                                 static_cast<int>(s.x * static_cast<float>(columns)));
    };
    std::vector<Sighting> all;
    for (size_t k = 0; k < kept; ++k) {
      Sighting s;
      s.point = static_cast<uint32_t>(k);
      project_sighting(camera, image.camera_from_world, sightings.position[k], s);
      if (!s.projected || !(s.x >= 0 && s.x < 1 && s.y >= 0 && s.y < 1)) continue;
      s.seen_x = s.x, s.seen_y = s.y;
      nearest[cell(s)] = std::min(nearest[cell(s)], s.depth_m);
      all.push_back(s);
    }
    for (const Sighting& s : all)
      if (s.depth_m <= hiding_ratio * nearest[cell(s)]) sightings.by_image[static_cast<size_t>(i)].push_back(s);
  }
}

}  // namespace

bool colors_differ(const std::vector<std::array<uint8_t, 3>>& colors) {
  return std::any_of(colors.begin(), colors.end(), [&](const auto& color) { return color != colors.front(); });
}

Sightings find_sightings(const Scene& scene) {
  Sightings sightings;
  sightings.tracked = has_tracks(scene);
  sightings.by_image.resize(scene.images.size());
  if (sightings.tracked)
    tracked_sightings(scene, sightings);
  else
    projected_sightings(scene, sightings);
  sightings.has_color = colors_differ(sightings.color);
  sightings.by_point.resize(sightings.position.size());
  for (size_t i = 0; i < sightings.by_image.size(); ++i)
    for (size_t k = 0; k < sightings.by_image[i].size(); ++k)
      sightings.by_point[sightings.by_image[i][k].point].push_back({static_cast<int>(i), static_cast<uint32_t>(k)});
  return sightings;
}

}  // namespace ptl::doctor
