// The photometric camera over an image. Data in: radiance; out: display-referred image; backward: all gradients.
#pragma once

#include <cstdint>

#include "kernels/tone.h"

namespace ptl {

/// Where the image lies in its photo, for the vignette.
struct ToneFrame {
  int32_t photo_width_px = 0;
  int32_t photo_height_px = 0;
  Crop crop;  ///< its size is the image's size
};

/// Elements (not bytes) from one value to the next: any layout of 3 channels.
struct ImageStrides {
  int64_t channel = 0, row = 0, column = 0;
};

template <class T>
void tone_map_image(const ToneParams<T>& params, const ToneFrame& frame, ToneMode mode, const T* radiance,
                    const ImageStrides& radiance_strides, T* output, const ImageStrides& output_strides);

/// Sums in a fixed order (within a row, then over the rows), in double, whatever the number of threads.
/// grad_radiance has the strides of radiance.
template <class T>
ToneGradient tone_map_image_backward(const ToneParams<T>& params, const ToneFrame& frame, ToneMode mode,
                                     const T* radiance, const ImageStrides& radiance_strides, const T* grad_output,
                                     const ImageStrides& grad_output_strides, T* grad_radiance);

}  // namespace ptl
