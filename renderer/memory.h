// How much memory a fit needs at its peak, from its scene and configuration: what `info` says, and a test holds it to.
#pragma once

#include <cstdint>
#include <string>

#include "datasets/scene.h"
#include "renderer/config.h"

namespace ptl {

/// Bytes. The parts of the peak. A step's buffers and a held-out rendering's are never in use at once, but the allocator
/// keeps the first while the second is made: measured, the peak is nearer to their sum than to the larger.
struct MemoryPrediction {
  uint64_t program = 0;      ///< code, LibTorch, allocator: measured on a fit of next to nothing
  uint64_t scene = 0;        ///< observations, tracks, names
  uint64_t points = 0;       ///< cloud as read and as prepared; descriptors with gradient, moments and step counts
  uint64_t growing = 0;      ///< points that come during the fit, what their choice looks at, and the copies of an event
  uint64_t environment = 0;  ///< texels with gradient, moments and step counts
  uint64_t step = 0;         ///< pyramid, activations and gradients of one training crop
  uint64_t rendering = 0;    ///< the same without gradients for the largest photo, with what scoring needs
  uint64_t image_cache = 0;  ///< its bound, or all photos decoded where that is less

  uint64_t peak() const {
    return program + scene + points + growing + environment + step + rendering + image_cache;
  }
};

/// The cloud that a fit will start from.
struct StartingCloud {
  uint64_t points = 0;
  bool normals = false;
  double spacing_px = 0;  ///< SceneModel::point_spacing_px
};

MemoryPrediction predict_fit_memory(const Scene& scene, const StartingCloud& cloud, const FitConfig& config, int layers,
                                    uint64_t image_cache_bytes);

/// Image cache for a fit that is to stay within `limit_bytes`: `memory.image_cache`, or what is left for it, at least 64 MiB (or all photos,
/// where these are less). InputError that says what takes how much and what makes it less, where that does not suffice.
uint64_t image_cache_within(const MemoryPrediction& memory, uint64_t limit_bytes);

/// A line for people.
std::string describe_memory(const MemoryPrediction& memory, const std::string& preset);

}  // namespace ptl
