#include "kernels/blend.h"

#include <algorithm>

namespace ptl {

namespace {

/// The arguments of blend_tiled, and one tile's work.
struct BlendTiles {
  const PyramidShape& shape;
  const TileGrid& grid;
  const ProjectedPoint* projected;
  const int64_t* tile_start;
  const float* min_depth_m;
  float depth_tolerance;
  const float* descriptors;
  int channels;
  float* features;
  int32_t* weight;
  int64_t first[max_pyramid_layers];  ///< of each layer

  /// Calls f(pixel, pixels) for each row of the tile on each layer.
  template <class F>
  void for_each_row(int32_t tile, F f) const {
    for (int l = 0; l < shape.layers; ++l) {
      const TileRect rect = grid.rect(shape, tile, l);
      for (int32_t y = rect.begin_y; y < rect.end_y; ++y)
        f(first[l] + static_cast<int64_t>(y) * shape.width(l) + rect.begin_x, rect.end_x - rect.begin_x);
    }
  }

  /// Channels as a constant, or 0: then `channels` says. The tile's pixels are cleared while they are about to be used.
  template <int Channels>
  void blend(int32_t tile) const {
    const int n_channels = Channels ? Channels : channels;
    for_each_row(tile, [&](int64_t pixel, int32_t pixels) {
      std::fill_n(weight + pixel, pixels, 0);
      std::fill_n(features + pixel * n_channels, static_cast<int64_t>(pixels) * n_channels, 0.0f);
    });
    int32_t width[max_pyramid_layers];
    for (int l = 0; l < shape.layers; ++l) width[l] = shape.width(l);
    for (int64_t i = tile_start[tile]; i < tile_start[tile + 1]; ++i) {
      const ProjectedPoint p = projected[i];
      if (p.ghost) continue;
      float d[Channels ? Channels : max_channels];
      const float* const from = descriptors + static_cast<int64_t>(p.point) * n_channels;
      for (int c = 0; c < n_channels; ++c) d[c] = from[c];
      for (int l = 0; l < p.layers; ++l) {
        const int64_t pixel = first[l] + static_cast<int64_t>(p.y_px >> l) * width[l] + (p.x_px >> l);
        if (!contributes(p, min_depth_m[pixel], depth_tolerance)) continue;
        float* const out = features + pixel * n_channels;
        for (int c = 0; c < n_channels; ++c) out[c] += d[c];
        ++weight[pixel];
      }
    }
    for_each_row(tile, [&](int64_t pixel, int32_t pixels) {
      for (int64_t i = pixel; i < pixel + pixels; ++i) {
        if (weight[i] < 2) continue;
        const float n = static_cast<float>(weight[i]);
        for (int c = 0; c < n_channels; ++c) features[i * n_channels + c] /= n;
      }
    });
  }
};

}  // namespace

void blend(const Device& device, const PyramidShape& shape, const ProjectedPoint* projected, int64_t count,
           const float* min_depth_m, float depth_tolerance, const float* descriptors, int channels, float* features,
           int32_t* weight) {
  const Scratch<uint32_t> term_memory(device, count);
  const Scratch<int64_t> place_memory(device, count + 1);
  uint32_t* const terms = term_memory.data();
  int64_t* const place = place_memory.data();
  parallel_for(device, "blend_count", count, [=] PTL_HD(int64_t i) {
    const ProjectedPoint p = projected[i];
    uint32_t n = 0;
    int64_t first = 0;
    for (int l = 0; l < p.layers; ++l) {
      const int64_t pixel = first + static_cast<int64_t>(p.y_px >> l) * shape.width(l) + (p.x_px >> l);
      n += contributes(p, min_depth_m[pixel], depth_tolerance);
      first += static_cast<int64_t>(shape.width(l)) * shape.height(l);
    }
    terms[i] = n;
  });
  const int64_t total = exclusive_scan(device, terms, count, place);
  const Scratch<uint32_t> key_memory(device, total), value_memory(device, total);
  uint32_t* const key = key_memory.data();
  uint32_t* const value = value_memory.data();
  parallel_for(device, "blend_emit", count, [=] PTL_HD(int64_t i) {
    const ProjectedPoint p = projected[i];
    int64_t next = place[i], first = 0;
    for (int l = 0; l < p.layers; ++l) {
      const int64_t pixel = first + static_cast<int64_t>(p.y_px >> l) * shape.width(l) + (p.x_px >> l);
      if (contributes(p, min_depth_m[pixel], depth_tolerance)) {
        key[next] = static_cast<uint32_t>(pixel);
        value[next] = p.point;
        ++next;
      }
      first += static_cast<int64_t>(shape.width(l)) * shape.height(l);
    }
  });
  sort_pairs(device, key, value, total);
  const int64_t pixels = shape.pixels();
  const Scratch<int64_t> start_memory(device, pixels);
  int64_t* const start = start_memory.data();
  parallel_for(device, "blend_clear", pixels, [=] PTL_HD(int64_t i) { start[i] = -1; });
  parallel_for(device, "blend_segments", total, [=] PTL_HD(int64_t i) {
    if (i == 0 || key[i] != key[i - 1]) start[key[i]] = i;
  });
  parallel_for(device, "blend_sum", pixels, [=] PTL_HD(int64_t pixel) {
    float* const out = features + pixel * channels;
    for (int c = 0; c < channels; ++c) out[c] = 0.0f;
    int32_t n = 0;
    if (start[pixel] >= 0) {
      for (int64_t i = start[pixel]; i < total && key[i] == static_cast<uint32_t>(pixel); ++i, ++n) {
        const float* const d = descriptors + static_cast<int64_t>(value[i]) * channels;
        for (int c = 0; c < channels; ++c) out[c] += d[c];
      }
      for (int c = 0; c < channels; ++c) out[c] /= static_cast<float>(n);
    }
    weight[pixel] = n;
  });
}

void blend_tiled(const Device& device, const PyramidShape& shape, const TileGrid& grid, const ProjectedPoint* projected,
                 const int64_t* tile_start, const float* min_depth_m, float depth_tolerance, const float* descriptors,
                 int channels, float* features, int32_t* weight) {
  if (device.type != DeviceType::cpu) throw_device_error("blend_tiled", "tiles are the CPU's driver");
  BlendTiles tiles{shape, grid, projected, tile_start, min_depth_m, depth_tolerance, descriptors, channels, features,
                   weight, {}};
  for (int l = 0; l < shape.layers; ++l) tiles.first[l] = shape.first(l);
  with_channels(channels, [&](auto constant) {
#pragma omp parallel for schedule(dynamic, 1)
    for (int32_t t = 0; t < grid.count(); ++t) tiles.blend<constant.value>(t);
  });
}

namespace {

/// Channels as a constant, or 0: then `channels` says.
template <int Channels>
struct BlendBackward {
  PyramidShape shape;
  const ProjectedPoint* projected;
  const float* min_depth_m;
  float depth_tolerance;
  const int32_t* weight;
  const float* grad_features;
  int channels;
  float* grad_projected;

  PTL_HD void operator()(int64_t i) const {
    const ProjectedPoint p = projected[i];
    const int n_channels = Channels ? Channels : channels;
    float sum[Channels ? Channels : max_channels];
    for (int c = 0; c < n_channels; ++c) sum[c] = 0.0f;
    int64_t first = 0;
    for (int l = 0; l < p.layers; ++l) {
      const int64_t pixel = first + static_cast<int64_t>(p.y_px >> l) * shape.width(l) + (p.x_px >> l);
      first += static_cast<int64_t>(shape.width(l)) * shape.height(l);
      if (!contributes(p, min_depth_m[pixel], depth_tolerance)) continue;
      const float n = static_cast<float>(weight[pixel]);
      for (int c = 0; c < n_channels; ++c) sum[c] += grad_features[pixel * n_channels + c] / n;
    }
    float* const out = grad_projected + i * n_channels;
    for (int c = 0; c < n_channels; ++c) out[c] = sum[c];
  }
};

}  // namespace

void blend_backward(const Device& device, const PyramidShape& shape, const ProjectedPoint* projected, int64_t count,
                    const float* min_depth_m, float depth_tolerance, const int32_t* weight, const float* grad_features,
                    int channels, float* grad_projected) {
  with_channels(channels, [&](auto constant) {
    parallel_for(device, "blend_backward", count,
                 BlendBackward<constant.value>{shape, projected, min_depth_m, depth_tolerance, weight, grad_features,
                                               channels, grad_projected});
  });
}

}  // namespace ptl
