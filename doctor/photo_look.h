// What one look at a photo's pixels leaves: a small copy, how much detail is where, how bright it is. One pass over
// each photo; nothing else of the doctor decodes one.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "datasets/exif.h"
#include "datasets/image.h"
#include "datasets/scene.h"

namespace ptl::doctor {

/// Energies of second differences in square cells of the photo: fine at the photo's own pixels (of the reduced photo
/// where it is larger than `detail_side_px`), coarse at pixels twice and four times as large. Grey values 0..255.
inline constexpr int detail_side_px = 1600;
inline constexpr int directions = 4;  ///< 0°, 45°, 90°, 135° from the x axis towards y

struct DetailCells {
  int columns = 0, rows = 0;
  std::vector<float> fine, middle, coarse;  ///< mean squared Laplacian, [rows, columns]
  /// Mean squared second difference along each direction, [rows, columns].
  std::array<std::vector<float>, directions> fine_along, coarse_along;

  bool empty() const { return fine.empty(); }
  size_t at(float x, float y) const;  ///< cell of a place, in shares of width and height
};

struct MaskLook {
  std::string trouble;  ///< empty: it could be read
  int width_px = 0, height_px = 0;
  double white_share = 0;
};

struct PhotoLook {
  bool there = false;
  bool decoded = false;
  std::string trouble;  ///< why it was not decoded
  int width_px = 0, height_px = 0;
  ExifFields exif;
  StoredImage small;  ///< RGB, 8 bits
  DetailCells detail;
  double mean = 0, deviation = 0;           ///< of grey values 0..255
  double black_share = 0, white_share = 0;  ///< of pixels with all channels at most 3, or at least 252
  bool has_mask = false;
  MaskLook mask;

  /// Colour of the small copy at a place in shares of width and height, bilinear, 0..255; false outside.
  bool color_at(float x, float y, std::array<float, 3>& color) const;
};

/// Longer side of the small copies, so that those of `photos` photos take no more than half a GiB.
int small_side_px(size_t photos);

/// Never throws for what is wrong with the photo or its mask: that is what `trouble` says. Without `pixels` only
/// headers are read.
PhotoLook look_at_photo(const SceneImage& image, const std::optional<LogRange>& range, int small_side, bool pixels);

/// The small copy as it stands, turned by quarter turns clockwise (0..3).
StoredImage quarter_turned(const StoredImage& image, int turns);

/// Bilinear at a place in shares of width and height; false outside.
bool sample_color(const StoredImage& image, float x, float y, std::array<float, 3>& color);

}  // namespace ptl::doctor
