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

int64_t pixel_count(const std::vector<PyramidLayer>& layers) {
  int64_t count = 0;
  for (const PyramidLayer& layer : layers) count += static_cast<int64_t>(layer.width_px) * layer.height_px;
  return count;
}

/// Calls f(pixel number, layer, column, row) for all pixels, in parallel.
template <class F>
void for_each_pixel(const std::vector<PyramidLayer>& layers, F&& f) {
  for (int level = 0; level < static_cast<int>(layers.size()); ++level) {
    const PyramidLayer layer = layers[static_cast<size_t>(level)];
#pragma omp parallel for schedule(static) if (static_cast<int64_t>(layer.width_px) * layer.height_px >= worth_threads)
    for (int row = 0; row < layer.height_px; ++row)
      for (int column = 0; column < layer.width_px; ++column)
        f(layer.first + static_cast<int64_t>(row) * layer.width_px + column, level, column, row);
  }
}

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

/// An empty pixel and where it looks.
template <class T>
struct EmptyPixel {
  int64_t pixel;
  EnvironmentSample<T> sample;
};

template <class T>
std::vector<EmptyPixel<T>> empty_pixels(const EnvironmentView<T>& view, const EnvironmentShape& shape,
                                        const int32_t* weight) {
  std::vector<EmptyPixel<T>> empty;
  std::vector<std::array<int32_t, 3>> places;
  for (int level = 0; level < static_cast<int>(view.layers.size()); ++level) {
    const PyramidLayer& layer = view.layers[static_cast<size_t>(level)];
    int64_t pixel = layer.first;
    for (int row = 0; row < layer.height_px; ++row)
      for (int column = 0; column < layer.width_px; ++column, ++pixel)
        if (weight[pixel] == 0) {
          empty.push_back({pixel, {}});
          places.push_back({level, column, row});
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
void add_row(T* sum, const T* values, T factor, int channels) {
  for (int c = 0; c < channels; ++c) sum[c] += factor * values[c];
}

/// The background descriptor: chunks summed in double, then added in order.
template <class T>
void sum_background(const std::vector<EmptyPixel<T>>& empty, const T* grad_output, int64_t stride, int channels,
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
void sum_by_rows(const std::vector<EmptyPixel<T>>& empty, const EnvironmentShape& shape, const T* grad_output,
                 int64_t stride, T* grad_map) {
  std::vector<size_t> first(static_cast<size_t>(shape.height) + 1, 0);
  for (const EmptyPixel<T>& e : empty) ++first[static_cast<size_t>(e.sample.y[0]) + 1];
  std::partial_sum(first.begin(), first.end(), first.begin());
  std::vector<size_t> order(empty.size());
  std::vector<size_t> next(first.begin(), first.end() - 1);
  for (size_t i = 0; i < empty.size(); ++i) order[next[static_cast<size_t>(empty[i].sample.y[0])]++] = i;
#pragma omp parallel for schedule(dynamic, 4) if (static_cast<int64_t>(empty.size()) >= worth_threads)
  for (int row = 0; row < shape.height; ++row) {
    T* map_row = grad_map + static_cast<int64_t>(row) * shape.width * shape.channels;
    const auto take = [&](int upper_row, bool is_upper) {
      for (size_t i = first[static_cast<size_t>(upper_row)]; i < first[static_cast<size_t>(upper_row) + 1]; ++i) {
        const EmptyPixel<T>& e = empty[order[i]];
        const T* grad = grad_output + e.pixel * stride;
        const T row_weight = is_upper ? T(1) - e.sample.weight_y : e.sample.weight_y;
        add_row(map_row + e.sample.x[0] * shape.channels, grad, row_weight * (T(1) - e.sample.weight_x), shape.channels);
        add_row(map_row + e.sample.x[1] * shape.channels, grad, row_weight * e.sample.weight_x, shape.channels);
      }
    };
    // At the lowest row both of a sample's rows are the same, and the weight of the second is 0: nothing is lost.
    take(row, true);
    if (row > 0) take(row - 1, false);
  }
}

template <class T>
void sum_sorted(const std::vector<EmptyPixel<T>>& empty, const EnvironmentShape& shape, const T* grad_output,
                int64_t stride, T* grad_map) {
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
          static_cast<int64_t>(s.y[k / 2]) * shape.width + s.x[k % 2], e.pixel,
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
      add_row(grad_map + all[i].texel * shape.channels, grad_output + all[i].pixel * stride, all[i].factor,
              shape.channels);
}

}  // namespace

template <class T>
void environment_forward(const EnvironmentView<T>& view, const EnvironmentShape& shape, const T* features,
                         const int32_t* weight, const T* map, bool append_coverage, T* output) {
  const int channels = shape.channels;
  const int64_t stride = channels + (append_coverage ? 1 : 0);
  visit_camera(view.camera.model, [&](auto model) {
    using Model = decltype(model);
    for_each_pixel(view.layers, [&](int64_t pixel, int level, int column, int row) {
      T* out = output + pixel * stride;
      const bool covered = weight[pixel] != 0;
      if (append_coverage) out[channels] = covered ? T(1) : T(0);
      if (covered || shape.constant) {
        const T* source = covered ? features + pixel * channels : map;
        for (int c = 0; c < channels; ++c) out[c] = source[c];
        return;
      }
      const EnvironmentSample<T> s = environment_sample(shape, world_direction<Model>(view, level, column, row));
      const auto texel = [&](int y, int x) {
        return map + (static_cast<int64_t>(s.y[y]) * shape.width + s.x[x]) * channels;
      };
      const T* corner[4] = {texel(0, 0), texel(0, 1), texel(1, 0), texel(1, 1)};
      for (int c = 0; c < channels; ++c) {
        const T upper = (T(1) - s.weight_x) * corner[0][c] + s.weight_x * corner[1][c];
        const T lower = (T(1) - s.weight_x) * corner[2][c] + s.weight_x * corner[3][c];
        out[c] = (T(1) - s.weight_y) * upper + s.weight_y * lower;
      }
    });
  });
}

template <class T>
void environment_backward(const EnvironmentView<T>& view, const EnvironmentShape& shape, const int32_t* weight,
                          const T* grad_output, bool append_coverage, T* grad_features, T* grad_map,
                          EnvironmentDriver driver) {
  const int channels = shape.channels;
  const int64_t stride = channels + (append_coverage ? 1 : 0);
  const int64_t count = pixel_count(view.layers);
#pragma omp parallel for schedule(static) if (count >= worth_threads)
  for (int64_t pixel = 0; pixel < count; ++pixel)
    for (int c = 0; c < channels; ++c)
      grad_features[pixel * channels + c] = weight[pixel] != 0 ? grad_output[pixel * stride + c] : T(0);
  std::fill_n(grad_map, static_cast<int64_t>(shape.height) * shape.width * channels, T(0));
  const std::vector<EmptyPixel<T>> empty = empty_pixels(view, shape, weight);
  if (shape.constant)
    sum_background(empty, grad_output, stride, channels, grad_map);
  else if (driver == EnvironmentDriver::rows)
    sum_by_rows(empty, shape, grad_output, stride, grad_map);
  else
    sum_sorted(empty, shape, grad_output, stride, grad_map);
}

#define PTL_INSTANTIATE(T)                                                                                          \
  template void environment_forward<T>(const EnvironmentView<T>&, const EnvironmentShape&, const T*, const int32_t*, \
                                       const T*, bool, T*);                                                         \
  template void environment_backward<T>(const EnvironmentView<T>&, const EnvironmentShape&, const int32_t*,          \
                                        const T*, bool, T*, T*, EnvironmentDriver);
PTL_INSTANTIATE(float)
PTL_INSTANTIATE(double)
#undef PTL_INSTANTIATE

}  // namespace ptl
