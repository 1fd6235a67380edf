// How much of the pictures the points reach: what a cloud leaves to the network.
#pragma once

#include <vector>

#include "renderer/scene_model.h"

namespace ptl {

/// Share of the pixels with weight > 0 on each layer of whole photos, as evaluation draws them (no dropout): mean over the
/// images. Empty for no images.
std::vector<double> coverage_by_layer(const SceneModel& model, const std::vector<int64_t>& images);

/// At most `count` of the images, spread evenly.
std::vector<int64_t> some_images(const std::vector<int64_t>& images, size_t count);

}  // namespace ptl
