#include "dense/resample.h"

#include <algorithm>

#include "kernels/camera.h"

namespace ptl {
namespace {

template <class Model>
struct ResamplePixel {
  CameraParams<double> params;
  StoredPixels photo, mask;
  StereoCamera camera;
  Mat3<double> photo_from_stereo;
  float* luminance;
  uint8_t *color, *valid;

  PTL_HD void operator()(int64_t at) const {
    luminance[at] = 0;
    valid[at] = 0;
    for (int c = 0; c < 3; ++c) color[3 * at + c] = 0;
    const int x = static_cast<int>(at % camera.width_px), y = static_cast<int>(at / camera.width_px);
    const Projection<double> p = Model::project(params, photo_from_stereo * camera.ray(x + 0.5, y + 0.5));
    if (!p.valid || p.x_px < 0 || p.y_px < 0 || p.x_px >= photo.width || p.y_px >= photo.height) return;
    if (!mask.empty() && mask.at(static_cast<int>(p.x_px), static_cast<int>(p.y_px), 0) < 127.5f) return;
    double left = p.x_px - 0.5;
    if (Model::wraps_x)
      left += left < 0 ? photo.width : 0;  // between the last column and the first
    else
      left = std::clamp(left, 0.0, photo.width - 1.0);
    const double top = std::clamp(p.y_px - 0.5, 0.0, photo.height - 1.0);
    const int x0 = static_cast<int>(left), y0 = static_cast<int>(top);
    const int x1 = x0 + 1 < photo.width ? x0 + 1 : Model::wraps_x ? 0 : x0, y1 = std::min(y0 + 1, photo.height - 1);
    const float a = static_cast<float>(left - x0), b = static_cast<float>(top - y0);
    float rgb[3];
    for (int c = 0; c < 3; ++c) {
      const float upper = photo.at(x0, y0, c) * (1 - a) + photo.at(x1, y0, c) * a;
      const float lower = photo.at(x0, y1, c) * (1 - a) + photo.at(x1, y1, c) * a;
      rgb[c] = upper * (1 - b) + lower * b;
      color[3 * at + c] = static_cast<uint8_t>(std::clamp(rgb[c] + 0.5f, 0.0f, 255.0f));
    }
    luminance[at] = 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];
    valid[at] = 1;
  }
};

}  // namespace

void resample_photo(const Device& device, const CameraParams<double>& params, const StoredPixels& photo,
                    const StoredPixels& mask, const StereoCamera& camera, float* luminance, uint8_t* color,
                    uint8_t* valid, const Mat3<double>& photo_from_stereo) {
  const auto count = static_cast<int64_t>(camera.pixel_count());
  visit_camera(params.model, [&](auto model) {
    parallel_for(device, "resample_photo", count, count,
                 ResamplePixel<decltype(model)>{params, photo, mask, camera, photo_from_stereo, luminance, color, valid});
  });
}

}  // namespace ptl
