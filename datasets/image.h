// Pixels in memory. Rows from the top, pixels from the left, channels interleaved (HWC), no padding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ptl {

/// Float pixels. Photos are display-referred (sRGB-encoded as in the file), 0..1; EXR images are linear radiance.
struct Image {
  int width = 0;
  int height = 0;
  int channels = 0;
  std::vector<float> pixels;  ///< [height, width, channels]

  Image() = default;
  Image(int width_px, int height_px, int channel_count, float value = 0.0f)
      : width(width_px), height(height_px), channels(channel_count),
        pixels(static_cast<size_t>(width_px) * static_cast<size_t>(height_px) * static_cast<size_t>(channel_count),
               value) {}

  size_t index(int x, int y, int channel) const {
    return (static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)) *
               static_cast<size_t>(channels) + static_cast<size_t>(channel);
  }
  float& at(int x, int y, int channel) { return pixels[index(x, y, channel)]; }
  float at(int x, int y, int channel) const { return pixels[index(x, y, channel)]; }
};

/// The same as integers, as files hold them: 8 or 16 bits a channel. One of the two arrays is in use.
struct StoredImage {
  int width = 0;
  int height = 0;
  int channels = 0;
  int bits = 8;                     ///< 8: values8, 16: values16
  std::vector<uint8_t> values8;     ///< [height, width, channels]
  std::vector<uint16_t> values16;   ///< [height, width, channels]

  size_t value_count() const {
    return static_cast<size_t>(width) * static_cast<size_t>(height) * static_cast<size_t>(channels);
  }
  size_t bytes() const { return value_count() * static_cast<size_t>(bits / 8); }
  bool empty() const { return value_count() == 0; }
};

}  // namespace ptl
