// What a model shows beside the photos that it should show: one picture for people.
#pragma once

#include <cstdint>
#include <vector>

#include "datasets/image_cache.h"
#include "renderer/scene_model.h"

namespace ptl {

/// A row for each of the model's images: the photo and the neural picture from its place, side by side, each
/// `width_px` wide (narrower where the photo is). Rows are as wide as the widest; the rest is black.
Image preview_picture(const SceneModel& model, ImageCache& photos, const std::vector<int64_t>& images, int width_px);

/// Up to `count` images for it, spread over all: held-out ones where there are enough, else any.
std::vector<int64_t> preview_images(const SceneModel& model, size_t count);

}  // namespace ptl
