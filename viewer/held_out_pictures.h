// Held-out photos beside what the model makes of them, small: what one sees grow while a fit goes on. LibTorch.
#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "datasets/image_cache.h"
#include "renderer/scene_model.h"
#include "viewer/held_out.h"

namespace ptl {

/// Which of the held-out images are shown: at most so many, spread evenly.
std::vector<int64_t> shown_held_out(const SceneModel& model);

/// Photo and picture, at most held_out_side_px long, with the PSNR between the two at that size, by the protocol of a
/// fit's checks (renderer/evaluate.h): all of the photo that its mask lets count, light by EXIF. Nothing when stopped.
std::optional<HeldOutPicture> held_out_picture(const SceneModel& model, ImageCache& photos, int64_t image,
                                               const std::atomic<bool>& stop);

}  // namespace ptl
