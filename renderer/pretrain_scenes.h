// The scenes that a network learns on before it sees a user's: made from a seed, with the faults of real clouds.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "datasets/image_cache.h"
#include "datasets/synthetic_capture.h"
#include "renderer/scene_model.h"

namespace ptl {

/// What one seed makes: a place, photos of it, and what is wrong with its points and poses.
struct PretrainDraw {
  SyntheticOptions capture;   ///< geometry, lights, density, noise, scattered outliers, distortion
  double uneven = 0;          ///< share of the points that is lost where the cloud is thin, 0..1
  int holes = 0;              ///< balls without any point
  double hole_radius = 0;     ///< of the extent
  int strays = 0;             ///< clusters of points between a camera and what it sees
  double pose_error_px = 0;   ///< that points move by on average, since poses are slightly wrong
  bool fitted = false;        ///< descriptors and tone mapper are fitted along; otherwise they stay as they begin
};

/// From the seed alone. Photos are small (384 × 256), since a network sees crops.
PretrainDraw draw_pretrain_scene(uint64_t seed);

/// For the table of what was seen: "seed 1000: 14 photos, density 0.4, …".
std::string describe(const PretrainDraw& draw);

struct PretrainScene {
  std::string name;
  SceneModel model;  ///< its network is the caller's
  std::unique_ptr<ImageCache> photos;
};

/// Makes the scene in `folder` (a name of its own, removed by the caller when nothing needs it any more), unless it is there
/// already. Photos are rendered by the calling thread's OpenMP team.
void write_pretrain_scene(const PretrainDraw& draw, const std::filesystem::path& folder, const SyntheticProgress& progress = {});

/// Makes the scene, unless it is there already, and its model.
PretrainScene make_pretrain_scene(const PretrainDraw& draw, const FitConfig& config, int layers,
                                  const std::filesystem::path& folder, torch::Device device);

/// A user's scene: its own points, held-out photos left out.
PretrainScene open_pretrain_scene(const std::filesystem::path& folder, const FitConfig& config, int layers,
                                  torch::Device device);

/// Takes points away and puts others where none should be, as `draw` says.
void spoil_cloud(const PretrainDraw& draw, Scene& scene);
/// Turns every pose at random, so that points move by pose_error_px on average.
void spoil_poses(const PretrainDraw& draw, Scene& scene);

}  // namespace ptl
