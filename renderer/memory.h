// How much memory a fit will need, from its scene and configuration: what `info` says and the tests hold it to.
#pragma once

#include <string>

#include "datasets/scene_info.h"
#include "renderer/config.h"

namespace ptl {

/// Beside the image cache, which has its own bound.
MemoryPrediction predict_fit_memory(const Scene& scene, size_t prepared_points, const FitConfig& config, int layers);

/// Lines for people.
std::string describe_memory(const MemoryPrediction& memory, const std::string& preset);

}  // namespace ptl
