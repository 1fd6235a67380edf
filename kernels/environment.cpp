#include "kernels/environment.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "kernels/raster_types.h"

namespace ptl {
namespace {

[[noreturn]] void refuse(const std::string& why) { throw std::invalid_argument("background: " + why); }

/// Finds where each empty pixel looks. A struct, since nvcc takes no device lambda within a generic one.
template <class Model, class T>
struct LookThroughPixel {
  CameraParams<T> camera;
  Mat3<T> world_from_camera;
  Crop crop;
  PyramidLayer layers[max_pyramid_layers];
  int layer_count;
  EnvironmentShape shape;
  EmptyPixel<T>* empty;
  Vec3<T> readout_rotation;

  PTL_HD EnvironmentSample<T> sample(int level, int64_t column, int64_t row) const {
    const T size = static_cast<T>(1 << level);
    const Vec2<T> crop_px((static_cast<T>(column) + T(0.5)) * size, (static_cast<T>(row) + T(0.5)) * size);
    const Vec2<T> photo_px = undo_crop(crop, crop_px);
    Vec3<T> ray;
    // Outside of a pinhole's range its rim is as good as any; a wide lens leaves much of a photo dark.
    if (!Model::unproject(camera, photo_px.x, photo_px.y, ray) && !Model::is_pinhole)
      return EnvironmentSample<T>::none();
    const T t = readout_time(photo_px.y, camera.height_px);
    return environment_sample(shape, world_from_camera * turned_in_readout(readout_rotation, -t, ray));
  }

  PTL_HD void operator()(int64_t i) const {
    const int64_t pixel = empty[i].pixel;
    int level = 0;
    for (int l = 1; l < layer_count; ++l)
      if (layers[l].first <= pixel) level = l;
    const int64_t width_px = layers[level].width_px, in_layer = pixel - layers[level].first, row = in_layer / width_px;
    empty[i].sample = sample(level, in_layer - row * width_px, row);
  }
};

template <class T>
struct TakeFromMap {
  EnvironmentShape shape;
  int64_t stride;
  const EmptyPixel<T>* empty;
  const T* map;
  T* output;

  PTL_HD void operator()(int64_t i) const {
    const int channels = shape.channels;
    const EnvironmentSample<T>& s = empty[i].sample;
    T* const out = output + empty[i].pixel * stride;
    if (shape.constant) {
      for (int c = 0; c < channels; ++c) out[c] = map[c];
      return;
    }
    if (s.is_none()) {
      for (int c = 0; c < channels; ++c) out[c] = T(0);
      return;
    }
    const T* const upper_row = map + static_cast<int64_t>(s.y[0]) * shape.width * channels;
    const T* const lower_row = map + static_cast<int64_t>(s.y[1]) * shape.width * channels;
    const int64_t left = static_cast<int64_t>(s.x[0]) * channels, right = static_cast<int64_t>(s.x[1]) * channels;
    for (int c = 0; c < channels; ++c) {
      const T upper = (T(1) - s.weight_x) * upper_row[left + c] + s.weight_x * upper_row[right + c];
      const T lower = (T(1) - s.weight_x) * lower_row[left + c] + s.weight_x * lower_row[right + c];
      out[c] = (T(1) - s.weight_y) * upper + s.weight_y * lower;
    }
  }
};

// Empty pixels a chunk: fixed, so that sums over chunks do not depend on the number of threads.
constexpr int64_t chunk_size = 2048;

/// A chunk's sum of gradients, for some channels.
template <class T>
struct SumChunk {
  const EmptyPixel<T>* empty;
  int64_t count;
  const T* grad_output;
  int64_t stride;
  int channels;
  double* partial;  ///< [chunks, channels]

  PTL_HD void sum(int64_t chunk, int first_channel, int end_channel) const {
    double* const sum = partial + chunk * channels;
    for (int c = first_channel; c < end_channel; ++c) sum[c] = 0;
    const int64_t end = (chunk + 1) * chunk_size < count ? (chunk + 1) * chunk_size : count;
    for (int64_t i = chunk * chunk_size; i < end; ++i) {
      const T* const grad = grad_output + empty[i].pixel * stride;
      for (int c = first_channel; c < end_channel; ++c) sum[c] += static_cast<double>(grad[c]);
    }
  }
};

/// The background descriptor: chunks summed in double, then added in order.
template <class T>
void sum_background(const Device& device, std::span<const EmptyPixel<T>> empty, const T* grad_output, int64_t stride,
                    int channels, EnvironmentDriver driver, T* grad_descriptor) {
  const int64_t count = static_cast<int64_t>(empty.size()), chunks = (count + chunk_size - 1) / chunk_size;
  const Scratch<double> partial_memory(device, chunks * channels);
  double* const partial = partial_memory.data();
  const SumChunk<T> chunk_sum{empty.data(), count, grad_output, stride, channels, partial};
  if (driver == EnvironmentDriver::rows)
    parallel_for(device, "background_chunks", chunks, count,
                 [=] PTL_HD(int64_t chunk) { chunk_sum.sum(chunk, 0, chunk_sum.channels); });
  else
    parallel_for(device, "background_chunks", chunks * channels, count, [=] PTL_HD(int64_t i) {
      const int channel = static_cast<int>(i % chunk_sum.channels);
      chunk_sum.sum(i / chunk_sum.channels, channel, channel + 1);
    });
  parallel_for(device, "background_sum", channels, chunks * channels, [=] PTL_HD(int64_t c) {
    double sum = 0;
    for (int64_t chunk = 0; chunk < chunks; ++chunk) sum += partial[chunk * channels + c];
    grad_descriptor[c] = static_cast<T>(sum);
  });
}

/// The CPU's driver. Empty pixels are put in order of their upper map row (stable); a map row takes from its own and
/// the one above.
template <class T>
void sum_by_rows(const Device& device, std::span<const EmptyPixel<T>> empty, const EnvironmentShape& shape,
                 std::span<const int64_t> rows, const T* grad_output, int64_t stride, T* grad_rows) {
  const int channels = shape.channels;
  const auto count = static_cast<int64_t>(empty.size()), row_count = static_cast<int64_t>(rows.size());
  const Scratch<int64_t> first_memory(device, shape.height + 2), order_memory(device, count);
  // Counted two places later, so that placing the pixels moves each row's start to where it belongs.
  int64_t* const placed = first_memory.data() + 1;
  int64_t* const first = first_memory.data();
  int64_t* const order = order_memory.data();
  std::fill_n(first, shape.height + 2, 0);
  for (const EmptyPixel<T>& e : empty)
    if (!e.sample.is_none()) ++first[e.sample.y[0] + 2];
  for (int32_t y = 2; y < shape.height + 2; ++y) first[y] += first[y - 1];
  for (int64_t i = 0; i < count; ++i)
    if (const EnvironmentSample<T>& s = empty[static_cast<size_t>(i)].sample; !s.is_none()) order[placed[s.y[0]]++] = i;
#pragma omp parallel for schedule(dynamic, 4) if (count >= worth_threads)
  for (int64_t r = 0; r < row_count; ++r) {
    const int64_t row = rows[static_cast<size_t>(r)];
    T* const grad_row = grad_rows + r * shape.width * channels;
    std::fill_n(grad_row, static_cast<int64_t>(shape.width) * channels, T(0));
    const auto add = [&](int32_t column, const T* grad, T weight) {
      T* const sum = grad_row + static_cast<int64_t>(column) * channels;
      for (int c = 0; c < channels; ++c) sum[c] += weight * grad[c];
    };
    const auto take = [&](int64_t upper_row, bool lower) {
      for (int64_t i = first[upper_row]; i < first[upper_row + 1]; ++i) {
        const EmptyPixel<T>& e = empty[static_cast<size_t>(order[i])];
        const T* const grad = grad_output + e.pixel * stride;
        add(e.sample.x[0], grad, texel_weight(e.sample, lower, false));
        add(e.sample.x[1], grad, texel_weight(e.sample, lower, true));
      }
    };
    // At the lowest row both of a sample's rows are the same, and the weight of the second is 0: nothing is lost.
    take(row, false);
    if (row > 0) take(row - 1, true);
  }
}

/// Contribution v of n empty pixels: the upper rows of all, then the lower rows, each with left and right columns in
/// turn.
struct Contribution {
  int64_t pixel;  ///< in the list
  bool lower, right;

  PTL_HD Contribution(int64_t v, int64_t n)
      : pixel((v < 2 * n ? v : v - 2 * n) / 2), lower(v >= 2 * n), right(v % 2 != 0) {}
};

template <class T>
void sum_sorted(const Device& device, std::span<const EmptyPixel<T>> empty_pixels, const EnvironmentShape& shape,
                std::span<const int64_t> touched, const T* grad_output, int64_t stride, T* grad_rows) {
  const int channels = shape.channels;
  const int64_t width = shape.width, n = static_cast<int64_t>(empty_pixels.size()), all = 4 * n;
  const int64_t row_count = static_cast<int64_t>(touched.size()), texels = row_count * width;
  if (all > UINT32_MAX || texels >= UINT32_MAX)
    refuse("32 bits do not number " + std::to_string(all) + " contributions to " + std::to_string(texels) +
           " texels; render smaller crops, or set a smaller environment map");
  const EmptyPixel<T>* const empty = empty_pixels.data();
  const int64_t* const rows = touched.data();
  const Scratch<int64_t> place_memory(device, shape.height), start_memory(device, texels);
  const Scratch<uint32_t> key_memory(device, all), value_memory(device, all);
  int64_t* const place = place_memory.data();  // of a map row among the touched ones
  int64_t* const start = start_memory.data();
  uint32_t* const key = key_memory.data();     // texel among the touched rows
  uint32_t* const value = value_memory.data();
  parallel_for(device, "background_places", row_count, row_count, [=] PTL_HD(int64_t r) { place[rows[r]] = r; });
  parallel_for(device, "background_emit", all, all, [=] PTL_HD(int64_t v) {
    const Contribution contribution(v, n);
    const EnvironmentSample<T>& s = empty[contribution.pixel].sample;
    // The lowest row, where the weight is 0; a pixel without a ray.
    const bool none = (contribution.lower && s.y[1] == s.y[0]) || s.is_none();
    key[v] = static_cast<uint32_t>(
        none ? texels : place[s.y[contribution.lower ? 1 : 0]] * width + s.x[contribution.right ? 1 : 0]);
    value[v] = static_cast<uint32_t>(v);
  });
  sort_pairs(device, key, value, all);
  parallel_for(device, "background_clear", texels, texels, [=] PTL_HD(int64_t i) { start[i] = all; });
  parallel_for(device, "background_segments", all, all, [=] PTL_HD(int64_t i) {
    if (key[i] < texels && (i == 0 || key[i] != key[i - 1])) start[key[i]] = i;
  });
  parallel_for(device, "background_texels", texels * channels, texels * channels, [=] PTL_HD(int64_t texel_channel) {
    const int64_t texel = texel_channel / channels, channel = texel_channel % channels;
    T sum = T(0);
    for (int64_t i = start[texel]; i < all && key[i] == texel; ++i) {
      const Contribution contribution(value[i], n);
      const EmptyPixel<T>& e = empty[contribution.pixel];
      sum += texel_weight(e.sample, contribution.lower, contribution.right) * grad_output[e.pixel * stride + channel];
    }
    grad_rows[texel_channel] = sum;
  });
}

}  // namespace

int64_t count_empty_pixels(const Device& device, int64_t pixel_count, const int32_t* weight, int64_t* run_first) {
  const int64_t runs = empty_runs(pixel_count);
  const Scratch<uint32_t> number_memory(device, runs);
  uint32_t* const number = number_memory.data();
  parallel_for(device, "background_count", runs, pixel_count, [=] PTL_HD(int64_t run) {
    const int64_t begin = run * empty_run_pixels;
    const int64_t end = begin + empty_run_pixels < pixel_count ? begin + empty_run_pixels : pixel_count;
    uint32_t n = 0;
    for (int64_t pixel = begin; pixel < end; ++pixel) n += weight[pixel] == 0;
    number[run] = n;
  });
  return exclusive_scan(device, number, runs, run_first);
}

template <class T>
void find_empty_pixels(const Device& device, const EnvironmentView<T>& view, const EnvironmentShape& shape,
                       int64_t pixel_count, const int32_t* weight, const int64_t* run_first,
                       std::span<EmptyPixel<T>> empty) {
  EmptyPixel<T>* const list = empty.data();
  parallel_for(device, "background_list", empty_runs(pixel_count), pixel_count, [=] PTL_HD(int64_t run) {
    int64_t next = run_first[run];
    const int64_t end = run_first[run + 1];
    for (int64_t pixel = run * empty_run_pixels; next < end; ++pixel)
      if (weight[pixel] == 0) list[next++] = {pixel, {}};
  });
  if (shape.constant) return;
  if (view.layers.size() > max_pyramid_layers)
    refuse(std::to_string(view.layers.size()) + " layers, expected at most " + std::to_string(max_pyramid_layers));
  visit_camera(view.camera.model, [&](auto model) {
    LookThroughPixel<decltype(model), T> look{view.camera, view.world_from_camera, view.crop, {}, 0, shape, list, view.readout_rotation};
    for (const PyramidLayer& layer : view.layers) look.layers[look.layer_count++] = layer;
    const auto count = static_cast<int64_t>(empty.size());
    parallel_for(device, "background_look", count, count, look);
  });
}

template <class T>
void environment_forward(const Device& device, const EnvironmentShape& shape, int64_t pixel_count, const T* features,
                         const int32_t* weight, std::span<const EmptyPixel<T>> empty, const T* map,
                         bool append_coverage, T* output) {
  const int channels = shape.channels;
  const int64_t stride = channels + (append_coverage ? 1 : 0);
  parallel_for(device, "background_copy", pixel_count, pixel_count, [=] PTL_HD(int64_t pixel) {
    T* const out = output + pixel * stride;
    for (int c = 0; c < channels; ++c) out[c] = features[pixel * channels + c];
    if (append_coverage) out[channels] = weight[pixel] != 0 ? T(1) : T(0);
  });
  const auto count = static_cast<int64_t>(empty.size());
  parallel_for(device, "background_fill", count, count, TakeFromMap<T>{shape, stride, empty.data(), map, output});
}

template <class T>
int64_t touched_rows(const Device& device, const EnvironmentShape& shape, std::span<const EmptyPixel<T>> empty,
                     int64_t* rows) {
  if (shape.constant) {
    parallel_for(device, "background_row", 1, 1, [=] PTL_HD(int64_t) { rows[0] = 0; });
    return 1;
  }
  const int64_t height = shape.height, count = static_cast<int64_t>(empty.size());
  const Scratch<uint32_t> flag_memory(device, height);
  const Scratch<int64_t> place_memory(device, height + 1);
  const EmptyPixel<T>* const list = empty.data();
  uint32_t* const flag = flag_memory.data();  // first 0 where a row is touched, then 1
  int64_t* const place = place_memory.data();
  parallel_for(device, "background_flags", height, height, [=] PTL_HD(int64_t y) { flag[y] = 1; });
  constexpr int64_t run = 32;  // neighbours mostly share their rows: few of them need an atomic operation
  parallel_for(device, "background_touch", (count + run - 1) / run, count, [=] PTL_HD(int64_t r) {
    const int64_t end = (r + 1) * run < count ? (r + 1) * run : count;
    int32_t last[2] = {-1, -1};
    for (int64_t i = r * run; i < end; ++i)
      for (int k = 0; k < 2 && !list[i].sample.is_none(); ++k) {
        const int32_t y = list[i].sample.y[k];
        if (y != last[k]) atomic_min(flag + y, 0u);
        last[k] = y;
      }
  });
  parallel_for(device, "background_touched", height, height, [=] PTL_HD(int64_t y) { flag[y] = 1 - flag[y]; });
  const int64_t total = exclusive_scan(device, flag, height, place);
  parallel_for(device, "background_rows", height, height, [=] PTL_HD(int64_t y) {
    if (flag[y]) rows[place[y]] = y;
  });
  return total;
}

template <class T>
void environment_backward(const Device& device, const EnvironmentShape& shape, int64_t pixel_count,
                          const int32_t* weight, std::span<const EmptyPixel<T>> empty, std::span<const int64_t> rows,
                          const T* grad_output, bool append_coverage, T* grad_features, T* grad_rows,
                          EnvironmentDriver driver) {
  if (driver == EnvironmentDriver::automatic)
    driver = device.type == DeviceType::cpu ? EnvironmentDriver::rows : EnvironmentDriver::sorted;
  if (driver == EnvironmentDriver::rows && device.type != DeviceType::cpu)
    throw_device_error("environment_backward", "rows are the CPU's driver");
  const int channels = shape.channels;
  const int64_t stride = channels + (append_coverage ? 1 : 0);
  parallel_for(device, "background_features", pixel_count, pixel_count, [=] PTL_HD(int64_t pixel) {
    for (int c = 0; c < channels; ++c)
      grad_features[pixel * channels + c] = weight[pixel] != 0 ? grad_output[pixel * stride + c] : T(0);
  });
  if (shape.constant)
    sum_background(device, empty, grad_output, stride, channels, driver, grad_rows);
  else if (driver == EnvironmentDriver::rows)
    sum_by_rows(device, empty, shape, rows, grad_output, stride, grad_rows);
  else
    sum_sorted(device, empty, shape, rows, grad_output, stride, grad_rows);
}

#define PTL_INSTANTIATE(T)                                                                                             \
  template void find_empty_pixels<T>(const Device&, const EnvironmentView<T>&, const EnvironmentShape&, int64_t,       \
                                     const int32_t*, const int64_t*, std::span<EmptyPixel<T>>);                        \
  template int64_t touched_rows<T>(const Device&, const EnvironmentShape&, std::span<const EmptyPixel<T>>, int64_t*);  \
  template void environment_forward<T>(const Device&, const EnvironmentShape&, int64_t, const T*, const int32_t*,      \
                                       std::span<const EmptyPixel<T>>, const T*, bool, T*);                            \
  template void environment_backward<T>(const Device&, const EnvironmentShape&, int64_t, const int32_t*,               \
                                        std::span<const EmptyPixel<T>>, std::span<const int64_t>, const T*, bool, T*,  \
                                        T*, EnvironmentDriver);
PTL_INSTANTIATE(float)
PTL_INSTANTIATE(double)
#undef PTL_INSTANTIATE

}  // namespace ptl
