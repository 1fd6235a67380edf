// A scene or a lone cloud as the built-in network shows it, without any fit.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>

#include "renderer/config.h"
#include "renderer/open_run.h"

namespace ptl {

/// Whether what a user named is something to be shown without a fit: a PLY file, a scene's file, or a folder that is
/// no run.
bool is_unfitted(const std::filesystem::path& path);

struct UnfittedOptions {
  SceneConfig scene;                          ///< of a folder
  NetworkKind network = NetworkKind::light;
  ImageCache* photos = nullptr;               ///< of the scene, for its background (color_environment); null: one colour
  int64_t most_points = std::numeric_limits<int64_t>::max();  ///< more are thinned, evenly at random
};

/// The scene in a folder, or of a PLY file (renderer/cloud_overview.h). Where a folder's photos are missing it is read
/// without them and their EXIF, and `photos_missing` says why.
Scene open_unfitted(const std::filesystem::path& path, const SceneConfig& config, std::string& photos_missing);

/// The file that its points come from.
std::filesystem::path unfitted_file(const std::filesystem::path& path, const SceneConfig& config);

/// The model before its first step, with the built-in network, of at most options.most_points of the cloud's points.
/// InputError as of prepare_points.
SceneModel unfitted_model(Scene scene, const UnfittedOptions& options, torch::Device device = torch::kCPU);

/// What a user named: a run, a model file, or something to be shown without a fit.
struct Shown {
  OpenedRun run;  ///< without a fit: model_path is unfitted_file()
  bool fitted = true;
  std::unique_ptr<ImageCache> photos;  ///< of what was not fitted; null: none, or it was fitted
  std::string photos_missing;  ///< as of open_unfitted; empty: they are there, or it was fitted
};
Shown open_shown(const std::filesystem::path& path, const UnfittedOptions& options, torch::Device device = torch::kCPU);

}  // namespace ptl
