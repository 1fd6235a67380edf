#include "dense/stereo_view.h"

#include <algorithm>
#include <cmath>

#include "datasets/scene_loader.h"

namespace ptl {

StereoCamera stereo_camera(const CameraParams<double>& params, const Pose<double>& camera_from_world, double scale) {
  // The box around the undistorted border, in directions with z = 1.
  double low_u = 1e30, high_u = -1e30, low_v = 1e30, high_v = -1e30;
  constexpr int steps = 64;
  for (int side = 0; side < 4; ++side)
    for (int i = 0; i <= steps; ++i) {
      const double along = static_cast<double>(i) / steps;
      const double x = side == 0 ? 0 : side == 1 ? 1 : along, y = side == 2 ? 0 : side == 3 ? 1 : along;
      Vec3<double> ray;
      unproject_ray(params, x * params.width_px, y * params.height_px, ray);
      if (!(ray.z > 0)) continue;
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

StereoView make_stereo_view(const Scene& scene, int image, double scale, ImageCache& photos) {
  const SceneImage& scene_image = scene.images[static_cast<size_t>(image)];
  const CameraParams<double>& params = scene.camera_of(scene_image).params;
  const auto decoded = photos.get(image);
  const StoredImage& photo = decoded->photo;
  const StoredImage& mask = decoded->mask;
  const CameraParams<double> reduced = scale_camera(params, photo.width, photo.height);
  StereoView view;
  view.camera = stereo_camera(params, scene_image.camera_from_world, scale);
  const size_t count = view.camera.pixel_count();
  view.luminance.assign(count, 0.0f);
  view.color.assign(count, {0, 0, 0});
  view.valid.assign(count, 0);
  const auto value = [](const StoredImage& pixels, int x, int y, int channel) {
    const size_t at = (static_cast<size_t>(y) * static_cast<size_t>(pixels.width) + static_cast<size_t>(x)) *
                          static_cast<size_t>(pixels.channels) +
                      static_cast<size_t>(channel);
    return pixels.bits == 8 ? static_cast<float>(pixels.values8[at]) : static_cast<float>(pixels.values16[at]) / 257.0f;
  };
  for (int y = 0; y < view.camera.height_px; ++y)
    for (int x = 0; x < view.camera.width_px; ++x) {
      const Projection<double> p = project(reduced, view.camera.ray(x + 0.5, y + 0.5));
      if (!p.valid || p.x_px < 0 || p.y_px < 0 || p.x_px >= photo.width || p.y_px >= photo.height) continue;
      if (!mask.empty() && value(mask, static_cast<int>(p.x_px), static_cast<int>(p.y_px), 0) < 127.5f) continue;
      const double left = std::clamp(p.x_px - 0.5, 0.0, photo.width - 1.0);
      const double top = std::clamp(p.y_px - 0.5, 0.0, photo.height - 1.0);
      const int x0 = static_cast<int>(left), y0 = static_cast<int>(top);
      const int x1 = std::min(x0 + 1, photo.width - 1), y1 = std::min(y0 + 1, photo.height - 1);
      const float a = static_cast<float>(left - x0), b = static_cast<float>(top - y0);
      float rgb[3];
      const size_t at = view.camera.index(x, y);
      for (int c = 0; c < 3; ++c) {
        const float upper = value(photo, x0, y0, c) * (1 - a) + value(photo, x1, y0, c) * a;
        const float lower = value(photo, x0, y1, c) * (1 - a) + value(photo, x1, y1, c) * a;
        rgb[c] = upper * (1 - b) + lower * b;
        view.color[at][static_cast<size_t>(c)] = static_cast<uint8_t>(std::clamp(rgb[c] + 0.5f, 0.0f, 255.0f));
      }
      view.luminance[at] = 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];
      view.valid[at] = 1;
    }
  return view;
}

}  // namespace ptl
