#pragma once

#include <torch/torch.h>

#include "viewer/device_picture.h"

namespace ptl {

/// From rgb [3, H, W] in CUDA's memory, 0..1; rounded as to_stored() does. Waits until it is finished.
std::shared_ptr<const DevicePicture> device_picture_of(const torch::Tensor& rgb);

}  // namespace ptl
