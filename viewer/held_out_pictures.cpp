#include "viewer/held_out_pictures.h"

#include <algorithm>
#include <cmath>

#include "datasets/image_io.h"
#include "datasets/split.h"
#include "renderer/image_tensor.h"
#include "renderer/metrics.h"
#include "renderer/picture.h"
#include "renderer/scored_picture.h"

namespace ptl {

std::vector<int64_t> shown_held_out(const SceneModel& model) {
  const std::vector<int64_t> all = model.held_out_images();
  return all.empty() ? all : spread_evenly(all, most_held_out);
}

std::optional<HeldOutPicture> held_out_picture(const SceneModel& model, ImageCache& photos, int64_t image,
                                               const std::atomic<bool>& stop) {
  RenderView view = photo_view(model, image);
  const CameraParams<double> camera = view.camera;
  const double scale =
      std::min(1.0, static_cast<double>(held_out_side_px) / std::max(camera.width_px, camera.height_px));
  if (scale < 1) {
    view.camera = scale_camera(camera, std::max(1, static_cast<int>(std::lround(camera.width_px * scale))),
                               std::max(1, static_cast<int>(std::lround(camera.height_px * scale))));
    view.crop = whole_photo(view.camera);
  }
  PictureLight light;
  light.image = image;
  light.setting = photometric_setting(model, image, ExposureProtocol::exif);
  const std::optional<Image> rendering = ViewPictures(model, view, &stop).neural(light);
  if (!rendering) return std::nullopt;
  Image photo(view.camera.width_px, view.camera.height_px, 3), mask(view.camera.width_px, view.camera.height_px, 1);
  Crop crop = view.crop;
  crop.zoom = static_cast<float>(scale);
  photos.sample_crop(static_cast<int>(image), crop, photo.pixels.data(), mask.pixels.data());
  HeldOutPicture result;
  result.image = image;
  result.psnr_db = psnr_db(as_written(tensor_from_image(*rendering)), tensor_from_image(photo), BorderProtocol::full,
                           tensor_from_image(mask).squeeze(2));
  result.rendering = to_stored(*rendering, 8);
  result.photo = to_stored(photo, 8);
  return result;
}

}  // namespace ptl
