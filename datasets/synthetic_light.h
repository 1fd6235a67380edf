// Light in a synthetic scene: direct sun with soft shadows, sky and bounced light from a table of irradiance that is
// filled once per scene, highlights.
#pragma once

#include <unordered_map>
#include <vector>

#include "datasets/synthetic_trace.h"

namespace ptl::synthetic {

struct LightOptions {
  int irradiance_rays = 96;  ///< rays of each entry of the table
  float cell_m = 0.06f;      ///< spacing of the entries near the focus; grows with the distance from there
};

/// Diffuse light that does not come straight from the sun, stored at points of the surfaces in view and interpolated.
/// All of it is a function of the scene and of the points it is asked for, whatever the number of threads.
class Lighting {
 public:
  /// `seeds`: surface points that will be asked for; one entry is made in each occupied cell of each facing.
  Lighting(const Tracer& tracer, const std::vector<SurfacePoint>& seeds, const LightOptions& options, uint64_t seed);

  /// Linear radiance along a ray; `draw` numbers the ray for its random choices, `pixel_rad` is the angle of a pixel.
  /// The distance to the first hit goes to `distance_m` (infinite: sky).
  Float3 radiance(const Ray& ray, uint64_t draw, float pixel_rad, float* distance_m = nullptr) const;

  /// Irradiance by sky and bounces on a surface point.
  Float3 irradiance(const SurfacePoint& point, uint64_t draw) const;
  size_t entry_count() const { return entries_.size(); }

 private:
  struct Entry {
    Float3 position{0}, normal{0}, irradiance{0};
    float cell_m = 0;
  };
  float cell_size(const Float3& position) const;
  uint64_t cell_key(const Float3& position, float cell_m, int dx, int dy, int dz) const;
  void average_coarsely();
  Float3 coarse_irradiance(const SurfacePoint& point) const;
  Float3 gather(const Float3& position, const Float3& normal, int rays, uint64_t draw) const;
  Float3 direct_sun(const Float3& position, const Float3& normal, uint64_t draw, Float3* towards = nullptr) const;
  Float3 shade_diffuse(const Ray& ray, const Hit& hit, uint64_t draw, float footprint_m) const;

  const Tracer& tracer_;
  LightOptions options_;
  uint64_t seed_;
  std::vector<Entry> entries_;
  std::unordered_map<uint64_t, std::vector<uint32_t>> cells_;
  /// Means over wide cells, for what is only seen by bounced rays: irradiance and the number of entries.
  std::unordered_map<uint64_t, std::pair<Float3, int>> wide_cells_;
};

}  // namespace ptl::synthetic
