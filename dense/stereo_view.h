// A photo as the stereo wants it: resampled once to an ideal pinhole camera at the stereo's size.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "datasets/image_cache.h"
#include "datasets/scene.h"

namespace ptl {

/// A pinhole without distortion. Pixels as everywhere: the centre of the upper-left one is (0.5, 0.5).
struct StereoCamera {
  int width_px = 0, height_px = 0;
  double focal_x_px = 1, focal_y_px = 1, centre_x_px = 0, centre_y_px = 0;
  Pose<double> camera_from_world;

  /// Pixel position → direction in the camera frame with z = 1.
  Vec3<double> ray(double x_px, double y_px) const {
    return {(x_px - centre_x_px) / focal_x_px, (y_px - centre_y_px) / focal_y_px, 1};
  }
  /// Camera frame → pixel position; z must be positive.
  Vec2<double> pixel(const Vec3<double>& x_camera) const {
    return {focal_x_px * x_camera.x / x_camera.z + centre_x_px, focal_y_px * x_camera.y / x_camera.z + centre_y_px};
  }
  Vec3<double> position_world(double x_px, double y_px, double depth_m) const {
    return glm::transpose(camera_from_world.rotation) * (ray(x_px, y_px) * depth_m - camera_from_world.translation);
  }
  bool contains(const Vec2<double>& pixel_px) const {
    return pixel_px.x >= 0 && pixel_px.y >= 0 && pixel_px.x < width_px && pixel_px.y < height_px;
  }
  size_t pixel_count() const { return static_cast<size_t>(width_px) * static_cast<size_t>(height_px); }
  size_t index(int x, int y) const {
    return static_cast<size_t>(y) * static_cast<size_t>(width_px) + static_cast<size_t>(x);
  }
};

struct StereoView {
  StereoCamera camera;
  std::vector<float> luminance;               ///< [height, width], 0..255, as encoded; 0 where not valid
  std::vector<std::array<uint8_t, 3>> color;  ///< [height, width] sRGB
  std::vector<uint8_t> valid;                 ///< [height, width]; 0: outside of the photo or masked
};

/// The ideal camera of an image, `scale` = stereo pixels per pixel of the camera's params at the centre. It covers what
/// the photo covers with straight sides, but no more than twice the photo's size on an axis (very wide lenses).
StereoCamera stereo_camera(const CameraParams<double>& params, const Pose<double>& camera_from_world, double scale);

/// Photos of a scene reduced by the area filter to the stereo's scale, for make_stereo_view.
ImageCache stereo_photos(const Scene& scene, double scale);

/// Resamples photo `image` (bilinear, from the reduced photo, through the true camera model). Mask below 1/2: not
/// valid. Throws InputError as ImageCache::get does.
StereoView make_stereo_view(const Scene& scene, int image, double scale, ImageCache& photos);

}  // namespace ptl
