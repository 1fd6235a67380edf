#include "kernels/environment.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace ptl {
namespace {

// Pixels a chunk: fixed, so that sums over chunks do not depend on the number of threads.
constexpr int64_t chunk_size = 2048;
// Less work than this is not worth waking threads for.
constexpr int64_t worth_threads = 4096;

template <class Model, class T>
Vec3<T> world_direction(const EnvironmentView<T>& view, int level, int column, int row) {
  const T size = static_cast<T>(1 << level);
  const Vec2<T> crop_px((static_cast<T>(column) + T(0.5)) * size, (static_cast<T>(row) + T(0.5)) * size);
  const Vec2<T> photo_px = undo_crop(view.crop, crop_px);
  Vec3<T> ray;
  // outside of the model's range: its rim is as good as any
  Model::unproject(view.camera, photo_px.x, photo_px.y, ray);
  return view.world_from_camera * ray;
}

template <class T>
void add_row(T* sum, const T* values, T factor, int channels) {
  for (int c = 0; c < channels; ++c) sum[c] += factor * values[c];
}

/// The background descriptor: chunks summed in double, then added in order.
template <class T>
void sum_background(std::span<const EmptyPixel<T>> empty, const T* grad_output, int64_t stride, int channels,
                    T* grad_map) {
  const int64_t count = static_cast<int64_t>(empty.size());
  const int64_t chunks = (count + chunk_size - 1) / chunk_size;
  std::vector<double> partial(static_cast<size_t>(chunks * channels), 0.0);
#pragma omp parallel for schedule(static) if (count >= worth_threads)
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    double* sum = partial.data() + chunk * channels;
    for (int64_t i = chunk * chunk_size; i < std::min(count, (chunk + 1) * chunk_size); ++i) {
      const T* grad = grad_output + empty[static_cast<size_t>(i)].pixel * stride;
      for (int c = 0; c < channels; ++c) sum[c] += static_cast<double>(grad[c]);
    }
  }
  for (int c = 0; c < channels; ++c) {
    double sum = 0;
    for (int64_t chunk = 0; chunk < chunks; ++chunk) sum += partial[static_cast<size_t>(chunk * channels + c)];
    grad_map[c] = static_cast<T>(sum);
  }
}

/// Empty pixels are put in order of their upper map row (stable); a map row takes from its own and the one above.
template <class T>
void sum_by_rows(std::span<const EmptyPixel<T>> empty, const EnvironmentShape& shape, std::span<const int32_t> rows,
                 const T* grad_output, int64_t stride, T* grad_rows) {
  std::vector<size_t> first(static_cast<size_t>(shape.height) + 1, 0);
  for (const EmptyPixel<T>& e : empty) ++first[static_cast<size_t>(e.sample.y[0]) + 1];
  std::partial_sum(first.begin(), first.end(), first.begin());
  std::vector<size_t> order(empty.size());
  std::vector<size_t> next(first.begin(), first.end() - 1);
  for (size_t i = 0; i < empty.size(); ++i) order[next[static_cast<size_t>(empty[i].sample.y[0])]++] = i;
  const int row_count = static_cast<int>(rows.size());
#pragma omp parallel for schedule(dynamic, 4) if (static_cast<int64_t>(empty.size()) >= worth_threads)
  for (int r = 0; r < row_count; ++r) {
    const int row = rows[static_cast<size_t>(r)];
    T* grad_row = grad_rows + static_cast<int64_t>(r) * shape.width * shape.channels;
    const auto take = [&](int upper_row, bool is_upper) {
      for (size_t i = first[static_cast<size_t>(upper_row)]; i < first[static_cast<size_t>(upper_row) + 1]; ++i) {
        const EmptyPixel<T>& e = empty[order[i]];
        const T* grad = grad_output + e.pixel * stride;
        const T row_weight = is_upper ? T(1) - e.sample.weight_y : e.sample.weight_y;
        add_row(grad_row + e.sample.x[0] * shape.channels, grad, row_weight * (T(1) - e.sample.weight_x),
                shape.channels);
        add_row(grad_row + e.sample.x[1] * shape.channels, grad, row_weight * e.sample.weight_x, shape.channels);
      }
    };
    // At the lowest row both of a sample's rows are the same, and the weight of the second is 0: nothing is lost.
    take(row, true);
    if (row > 0) take(row - 1, false);
  }
}

template <class T>
void sum_sorted(std::span<const EmptyPixel<T>> empty, const EnvironmentShape& shape, std::span<const int32_t> rows,
                const T* grad_output, int64_t stride, T* grad_rows) {
  std::vector<int64_t> place(static_cast<size_t>(shape.height), 0);  // of a map row among the touched ones
  for (size_t r = 0; r < rows.size(); ++r) place[static_cast<size_t>(rows[r])] = static_cast<int64_t>(r);
  struct Contribution {
    int64_t texel, pixel;
    T factor;
  };
  std::vector<Contribution> all(empty.size() * 4);
  const int64_t count = static_cast<int64_t>(empty.size());
#pragma omp parallel for schedule(static) if (count >= worth_threads)
  for (int64_t i = 0; i < count; ++i) {
    const EmptyPixel<T>& e = empty[static_cast<size_t>(i)];
    const EnvironmentSample<T>& s = e.sample;
    for (int k = 0; k < 4; ++k)
      all[static_cast<size_t>(4 * i + k)] = {
          place[static_cast<size_t>(s.y[k / 2])] * shape.width + s.x[k % 2], e.pixel,
          (k / 2 ? s.weight_y : T(1) - s.weight_y) * (k % 2 ? s.weight_x : T(1) - s.weight_x)};
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.texel < b.texel; });
  std::vector<size_t> starts;
  for (size_t i = 0; i < all.size(); ++i)
    if (i == 0 || all[i].texel != all[i - 1].texel) starts.push_back(i);
  const int64_t segments = static_cast<int64_t>(starts.size());
  starts.push_back(all.size());
#pragma omp parallel for schedule(static) if (count >= worth_threads)
  for (int64_t segment = 0; segment < segments; ++segment)
    for (size_t i = starts[static_cast<size_t>(segment)]; i < starts[static_cast<size_t>(segment) + 1]; ++i)
      add_row(grad_rows + all[i].texel * shape.channels, grad_output + all[i].pixel * stride, all[i].factor,
              shape.channels);
}

}  // namespace

template <class T>
std::vector<EmptyPixel<T>> find_empty_pixels(const EnvironmentView<T>& view, const EnvironmentShape& shape,
                                             const int32_t* weight) {
  std::vector<EmptyPixel<T>> empty;
  std::vector<std::array<int32_t, 3>> places;  // layer, column, row
  for (int level = 0; level < static_cast<int>(view.layers.size()); ++level) {
    const PyramidLayer& layer = view.layers[static_cast<size_t>(level)];
    int64_t pixel = layer.first;
    for (int row = 0; row < layer.height_px; ++row)
      for (int column = 0; column < layer.width_px; ++column, ++pixel)
        if (weight[pixel] == 0) {
          empty.push_back({pixel, {}});
          if (!shape.constant) places.push_back({level, column, row});
        }
  }
  if (shape.constant) return empty;
  visit_camera(view.camera.model, [&](auto model) {
    using Model = decltype(model);
    const int64_t count = static_cast<int64_t>(empty.size());
#pragma omp parallel for schedule(static) if (count >= worth_threads)
    for (int64_t i = 0; i < count; ++i) {
      const auto& [level, column, row] = places[static_cast<size_t>(i)];
      empty[static_cast<size_t>(i)].sample =
          environment_sample(shape, world_direction<Model>(view, level, column, row));
    }
  });
  return empty;
}

template <class T>
void environment_forward(const EnvironmentShape& shape, int64_t pixel_count, const T* features, const int32_t* weight,
                         std::span<const EmptyPixel<T>> empty, const T* map, bool append_coverage, T* output) {
  const int channels = shape.channels;
  const int64_t stride = channels + (append_coverage ? 1 : 0);
#pragma omp parallel for schedule(static) if (pixel_count >= worth_threads)
  for (int64_t pixel = 0; pixel < pixel_count; ++pixel) {
    T* out = output + pixel * stride;
    for (int c = 0; c < channels; ++c) out[c] = features[pixel * channels + c];
    if (append_coverage) out[channels] = weight[pixel] != 0 ? T(1) : T(0);
  }
  const int64_t count = static_cast<int64_t>(empty.size());
#pragma omp parallel for schedule(static) if (count >= worth_threads)
  for (int64_t i = 0; i < count; ++i) {
    const auto& [pixel, s] = empty[static_cast<size_t>(i)];
    T* out = output + pixel * stride;
    if (shape.constant) {
      for (int c = 0; c < channels; ++c) out[c] = map[c];
      continue;
    }
    const T* upper_row = map + static_cast<int64_t>(s.y[0]) * shape.width * channels;
    const T* lower_row = map + static_cast<int64_t>(s.y[1]) * shape.width * channels;
    const int64_t left = static_cast<int64_t>(s.x[0]) * channels, right = static_cast<int64_t>(s.x[1]) * channels;
    for (int c = 0; c < channels; ++c) {
      const T upper = (T(1) - s.weight_x) * upper_row[left + c] + s.weight_x * upper_row[right + c];
      const T lower = (T(1) - s.weight_x) * lower_row[left + c] + s.weight_x * lower_row[right + c];
      out[c] = (T(1) - s.weight_y) * upper + s.weight_y * lower;
    }
  }
}

template <class T>
std::vector<int32_t> touched_rows(const EnvironmentShape& shape, std::span<const EmptyPixel<T>> empty) {
  if (shape.constant) return {0};
  std::vector<char> touched(static_cast<size_t>(shape.height), 0);
  for (const EmptyPixel<T>& e : empty)
    for (const int32_t y : e.sample.y) touched[static_cast<size_t>(y)] = 1;
  std::vector<int32_t> rows;
  for (int32_t y = 0; y < shape.height; ++y)
    if (touched[static_cast<size_t>(y)]) rows.push_back(y);
  return rows;
}

template <class T>
void environment_backward(const EnvironmentShape& shape, int64_t pixel_count, const int32_t* weight,
                          std::span<const EmptyPixel<T>> empty, std::span<const int32_t> rows, const T* grad_output,
                          bool append_coverage, T* grad_features, T* grad_rows, EnvironmentDriver driver) {
  const int channels = shape.channels;
  const int64_t stride = channels + (append_coverage ? 1 : 0);
#pragma omp parallel for schedule(static) if (pixel_count >= worth_threads)
  for (int64_t pixel = 0; pixel < pixel_count; ++pixel)
    for (int c = 0; c < channels; ++c)
      grad_features[pixel * channels + c] = weight[pixel] != 0 ? grad_output[pixel * stride + c] : T(0);
  std::fill_n(grad_rows, static_cast<int64_t>(rows.size()) * shape.width * channels, T(0));
  if (shape.constant)
    sum_background(empty, grad_output, stride, channels, grad_rows);
  else if (driver == EnvironmentDriver::rows)
    sum_by_rows(empty, shape, rows, grad_output, stride, grad_rows);
  else
    sum_sorted(empty, shape, rows, grad_output, stride, grad_rows);
}

#define PTL_INSTANTIATE(T)                                                                                           \
  template std::vector<EmptyPixel<T>> find_empty_pixels<T>(const EnvironmentView<T>&, const EnvironmentShape&,       \
                                                           const int32_t*);                                          \
  template std::vector<int32_t> touched_rows<T>(const EnvironmentShape&, std::span<const EmptyPixel<T>>);            \
  template void environment_forward<T>(const EnvironmentShape&, int64_t, const T*, const int32_t*,                   \
                                       std::span<const EmptyPixel<T>>, const T*, bool, T*);                          \
  template void environment_backward<T>(const EnvironmentShape&, int64_t, const int32_t*,                            \
                                        std::span<const EmptyPixel<T>>, std::span<const int32_t>, const T*, bool, T*, \
                                        T*, EnvironmentDriver);
PTL_INSTANTIATE(float)
PTL_INSTANTIATE(double)
#undef PTL_INSTANTIATE

}  // namespace ptl
