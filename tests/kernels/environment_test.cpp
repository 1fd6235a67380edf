#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <stdexcept>

#include "tests/kernels/environment_case.h"

namespace ptl {
namespace {

using test::cpu;
using test::find_empty;
using test::for_random_cases;
using test::RandomCase;
using test::same_bits;
using test::values;
using test::whole_map;

template <class T>
EnvironmentView<T> wide_view() {
  CameraParams<double> camera;
  camera.width_px = 64;
  camera.height_px = 48;
  const double params[] = {30, 31, 32, 24, 0, -0.05, 0.01, 0.001, -0.002};
  for (int i = 0; i < 9; ++i) camera.value[i] = params[i];
  update_valid_radius(camera);
  EnvironmentView<T> view;
  view.camera = camera_cast<T>(camera);
  view.world_from_camera = Mat3<T>(exp(Tangent<double>{{0, 0, 0}, {0.4, 2.9, -0.3}}).rotation);  // over the seam
  view.crop = {1.25f, 3.0f, -2.0f, 70, 52};
  view.layers = {{70, 52, 0}, {35, 26, 3640}, {18, 13, 4550}};
  return view;
}
constexpr size_t pixels = 4550 + 18 * 13;

std::vector<int32_t> weights() {
  std::vector<int32_t> w(pixels);
  for (size_t i = 0; i < pixels; ++i) w[i] = static_cast<int32_t>(draw_bits(3, DrawPurpose::synthetic, i) % 3);
  return w;
}

template <class T>
void forward(const EnvironmentView<T>& view, const EnvironmentShape& shape, const std::vector<T>& features,
             const std::vector<int32_t>& weight, const std::vector<T>& map, bool append_coverage, std::vector<T>& out) {
  environment_forward<T>(cpu(), shape, static_cast<int64_t>(weight.size()), features.data(), weight.data(),
                         find_empty(view, shape, weight), map.data(), append_coverage, out.data());
}

/// grad_map: of the whole map.
template <class T>
void backward(const EnvironmentView<T>& view, const EnvironmentShape& shape, const std::vector<int32_t>& weight,
              const std::vector<T>& grad, bool append_coverage, std::vector<T>& grad_features, std::vector<T>& grad_map,
              EnvironmentDriver driver) {
  const std::vector<EmptyPixel<T>> empty = find_empty(view, shape, weight);
  std::vector<int64_t> rows(static_cast<size_t>(shape.height) + 1, -7);
  const int64_t row_count = touched_rows<T>(cpu(), shape, empty, rows.data());
  ASSERT_EQ(rows.back(), -7);
  rows.resize(static_cast<size_t>(row_count));
  ASSERT_TRUE(std::is_sorted(rows.begin(), rows.end()));
  std::vector<T> grad_rows(rows.size() * static_cast<size_t>(shape.width * shape.channels) + 1, T(77));
  environment_backward<T>(cpu(), shape, static_cast<int64_t>(weight.size()), weight.data(), empty, rows, grad.data(),
                          append_coverage, grad_features.data(), grad_rows.data(), driver);
  EXPECT_EQ(grad_rows.back(), T(77));
  grad_map = whole_map(shape, rows, grad_rows);
}

TEST(Environment, DirectionsByHand) {
  const EnvironmentShape shape{4, 8, 1, false};
  // Straight ahead: longitude 0, latitude 0: u = 4, v = 2, in the middle of four texels.
  auto s = environment_sample(shape, Vec3<double>(0, 0, 1));
  EXPECT_EQ(s.x[0], 3);
  EXPECT_EQ(s.x[1], 4);
  EXPECT_EQ(s.y[0], 1);
  EXPECT_EQ(s.y[1], 2);
  EXPECT_NEAR(s.weight_x, 0.5, 1e-12);
  EXPECT_NEAR(s.weight_y, 0.5, 1e-12);
  // Right: longitude π/2, u = 6. Backwards: the seam, between the last column and the first.
  EXPECT_EQ(environment_sample(shape, Vec3<double>(1, 0, 0)).x[0], 5);
  s = environment_sample(shape, Vec3<double>(-1e-9, 0, -1));
  EXPECT_EQ(s.x[0], 7);
  EXPECT_EQ(s.x[1], 0);
  // Straight down: clamped to the last row.
  s = environment_sample(shape, Vec3<double>(0, 1, 0));
  EXPECT_EQ(s.y[0], 3);
  EXPECT_EQ(s.y[1], 3);
  EXPECT_EQ(s.weight_y, 0);
}

TEST(Environment, ReplacesOnlyEmptyPixels) {
  const auto view = wide_view<double>();
  const EnvironmentShape shape{16, 32, 3, false};
  const auto features = values<double>(pixels * 3, 1);
  const auto w = weights();
  const std::vector<double> map(16 * 32 * 3, -1.0);
  std::vector<double> out(pixels * 4 + 2, 99.0);
  forward(view, shape, features, w, map, true, out);
  for (size_t i = 0; i < pixels; ++i) {
    for (size_t c = 0; c < 3; ++c) ASSERT_NEAR(out[i * 4 + c], w[i] ? features[i * 3 + c] : -1.0, 1e-12);
    ASSERT_EQ(out[i * 4 + 3], w[i] ? 1.0 : 0.0);
  }
  EXPECT_EQ(out[pixels * 4], 99.0);
}

// A map that is linear in the direction's angles, seen by a camera that looks ahead: the pixel's true ray decides.
TEST(Environment, SeesTheUndistortedDirection) {
  auto view = wide_view<double>();
  view.world_from_camera = Mat3<double>(1.0);
  const EnvironmentShape shape{64, 128, 1, false};
  std::vector<double> map(64 * 128);
  for (int y = 0; y < 64; ++y)
    for (int x = 0; x < 128; ++x) map[static_cast<size_t>(y * 128 + x)] = x + 0.5 + 1000 * (y + 0.5);
  const std::vector<int32_t> empty(pixels, 0);
  std::vector<double> out(pixels);
  forward(view, shape, std::vector<double>(pixels), empty, map, false, out);
  for (const Vec3<double>& point :
       {Vec3<double>(0.3, 0.2, 1), Vec3<double>(-0.8, 0.5, 1), Vec3<double>(0.05, -0.4, 1)}) {
    const auto p = project(view.camera, point);
    const Vec2<double> crop_px = apply_crop(view.crop, Vec2<double>(p.x_px, p.y_px));
    // The values at the pixel's centre, moved to the point by their own slope: linear within a pixel to good
    // approximation.
    const int column = static_cast<int>(crop_px.x), row = static_cast<int>(crop_px.y);
    const auto at = [&](int dx, int dy) { return out[static_cast<size_t>((row + dy) * 70 + column + dx)]; };
    const double fx = crop_px.x - column - 0.5, fy = crop_px.y - row - 0.5;
    const double value = at(0, 0) + fx * (at(1, 0) - at(-1, 0)) / 2 + fy * (at(0, 1) - at(0, -1)) / 2;
    const double pi = 3.14159265358979323846;
    const double u = (std::atan2(point.x, point.z) / (2 * pi) + 0.5) * 128;
    const double v = (std::atan2(point.y, std::hypot(point.x, point.z)) / pi + 0.5) * 64;
    EXPECT_NEAR(value, u + 1000 * v, 10);  // a texel is 1000; a pixel is about 600
  }
}

template <class F>
std::vector<double> numeric_gradient(std::vector<double> at, const F& loss) {
  std::vector<double> gradient(at.size());
  for (size_t i = 0; i < at.size(); ++i) {
    const double keep = at[i];
    at[i] = keep + 0.5;  // the function is linear: any step is exact
    const double plus = loss(at);
    at[i] = keep - 0.5;
    gradient[i] = plus - loss(at);
    at[i] = keep;
  }
  return gradient;
}

TEST(Environment, BackwardOfBothDriversAgainstDifferences) {
  const auto view = wide_view<double>();
  const auto features = values<double>(pixels * 2, 1), grad = values<double>(pixels * 3, 2);
  const auto w = weights();
  for (const EnvironmentShape shape : {EnvironmentShape{6, 12, 2, false}, EnvironmentShape{1, 1, 2, true}}) {
    const auto map = values<double>(static_cast<size_t>(shape.height * shape.width * 2), 4);
    const auto expected = numeric_gradient(map, [&](const std::vector<double>& m) {
      std::vector<double> out(pixels * 3);
      forward(view, shape, features, w, m, true, out);
      double sum = 0;
      for (size_t i = 0; i < out.size(); ++i) sum += out[i] * grad[i];
      return sum;
    });
    for (const auto driver : {EnvironmentDriver::rows, EnvironmentDriver::sorted}) {
      std::vector<double> grad_features(pixels * 2, 99), grad_map(map.size(), 99);
      backward(view, shape, w, grad, true, grad_features, grad_map, driver);
      for (size_t i = 0; i < map.size(); ++i) EXPECT_NEAR(grad_map[i], expected[i], 1e-9);
      for (size_t i = 0; i < pixels; ++i)
        for (size_t c = 0; c < 2; ++c) ASSERT_EQ(grad_features[i * 2 + c], w[i] ? grad[i * 3 + c] : 0.0);
    }
  }
}

TEST(Environment, SameBitsForAnyNumberOfThreads) {
  auto view = wide_view<float>();
  view.crop = {4.0f, 3.0f, -2.0f, 160, 120};
  view.layers = {{160, 120, 0}, {80, 60, 19200}};
  constexpr size_t many = 24000;  // enough empty pixels for threads to be used
  const auto grad = values<float>(many * 4, 2);
  std::vector<int32_t> w(many);
  for (size_t i = 0; i < many; ++i) w[i] = static_cast<int32_t>(draw_bits(3, DrawPurpose::synthetic, i) % 3);
  const int threads_before = omp_get_max_threads();
  for (const EnvironmentShape shape : {EnvironmentShape{16, 32, 4, false}, EnvironmentShape{1, 1, 4, true}})
    for (const auto driver : {EnvironmentDriver::rows, EnvironmentDriver::sorted}) {
      std::vector<float> first;
      for (const int threads : {1, 2, 3, 7}) {
        omp_set_num_threads(threads);
        std::vector<float> grad_features(many * 4), grad_map(static_cast<size_t>(shape.height * shape.width * 4));
        backward(view, shape, w, grad, false, grad_features, grad_map, driver);
        if (first.empty()) first = grad_map;
        EXPECT_EQ(grad_map, first) << threads;
      }
    }
  omp_set_num_threads(threads_before);
}

template <class T>
void expect_plain_list() {
  for_random_cases<T>([](const RandomCase<T>& c) {
    const std::vector<EmptyPixel<T>> empty = find_empty(c.view, c.shape, c.weight);
    size_t next = 0;
    for (size_t level = 0; level < c.view.layers.size(); ++level) {
      const PyramidLayer& layer = c.view.layers[level];
      const T size = static_cast<T>(1 << level);
      for (int row = 0; row < layer.height_px; ++row)
        for (int column = 0; column < layer.width_px; ++column) {
          const int64_t pixel = layer.first + row * layer.width_px + column;
          if (c.weight[static_cast<size_t>(pixel)] != 0) continue;
          ASSERT_LT(next, empty.size());
          const EmptyPixel<T>& e = empty[next++];
          ASSERT_EQ(e.pixel, pixel);
          EnvironmentSample<T> s{};
          if (!c.shape.constant) {
            const Vec2<T> centre(size * (static_cast<T>(column) + T(0.5)), size * (static_cast<T>(row) + T(0.5)));
            const Vec2<T> photo_px = undo_crop(c.view.crop, centre);
            Vec3<T> ray;
            unproject_ray(c.view.camera, photo_px.x, photo_px.y, ray);
            s = environment_sample(c.shape, c.view.world_from_camera * ray);
          }
          ASSERT_TRUE(e.sample.x[0] == s.x[0] && e.sample.x[1] == s.x[1] && e.sample.y[0] == s.y[0] &&
                      e.sample.y[1] == s.y[1] && e.sample.weight_x == s.weight_x && e.sample.weight_y == s.weight_y)
              << "layer " << level << ", pixel (" << column << ", " << row << ")";
        }
    }
    EXPECT_EQ(next, empty.size());
  });
}

TEST(Environment, TheListIsThatOfPlainLoops) {
  expect_plain_list<float>();
  expect_plain_list<double>();
}

template <class T>
void expect_same_drivers() {
  for_random_cases<T>([](const RandomCase<T>& c) {
    std::vector<T> features[2], map[2];
    for (const int sorted : {0, 1}) {
      features[sorted].assign(c.features.size(), T(99));
      backward(c.view, c.shape, c.weight, c.grad_output, c.append_coverage, features[sorted], map[sorted],
               sorted ? EnvironmentDriver::sorted : EnvironmentDriver::rows);
    }
    EXPECT_TRUE(same_bits(features[0], features[1]));
    EXPECT_TRUE(same_bits(map[0], map[1]));
    EXPECT_EQ(std::count(map[0].begin(), map[0].end(), T(0)) == static_cast<int64_t>(map[0].size()),
              std::count(c.weight.begin(), c.weight.end(), 0) == 0);
  });
}

TEST(Environment, BothDriversGiveTheSameBits) {
  expect_same_drivers<float>();
  expect_same_drivers<double>();
}

TEST(Environment, TooManyLayersAndTheWrongDriverAreRefused) {
  EnvironmentView<float> view = wide_view<float>();
  view.layers.assign(11, {1, 1, 0});
  EXPECT_THROW(find_empty(view, EnvironmentShape{4, 8, 1, false}, {0}), std::invalid_argument);
  EXPECT_THROW(environment_backward<float>({DeviceType::cuda, nullptr, nullptr}, {4, 8, 1, false}, 0, nullptr, {}, {},
                                           nullptr, false, nullptr, nullptr, EnvironmentDriver::rows),
               std::runtime_error);
}

}  // namespace
}  // namespace ptl
