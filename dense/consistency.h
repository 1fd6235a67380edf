// What other photos say about a photo's depths: how many agree, and how many look straight through.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "dense/depth_map.h"
#include "kernels/device.h"

namespace ptl {

struct ConsistencyOptions {
  double depth_share = 0.0065;   ///< depths agree within this share
  double reprojection_px = 1.2;  ///< and come back to the pixel within this
  double through_share = 0.02;   ///< a photo looks through a point when it sees this much deeper
  int least_match = 25;          ///< correlation (0..255 for 0..1) below which no depth is kept: sky, bare walls
  int weak_match = 90;           ///< below it three others must agree
  int sure_match = 190;          ///< below it two others must agree
  /// Between the lines of sight of a photo and of each that agrees: where all are below, depth moves pixels too little
  /// for one other to confirm it, and two must agree.
  double small_angle_deg = 1.5;
};

enum class Opinion : uint8_t { none, agrees, through, hidden };

/// The square of the sine of the angle between the lines of sight to a position.
PTL_HD inline double sight_angle_square(const StereoCamera& a, const StereoCamera& b, const Vec3<double>& position) {
  const Vec3<double> from_a = position - camera_centre(a.camera_from_world),
                     from_b = position - camera_centre(b.camera_from_world);
  const Vec3<double> across = glm::cross(from_a, from_b);
  return glm::dot(across, across) / (glm::dot(from_a, from_a) * glm::dot(from_b, from_b));
}

/// What `other` says about the position that `map` has at pixel (x, y); `probe`: probe_depth(other, that position).
/// `through` only where all depths of the 3 × 3 pixels around are deeper and the middle one was confirmed or
/// `trust_all`: silhouettes of half a pixel are no evidence.
PTL_HD inline Opinion opinion_of(const DepthView& other, const DepthProbe& probe, const DepthView& map, int x, int y,
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
  if (!trust_all) {
    const uint8_t confirmed = other.agreeing[other.camera.index(probe.x, probe.y)];
    if (confirmed == 0 || confirmed == filled_in) return Opinion::none;
  }
  for (int dy = -1; dy <= 1; ++dy)
    for (int dx = -1; dx <= 1; ++dx) {
      const int px = std::clamp(probe.x + dx, 0, other.camera.width_px - 1);
      const int py = std::clamp(probe.y + dy, 0, other.camera.height_px - 1);
      const double around = static_cast<double>(other.depth_m[other.camera.index(px, py)]);
      if (around > 0 && around < probe.depth_m * (1 + options.through_share)) return Opinion::none;
    }
  return Opinion::through;
}

/// Counts agreeing photos for every depth of `map` into `agreeing` and removes depths (0) with which none agrees.
void check_depths(const Device& device, DepthMap& map, const std::vector<std::shared_ptr<const DepthMap>>& others,
                  const ConsistencyOptions& options);

}  // namespace ptl
