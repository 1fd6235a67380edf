#include "kernels/camera.h"

#include <gtest/gtest.h>

#include <limits>

namespace ptl {
namespace {

CameraParams<double> camera_of(int width, int height, std::initializer_list<double> values) {
  CameraParams<double> camera;
  camera.width_px = width;
  camera.height_px = height;
  int i = 0;
  for (const double value : values) camera.value[i++] = value;
  update_valid_radius(camera);
  return camera;
}

/// Every term of the model at work.
CameraParams<double> rich_camera() {
  return camera_of(640, 480, {520, 510, 310.5, 245.5, 0, -0.21, 0.08, 0.0012, -0.0007, 0.011, 0.05, -0.02, 0.003});
}

/// The cameras of the three photo sets that the project is measured on, as COLMAP estimated them.
std::vector<CameraParams<double>> real_cameras() {
  return {camera_of(540, 960, {687.76, 687.245, 277.279, 482.634, 0, 0.0578421, -0.0805099, -0.000980296, 0.00015575}),
          camera_of(1344, 1008, {1092.305237, 1092.305237, 672, 504, 0, 0.03212}),
          camera_of(1536, 1024, {1379.74, 1382.08, 760.345, 503.405})};
}

TEST(Camera, PointOnTheAxisHitsTheCentre) {
  const auto p = project(camera_of(100, 80, {50, 60, 40, 30}), Vec3<double>(0, 0, 2));
  EXPECT_TRUE(p.valid);
  EXPECT_EQ(p.x_px, 40);
  EXPECT_EQ(p.y_px, 30);
  EXPECT_EQ(p.depth_m, 2);
  EXPECT_FALSE(project(rich_camera(), Vec3<double>(0, 0, 0)).valid);
  EXPECT_FALSE(project(rich_camera(), Vec3<double>(0, 0, -1)).valid);
  EXPECT_FALSE(project(rich_camera(), Vec3<double>(0, 0, std::numeric_limits<double>::quiet_NaN())).valid);
}

// Recorded: OpenCV 5.0.0, projectPoints with K = (520, 510, 310, 245) and the same distortion, + 0.5 since OpenCV puts
// the centre of the upper-left pixel at (0, 0).
TEST(Camera, AgreesWithOpenCv) {
  const double points[3][3] = {{0.3, -0.2, 2.0}, {-0.8, 0.5, 1.5}, {0.9, 0.7, 2.5}};
  const double pixels[3][2] = {{387.803272431744, 194.967707640783},
                               {56.241260938783, 401.509539120057},
                               {488.443425964949, 381.423946114288}};
  for (int i = 0; i < 3; ++i) {
    const auto p = project(rich_camera(), Vec3<double>(points[i][0], points[i][1], points[i][2]));
    ASSERT_TRUE(p.valid);
    EXPECT_NEAR(p.x_px, pixels[i][0], 1e-9);
    EXPECT_NEAR(p.y_px, pixels[i][1], 1e-9);
  }
}

TEST(Camera, JacobiansOverTheWholeImage) {
  CameraParams<double> camera = rich_camera();
  camera.value[PinholeModel::skew] = 3;
  update_valid_radius(camera);
  int checked = 0;
  for (double y = -0.7; y <= 0.7; y += 0.07)
    for (double x = -0.9; x <= 0.9; x += 0.09) {
      const Vec3<double> point(1.7 * x, 1.7 * y, 1.7);
      if (!project(camera, point).valid) continue;
      ++checked;
      const auto jacobian = project_jacobian(camera, point);
      const double step = 1e-6;
      for (int i = 0; i < 3; ++i) {
        Vec3<double> plus = point, minus = point;
        plus[i] += step;
        minus[i] -= step;
        const auto a = project(camera, plus), b = project(camera, minus);
        EXPECT_NEAR(jacobian.point[0][i], (a.x_px - b.x_px) / (2 * step), 1e-5);
        EXPECT_NEAR(jacobian.point[1][i], (a.y_px - b.y_px) / (2 * step), 1e-5);
      }
      for (int i = 0; i < camera_param_capacity; ++i) {
        CameraParams<double> plus = camera, minus = camera;
        plus.value[i] += step;
        minus.value[i] -= step;
        const auto a = project(plus, point), b = project(minus, point);
        EXPECT_NEAR(jacobian.params[0][i], (a.x_px - b.x_px) / (2 * step), 1e-5) << "parameter " << i;
        EXPECT_NEAR(jacobian.params[1][i], (a.y_px - b.y_px) / (2 * step), 1e-5) << "parameter " << i;
      }
    }
  EXPECT_GT(checked, 300);
}

template <class T>
void expect_round_trip(const CameraParams<double>& exact, double tolerance_px) {
  const auto camera = camera_cast<T>(exact);
  for (int y = 0; y <= camera.height_px; y += 8)
    for (int x = 0; x <= camera.width_px; x += 8) {
      Vec3<T> ray;
      ASSERT_TRUE(unproject_ray(camera, T(x), T(y), ray)) << x << " " << y;
      const Projection<T> back = project(camera, Vec3<T>(ray * T(3)));
      ASSERT_TRUE(back.valid);
      ASSERT_NEAR(static_cast<double>(back.x_px), x, tolerance_px);
      ASSERT_NEAR(static_cast<double>(back.y_px), y, tolerance_px);
    }
}

TEST(Camera, UnprojectUndoesProjectOverWholeImages) {
  std::vector<CameraParams<double>> cameras = real_cameras();
  cameras.push_back(rich_camera());
  for (const auto& camera : cameras) {
    expect_round_trip<double>(camera, 1e-7);
    expect_round_trip<float>(camera, 5e-3);
  }
}

TEST(Camera, ValidRadiusOfACubic) {
  // r (1 − r²/3) rises up to r = 1, where it is 2/3.
  const auto camera = camera_of(1000, 1000, {500, 500, 500, 500, 0, -1.0 / 3});
  EXPECT_NEAR(camera.valid_radius, 1, 1e-12);
  EXPECT_TRUE(project(camera, Vec3<double>(0.999, 0, 1)).valid);
  EXPECT_FALSE(project(camera, Vec3<double>(1.001, 0, 1)).valid);
  // A corner at distorted radius 1.41 cannot be reached: no ray, but a finite direction.
  Vec3<double> ray;
  EXPECT_FALSE(unproject_ray(camera, 0.0, 0.0, ray));
  EXPECT_TRUE(std::isfinite(ray.x) && std::isfinite(ray.y));
  EXPECT_NEAR(std::hypot(ray.x, ray.y), 1, 1e-6);
}

TEST(Camera, ValidRadiusReachesTheCorners) {
  EXPECT_EQ(camera_of(100, 100, {50, 50, 50, 50}).valid_radius, 1e30);
  // Rises far beyond the corners, falls later: only what the image needs is searched.
  const auto camera = camera_of(100, 100, {100, 100, 50, 50, 0, -0.01});
  EXPECT_GT(camera.valid_radius, 0.8);
  EXPECT_LT(camera.valid_radius, 1.5);
}

TEST(Camera, CropAndScale) {
  const Crop crop{2.0f, 10.0f, 20.0f, 64, 64};
  const Vec2<double> at = apply_crop(crop, Vec2<double>(30, 40));
  EXPECT_EQ(at.x, 50);
  EXPECT_EQ(at.y, 60);
  EXPECT_EQ(undo_crop(crop, at), Vec2<double>(30, 40));
  const auto camera = rich_camera();
  const auto half = scale_camera(camera, 320, 240);
  const Vec3<double> point(0.3, -0.2, 1);
  EXPECT_NEAR(project(half, point).x_px, project(camera, point).x_px / 2, 1e-12);
  EXPECT_NEAR(project(half, point).y_px, project(camera, point).y_px / 2, 1e-12);
  EXPECT_NEAR(focal_length_px(camera, crop), 2 * std::sqrt(520.0 * 510.0), 1e-10);
}

TEST(Camera, TableMatchesTheModel) {
  const CameraTable& table = camera_table(CameraModel::pinhole);
  ASSERT_EQ(table.param_count, 13);
  EXPECT_STREQ(table.params[PinholeModel::skew].name, "skew");
  EXPECT_EQ(table.params[PinholeModel::skew].rate_factor, 0);
  EXPECT_STREQ(table.params[PinholeModel::k6].name, "k6");
  EXPECT_EQ(table.params[PinholeModel::cy].group, CameraParamGroup::intrinsics);
  EXPECT_EQ(table.params[PinholeModel::k1].group, CameraParamGroup::distortion);
}

}  // namespace
}  // namespace ptl
