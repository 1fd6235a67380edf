#include "kernels/tone_map.h"

#include <vector>

#include "kernels/camera.h"

namespace ptl {
namespace {

// Pixels; less is not worth waking threads for.
constexpr int worth_threads = 4096;

template <class T>
Vec2<T> position_of(const ToneFrame& frame, int column, int row) {
  const Vec2<T> crop_px(static_cast<T>(column) + T(0.5), static_cast<T>(row) + T(0.5));
  return vignette_position(undo_crop(frame.crop, crop_px), frame.photo_width_px, frame.photo_height_px);
}

template <class T>
Vec3<T> load(const T* pixel, const ImageStrides& s) {
  return Vec3<T>(pixel[0], pixel[s.channel], pixel[2 * s.channel]);
}

template <class T>
void store(T* pixel, const ImageStrides& s, const Vec3<T>& value) {
  for (int c = 0; c < 3; ++c) pixel[c * s.channel] = value[c];
}

void add(ToneGradient& sum, const ToneGradient& row) {
  sum.exposure_ev += row.exposure_ev;
  for (int i = 0; i < 2; ++i) sum.white_balance[i] += row.white_balance[i];
  for (int i = 0; i < 5; ++i) sum.vignette[i] += row.vignette[i];
  for (int c = 0; c < 3; ++c)
    for (int j = 0; j < response_samples; ++j) sum.response[c][j] += row.response[c][j];
}

ToneGradient zero_gradient() {
  ToneGradient zero;
  zero.white_balance[0] = zero.white_balance[1] = 0;
  return zero;
}

}  // namespace

template <class T>
void tone_map_image(const ToneParams<T>& params, const ToneFrame& frame, ToneMode mode, const T* radiance,
                    const ImageStrides& radiance_strides, T* output, const ImageStrides& output_strides) {
#pragma omp parallel for schedule(static) if (frame.crop.height_px * frame.crop.width_px >= worth_threads)
  for (int row = 0; row < frame.crop.height_px; ++row)
    for (int column = 0; column < frame.crop.width_px; ++column) {
      const Vec3<T> in =
          load(radiance + row * radiance_strides.row + column * radiance_strides.column, radiance_strides);
      store(output + row * output_strides.row + column * output_strides.column, output_strides,
            tone_map(params, position_of<T>(frame, column, row), mode, in));
    }
}

template <class T>
ToneGradient tone_map_image_backward(const ToneParams<T>& params, const ToneFrame& frame, ToneMode mode,
                                     const T* radiance, const ImageStrides& radiance_strides, const T* grad_output,
                                     const ImageStrides& grad_output_strides, T* grad_radiance) {
  std::vector<ToneGradient> rows(static_cast<size_t>(frame.crop.height_px), zero_gradient());
#pragma omp parallel for schedule(static) if (frame.crop.height_px * frame.crop.width_px >= worth_threads)
  for (int row = 0; row < frame.crop.height_px; ++row)
    for (int column = 0; column < frame.crop.width_px; ++column) {
      const int64_t at = row * radiance_strides.row + column * radiance_strides.column;
      const Vec3<T> grad = load(grad_output + row * grad_output_strides.row + column * grad_output_strides.column,
                                grad_output_strides);
      store(grad_radiance + at, radiance_strides,
            tone_map_backward(params, position_of<T>(frame, column, row), mode, load(radiance + at, radiance_strides),
                              grad, rows[static_cast<size_t>(row)]));
    }
  ToneGradient sum = zero_gradient();
  for (const ToneGradient& row : rows) add(sum, row);
  return sum;
}

#define PTL_INSTANTIATE(T)                                                                                     \
  template void tone_map_image<T>(const ToneParams<T>&, const ToneFrame&, ToneMode, const T*,                  \
                                  const ImageStrides&, T*, const ImageStrides&);                               \
  template ToneGradient tone_map_image_backward<T>(const ToneParams<T>&, const ToneFrame&, ToneMode, const T*, \
                                                   const ImageStrides&, const T*, const ImageStrides&, T*);
PTL_INSTANTIATE(float)
PTL_INSTANTIATE(double)
#undef PTL_INSTANTIATE

}  // namespace ptl
