// How often a picture has which values.
#pragma once

#include <algorithm>

#include "viewer/view_request.h"

namespace ptl {

/// `image`: 8 bits, 3 channels.
inline Histogram histogram_of(const StoredImage& image) {
  Histogram histogram;
  uint64_t low = 0, high = 0;
  for (size_t i = 0; i + 2 < image.values8.size(); i += 3) {
    const uint8_t* p = &image.values8[i];
    for (size_t c = 0; c < 3; ++c) ++histogram.count[c][p[c] / 4];
    low += p[0] == 0 || p[1] == 0 || p[2] == 0;
    high += p[0] == 255 || p[1] == 255 || p[2] == 255;
  }
  const double pixels = std::max<double>(1, static_cast<double>(image.values8.size()) / 3);
  histogram.clipped_low = static_cast<double>(low) / pixels;
  histogram.clipped_high = static_cast<double>(high) / pixels;
  return histogram;
}

}  // namespace ptl
