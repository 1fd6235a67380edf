#include "kernels/tone_map.h"

#include <utility>
#include <vector>

#include "kernels/camera.h"

namespace ptl {
namespace {

// Pixels; less is not worth waking threads for. Only OpenMP's lines, which nvcc does not read, use it.

// What one thread of the driver by pixels adds up: pixels first, then sums of them.
constexpr int64_t terms_per_sum = 32;
int64_t sums_over(int64_t terms) { return (terms + terms_per_sum - 1) / terms_per_sum; }

/// A ToneGradient is that many doubles in a row.
constexpr int64_t component_count = sizeof(ToneGradient) / sizeof(double);
static_assert(component_count == 1 + 2 + 5 + 3 * response_samples);

PTL_HD double* components(ToneGradient& gradient) { return reinterpret_cast<double*>(&gradient); }

PTL_HD ToneGradient zero_gradient() {
  ToneGradient zero;
  zero.white_balance[0] = zero.white_balance[1] = 0;
  return zero;
}

template <class T>
PTL_HD Vec2<T> position_of(const ToneFrame& frame, int column, int row) {
  const Vec2<T> crop_px(static_cast<T>(column) + T(0.5), static_cast<T>(row) + T(0.5));
  Vec2<T> photo_px = undo_crop(frame.crop, crop_px);
  const T width = static_cast<T>(frame.photo_width_px);  // a crop of a panorama may reach over its seam
  photo_px.x = photo_px.x < T(0) ? photo_px.x + width : photo_px.x < width ? photo_px.x : photo_px.x - width;
  return vignette_position(photo_px, frame.photo_width_px, frame.photo_height_px);
}

template <class T>
PTL_HD Vec3<T> load(const T* pixel, const ImageStrides& s) {
  return Vec3<T>(pixel[0], pixel[s.channel], pixel[2 * s.channel]);
}

template <class T>
PTL_HD void store(T* pixel, const ImageStrides& s, const Vec3<T>& value) {
  for (int c = 0; c < 3; ++c) pixel[c * s.channel] = value[c];
}

template <class T>
struct ToneForward {
  ToneParams<T> params;
  ToneFrame frame;
  ToneMode mode;
  const T* radiance;
  ImageStrides radiance_strides;
  T* output;
  ImageStrides output_strides;

  PTL_HD void pixel(int row, int column) const {
    const Vec3<T> in =
        load(radiance + row * radiance_strides.row + column * radiance_strides.column, radiance_strides);
    store(output + row * output_strides.row + column * output_strides.column, output_strides,
          tone_map(params, position_of<T>(frame, column, row), mode, in));
  }

  PTL_HD void operator()(int64_t i) const {
    pixel(static_cast<int>(i / frame.crop.width_px), static_cast<int>(i % frame.crop.width_px));
  }
};

template <class T>
struct ToneBackward {
  ToneParams<T> params;
  ToneFrame frame;
  ToneMode mode;
  const T* radiance;
  ImageStrides radiance_strides;
  const T* grad_output;
  ImageStrides grad_output_strides;
  T* grad_radiance;

  PTL_HD void pixel(int row, int column, ToneGradient& sums) const {
    const int64_t at = row * radiance_strides.row + column * radiance_strides.column;
    const Vec3<T> grad = load(grad_output + row * grad_output_strides.row + column * grad_output_strides.column,
                              grad_output_strides);
    store(grad_radiance + at, radiance_strides,
          tone_map_backward(params, position_of<T>(frame, column, row), mode, load(radiance + at, radiance_strides), grad,
                            sums));
  }
};

/// sums[component][s] of the pixels s, s + sum_count, …: neighbouring threads read neighbouring pixels.
template <class T>
struct ToneBackwardSums {
  ToneBackward<T> backward;
  int64_t sum_count;
  double* sums;

  PTL_HD void operator()(int64_t s) const {
    const int64_t width = backward.frame.crop.width_px, pixels = width * backward.frame.crop.height_px;
    ToneGradient gradient = zero_gradient();
    for (int64_t i = s; i < pixels; i += sum_count)
      backward.pixel(static_cast<int>(i / width), static_cast<int>(i % width), gradient);
    for (int64_t c = 0; c < component_count; ++c) sums[c * sum_count + s] = components(gradient)[c];
  }
};

/// sums[component][s] of the terms[component] s, s + sum_count, …
struct SumsOfTerms {
  const double* terms;
  int64_t term_count;
  int64_t sum_count;
  double* sums;

  PTL_HD void operator()(int64_t i) const {
    const double* of_component = terms + i / sum_count * term_count;
    double sum = 0;
    for (int64_t t = i % sum_count; t < term_count; t += sum_count) sum += of_component[t];
    sums[i] = sum;
  }
};

template <class T>
ToneGradient backward_by_rows(const ToneBackward<T>& backward) {
  const Crop& crop = backward.frame.crop;
  std::vector<ToneGradient> rows(static_cast<size_t>(crop.height_px), zero_gradient());
#pragma omp parallel for schedule(static) if (crop.height_px * crop.width_px >= worth_threads)
  for (int row = 0; row < crop.height_px; ++row)
    for (int column = 0; column < crop.width_px; ++column) backward.pixel(row, column, rows[static_cast<size_t>(row)]);
  ToneGradient sum = zero_gradient();
  for (ToneGradient& row : rows)
    for (int64_t c = 0; c < component_count; ++c) components(sum)[c] += components(row)[c];
  return sum;
}

template <class T>
ToneGradient backward_by_pixels(const Device& device, const ToneBackward<T>& backward) {
  ToneGradient sum = zero_gradient();
  int64_t count = sums_over(static_cast<int64_t>(backward.frame.crop.width_px) * backward.frame.crop.height_px);
  if (count == 0) return sum;
  const Scratch<double> first(device, component_count * count), second(device, component_count * sums_over(count));
  double *terms = first.data(), *sums = second.data();
  parallel_for(device, "tone_map_backward", count, ToneBackwardSums<T>{backward, count, terms});
  while (count > 1) {
    const int64_t fewer = sums_over(count);
    parallel_for(device, "tone_map_sums", component_count * fewer, SumsOfTerms{terms, count, fewer, sums});
    std::swap(terms, sums);
    count = fewer;
  }
  copy_to_host(device, terms, component_count, components(sum));
  return sum;
}

}  // namespace

template <class T>
void tone_map_image(const Device& device, const ToneParams<T>& params, const ToneFrame& frame, ToneMode mode,
                    const T* radiance, const ImageStrides& radiance_strides, T* output,
                    const ImageStrides& output_strides, ImageDriver driver) {
  const ToneForward<T> forward{params, frame, mode, radiance, radiance_strides, output, output_strides};
  const Crop& crop = frame.crop;
  if (!goes_by_rows("tone_map", device, driver)) {
    parallel_for(device, "tone_map", static_cast<int64_t>(crop.width_px) * crop.height_px, forward);
    return;
  }
#pragma omp parallel for schedule(static) if (crop.height_px * crop.width_px >= worth_threads)
  for (int row = 0; row < crop.height_px; ++row)
    for (int column = 0; column < crop.width_px; ++column) forward.pixel(row, column);
}

template <class T>
ToneGradient tone_map_image_backward(const Device& device, const ToneParams<T>& params, const ToneFrame& frame,
                                     ToneMode mode, const T* radiance, const ImageStrides& radiance_strides,
                                     const T* grad_output, const ImageStrides& grad_output_strides, T* grad_radiance,
                                     ImageDriver driver) {
  const ToneBackward<T> backward{params,      frame,       mode, radiance, radiance_strides, grad_output,
                                 grad_output_strides, grad_radiance};
  return goes_by_rows("tone_map_backward", device, driver) ? backward_by_rows(backward)
                                                            : backward_by_pixels(device, backward);
}

#define PTL_INSTANTIATE(T)                                                                                           \
  template void tone_map_image<T>(const Device&, const ToneParams<T>&, const ToneFrame&, ToneMode, const T*,         \
                                  const ImageStrides&, T*, const ImageStrides&, ImageDriver);                        \
  template ToneGradient tone_map_image_backward<T>(const Device&, const ToneParams<T>&, const ToneFrame&, ToneMode,  \
                                                   const T*, const ImageStrides&, const T*, const ImageStrides&, T*, \
                                                   ImageDriver);
PTL_INSTANTIATE(float)
PTL_INSTANTIATE(double)
#undef PTL_INSTANTIATE

}  // namespace ptl
