// A photo resampled through its true camera model to an ideal pinhole: bilinear, a thread a pixel.
#pragma once

#include <cstdint>

#include "dense/stereo_camera.h"
#include "kernels/camera_params.h"
#include "kernels/device.h"

namespace ptl {

/// A StoredImage (datasets/image.h) in a device's memory. One of the two arrays is in use; none: no image.
struct StoredPixels {
  int width = 0, height = 0, channels = 0;
  const uint8_t* values8 = nullptr;
  const uint16_t* values16 = nullptr;

  PTL_HD bool empty() const { return !values8 && !values16; }
  /// 0..255
  PTL_HD float at(int x, int y, int channel) const {
    const int64_t i = (static_cast<int64_t>(y) * width + x) * channels + channel;
    return values8 ? static_cast<float>(values8[i]) : static_cast<float>(values16[i]) / 257.0f;
  }
};

/// What `camera` sees of a photo with the parameters `params`, which are of the photo's size: luminance and valid
/// [height, width], color [height, width, 3]; 0 outside of the photo and where the mask, of the same size, is below
/// 1/2. `photo_from_stereo`: turns directions of `camera` into the photo's camera frame.
void resample_photo(const Device& device, const CameraParams<double>& params, const StoredPixels& photo,
                    const StoredPixels& mask, const StereoCamera& camera, float* luminance, uint8_t* color,
                    uint8_t* valid, const Mat3<double>& photo_from_stereo = Mat3<double>(1));

}  // namespace ptl
