// dense_truth SCENE CLOUD.ply: a cloud of a synthetic scene against its true surfaces, as JSON.
// SCENE is a folder that `pointillist synth` made with default sizes; the held-out photos do not count as seeing.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "datasets/ply.h"
#include "datasets/scene_loader.h"
#include "datasets/split.h"
#include "datasets/synthetic_truth.h"

int main(int argc, char** argv) try {
  if (argc != 4) {
    fmt::print(stderr, "usage: dense_truth SCENE CLOUD.ply SEED\n");
    return 2;
  }
  const ptl::Scene scene = ptl::load_scene(argv[1]);
  const auto terrace = ptl::synthetic::make_terrace(std::strtoull(argv[3], nullptr, 10));
  const ptl::synthetic::Tracer tracer(terrace);
  std::vector<ptl::Pose<double>> poses;
  for (const int image : ptl::make_split(scene, "every8").train) {
    ptl::Pose<double> pose = scene.images[static_cast<size_t>(image)].camera_from_world;
    pose.translation -= pose.rotation * scene.origin_world;
    poses.push_back(pose);
  }
  const ptl::PlyContents cloud = ptl::read_ply(argv[2]);
  const auto print = [&](const char* what, const std::vector<ptl::Vec3<float>>& points) {
    const ptl::CloudTruth t = ptl::measure_cloud(tracer, scene.cameras.front().params, poses, points);
    fmt::print(
        "{{\"which\": \"{}\", \"points\": {}, \"extent_m\": {:.3f}, \"far_share\": {:.4f}, \"far_share_inside\": "
        "{:.4f}, \"median_error_m\": {:.5f}, "
        "\"covered_share\": {:.4f}, \"covered_pixels\": {:.4f}}}\n",
        what, points.size(), t.extent_m, t.far_share, t.far_share_inside, t.median_error_m, t.covered_share,
        t.covered_pixels);
  };
  print("all", cloud.cloud.position);
  if (!cloud.confidence.empty()) {
    std::vector<ptl::Vec3<float>> measured, filled;
    for (size_t i = 0; i < cloud.confidence.size(); ++i)
      (cloud.confidence[i] > 0.25f ? measured : filled).push_back(cloud.cloud.position[i]);
    print("measured", measured);
    if (!filled.empty()) print("filled", filled);
  }
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "dense_truth: {}\n", error.what());
  return 1;
}
