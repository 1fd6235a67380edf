// Values of pixels as a checkerboard's two colours: every second pixel of a row lies beside the next, so that eight of
// one colour are one load, and all of one colour can be worked on while those of the other stand still.
#pragma once

#include <cstdint>

#include "kernels/hd.h"

namespace ptl {

/// Cell i of colour c in row y is pixel x = 2 i + first_x(c, y). Around the pixels lies a margin, as wide as anything
/// reaches that looks at neighbours, so that no neighbour needs a test.
struct PatchBoard {
  static constexpr int margin_rows = 24, margin_cells = 16, most_lanes = 8;
  int width_px = 0, height_px = 0;

  PTL_HD static int first_x(int color, int y) { return (y + color) & 1; }
  PTL_HD static int color_of(int x, int y) { return (x + y) & 1; }
  PTL_HD int cells() const { return (width_px + 1) / 2; }  ///< of a row and colour
  PTL_HD int stride() const { return cells() + 2 * margin_cells + most_lanes; }
  PTL_HD int64_t count() const { return 2 * static_cast<int64_t>(stride()) * (height_px + 2 * margin_rows); }
  /// Of pixel (x, y), which may lie in the margin.
  PTL_HD int64_t at(int x, int y) const {
    const int64_t row = static_cast<int64_t>(color_of(x, y)) * (height_px + 2 * margin_rows) + y + margin_rows;
    return row * stride() + margin_cells + (x >> 1);
  }
};

}  // namespace ptl
