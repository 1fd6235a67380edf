// The pictures of a report: reduced, compared, encoded.
#include <algorithm>
#include <cmath>

#include "datasets/error.h"
#include "datasets/image_io.h"
#include "datasets/resize.h"
#include "renderer/report.h"

namespace ptl {

namespace {

void check_same_size(const Image& photo, const Image& rendering, const Image* mask) {
  if (photo.channels != 3 || rendering.channels != 3 || photo.width != rendering.width ||
      photo.height != rendering.height)
    throw InputError("error map: a photo of {} × {} × {} and a rendering of {} × {} × {}, expected two RGB images of one "
                     "size", photo.width, photo.height, photo.channels, rendering.width, rendering.height,
                     rendering.channels);
  if (mask && (mask->channels != 1 || mask->width != photo.width || mask->height != photo.height))
    throw InputError("error map: a mask of {} × {} × {}, expected {} × {} × 1", mask->width, mask->height,
                     mask->channels, photo.width, photo.height);
}

Image at_most(const Image& image, int longest_side_px) {
  const int longest = std::max(image.width, image.height);
  if (longest <= longest_side_px) return image;
  const double scale = static_cast<double>(longest_side_px) / longest;
  const auto scaled = [&](int side) { return std::max(1, static_cast<int>(std::floor(side * scale + 0.5))); };
  return reduce_area(image, scaled(image.width), scaled(image.height));
}

Image clamped(Image image) {
  for (float& value : image.pixels) value = value > 0.0f ? std::min(value, 1.0f) : 0.0f;  // NaN becomes 0
  return image;
}

}  // namespace

std::array<float, 3> inferno_color(float t) {
  static constexpr float coefficients[3][7] = {
      {0.00021f, 0.10587f, 11.61711f, -41.70928f, 77.15745f, -71.28767f, 25.09262f},
      {0.00163f, 0.56636f, -3.94772f, 17.45772f, -33.41568f, 32.55388f, -12.22216f},
      {-0.03713f, 4.11793f, -16.25732f, 44.64512f, -82.25392f, 73.58813f, -23.11565f}};
  t = t > 0.0f ? std::min(t, 1.0f) : 0.0f;
  std::array<float, 3> color{};
  for (size_t c = 0; c < 3; ++c) {
    float value = 0;
    for (int power = 6; power >= 0; --power) value = value * t + coefficients[c][power];
    color[c] = std::clamp(value, 0.0f, 1.0f);
  }
  return color;
}

Image error_map(const Image& photo, const Image& rendering, const Image* mask) {
  check_same_size(photo, rendering, mask);
  const Image a = clamped(photo), b = clamped(rendering);
  Image map(photo.width, photo.height, 3);
  const size_t pixels = map.pixels.size() / 3;
  for (size_t i = 0; i < pixels; ++i) {
    float difference = 0;
    for (size_t c = 0; c < 3; ++c) difference += std::abs(a.pixels[3 * i + c] - b.pixels[3 * i + c]) / 3;
    if (mask) difference *= mask->pixels[i];
    const std::array<float, 3> color = inferno_color(difference / error_map_range);
    for (size_t c = 0; c < 3; ++c) map.pixels[3 * i + c] = color[c];
  }
  return map;
}

ReportImage make_report_image(const std::string& name, const EvalScore& score, const Image& photo,
                              const Image& rendering, const Image* mask, int longest_side_px, int quality) {
  check_same_size(photo, rendering, mask);
  const Image small_photo = at_most(clamped(photo), longest_side_px);
  ReportImage result;
  result.name = name;
  result.score = score;
  result.width_px = small_photo.width;
  result.height_px = small_photo.height;
  result.photo = encode_jpeg(to_stored(small_photo), quality);
  result.rendering = encode_jpeg(to_stored(at_most(clamped(rendering), longest_side_px)), quality);
  // Compared at full size: reduced images would hide the errors of fine texture.
  result.error_map = encode_jpeg(to_stored(at_most(error_map(photo, rendering, mask), longest_side_px)), quality);
  return result;
}

}  // namespace ptl
