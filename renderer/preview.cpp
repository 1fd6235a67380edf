#include "renderer/preview.h"

#include <algorithm>
#include <numeric>

#include "datasets/resize.h"
#include "datasets/split.h"
#include "renderer/picture.h"

namespace ptl {

namespace {

constexpr int gap_px = 8;

void put(const Image& from, int left, int top, Image& onto) {
  for (int y = 0; y < from.height; ++y)
    std::copy_n(from.pixels.begin() + static_cast<std::ptrdiff_t>(from.index(0, y, 0)), 3 * from.width,
                onto.pixels.begin() + static_cast<std::ptrdiff_t>(onto.index(left, top + y, 0)));
}

}  // namespace

std::vector<int64_t> preview_images(const SceneModel& model, size_t count) {
  std::vector<int64_t> images = model.held_out_images();
  if (images.size() < count) {
    images.resize(model.images.size());
    std::iota(images.begin(), images.end(), 0);
  }
  return spread_evenly(images, count);
}

Image preview_picture(const SceneModel& model, ImageCache& photos, const std::vector<int64_t>& images, int width_px) {
  std::vector<std::pair<Image, Image>> rows;
  int width = 0, height = 0;
  for (const int64_t image : images) {
    const CameraParams<double>& lens = model.camera_of(image).params;
    const int shown = std::min(width_px, lens.width_px);
    const double scale = static_cast<double>(shown) / lens.width_px;
    const CameraParams<double> camera = scale_camera(lens, shown, std::max(1, static_cast<int>(lens.height_px * scale + 0.5)));
    PictureLight light;
    light.image = image;
    light.setting = photometric_setting(model, image, ExposureProtocol::exif);
    ViewPictures pictures(model, {camera, model.images[static_cast<size_t>(image)].camera_from_world, whole_photo(camera)});
    rows.emplace_back(reduce_area(photos.photo(static_cast<int>(image)), camera.width_px, camera.height_px),
                      *pictures.neural(light));
    width = std::max(width, 2 * camera.width_px + gap_px);
    height += camera.height_px + (rows.size() > 1 ? gap_px : 0);
  }
  Image picture(width, height, 3);
  int top = 0;
  for (const auto& [photo, rendering] : rows) {
    put(photo, 0, top, picture);
    put(rendering, photo.width + gap_px, top, picture);
    top += photo.height + gap_px;
  }
  return picture;
}

}  // namespace ptl
