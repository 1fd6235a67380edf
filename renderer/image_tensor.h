// Between pixels in memory (datasets/image.h) and tensors.
#pragma once

#include <torch/torch.h>

#include <algorithm>

#include "datasets/image.h"

namespace ptl {

/// [H, W, C] float, a copy.
inline torch::Tensor tensor_from_image(const Image& image) {
  torch::Tensor tensor = torch::empty({image.height, image.width, image.channels});
  std::copy(image.pixels.begin(), image.pixels.end(), tensor.mutable_data_ptr<float>());
  return tensor;
}

/// From [H, W, C] or [H, W] float, any strides and device.
inline Image image_from_tensor(const torch::Tensor& tensor) {
  const torch::Tensor values = tensor.to(torch::kCPU).contiguous();
  Image image(static_cast<int>(values.size(1)), static_cast<int>(values.size(0)),
              values.dim() == 3 ? static_cast<int>(values.size(2)) : 1);
  std::copy_n(values.const_data_ptr<float>(), image.pixels.size(), image.pixels.begin());
  return image;
}

}  // namespace ptl
