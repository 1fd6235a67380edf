#include "dense/stereo_view.h"

#include <algorithm>
#include <cmath>

#include "datasets/scene_loader.h"
#include "dense/resample.h"
#include "kernels/device_copy.h"

namespace ptl {

StereoCamera stereo_camera(const CameraParams<double>& params, const Pose<double>& camera_from_world, double scale) {
  // The box around the undistorted border, in directions with z = 1; of a lens that sees beside itself there, all that is in front.
  double low_u = 1e30, high_u = -1e30, low_v = 1e30, high_v = -1e30;
  constexpr int steps = 64;
  for (int side = 0; side < 4; ++side)
    for (int i = 0; i <= steps; ++i) {
      const double along = static_cast<double>(i) / steps;
      const double x = side == 0 ? 0 : side == 1 ? 1 : along, y = side == 2 ? 0 : side == 3 ? 1 : along;
      Vec3<double> ray;
      unproject_ray(params, x * params.width_px, y * params.height_px, ray);
      if (!(ray.z > 0)) {
        low_u = low_v = -1e30, high_u = high_v = 1e30;
        continue;
      }
      low_u = std::min(low_u, ray.x / ray.z), high_u = std::max(high_u, ray.x / ray.z);
      low_v = std::min(low_v, ray.y / ray.z), high_v = std::max(high_v, ray.y / ray.z);
    }
  StereoCamera camera;
  camera.camera_from_world = camera_from_world;
  const double focal = scale * focal_length_px(params);
  camera.focal_x_px = camera.focal_y_px = focal;
  const auto axis = [&](double low, double high, int size_px, double& centre_px) {
    const double half = scale * size_px / focal;  // no more than twice the photo
    low = std::max(low, -half), high = std::min(high, half);
    centre_px = -low * focal;
    return std::max(1, static_cast<int>(std::floor((high - low) * focal + 0.5)));
  };
  camera.width_px = axis(low_u, high_u, params.width_px, camera.centre_x_px);
  camera.height_px = axis(low_v, high_v, params.height_px, camera.centre_y_px);
  return camera;
}

ImageCache stereo_photos(const Scene& scene, double scale) {
  std::vector<ImageSource> sources = image_sources(scene);
  for (ImageSource& source : sources) {
    source.width_px = std::min(source.stored_width_px, scaled_size_px(source.width_px, scale));
    source.height_px = std::min(source.stored_height_px, scaled_size_px(source.height_px, scale));
  }
  return ImageCache(std::move(sources), 1);  // each photo is read once: keep the last one only
}

namespace {

/// Where a device reads an image.
class DeviceImage {
 public:
  DeviceImage(const Device& device, const StoredImage& image)
      : values8_(device, image.values8), values16_(device, image.values16) {
    pixels_ = {image.width, image.height, image.channels, image.values8.empty() ? nullptr : values8_.data(),
               image.values16.empty() ? nullptr : values16_.data()};
  }
  const StoredPixels& pixels() const { return pixels_; }

 private:
  DeviceCopy<uint8_t> values8_;
  DeviceCopy<uint16_t> values16_;
  StoredPixels pixels_;
};

}  // namespace

StereoView resampled_view(const Device& device, const CameraParams<double>& params, const ImageCache::Decoded& decoded,
                          const StereoCamera& camera, const Mat3<double>& photo_from_stereo) {
  StereoView view;
  view.camera = camera;
  const auto count = static_cast<int64_t>(view.camera.pixel_count());
  view.luminance.resize(view.camera.pixel_count());
  view.color.resize(view.camera.pixel_count());
  view.valid.resize(view.camera.pixel_count());
  const DeviceImage photo(device, decoded.photo), mask(device, decoded.mask);
  const Scratch<float> luminance(device, count);
  const Scratch<uint8_t> color(device, 3 * count), valid(device, count);
  resample_photo(device, params, photo.pixels(), mask.pixels(), view.camera, luminance.data(), color.data(), valid.data(),
                 photo_from_stereo);
  copy_to_host(device, luminance.data(), count, view.luminance.data());
  copy_to_host(device, color.data(), 3 * count, view.color.front().data());
  copy_to_host(device, valid.data(), count, view.valid.data());
  return view;
}

StereoView make_stereo_view(const Device& device, const Scene& scene, int image, double scale, ImageCache& photos) {
  const SceneImage& scene_image = scene.images[static_cast<size_t>(image)];
  const CameraParams<double>& params = scene.camera_of(scene_image).params;
  const auto decoded = photos.get(image);
  return resampled_view(device, scale_camera(params, decoded->photo.width, decoded->photo.height), *decoded,
                        stereo_camera(params, scene_image.camera_from_world, scale));
}

}  // namespace ptl
