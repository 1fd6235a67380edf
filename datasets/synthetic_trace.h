// Rays against the primitives of a synthetic scene: bounding volume hierarchy, closest hit, visibility.
#pragma once

#include <vector>

#include "datasets/synthetic_scene.h"

namespace ptl::synthetic {

struct Ray {
  Float3 origin{0}, direction{0};  ///< direction of unit length
};

struct Hit {
  float distance = 0;
  int primitive = -1;  ///< -1: the sky
  float u = 0, v = 0;  ///< triangles: barycentric weights of the second and third corner
};

class Tracer {
 public:
  explicit Tracer(const SyntheticScene& scene);

  /// Nearest hit with distance in (1e-4, limit_m).
  Hit closest(const Ray& ray, float limit_m = 1e6f) const;
  /// Whether anything lies within (1e-4, limit_m).
  bool blocked(const Ray& ray, float limit_m) const;
  /// The same as closest(), by asking every primitive: the reference of the tests.
  Hit closest_brute_force(const Ray& ray, float limit_m = 1e6f) const;

  SurfacePoint surface(const Ray& ray, const Hit& hit) const;
  const SyntheticScene& scene() const { return scene_; }

 private:
  struct Node {
    Float3 low{0}, high{0};
    int first = 0;  ///< leaf: first primitive; inner: the second child (the first one follows its parent)
    int count = 0;  ///< 0: inner
    int axis = 0;
  };
  int build(int first, int count, std::vector<int>& order, const std::vector<Float3>& lows,
            const std::vector<Float3>& highs);

  const SyntheticScene& scene_;
  std::vector<Node> nodes_;
  std::vector<int> order_;
};

}  // namespace ptl::synthetic
