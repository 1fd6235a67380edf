// What `pointillist info` prints, and how much memory a fit will need.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/scene.h"

namespace ptl {

/// What a fit's memory depends on. Bytes beside the image cache, which has its own bound.
struct MemoryOptions {
  int channels = 4;             ///< descriptor channels
  int layers = 4;
  int crop_px = 256;            ///< side of a training crop
  int crops_per_step = 1;
  double network_bytes_per_pixel = 0;    ///< activations kept for the backward, per full-resolution pixel of a crop
  uint64_t environment_texels = 0;       ///< 0: off
  uint64_t program_bytes = 300ull << 20; ///< code, LibTorch and the process itself
};

struct MemoryPrediction {
  uint64_t points_bytes = 0;      ///< positions, colours, descriptors with gradient and optimiser state, radii, ids
  uint64_t scene_bytes = 0;       ///< observations, tracks, names
  uint64_t step_bytes = 0;        ///< layers of the pyramid and activations of one step
  uint64_t environment_bytes = 0;
  uint64_t program_bytes = 0;
  uint64_t total() const { return points_bytes + scene_bytes + step_bytes + environment_bytes + program_bytes; }
};

MemoryPrediction predict_memory(const Scene& scene, const MemoryOptions& options);

/// "Extent" of a scene, everywhere (method section 10): the diagonal of the box between the 5th and the 95th percentile
/// of the points on each axis. 0 for fewer than two points.
double scene_extent(const std::vector<Vec3<float>>& points);

/// A table for people: folder, cameras, images and their sizes, exposure range, masks, points, extent, origin, what is odd.
std::string describe_scene(const Scene& scene);

}  // namespace ptl
