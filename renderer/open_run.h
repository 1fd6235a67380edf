// Opening what users name: a scene as a configuration wants it, a run, the photos of a run.
#pragma once

#include <filesystem>
#include <memory>

#include "datasets/image_cache.h"
#include "datasets/scene_loader.h"
#include "renderer/run_folder.h"
#include "renderer/scene_model.h"

namespace ptl {

/// The scene as a configuration wants it; with the range of its HDR photos, where photos are needed (datasets/hdr_photo.h).
Scene open_scene(const std::filesystem::path& folder, const SceneConfig& config, bool photos_needed = true);

/// A run's folder, or a model file itself.
struct OpenedRun {
  RunFolder folder;
  std::filesystem::path model_path;
  SceneModel model;
};
/// InputError when there is no model: a fit that has not ended has none yet.
OpenedRun open_run(const std::filesystem::path& run, torch::Device device = torch::kCPU);

/// Photos of a run's scene, in the order of the model's images. `scene_folder`: empty: where they were at the fit.
/// InputError when they are not there, or when the scene has other images.
std::unique_ptr<ImageCache> open_photos(const SceneModel& model, const std::filesystem::path& scene_folder,
                                        uint64_t cache_bytes = 1ull << 30);

}  // namespace ptl
