#include "renderer/memory.h"

#include <fmt/format.h>

namespace ptl {

namespace {

/// Bytes of activations that one full-resolution pixel of a crop keeps for the backward: a gated block keeps its input
/// and both halves of its output; coarser levels have a quarter of the pixels each.
double network_bytes_per_pixel(const FitConfig& config) {
  const double floats = config.network.kind == NetworkKind::light
                            ? 4.0 / 3.0 * (4.0 * config.network.light_channels + 2.0 * config.raster.channels)
                            : 4.0 / 3.0 * 14.0 * 4.0 * config.network.feature_factor;
  // Gradients of the activations live beside them.
  return 2.0 * floats * sizeof(float);
}

}  // namespace

MemoryPrediction predict_fit_memory(const Scene& scene, size_t prepared_points, const FitConfig& config, int layers) {
  MemoryOptions options;
  options.channels = config.raster.channels;
  options.layers = layers;
  options.crop_px = config.crop.size_px;
  options.network_bytes_per_pixel = network_bytes_per_pixel(config);
  options.environment_texels = config.environment.enabled ? static_cast<uint64_t>(config.environment.height) *
                                                                static_cast<uint64_t>(config.environment.width)
                                                          : 0;
  Scene counted;
  counted.images = scene.images;
  counted.sparse_points = scene.sparse_points;
  counted.cloud.position.resize(prepared_points);
  return predict_memory(counted, options);
}

std::string describe_memory(const MemoryPrediction& memory, const std::string& preset) {
  const auto mib = [](uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); };
  return fmt::format(
      "memory of a fit with preset {}: {:.0f} MiB (program {:.0f}, points {:.0f}, scene {:.0f}, step {:.0f}, environment "
      "{:.0f}) and the image cache\n",
      preset, mib(memory.total()), mib(memory.program_bytes), mib(memory.points_bytes), mib(memory.scene_bytes),
      mib(memory.step_bytes), mib(memory.environment_bytes));
}

}  // namespace ptl
