// Planes for every pixel of a photo from the sparse points that it saw: where PatchMatch starts.
#pragma once

#include <vector>

#include "datasets/scene.h"
#include "dense/patch_match.h"

namespace ptl {

/// A sparse point in a photo's stereo view.
struct SeenDepth {
  int x = 0, y = 0;
  float inverse_depth = 0;
};

/// Who saw which sparse points.
class SeenPoints {
 public:
  /// `photos`: indices into Scene::images; their places number the lists. `strict_split`: without points that fewer
  /// than two of them saw.
  SeenPoints(const Scene& scene, const std::vector<int>& photos, bool strict_split);

  /// Of the photo at `place`, in its stereo view, ascending by pixel.
  std::vector<SeenDepth> in_view(size_t place, const StereoCamera& camera) const;

 private:
  const Scene& scene_;
  std::vector<std::vector<size_t>> points_;  ///< by place: indices into Scene::sparse_points
};

/// Two fields: each pixel has the depth of the nearest seen point, parallel to the image; and a membrane through all of
/// them (Laplace's equation on cells of 8 px, bilinear between). None without points.
std::vector<PlaneField> planes_of_points(const StereoCamera& camera, const std::vector<SeenDepth>& points);

}  // namespace ptl
