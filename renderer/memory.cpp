#include "renderer/memory.h"

#include <fmt/format.h>

#include <algorithm>

#include "datasets/error.h"
#include "dense/error_rays.h"
#include "renderer/grow.h"
#include "renderer/network.h"
#include "renderer/scene_model.h"

namespace ptl {

namespace {

// Resident bytes of a fit of a few points and pixels, measured (135 MiB): LibTorch's libraries, thread stacks.
constexpr uint64_t program_bytes = 140ull << 20;
constexpr double float_bytes = 4;

/// Pixels of all layers for one pixel of layer 0.
double pyramid_pixels(int layers) {
  double sum = 0, share = 1;
  for (int l = 0; l < layers; ++l, share /= 4) sum += share;
  return sum;
}

/// Floats that the network keeps for one full-resolution pixel: a gated block's result and, for the backward, both halves
/// of its outputs.
double network_floats(const FitConfig& config, int layers, bool training) {
  const NetworkConfig network = network_config(config, layers);
  double floats = 0, share = 1;
  for (int l = 0; l < layers; ++l, share /= 4) {
    const double filters = network.kind == NetworkKind::light ? network.light_channels : network.filters(l);
    // The U-Net has a block on the way down, a widening one and a block on the way up.
    const double blocks = network.kind == NetworkKind::light ? 1 : l + 1 < layers ? 3 : 1;
    floats += share * blocks * filters * (training ? 3 : 1);
  }
  return floats;
}

}  // namespace

MemoryPrediction predict_fit_memory(const Scene& scene, const StartingCloud& cloud, const FitConfig& config, int layers,
                                    uint64_t image_cache_bytes) {
  MemoryPrediction memory;
  memory.program = program_bytes;
  for (const SceneImage& image : scene.images)
    memory.scene += sizeof(SceneImage) + image.observations.size() * sizeof(Observation);
  for (const SparsePoint& point : scene.sparse_points) memory.scene += sizeof(SparsePoint) + point.track.size() * 8;

  const uint64_t channels = static_cast<uint64_t>(config.raster.channels);
  const uint64_t state = 5 * sizeof(float) * channels;  // value, gradient, two moments, step count
  const uint64_t drawn = 36u + (cloud.normals ? 12u : 0u);    // the model's tensors: position, colour, normal, id, radius
  // As read and as prepared: position, colour, normal, id, two radii. Then the model's.
  // Fitted positions: where they began, two moments, step counts.
  const uint64_t moved = config.groups.points.frozen ? 0 : 3 * 4 * sizeof(float);
  memory.points = cloud.points * moved + cloud.points * (15u + (cloud.normals ? 12u : 0u) + 40u + (cloud.normals ? 12u : 0u) + drawn + state);
  if (config.environment.enabled)
    memory.environment =
        static_cast<uint64_t>(config.environment.height) * static_cast<uint64_t>(config.environment.width) * state;

  const double features = static_cast<double>(config.raster.channels + (config.raster.coverage_channel ? 1 : 0));
  // The rasterised and the filled features (and their gradients), weight, depth.
  const double pyramid = pyramid_pixels(layers);
  const double crop_pixels = static_cast<double>(config.crop.size_px) * config.crop.size_px;
  memory.step = static_cast<uint64_t>(
      crop_pixels * float_bytes * (pyramid * (4 * features + 2) + network_floats(config, layers, true) + 60));
  double largest = 0;
  uint64_t decoded = 0;
  for (const SceneImage& image : scene.images) {
    const CameraParams<double>& camera = scene.camera_of(image).params;
    const double pixels = static_cast<double>(camera.width_px) * camera.height_px;
    largest = std::max(largest, pixels);
    decoded += static_cast<uint64_t>(pixels) * 3;
  }
  memory.rendering = static_cast<uint64_t>(
      largest * float_bytes * (pyramid * (2 * features + 2) + network_floats(config, layers, false) + 8));
  if (points_grow(config.grow, cloud.spacing_px)) {
    const double side = config.grow.side_px;
    const double looked_at = std::min<double>(config.grow.photos, static_cast<double>(scene.images.size())) *
                             std::min(largest, 0.75 * side * side);
    const auto most = static_cast<uint64_t>(
        most_points(config.grow, static_cast<int64_t>(cloud.points), static_cast<int64_t>(looked_at)));
    memory.growing = (most - cloud.points) * (drawn + state + moved) + most * 2 * drawn +
                     static_cast<uint64_t>(looked_at) * sizeof(WrongPixel);
  }
  memory.image_cache = std::min(image_cache_bytes, decoded);
  return memory;
}

uint64_t image_cache_within(const MemoryPrediction& memory, uint64_t limit_bytes) {
  constexpr uint64_t least_bytes = 64ull << 20;
  const uint64_t others = memory.peak() - memory.image_cache, least = std::min(least_bytes, memory.image_cache);
  if (others + least <= limit_bytes) return std::min(memory.image_cache, limit_bytes - others);
  const auto mib = [](uint64_t bytes) { return (bytes + (1u << 20) - 1) >> 20; };
  throw InputError(
      "--memory-limit {}: this fit needs about {} MiB at least (program {}, scene {}, points {}, growing {}, environment {}, step {}, held-out "
      "rendering {}, image cache {}); smaller photos (--max-size), fewer points (--set dense.max_points=..., or --no-densify), --grow off "
      "and a smaller crop (--set crop.size_px=...) make it less",
      mib(limit_bytes), mib(others + least), mib(memory.program), mib(memory.scene), mib(memory.points), mib(memory.growing),
      mib(memory.environment), mib(memory.step), mib(memory.rendering), mib(least));
}

std::string describe_memory(const MemoryPrediction& memory, const std::string& preset) {
  const auto mib = [](uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); };
  return fmt::format(
      "memory of a fit with preset {}: {:.0f} MiB at its peak (program {:.0f}, scene {:.0f}, points {:.0f}, growing {:.0f}, environment "
      "{:.0f}, step {:.0f}, held-out rendering {:.0f}, image cache {:.0f})\n",
      preset, mib(memory.peak()), mib(memory.program), mib(memory.scene), mib(memory.points), mib(memory.growing), mib(memory.environment),
      mib(memory.step), mib(memory.rendering), mib(memory.image_cache));
}

}  // namespace ptl
