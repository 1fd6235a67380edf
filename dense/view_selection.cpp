#include "dense/view_selection.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "datasets/error.h"
#include "dense/stereo_view.h"

namespace ptl {

namespace {

struct SeenPoint {
  size_t point = 0;    ///< index into the positions
  double depth_m = 0;  ///< in the photo that sees it
};

constexpr size_t enough_tracked = 20;  ///< points of a photo below which its tracks are not believed
constexpr size_t cloud_sample = 6000;  ///< points of the cloud that stand for shared ones

/// Points and who sees them: lists by photo (place in `photos`), in order of the points.
struct Sightings {
  std::vector<Vec3<double>> positions;
  std::vector<std::vector<SeenPoint>> by_photo;
};

Sightings tracked_points(const Scene& scene, const std::vector<int>& photos, bool strict_split) {
  Sightings sightings;
  sightings.by_photo.resize(photos.size());
  std::unordered_map<uint32_t, size_t> place;
  for (size_t i = 0; i < photos.size(); ++i) place[scene.images[static_cast<size_t>(photos[i])].id] = i;
  for (const SparsePoint& point : scene.sparse_points) {
    std::vector<size_t> seen;
    for (const auto& [image, observation] : point.track)
      if (const auto found = place.find(image); found != place.end()) seen.push_back(found->second);
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    if (seen.empty() || (strict_split && seen.size() < 2)) continue;
    for (const size_t photo : seen) {
      const SceneImage& image = scene.images[static_cast<size_t>(photos[photo])];
      const double depth = project(scene.camera_of(image).params, image.camera_from_world * point.position).depth_m;
      if (depth > 0) sightings.by_photo[photo].push_back({sightings.positions.size(), depth});
    }
    sightings.positions.push_back(point.position);
  }
  return sightings;
}

/// Every point of a sample of the cloud, as if nothing hid it.
Sightings projected_points(const Scene& scene, const std::vector<int>& photos) {
  Sightings sightings;
  sightings.by_photo.resize(photos.size());
  const size_t count = scene.cloud.size(), kept = std::min(count, cloud_sample);
  for (size_t k = 0; k < kept; ++k) sightings.positions.emplace_back(scene.cloud.position[k * count / kept]);
  for (size_t i = 0; i < photos.size(); ++i) {
    const SceneImage& image = scene.images[static_cast<size_t>(photos[i])];
    const CameraParams<double>& camera = scene.camera_of(image).params;
    for (size_t k = 0; k < kept; ++k) {
      const Projection<double> p = project(camera, image.camera_from_world * sightings.positions[k]);
      if (p.valid && p.x_px >= 0 && p.y_px >= 0 && p.x_px < camera.width_px && p.y_px < camera.height_px)
        sightings.by_photo[i].push_back({k, p.depth_m});
    }
  }
  return sightings;
}

struct Pair {
  size_t other = 0;
  double score = 0;
  Vec3<double> baseline{0};  ///< unit, towards the other camera
};

/// Greedy: the best pair first, then each one reduced by how much it looks from the side of those taken already.
std::vector<int> pick(std::vector<Pair> pairs, int wanted, const std::vector<int>& photos) {
  std::vector<int> picked;
  std::vector<double> worth(pairs.size());
  for (size_t i = 0; i < pairs.size(); ++i) worth[i] = pairs[i].score;
  while (static_cast<int>(picked.size()) < wanted) {
    const auto best = std::max_element(worth.begin(), worth.end());
    if (best == worth.end() || *best <= 0) break;
    const Pair& taken = pairs[static_cast<size_t>(best - worth.begin())];
    picked.push_back(photos[taken.other]);
    *best = 0;
    for (size_t i = 0; i < pairs.size(); ++i)
      if (glm::dot(pairs[i].baseline, taken.baseline) > 0.8) worth[i] *= 0.7;
  }
  return picked;
}

double quantile(std::vector<double>& values, double share) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

/// Depths when nothing is known about the scene: from the distance to the cameras that are nearest.
void depths_from_cameras(const std::vector<Vec3<double>>& centres, size_t photo, ViewPlan& plan) {
  std::vector<double> distances;
  for (size_t k = 0; k < centres.size(); ++k)
    if (k != photo && glm::length(centres[k] - centres[photo]) > 0)
      distances.push_back(glm::length(centres[k] - centres[photo]));
  std::sort(distances.begin(), distances.end());
  const double step = distances[std::min<size_t>(2, distances.size() - 1)];
  plan.near_m = 2 * step;
  plan.far_m = 100 * step;
}

/// Pairs by the cameras alone: half a turn of the head is too much, no step at all too little.
double camera_pair_score(const Scene& scene, int a, int b, double distance, double typical_distance) {
  const Mat3<double>&ra = scene.images[static_cast<size_t>(a)].camera_from_world.rotation,
        &rb = scene.images[static_cast<size_t>(b)].camera_from_world.rotation;
  const double cosine = ra[0].z * rb[0].z + ra[1].z * rb[1].z + ra[2].z * rb[2].z;
  if (cosine < 0.7 || distance <= 0) return 0;
  const double ratio = distance / typical_distance;
  return cosine * ratio / (1 + ratio * ratio);
}

}  // namespace

double angle_weight(double angle_deg) {
  if (angle_deg < 5) return angle_deg * angle_deg / 25;
  if (angle_deg <= 15) return 1;
  const double beyond = (angle_deg - 15) / 12;
  return std::exp(-0.5 * beyond * beyond);
}

std::vector<ViewPlan> select_views(const Scene& scene, const std::vector<int>& photos,
                                   const ViewSelectionOptions& options) {
  if (photos.size() < 2)
    throw InputError(
        "{}: dense points need at least two photos, found {}; add photos, or use the held-out ones too with "
        "--all-photos",
        scene.folder.string(), photos.size());
  std::vector<Vec3<double>> centres;
  for (const int photo : photos)
    centres.push_back(camera_centre(scene.images[static_cast<size_t>(photo)].camera_from_world));
  double widest = 0;
  for (const Vec3<double>& centre : centres) widest = std::max(widest, glm::length(centre - centres[0]));
  if (!(widest > 1e-9 * (1 + glm::length(centres[0]))))
    throw InputError("{}: all {} photos were taken from one place; depth needs photos from different places",
                     scene.folder.string(), photos.size());

  Sightings sightings = tracked_points(scene, photos, options.strict_split);
  size_t well_tracked = 0;
  for (const auto& seen : sightings.by_photo) well_tracked += seen.size() >= enough_tracked;
  const bool tracks = well_tracked >= 2;
  if (!tracks) sightings = projected_points(scene, photos);
  const bool points = !sightings.positions.empty();
  std::vector<double> nearest(photos.size(), 1e300);
  for (size_t i = 0; i < photos.size(); ++i)
    for (size_t k = 0; k < photos.size(); ++k)
      if (const double d = glm::length(centres[i] - centres[k]); k != i && d > 0) nearest[i] = std::min(nearest[i], d);

  std::vector<ViewPlan> plans(photos.size());
  size_t connected = 0;
  std::vector<double> seen_depth(sightings.positions.size());
  for (size_t i = 0; i < photos.size(); ++i) {
    ViewPlan& plan = plans[i];
    plan.image = photos[i];
    std::fill(seen_depth.begin(), seen_depth.end(), 0.0);
    for (const SeenPoint& seen : sightings.by_photo[i]) seen_depth[seen.point] = seen.depth_m;
    std::vector<Pair> pairs;
    for (size_t k = 0; k < photos.size(); ++k) {
      const Vec3<double> baseline = centres[k] - centres[i];
      const double distance = glm::length(baseline);
      if (k == i || distance <= 0) continue;
      Pair pair{k, 0, baseline / distance};
      for (const SeenPoint& seen : sightings.by_photo[k]) {
        const double depth = seen_depth[seen.point];
        if (depth <= 0) continue;
        const Vec3<double>& x = sightings.positions[seen.point];
        const double cosine = glm::dot(glm::normalize(x - centres[i]), glm::normalize(x - centres[k]));
        const double angle = std::acos(std::clamp(cosine, -1.0, 1.0)) * 180 / 3.14159265358979323846;
        const double scale = std::min(depth, seen.depth_m) / std::max(depth, seen.depth_m);
        pair.score += angle_weight(angle) * scale * scale;
      }
      if (!points) pair.score = camera_pair_score(scene, photos[i], photos[k], distance, 2 * nearest[i]);
      pairs.push_back(pair);
    }
    plan.sources = pick(pairs, options.sources, photos);
    plan.checks = plan.sources;
    for (const int photo : pick(pairs, options.checks + options.sources, photos))
      if (static_cast<int>(plan.checks.size()) < options.checks &&
          std::find(plan.checks.begin(), plan.checks.end(), photo) == plan.checks.end())
        plan.checks.push_back(photo);
    connected += !plan.sources.empty();
    std::vector<double> depths;
    for (const SeenPoint& seen : sightings.by_photo[i]) depths.push_back(seen.depth_m);
    if (depths.size() >= 5) {
      plan.near_m = quantile(depths, 0.01) * 0.65;
      plan.far_m = quantile(depths, 0.99) * 1.5;
    } else if (!points) {
      depths_from_cameras(centres, i, plan);
    } else {
      plan.sources.clear();  // sees nothing that is known
    }
  }
  if (connected == 0)
    throw InputError(
        "{}: no two of the {} photos see the same sparse points under an angle that gives depth; are the poses "
        "of one model, and do the photos overlap?",
        scene.folder.string(), photos.size());
  return plans;
}

}  // namespace ptl
