#include "datasets/image_cache.h"

#include <algorithm>
#include <chrono>

#include "datasets/error.h"
#include "datasets/hdr_photo.h"
#include "datasets/resize.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

/// Reads, checks the size against what the scene says, reduces.
StoredImage read_at_size(const fs::path& path, const char* what, const ImageSource& source, int channels) {
  const ImageSize size = read_image_size(path);
  if (size.width_px != source.stored_width_px || size.height_px != source.stored_height_px)
    throw InputError("{}: the {} has {} × {} pixels, expected {} × {} as its camera has; was it resized or rotated?",
                     path.string(), what, size.width_px, size.height_px, source.stored_width_px, source.stored_height_px);
  // A photo as its own mask: its alpha channel.
  if (channels == 3) return read_photo(path, source.range, source.width_px, source.height_px);
  StoredImage image = path == source.photo_path ? read_alpha(path) : read_image(path, channels);
  if (image.empty()) return image;
  if (image.width == source.width_px && image.height == source.height_px) return image;
  return reduce_area(image, source.width_px, source.height_px);
}

uint64_t bytes_when_decoded(const ImageSource& source) {
  const uint64_t pixels = static_cast<uint64_t>(source.width_px) * static_cast<uint64_t>(source.height_px);
  const auto value_bytes = [](const fs::path& path) -> uint64_t { return read_image_info(path).bits >= 16 ? 2 : 1; };
  return pixels * (3 * value_bytes(source.photo_path) + (source.mask_path.empty() ? 0 : value_bytes(source.mask_path)));
}

}  // namespace

std::vector<ImageSource> image_sources(const Scene& scene) {
  std::vector<ImageSource> sources;
  for (const SceneImage& image : scene.images) {
    const SceneCamera& camera = scene.camera_of(image);
    sources.push_back({image.photo_path, image.mask_path, camera.stored_width_px, camera.stored_height_px,
                       camera.params.width_px, camera.params.height_px, wraps_x(camera.params.model), scene.photo_range});
  }
  return sources;
}

ImageCache::ImageCache(std::vector<ImageSource> sources, uint64_t max_bytes)
    : sources_(std::move(sources)), max_bytes_(max_bytes), slots_(sources_.size()) {}

ImageCache::Decoded ImageCache::decode(const ImageSource& source) const {
  Decoded decoded;
  decoded.photo = read_at_size(source.photo_path, "photo", source, 3);
  if (!source.mask_path.empty()) decoded.mask = read_at_size(source.mask_path, "mask", source, 1);
  return decoded;
}

void ImageCache::make_room(uint64_t bytes) {
  while (!recent_.empty() && statistics_.bytes + bytes > max_bytes_) {
    Slot& oldest = slots_[static_cast<size_t>(recent_.back())];
    statistics_.bytes -= oldest.decoded->bytes();
    oldest.decoded.reset();
    recent_.pop_back();
  }
}

std::shared_ptr<const ImageCache::Decoded> ImageCache::get(int image) {
  const ImageSource& wanted = source(image);
  const std::lock_guard lock(mutex_);
  Slot& slot = slots_[static_cast<size_t>(image)];
  if (slot.decoded) {
    recent_.splice(recent_.begin(), recent_, slot.place);
    ++statistics_.reused;
    return slot.decoded;
  }
  const auto start = std::chrono::steady_clock::now();
  make_room(bytes_when_decoded(wanted));  // before decoding, so that the bound holds while it goes on
  slot.decoded = std::make_shared<const Decoded>(decode(wanted));
  recent_.push_front(image);
  slot.place = recent_.begin();
  statistics_.bytes += slot.decoded->bytes();
  statistics_.peak_bytes = std::max(statistics_.peak_bytes, statistics_.bytes);
  ++statistics_.decoded;
  statistics_.decode_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return slot.decoded;
}

void ImageCache::sample_crop(int image, const Crop& crop, float* rgb, float* mask) {
  const std::shared_ptr<const Decoded> decoded = get(image);
  const ImageSource& used = source(image);
  const double step = 1.0 / static_cast<double>(crop.zoom);
  const AxisTaps x = (used.wraps_x ? make_wrapped_axis_taps : make_axis_taps)(used.width_px, crop.width_px, step,
                                                                              static_cast<double>(crop.offset_x_px));
  const AxisTaps y = make_axis_taps(used.height_px, crop.height_px, step, static_cast<double>(crop.offset_y_px));
  sample_separable(decoded->photo, x, y, rgb);
  if (!decoded->mask.empty()) {
    sample_separable(decoded->mask, x, y, mask);
    return;
  }
  for (int row = 0; row < crop.height_px; ++row)
    for (int column = 0; column < crop.width_px; ++column)
      *mask++ = x.tap_count(column) > 0 && y.tap_count(row) > 0 ? 1.0f : 0.0f;
}

Image ImageCache::photo(int image) { return to_float(get(image)->photo); }

Image ImageCache::mask(int image) {
  const std::shared_ptr<const Decoded> decoded = get(image);
  if (decoded->mask.empty()) return Image(source(image).width_px, source(image).height_px, 1, 1.0f);
  return to_float(decoded->mask);
}

ImageCache::Statistics ImageCache::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

}  // namespace ptl
