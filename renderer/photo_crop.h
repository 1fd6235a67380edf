// A crop of a photo as tensors, where losses and scores want it.
#pragma once

#include <torch/torch.h>

#include "datasets/image_cache.h"

namespace ptl {

struct PhotoCrop {
  torch::Tensor photo;  ///< [H, W, 3] on the CPU, as encoded
  torch::Tensor mask;   ///< [H, W] on the CPU
};

/// ImageCache::sample_crop.
inline PhotoCrop photo_crop(ImageCache& photos, int64_t image, const Crop& crop) {
  PhotoCrop result{torch::empty({crop.height_px, crop.width_px, 3}), torch::empty({crop.height_px, crop.width_px})};
  photos.sample_crop(static_cast<int>(image), crop, result.photo.mutable_data_ptr<float>(),
                     result.mask.mutable_data_ptr<float>());
  return result;
}

}  // namespace ptl
