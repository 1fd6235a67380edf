#include "bench/depth_truth.h"

#include <algorithm>
#include <cmath>

namespace ptl {

using synthetic::Float3;
using synthetic::Hit;
using synthetic::Ray;

namespace {

constexpr double right_share = 0.01;
constexpr int texture_radius = 2;  ///< the plane sweep's window

/// Standard deviation of luminance around a pixel.
double texture_at(const StereoView& view, int x, int y) {
  double sum = 0, square = 0, count = 0;
  for (int dy = -texture_radius; dy <= texture_radius; ++dy)
    for (int dx = -texture_radius; dx <= texture_radius; ++dx) {
      if (x + dx < 0 || y + dy < 0 || x + dx >= view.camera.width_px || y + dy >= view.camera.height_px) continue;
      const double value = static_cast<double>(view.luminance[view.camera.index(x + dx, y + dy)]);
      sum += value, square += value * value, count += 1;
    }
  return std::sqrt(std::max(0.0, square / count - sum * sum / (count * count)));
}

/// The class of a value among those that end at `ends`.
size_t class_of(double value, const std::vector<double>& ends) {
  return static_cast<size_t>(std::upper_bound(ends.begin(), ends.end(), value) - ends.begin());
}

}  // namespace

std::vector<DepthScore> score_depths(const synthetic::Tracer& tracer, const std::vector<JudgedDepths>& photos,
                                     const Vec3<double>& origin_world, int pixel_step) {
  const std::vector<double> slant_ends{45, 60, 75}, texture_ends{1.5, 4, 12};
  std::vector<DepthScore> scores;
  for (const char* name :
       {"all", "slant below 45 deg", "slant 45 to 60 deg", "slant 60 to 75 deg", "slant above 75 deg",
        "deviation below 1.5", "deviation 1.5 to 4", "deviation 4 to 12", "deviation above 12"})
    scores.push_back({.name = name});
  std::vector<std::vector<double>> errors(scores.size());
  std::vector<StereoCamera> cameras;  // in the truth's coordinates
  for (const JudgedDepths& photo : photos) {
    StereoCamera& camera = cameras.emplace_back(photo.view->camera);
    camera.camera_from_world.translation -= camera.camera_from_world.rotation * origin_world;
  }
  for (size_t i = 0; i < photos.size(); ++i) {
    const StereoCamera& camera = cameras[i];
    const Vec3<double> centre = camera_centre(camera.camera_from_world);
    for (int y = pixel_step / 2; y < camera.height_px; y += pixel_step)
      for (int x = pixel_step / 2; x < camera.width_px; x += pixel_step) {
        const size_t at = camera.index(x, y);
        if (!photos[i].view->valid[at]) continue;
        const Vec3<double> direction = camera.position_world(x + 0.5, y + 0.5, 1.0) - centre;
        const Ray ray{Float3(centre), Float3(glm::normalize(direction))};
        const Hit hit = tracer.closest(ray);
        if (hit.primitive < 0) continue;
        const Vec3<double> position = centre + Vec3<double>(ray.direction) * static_cast<double>(hit.distance);
        int seen = 0;
        for (const StereoCamera& other : cameras) {
          const Vec3<double> there = other.camera_from_world * position;
          if (!(there.z > 0) || !other.contains(other.pixel(there))) continue;
          const Vec3<double> from = camera_centre(other.camera_from_world);
          const double distance = glm::length(position - from);
          seen += !tracer.blocked({Float3(from), Float3((position - from) / distance)},
                                  static_cast<float>(distance * (1 - 1e-4) - 2e-3));
        }
        if (seen < 3) continue;
        const double cosine = std::fabs(static_cast<double>(glm::dot(tracer.surface(ray, hit).normal, ray.direction)));
        const double slant = std::acos(std::min(1.0, cosine)) * 180 / 3.14159265358979323846;
        const double truth = static_cast<double>(hit.distance) / glm::length(direction);
        const auto error = [&](const std::vector<float>& depth) {
          return std::fabs(static_cast<double>(depth[at]) / truth - 1);
        };
        for (const size_t which : {size_t{0}, 1 + class_of(slant, slant_ends),
                                   2 + slant_ends.size() + class_of(texture_at(*photos[i].view, x, y), texture_ends)}) {
          DepthScore& score = scores[which];
          ++score.pixels;
          score.raw_right += error(*photos[i].raw) <= right_share;
          if (!((*photos[i].kept)[at] > 0)) continue;
          ++score.kept;
          if (error(*photos[i].kept) > right_share) continue;
          ++score.kept_right;
          errors[which].push_back(error(*photos[i].kept));
        }
      }
  }
  for (size_t which = 0; which < scores.size(); ++which) {
    std::vector<double>& e = errors[which];
    if (e.empty()) continue;
    const auto middle = e.begin() + static_cast<std::ptrdiff_t>(e.size() / 2);
    std::nth_element(e.begin(), middle, e.end());
    scores[which].median_error = *middle;
  }
  return scores;
}

}  // namespace ptl
