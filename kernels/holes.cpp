#include "kernels/holes.h"

#include <stdexcept>

namespace ptl {
namespace {

/// The two coarser pixels along one axis that a finer pixel lies between, weights 3/4 and 1/4; edges repeated.
struct Taps {
  int32_t near, far;

  PTL_HD Taps(int32_t fine, int32_t coarse_size) : near(fine / 2), far(fine % 2 ? fine / 2 + 1 : fine / 2 - 1) {
    if (far < 0) far = 0;
    if (far > coarse_size - 1) far = coarse_size - 1;
  }
  template <class T>
  PTL_HD T weight_of(int32_t coarse) const {
    return (near == coarse ? T(0.75) : T(0)) + (far == coarse ? T(0.25) : T(0));
  }
};

/// Pixel i of a layer: its own value, or the coarser layer's.
template <class T>
struct FillPixel {
  PyramidLayer layer, coarser;
  const int32_t* weight;
  const T* features;
  int channels;
  int64_t stride;
  bool coverage;
  T* output;

  PTL_HD void operator()(int64_t i) const {
    const int64_t pixel = layer.first + i;
    T* const out = output + pixel * stride;
    const bool covered = weight[pixel] != 0;
    if (coverage) out[channels] = covered ? T(1) : T(0);
    if (covered) {
      for (int c = 0; c < channels; ++c) out[c] = features[pixel * channels + c];
      return;
    }
    const Taps x(static_cast<int32_t>(i % layer.width_px), coarser.width_px);
    const Taps y(static_cast<int32_t>(i / layer.width_px), coarser.height_px);
    const T* const near_row = output + (coarser.first + static_cast<int64_t>(y.near) * coarser.width_px) * stride;
    const T* const far_row = output + (coarser.first + static_cast<int64_t>(y.far) * coarser.width_px) * stride;
    for (int c = 0; c < channels; ++c) {
      const T near = T(0.75) * near_row[x.near * stride + c] + T(0.25) * near_row[x.far * stride + c];
      const T far = T(0.75) * far_row[x.near * stride + c] + T(0.25) * far_row[x.far * stride + c];
      out[c] = T(0.75) * near + T(0.25) * far;
    }
  }
};

/// Gradients of one layer's filled values, where they lie.
template <class T>
struct LayerGradient {
  const T* data;  ///< of the layer's first pixel
  int64_t stride;
};

/// Pixel i of a coarser layer: its own gradient and what the holes of the finer layer hand on.
template <class T>
struct GatherFromHoles {
  PyramidLayer finer, layer;
  const int32_t* weight;
  LayerGradient<T> of_finer, own;
  int channels;
  T* sum;  ///< [pixels of the layer, channels]

  PTL_HD void operator()(int64_t i) const {
    const auto x = static_cast<int32_t>(i % layer.width_px), y = static_cast<int32_t>(i / layer.width_px);
    T* const to = sum + i * channels;
    for (int c = 0; c < channels; ++c) to[c] = own.data[i * own.stride + c];
    for (int32_t fine_y = 2 * y - 1; fine_y <= 2 * y + 2; ++fine_y) {
      if (fine_y < 0 || fine_y >= finer.height_px) continue;
      const T weight_y = Taps(fine_y, layer.height_px).weight_of<T>(y);
      for (int32_t fine_x = 2 * x - 1; fine_x <= 2 * x + 2; ++fine_x) {
        if (fine_x < 0 || fine_x >= finer.width_px) continue;
        const int64_t hole = static_cast<int64_t>(fine_y) * finer.width_px + fine_x;
        if (weight[finer.first + hole] != 0) continue;
        const T share = weight_y * Taps(fine_x, layer.width_px).weight_of<T>(x);
        for (int c = 0; c < channels; ++c) to[c] += share * of_finer.data[hole * of_finer.stride + c];
      }
    }
  }
};

/// A pixel's own gradient, without that of the coverage.
template <class T>
struct CopyGradient {
  LayerGradient<T> own;
  int channels;
  T* out;

  PTL_HD void operator()(int64_t i) const {
    for (int c = 0; c < channels; ++c) out[i * channels + c] = own.data[i * own.stride + c];
  }
};

/// What stays with a pixel's own features.
template <class T>
struct KeepCovered {
  PyramidLayer layer;
  const int32_t* weight;
  LayerGradient<T> gradient;
  int channels;
  T* grad_features;

  PTL_HD void operator()(int64_t i) const {
    const int64_t pixel = layer.first + i;
    const bool covered = weight[pixel] != 0;
    for (int c = 0; c < channels; ++c)
      grad_features[pixel * channels + c] = covered ? gradient.data[i * gradient.stride + c] : T(0);
  }
};

int64_t pixels_of(const PyramidLayer& layer) { return static_cast<int64_t>(layer.width_px) * layer.height_px; }

void check_halves(std::span<const PyramidLayer> layers) {
  if (layers.empty()) throw std::invalid_argument("fill_holes: no layers");
  for (size_t l = 1; l < layers.size(); ++l)
    if (layers[l - 1].width_px != 2 * layers[l].width_px || layers[l - 1].height_px != 2 * layers[l].height_px)
      throw std::invalid_argument("fill_holes: each layer must be twice as wide and high as the next");
}

}  // namespace

template <class T>
void fill_holes(const Device& device, std::span<const PyramidLayer> layers, const int32_t* weight, const T* features,
                int channels, bool append_coverage, T* output) {
  check_halves(layers);
  const int64_t stride = channels + (append_coverage ? 1 : 0);
  for (size_t l = layers.size() - 1; l-- > 0;) {
    const int64_t pixels = pixels_of(layers[l]);
    parallel_for(device, "fill_holes", pixels, pixels,
                 FillPixel<T>{layers[l], layers[l + 1], weight, features, channels, stride, append_coverage, output});
  }
}

template <class T>
void fill_holes_backward(const Device& device, std::span<const PyramidLayer> layers, const int32_t* weight,
                         const T* grad_output, int channels, bool append_coverage, T* grad_features, T* grad_coarsest) {
  check_halves(layers);
  const int64_t stride = channels + (append_coverage ? 1 : 0);
  const auto own = [&](size_t l) { return LayerGradient<T>{grad_output + layers[l].first * stride, stride}; };
  const int64_t after_finest = layers[0].first + pixels_of(layers[0]);
  const Scratch<T> sum_memory(device, (layers.back().first - after_finest) * channels);  // of the layers in between
  LayerGradient<T> gradient = own(0);
  for (size_t l = 0; l + 1 < layers.size(); ++l) {
    const int64_t pixels = pixels_of(layers[l]), coarser_pixels = pixels_of(layers[l + 1]);
    parallel_for(device, "keep_covered", pixels, pixels,
                 KeepCovered<T>{layers[l], weight, gradient, channels, grad_features});
    T* const sum = l + 2 < layers.size() ? sum_memory.data() + (layers[l + 1].first - after_finest) * channels
                                         : grad_coarsest;
    parallel_for(device, "gather_from_holes", coarser_pixels, pixels,
                 GatherFromHoles<T>{layers[l], layers[l + 1], weight, gradient, own(l + 1), channels, sum});
    gradient = {sum, channels};
  }
  if (layers.size() == 1)  // no finer layer hands anything on
    parallel_for(device, "gather_from_holes", pixels_of(layers[0]), pixels_of(layers[0]),
                 GatherFromHoles<T>{PyramidLayer{}, layers[0], weight, gradient, own(0), channels, grad_coarsest});
}

template <class T>
void displayed_gradient(const Device& device, std::span<const PyramidLayer> layers, const int32_t* weight,
                        const T* grad_output, int channels, bool append_coverage, T* grad_displayed) {
  check_halves(layers);
  const int64_t stride = channels + (append_coverage ? 1 : 0);
  const auto own = [&](size_t l) { return LayerGradient<T>{grad_output + layers[l].first * stride, stride}; };
  const auto out = [&](size_t l) { return grad_displayed + layers[l].first * channels; };
  const int64_t pixels = pixels_of(layers[0]);
  parallel_for(device, "displayed_gradient", pixels, pixels, CopyGradient<T>{own(0), channels, out(0)});
  for (size_t l = 0; l + 1 < layers.size(); ++l)
    parallel_for(device, "gather_from_holes", pixels_of(layers[l + 1]), pixels_of(layers[l]),
                 GatherFromHoles<T>{layers[l], layers[l + 1], weight, {out(l), channels}, own(l + 1), channels, out(l + 1)});
}

#define PTL_INSTANTIATE(T)                                                                                            \
  template void fill_holes<T>(const Device&, std::span<const PyramidLayer>, const int32_t*, const T*, int, bool, T*); \
  template void fill_holes_backward<T>(const Device&, std::span<const PyramidLayer>, const int32_t*, const T*, int,   \
                                       bool, T*, T*);                                                                 \
  template void displayed_gradient<T>(const Device&, std::span<const PyramidLayer>, const int32_t*, const T*, int,    \
                                      bool, T*);
PTL_INSTANTIATE(float)
PTL_INSTANTIATE(double)
#undef PTL_INSTANTIATE

}  // namespace ptl
