// How far a point is from the surfaces of a synthetic scene, and how much of what the photos see a cloud covers.
#pragma once

#include <vector>

#include "datasets/synthetic_capture.h"
#include "datasets/synthetic_trace.h"

namespace ptl {

/// Distance in metres from a point to the nearest surface of a primitive; exact for every shape.
double distance_to_primitive(const synthetic::Primitive& primitive, const Vec3<double>& point);

/// The distance from a point to the nearest surface of a scene.
class SurfaceDistance {
 public:
  explicit SurfaceDistance(const synthetic::SyntheticScene& scene);  ///< the scene must outlive it
  /// In metres; `limit_m` where that is less.
  double operator()(const Vec3<double>& point, double limit_m) const;

 private:
  struct Bound {
    Vec3<double> centre{0};
    double radius_m = 0;  ///< of a sphere around the primitive
  };
  const synthetic::SyntheticScene& scene_;
  std::vector<Bound> bounds_;
};

struct CloudTruth {
  double extent_m = 0;          ///< of what the photos see (method section 10)
  double threshold_m = 0;       ///< 0.5 % of it
  double far_share = 0;         ///< share of the points farther than that from every surface
  double far_share_inside = 0;  ///< the same of the points within the extent's box
  double median_error_m = 0;    ///< distance to the nearest surface, median (at most the threshold's double)
  double covered_share = 0;     ///< of the area within the extent's box that three or more photos see: near a point
  double covered_pixels = 0;    ///< of the photos' pixels that show such places, at any distance (sky left out)
  int64_t points_tested = 0, places_tested = 0;
};

/// `poses`: photos that count as seeing. Points beyond `most_points` are sampled evenly; places come from every
/// `pixel_step`-th pixel of the photos, weighted by their area over the number of photos that see them.
CloudTruth measure_cloud(const synthetic::Tracer& tracer, const CameraParams<double>& camera,
                         const std::vector<Pose<double>>& poses, const std::vector<Vec3<float>>& points,
                         int64_t most_points = 20000, int pixel_step = 12);

}  // namespace ptl
