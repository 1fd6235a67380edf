// A photo as the stereo wants it: resampled once to an ideal pinhole camera at the stereo's size.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "datasets/image_cache.h"
#include "datasets/scene.h"
#include "dense/stereo_camera.h"
#include "kernels/device.h"

namespace ptl {

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

/// A StereoView's pixels of a photo at the size of `params`, seen by `camera` (resample_photo).
StereoView resampled_view(const Device& device, const CameraParams<double>& params, const ImageCache::Decoded& decoded,
                          const StereoCamera& camera, const Mat3<double>& photo_from_stereo = Mat3<double>(1));

/// Resamples photo `image` (bilinear, from the reduced photo, through the true camera model). Mask below 1/2: not
/// valid. Throws InputError as ImageCache::get does.
StereoView make_stereo_view(const Device& device, const Scene& scene, int image, double scale, ImageCache& photos);

}  // namespace ptl
