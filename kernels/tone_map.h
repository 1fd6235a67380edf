// The photometric camera over an image. Data in: radiance; out: display-referred image; backward: all gradients.
// Images are memory of the device, parameters and their gradient the CPU's.
#pragma once

#include <cstdint>

#include "kernels/image_driver.h"
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

/// Both drivers give the same bits.
template <class T>
void tone_map_image(const Device& device, const ToneParams<T>& params, const ToneFrame& frame, ToneMode mode,
                    const T* radiance, const ImageStrides& radiance_strides, T* output,
                    const ImageStrides& output_strides, ImageDriver driver = ImageDriver::automatic);

/// Returns the parameters' gradient, after waiting for the device. grad_radiance has the strides of radiance.
/// Sums in double and in a fixed order, whatever the number of threads: by rows along each row, then over the rows; by
/// pixels over fixed sets of about 32 pixels, then over sets of 32 such sums until one is left. The orders differ, hence
/// so do the last digits of the sums; grad_radiance has the same bits.
template <class T>
ToneGradient tone_map_image_backward(const Device& device, const ToneParams<T>& params, const ToneFrame& frame,
                                     ToneMode mode, const T* radiance, const ImageStrides& radiance_strides,
                                     const T* grad_output, const ImageStrides& grad_output_strides, T* grad_radiance,
                                     ImageDriver driver = ImageDriver::automatic);

}  // namespace ptl
