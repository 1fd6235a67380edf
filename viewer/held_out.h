// A held-out photo and the model's picture of it. Plain data.
#pragma once

#include <cstdint>

#include "datasets/image.h"

namespace ptl {

inline constexpr int held_out_side_px = 320;  ///< of the longer side, at most
inline constexpr size_t most_held_out = 6;    ///< that are shown

struct HeldOutPicture {
  int64_t image = 0;
  uint64_t generation = 0;       ///< of the scene that rendered it
  int64_t step = 0;              ///< of the fit; 0: not known
  StoredImage photo, rendering;  ///< 8 bits, 3 channels, of one size
  double psnr_db = 0;            ///< between the two at this size
};

}  // namespace ptl
