// Dense points of a synthetic scene of seed 1 against its true surfaces.
#pragma once

#include <vector>

#include "datasets/scene.h"
#include "datasets/split.h"
#include "datasets/synthetic_truth.h"
#include "dense/fuse.h"

namespace ptl::testing {

inline std::vector<Vec3<float>> world_positions(const Scene& scene, const DenseCloud& dense) {
  std::vector<Vec3<float>> world;
  for (const Vec3<float>& p : dense.cloud.position) world.push_back(p + Vec3<float>(scene.origin_world));
  return world;
}

/// Of points in world coordinates.
inline CloudTruth truth_of(const Scene& scene, const std::vector<Vec3<float>>& world, int samples) {
  const auto terrace = synthetic::make_terrace(1);
  const synthetic::Tracer tracer(terrace);
  std::vector<Pose<double>> poses;
  for (const int image : make_split(scene, "every8").train) {
    poses.push_back(scene.images[static_cast<size_t>(image)].camera_from_world);
    poses.back().translation -= poses.back().rotation * scene.origin_world;
  }
  return measure_cloud(tracer, scene.cameras.front().params, poses, world, samples, 16);
}

}  // namespace ptl::testing
