// Stage 4 through cameras that see further than a pinhole.
#include "tests/kernels/environment_case.h"
#include "tests/kernels/wide_cameras.h"

namespace ptl::test {
namespace {

// Pixels of a circular fisheye: within its rim the map is seen, also behind the camera; outside of it 0, without
// gradient.
TEST(WideEnvironment, BeyondTheRimNothingIsSeen) {
  const auto camera = camera_of(CameraModel::fisheye, 96, 80, {30, 30, 48, 40, 0, -.09, .001});
  ASSERT_LT(30 * FisheyeModel::profile(camera, camera.valid_radius).radius, 46);
  EnvironmentView<double> view;
  view.camera = camera;
  view.crop = {1.25f, 6, 4, 108, 92};
  view.layers = {{108, 92, 0}, {54, 46, 108 * 92}};
  const size_t pixels = 108 * 92 + 54 * 46;
  const EnvironmentShape shape{32, 64, 2, false};
  std::vector<double> map(32 * 64 * 2), features(pixels * 2, 5), grad(pixels * 3, 1);
  // The map holds the direction's z, and 7.
  for (int y = 0; y < 32; ++y)
    for (int x = 0; x < 64; ++x) {
      map[static_cast<size_t>(2 * (y * 64 + x))] = environment_direction<double>(shape, x, y).z;
      map[static_cast<size_t>(2 * (y * 64 + x) + 1)] = 7;
    }
  const std::vector<int32_t> weight(pixels, 0);
  const auto empty = find_empty(view, shape, weight);
  std::vector<double> out(pixels * 3, 99);
  environment_forward<double>(cpu(), shape, static_cast<int64_t>(pixels), features.data(), weight.data(), empty,
                              map.data(), true, out.data());
  int inside = 0, behind = 0;
  for (int y = 0; y < 92; ++y)
    for (int x = 0; x < 108; ++x) {
      const double* const value = out.data() + 3 * (y * 108 + x);
      const Vec2<double> photo = undo_crop(view.crop, Vec2<double>(x + 0.5, y + 0.5));
      Vec3<double> ray;
      if (unproject_ray(camera, photo.x, photo.y, ray)) {
        ++inside;
        behind += ray.z < 0;
        ASSERT_NEAR(value[0], ray.z, 0.01);
        ASSERT_NEAR(value[1], 7, 1e-12);
      } else {
        ASSERT_EQ(value[0], 0);
        ASSERT_EQ(value[1], 0);
      }
      ASSERT_EQ(value[2], 0);
    }
  EXPECT_GT(inside, 4000);
  EXPECT_LT(inside, 108 * 92 - 1500);
  EXPECT_GT(behind, 100);
  // Gradients: as many as there are pixels with a ray, by both drivers with the same bits.
  std::vector<int64_t> rows(32);
  const int64_t row_count = touched_rows<double>(cpu(), shape, empty, rows.data());
  rows.resize(static_cast<size_t>(row_count));
  std::vector<double> grad_features(pixels * 2), by_rows(rows.size() * 128), sorted(rows.size() * 128);
  environment_backward<double>(cpu(), shape, static_cast<int64_t>(pixels), weight.data(), empty, rows, grad.data(),
                               true, grad_features.data(), by_rows.data(), EnvironmentDriver::rows);
  environment_backward<double>(cpu(), shape, static_cast<int64_t>(pixels), weight.data(), empty, rows, grad.data(),
                               true, grad_features.data(), sorted.data(), EnvironmentDriver::sorted);
  EXPECT_TRUE(same_bits(by_rows, sorted));
  double sum = 0;
  int64_t with_ray = 0;
  for (const double value : by_rows) sum += value;
  for (const auto& e : empty) with_ray += !e.sample.is_none();
  EXPECT_NEAR(sum, 2.0 * static_cast<double>(with_ray), 1e-6);
}

TEST(WideEnvironment, EveryModelLooksWhereItsPointsAre) {
  const EnvironmentShape shape{64, 128, 3, false};
  std::vector<float> map;
  for (int y = 0; y < 64; ++y)
    for (int x = 0; x < 128; ++x) {
      const Vec3<float> way = environment_direction<float>(shape, x, y);
      map.insert(map.end(), {way.x, way.y, way.z});
    }
  for (const auto& [name, camera] : wide_cameras()) {
    EnvironmentView<float> view;
    view.camera = camera_cast<float>(camera);
    view.world_from_camera = Mat3<float>(exp(Tangent<double>{{0, 0, 0}, {0.4, 2.1, -0.3}}).rotation);
    view.crop = whole_photo(view.camera);
    const int32_t width = camera.width_px, height = camera.height_px;
    view.layers = {{width, height, 0}};
    const auto pixels = static_cast<size_t>(width * height);
    const std::vector<int32_t> weight(pixels, 0);
    std::vector<float> out(pixels * 3), features(pixels * 3);
    environment_forward<float>(cpu(), shape, static_cast<int64_t>(pixels), features.data(), weight.data(),
                               find_empty(view, shape, weight), map.data(), false, out.data());
    int seen = 0;
    for (int i = 0; i < 2000; ++i) {
      const Vec3<double> way = direction_on_sphere(i, 2000);
      const auto p = project(camera, way);
      if (!p.valid || p.x_px < 1 || p.y_px < 1 || p.x_px >= width - 1 || p.y_px >= height - 1) continue;
      const Vec3<float> world = view.world_from_camera * Vec3<float>(way);
      const float* const value = out.data() + 3 * (static_cast<int>(p.y_px) * width + static_cast<int>(p.x_px));
      const Vec3<float> looked(value[0], value[1], value[2]);
      if (glm::length(looked) == 0) continue;  // its pixel's centre is beyond the rim
      ++seen;
      ASSERT_LT(glm::length(looked - world), 0.09f) << name;
    }
    EXPECT_GT(seen, 100) << name;
  }
}

}  // namespace
}  // namespace ptl::test
