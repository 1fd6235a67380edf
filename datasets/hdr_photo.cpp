#include "datasets/hdr_photo.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "datasets/error.h"
#include "datasets/quantile.h"
#include "datasets/resize.h"
#include "datasets/split.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

constexpr size_t most_photos = 16;
constexpr size_t most_pixels = 20000;  // of each
constexpr size_t most_points = 100000;
constexpr double margin_share = 0.001;  // of the values, at either end
constexpr double margin_stops = 1;
constexpr double least_stops = 6, most_stops = 24;
constexpr std::array<double, 3> matched_shares = {0.1, 0.5, 0.9};  // of the photos' values and of the points'

/// What the photos hold, at some of their pixels.
struct Sampled {
  std::vector<double> log2_radiance;  ///< of each channel, where it is above 0
  size_t values = 0;                  ///< looked at
};

void sample(const SceneImage& image, Sampled& sampled) {
  const Image radiance = read_radiance(image.photo_path);
  StoredImage mask;
  if (!image.mask_path.empty())
    mask = image.mask_path == image.photo_path ? read_alpha(image.mask_path) : read_image(image.mask_path, 1);
  const Image counts = mask.empty() ? Image() : to_float(mask);
  const size_t pixels = radiance.pixels.size() / 3, step = std::max<size_t>(1, pixels / most_pixels);
  // Pixels in a row, a step apart, would fall into few columns where the step divides the width.
  const size_t stride = step > 1 && static_cast<size_t>(radiance.width) % step == 0 ? step + 1 : step;
  for (size_t i = stride / 2; i < pixels; i += stride) {
    if (i < counts.pixels.size() && counts.pixels[i] < 0.5f) continue;
    for (size_t c = 0; c < 3; ++c) {
      ++sampled.values;
      const auto value = static_cast<double>(radiance.pixels[3 * i + c]);
      if (value > 0) sampled.log2_radiance.push_back(std::log2(value));
    }
  }
}

LogRange range_of(const std::vector<double>& log2_radiance) {
  LogRange range;
  range.high = std::ceil(quantile(log2_radiance, 1 - margin_share)) + margin_stops;
  const double low = std::floor(quantile(log2_radiance, margin_share)) - margin_stops;
  range.low = range.high - std::clamp(range.high - low, least_stops, most_stops);
  return range;
}

/// One straight line for all channels.
void match_colors(const Sampled& sampled, const LogRange& range, PointCloud& cloud) {
  std::vector<double> of_points;
  const size_t step = std::max<size_t>(1, cloud.size() / most_points);
  for (size_t i = 0; i < cloud.size(); i += step)
    for (const uint8_t value : cloud.color[i]) of_points.push_back(value / 255.0);
  if (of_points.empty()) return;
  std::array<double, 3> from, to;
  for (size_t k = 0; k < matched_shares.size(); ++k) {
    from[k] = quantile(of_points, matched_shares[k]);
    to[k] = std::clamp((quantile(sampled.log2_radiance, matched_shares[k]) - range.low) / range.stops(), 0.0, 1.0);
  }
  const double slope = std::clamp((to[2] - to[0]) / std::max(from[2] - from[0], 1.0 / 255), 0.25, 4.0);
  for (std::array<uint8_t, 3>& color : cloud.color)
    for (uint8_t& value : color)
      value = static_cast<uint8_t>(std::lround(255 * std::clamp(to[1] + slope * (value / 255.0 - from[1]), 0.0, 1.0)));
}

}  // namespace

Image read_radiance(const fs::path& path) {
  Image radiance = read_exr(path);
  if (radiance.channels != 3)
    throw InputError("{}: an OpenEXR file of one channel (a depth map?), expected a photo with R, G and B",
                     path.string());
  for (size_t i = 0; i < radiance.pixels.size(); ++i)
    if (!std::isfinite(radiance.pixels[i])) {
      const size_t pixel = i / 3, width = static_cast<size_t>(radiance.width);
      throw InputError(
          "{}: pixel ({}, {}) holds {}, expected finite radiance everywhere; mend the file, and mask what is not "
          "known",
          path.string(), pixel % width, pixel / width, radiance.pixels[i]);
    }
  return radiance;
}

StoredImage read_photo(const fs::path& path, const std::optional<LogRange>& range, int width_px, int height_px) {
  const auto reduced = [&](auto image) {
    return image.width == width_px && image.height == height_px ? image : reduce_area(image, width_px, height_px);
  };
  if (image_format(path) != ImageFormat::exr) return reduced(read_image(path));
  if (!range)
    throw InputError(
        "{}: is an OpenEXR photo, but the scene has no range of values for those; expected all of its photos to be "
        "OpenEXR, or none",
        path.string());
  Image values = reduced(read_radiance(path));
  for (float& value : values.pixels) value = log_value(value, *range);
  return to_stored(values, 16);
}

StoredImage read_photo(const fs::path& path, const std::optional<LogRange>& range) {
  const ImageSize size = read_image_size(path);
  return read_photo(path, range, size.width_px, size.height_px);
}

bool is_hdr(const Scene& scene) {
  return !scene.images.empty() && image_format(scene.images.front().photo_path) == ImageFormat::exr;
}

void choose_photo_range(Scene& scene, const std::vector<int>& images) {
  if (!is_hdr(scene)) return;
  const std::vector<int> looked_at = spread_evenly(images, most_photos);
  Sampled sampled;
  for (const int image : looked_at) sample(scene.images[static_cast<size_t>(image)], sampled);
  if (sampled.log2_radiance.empty())
    throw InputError("{}: the photos hold no radiance above 0 where masks let them count; expected linear radiance",
                     scene.images[static_cast<size_t>(looked_at.front())].photo_path.parent_path().string());
  const LogRange range = range_of(sampled.log2_radiance);
  scene.photo_range = range;
  match_colors(sampled, range, scene.cloud);
  const double share = 1 - static_cast<double>(sampled.log2_radiance.size()) / static_cast<double>(sampled.values);
  scene.oddities.push_back(fmt::format(
      "the photos are HDR (OpenEXR) and {} (from {} of them){}", describe(range), looked_at.size(),
      share > 0 ? fmt::format("; {:.2f} % of their values are 0 or less and count as the darkest", 100 * share)
                : std::string()));
}

std::string describe(const LogRange& range) {
  return fmt::format("log-coded, {:g} stops from 2^{:g} to 2^{:g}", range.stops(), range.low, range.high);
}

}  // namespace ptl
