// Which photos help each other: sources of every reference photo, and the depths between which it must search.
#pragma once

#include <vector>

#include "datasets/scene.h"

namespace ptl {

/// What a reference photo's stereo needs to know. Depths are z in its camera frame.
struct ViewPlan {
  int image = 0;             ///< index into Scene::images
  std::vector<int> sources;  ///< the best ones for matching, best first
  std::vector<int> checks;   ///< a wider circle (sources included) for consistency and free space
  double near_m = 0, far_m = 0;
};

struct ViewSelectionOptions {
  int sources = 5;
  int checks = 10;
  bool strict_split = false;  ///< leave out sparse points that fewer than two of the photos saw
};

/// Plans of `photos` (indices into Scene::images; others are neither reference nor source), in their order.
/// A pair's score is the sum over shared sparse points of a weight of the angle between the two lines of sight (best 5°
/// to 15°, little below 2°), less for photos that see the point at another scale; further sources on the same side
/// count less. Without tracks, points of the cloud that project into both photos stand for shared ones. Depths: 1 % to
/// 99 % of the photo's points, from 0.65 times the nearest (floors before the camera) to 1.5 times the farthest;
/// without points from the distance to the nearest cameras. A photo that shares points with no other gets no sources.
/// Throws InputError when fewer than two photos are given, when all were taken from one place, or when none shares
/// points with another.
std::vector<ViewPlan> select_views(const Scene& scene, const std::vector<int>& photos,
                                   const ViewSelectionOptions& options);

/// The weight of an angle between two lines of sight, 0..1.
double angle_weight(double angle_deg);

}  // namespace ptl
