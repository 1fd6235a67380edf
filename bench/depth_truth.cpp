#include "bench/depth_truth.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "datasets/scene_info.h"

namespace ptl {

using synthetic::Float3;
using synthetic::Hit;
using synthetic::Ray;

namespace {

constexpr double right_share = 0.01;
constexpr int texture_radius = 2;  ///< as the matching's window

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

/// What a pixel truly shows.
struct Place {
  size_t photo = 0, pixel = 0;
  Vec3<double> position{0};
  double depth_m = 0, slant_deg = 0, texture = 0;
  int seen = 0;  ///< photos that see it
};

/// Nothing where the pixel shows the sky or is not valid. `cameras`: the photos' in the truth's coordinates.
std::optional<Place> place_of(const synthetic::Tracer& tracer, const std::vector<JudgedDepths>& photos,
                              const std::vector<StereoCamera>& cameras, size_t photo, int x, int y) {
  const StereoCamera& camera = cameras[photo];
  Place place{.photo = photo, .pixel = camera.index(x, y)};
  if (!photos[photo].view->valid[place.pixel]) return std::nullopt;
  const Vec3<double> centre = camera_centre(camera.camera_from_world);
  const Vec3<double> direction = camera.position_world(x + 0.5, y + 0.5, 1.0) - centre;
  const Ray ray{Float3(centre), Float3(glm::normalize(direction))};
  const Hit hit = tracer.closest(ray);
  if (hit.primitive < 0) return std::nullopt;
  place.position = centre + Vec3<double>(ray.direction) * static_cast<double>(hit.distance);
  for (const StereoCamera& other : cameras) {
    const Vec3<double> there = other.camera_from_world * place.position;
    if (!(there.z > 0) || !other.contains(other.pixel(there))) continue;
    const Vec3<double> from = camera_centre(other.camera_from_world);
    const double distance = glm::length(place.position - from);
    place.seen += !tracer.blocked({Float3(from), Float3((place.position - from) / distance)},
                                  static_cast<float>(distance * (1 - 1e-4) - 2e-3));
  }
  const double cosine = std::fabs(static_cast<double>(glm::dot(tracer.surface(ray, hit).normal, ray.direction)));
  place.slant_deg = std::acos(std::min(1.0, cosine)) * 180 / 3.14159265358979323846;
  place.depth_m = static_cast<double>(hit.distance) / glm::length(direction);
  place.texture = texture_at(*photos[photo].view, x, y);
  return place;
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
  std::vector<Place> places;
  std::vector<Vec3<float>> positions;
  for (size_t i = 0; i < photos.size(); ++i)
    for (int y = pixel_step / 2; y < cameras[i].height_px; y += pixel_step)
      for (int x = pixel_step / 2; x < cameras[i].width_px; x += pixel_step)
        if (const auto place = place_of(tracer, photos, cameras, i, x, y)) {
          places.push_back(*place);
          positions.emplace_back(place->position);
        }
  const ExtentBox box = extent_box(positions);
  for (size_t k = 0; k < places.size(); ++k) {
    const Place& place = places[k];
    if (place.seen < 3 || !box.contains(positions[k])) continue;
    const JudgedDepths& photo = photos[place.photo];
    const auto error = [&](const std::vector<float>& depth) {
      return std::fabs(static_cast<double>(depth[place.pixel]) / place.depth_m - 1);
    };
    for (const size_t which : {size_t{0}, 1 + class_of(place.slant_deg, slant_ends),
                               2 + slant_ends.size() + class_of(place.texture, texture_ends)}) {
      DepthScore& score = scores[which];
      ++score.pixels;
      score.raw_right += error(*photo.raw) <= right_share;
      if (!((*photo.kept)[place.pixel] > 0)) continue;
      ++score.kept;
      if (error(*photo.kept) > right_share) continue;
      ++score.kept_right;
      errors[which].push_back(error(*photo.kept));
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
