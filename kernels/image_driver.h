// Which algorithm goes over an image: the tone mapper and the image losses have two, which share every formula.
#pragma once

#include "kernels/device.h"

namespace ptl {

enum class ImageDriver {
  automatic,  ///< rows on the CPU, pixels on the GPU
  rows,       ///< a thread a row, for caches and wide registers; CPU only
  pixels,     ///< a thread a pixel, through scratch memory; what the GPU runs, and the CPU can
};

/// Throws like a failed launch of `caller` when rows are asked of a GPU.
inline bool goes_by_rows(const char* caller, const Device& device, ImageDriver driver) {
  if (driver == ImageDriver::rows && device.type != DeviceType::cpu)
    throw_device_error(caller, "rows are the CPU's driver");
  return driver == ImageDriver::rows || (driver == ImageDriver::automatic && device.type == DeviceType::cpu);
}

}  // namespace ptl
