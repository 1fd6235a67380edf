// What the tests of stage 4 on the CPU and on a GPU share: random cases, lists and gradients in plain vectors.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/environment.h"
#include "kernels/hash.h"

namespace ptl::test {

inline Device cpu() {
  static HeapScratch scratch;
  return {DeviceType::cpu, nullptr, &scratch};
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

template <class T>
std::vector<T> values(size_t count, uint64_t seed) {
  std::vector<T> result(count);
  for (size_t i = 0; i < count; ++i) result[i] = static_cast<T>(draw_unit(seed, DrawPurpose::synthetic, i)) - T(0.5);
  return result;
}

template <class T>
std::vector<EmptyPixel<T>> find_empty(const EnvironmentView<T>& view, const EnvironmentShape& shape,
                                      const std::vector<int32_t>& weight) {
  const auto count = static_cast<int64_t>(weight.size());
  std::vector<int64_t> run_first(static_cast<size_t>(empty_runs(count)) + 2, -7);
  std::vector<EmptyPixel<T>> empty(
      static_cast<size_t>(count_empty_pixels(cpu(), count, weight.data(), run_first.data())));
  EXPECT_EQ(run_first.back(), -7);
  find_empty_pixels<T>(cpu(), view, shape, count, weight.data(), run_first.data(), empty);
  return empty;
}

/// The gradient of touched rows as one of the whole map.
template <class T>
std::vector<T> whole_map(const EnvironmentShape& shape, const std::vector<int64_t>& rows,
                         const std::vector<T>& grad_rows) {
  const auto row_values = static_cast<size_t>(shape.width * shape.channels);
  std::vector<T> map(static_cast<size_t>(shape.height) * row_values, T(0));
  for (size_t r = 0; r < rows.size(); ++r)
    std::copy_n(grad_rows.data() + r * row_values, row_values, map.data() + static_cast<size_t>(rows[r]) * row_values);
  return map;
}

/// One random case: a distorted camera that looks anywhere, a crop, a pyramid, weights and values.
template <class T>
struct RandomCase {
  EnvironmentView<T> view;
  int64_t pixel_count = 0;
  std::vector<int32_t> weight;
  EnvironmentShape shape;
  std::vector<T> features, map, grad_output;
  bool append_coverage;

  RandomCase(uint64_t seed, const EnvironmentShape& map_shape, bool coverage)
      : shape(map_shape), append_coverage(coverage) {
    auto draw = [&, next = uint64_t{0}](double low, double high) mutable {
      return low + (high - low) * static_cast<double>(draw_unit(seed, DrawPurpose::synthetic, 1000, next++));
    };
    CameraParams<double> camera;
    camera.width_px = static_cast<int32_t>(draw(100, 300));
    camera.height_px = static_cast<int32_t>(draw(80, 200));
    const double params[] = {draw(60, 200), draw(60, 200), draw(50, 150), draw(40, 100), 0,
                             draw(-0.1, 0.1), draw(-0.02, 0.02), draw(-0.01, 0.01), draw(-0.01, 0.01)};
    for (int i = 0; i < 9; ++i) camera.value[i] = params[i];
    update_valid_radius(camera);
    view.camera = camera_cast<T>(camera);
    view.world_from_camera =
        Mat3<T>(exp(Tangent<double>{{0, 0, 0}, {draw(-3, 3), draw(-3, 3), draw(-3, 3)}}).rotation);
    view.crop = {static_cast<float>(draw(0.5, 2)), static_cast<float>(draw(-20, 20)), static_cast<float>(draw(-20, 20)),
                 static_cast<int32_t>(draw(50, 190)), static_cast<int32_t>(draw(30, 150))};
    const int layers = 1 + static_cast<int>(seed % 5);
    for (int l = 0; l < layers; ++l) {
      const PyramidLayer layer{view.crop.width_px >> l, view.crop.height_px >> l, pixel_count};
      view.layers.push_back(layer);
      pixel_count += static_cast<int64_t>(layer.width_px) * layer.height_px;
    }
    // Blocks of sky and single holes; no hole at all, and nothing but holes.
    const auto count = static_cast<size_t>(pixel_count);
    for (size_t i = 0; i < count; ++i) {
      const bool drawn = (i / 700) % 3 && draw_bits(seed, DrawPurpose::synthetic, i) % 4;
      weight.push_back(seed % 7 == 5 ? 1 : seed % 7 == 6 ? 0 : drawn);
    }
    const auto channels = static_cast<size_t>(shape.channels);
    features = values<T>(count * channels, seed + 1);
    map = values<T>(static_cast<size_t>(shape.height * shape.width) * channels, seed + 2);
    grad_output = values<T>(count * (channels + (coverage ? 1 : 0)), seed + 3);
  }
};

/// f(case) for maps of several sizes and one descriptor, with and without coverage.
template <class T, class F>
void for_random_cases(const F& f) {
  uint64_t seed = 1;
  for (const EnvironmentShape& shape : {EnvironmentShape{16, 32, 4, false}, EnvironmentShape{128, 256, 8, false},
                                        EnvironmentShape{5, 3, 1, false}, EnvironmentShape{1, 7, 3, false},
                                        EnvironmentShape{9, 1, 2, false}, EnvironmentShape{1, 1, 4, true},
                                        EnvironmentShape{1, 1, 7, true}})
    for (int repetition = 0; repetition < 4; ++repetition, ++seed) {
      SCOPED_TRACE("case " + std::to_string(seed));
      f(RandomCase<T>(seed, shape, seed % 2 == 0));
    }
}

}  // namespace ptl::test
