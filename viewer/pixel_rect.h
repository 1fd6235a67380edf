// Rectangles of pixels, from the upper left corner of the window.
#pragma once

namespace ptl {

struct PixelRect {
  int x = 0, y = 0, width = 0, height = 0;
  bool contains(double px, double py) const { return px >= x && py >= y && px < x + width && py < y + height; }
};

}  // namespace ptl
