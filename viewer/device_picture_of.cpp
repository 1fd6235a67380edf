#include "viewer/device_picture_of.h"

namespace ptl {

std::shared_ptr<const DevicePicture> device_picture_of(const torch::Tensor& rgb) {
  TORCH_CHECK(rgb.is_cuda() && rgb.dim() == 3 && rgb.size(0) == 3, "device_picture_of: expected [3, H, W] on a GPU, found ",
              rgb.sizes(), " on ", rgb.device());
  const torch::NoGradGuard no_gradient;
  const torch::Tensor rounded = torch::nan_to_num(rgb).clamp(0, 1).mul(255.0f).add(0.5f).to(torch::kByte);
  const torch::Tensor alpha = torch::full({1, rgb.size(1), rgb.size(2)}, 255, rounded.options());
  const auto rgba = std::make_shared<torch::Tensor>(torch::cat({rounded, alpha}).permute({1, 2, 0}).contiguous());
  torch::cuda::synchronize(rgb.device().index());  // another thread is about to read it
  DevicePicture picture;
  picture.rgba = rgba->const_data_ptr<uint8_t>();
  picture.width_px = static_cast<int>(rgb.size(2));
  picture.height_px = static_cast<int>(rgb.size(1));
  picture.owner = rgba;
  return std::make_shared<const DevicePicture>(std::move(picture));
}

}  // namespace ptl
