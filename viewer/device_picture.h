// A picture in the memory of the GPU that rendered it, for a window on the same GPU. No LibTorch in here.
#pragma once

#include <cstdint>
#include <memory>

namespace ptl {

struct DevicePicture {
  const uint8_t* rgba = nullptr;  ///< [height, width, 4] in CUDA's memory, rows from the top, finished
  int width_px = 0, height_px = 0;
  std::shared_ptr<const void> owner;  ///< of that memory
};

}  // namespace ptl
