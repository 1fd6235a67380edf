// Errors traced back along rays, on a plane whose picture is known.
#include "dense/error_rays.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>

namespace ptl {
namespace {

constexpr float plane_z = 4;
constexpr int width = 96, height = 64;

Vec3<float> plane_color(double x, double y) {
  const auto wave = [](double t) { return static_cast<float>(0.5 + 0.4 * std::sin(t)); };
  return {wave(5 * x + 2 * std::sin(3 * y)), wave(5 * y + 2 * std::sin(3 * x)), wave(6 * x - 4 * y)};
}

/// From (x, 0, 0) along z. Wrong in the middle, where no point is known; right elsewhere, where the plane is.
WrongView view_at(double x) {
  WrongView view;
  view.camera.width_px = width;
  view.camera.height_px = height;
  view.camera.value[PinholeModel::fx] = view.camera.value[PinholeModel::fy] = 80;
  view.camera.value[PinholeModel::cx] = width / 2.0;
  view.camera.value[PinholeModel::cy] = height / 2.0;
  view.camera_from_world.translation = {-x, 0, 0};
  view.crop = whole_photo(view.camera);
  for (int row = 0; row < height; ++row)
    for (int column = 0; column < width; ++column) {
      const double u = (column + 0.5 - width / 2.0) / 80 * plane_z, v = (row + 0.5 - height / 2.0) / 80 * plane_z;
      const bool hole = std::abs(x + u) < 0.8 && std::abs(v) < 0.8;
      WrongPixel pixel;
      pixel.color = plane_color(x + u, v);
      pixel.error = hole ? 0.2f : 0.001f;
      if (!hole) pixel.depth_m = plane_z;
      pixel.solid = !hole;
      view.pixels.push_back(pixel);
    }
  return view;
}

std::vector<RayPoint> traced(const std::vector<WrongView>& views) { return trace_errors(views, wrong_error(views)); }

std::vector<WrongView> views() { return {view_at(-0.6), view_at(-0.3), view_at(0), view_at(0.3), view_at(0.6)}; }

TEST(ErrorRays, FillTheHoleOfAPlane) {
  const std::vector<WrongView> all = views();
  EXPECT_GT(wrong_error(all), 0.1);
  const std::vector<RayPoint> points = traced(all);
  ASSERT_GT(points.size(), 500u);
  size_t near = 0;
  for (const RayPoint& point : points) {
    near += std::abs(point.position.z - plane_z) < 0.05f;
    EXPECT_LT(std::abs(point.position.x), 0.9f);
    EXPECT_NEAR(glm::length(point.normal), 1.0f, 1e-5f);
    EXPECT_LT(point.normal.z, 0.0f);
    EXPECT_NEAR(point.spacing_m, point.position.z / 80, 1e-5f);
  }
  EXPECT_GT(near, points.size() * 9 / 10);

  const std::vector<uint32_t> agreed = agreed_points(points);
  ASSERT_GT(agreed.size(), 200u);
  EXPECT_LT(agreed.size(), points.size());
  size_t agreed_near = 0;
  for (size_t i = 0; i < agreed.size(); ++i) {
    agreed_near += std::abs(points[agreed[i]].position.z - plane_z) < 0.05f;
    if (i > 0) {
      EXPECT_GE(points[agreed[i - 1]].score, points[agreed[i]].score);
    }
  }
  EXPECT_GE(static_cast<double>(agreed_near) / static_cast<double>(agreed.size()),
            static_cast<double>(near) / static_cast<double>(points.size()));
}

/// Where one view stays wrong and the others show the same surface as it is, they look through anything before it.
TEST(ErrorRays, NothingComesBeforeWhatOthersShowRight) {
  std::vector<WrongView> all = views();
  for (size_t i = 1; i < all.size(); ++i)
    for (WrongPixel& pixel : all[i].pixels) {
      pixel.error = 0.001f;
      pixel.depth_m = plane_z;
      pixel.solid = 1;
    }
  for (const RayPoint& point : traced(all)) {
    EXPECT_EQ(point.view, 0u);
    EXPECT_GT(point.position.z, plane_z * 0.97f);
  }
}

TEST(ErrorRays, NothingWithoutOtherViewsOrWithoutErrors) {
  EXPECT_TRUE(traced({}).empty());
  EXPECT_TRUE(traced({view_at(0)}).empty());
  std::vector<WrongView> right = views();
  for (WrongView& view : right)
    for (WrongPixel& pixel : view.pixels) pixel.error = 0.001f;
  EXPECT_TRUE(traced(right).empty());
  EXPECT_TRUE(agreed_points({}).empty());
}

/// One view's points alone are no agreement.
TEST(ErrorRays, PointsOfOneViewDoNotAgree) {
  std::vector<RayPoint> points = traced(views());
  std::erase_if(points, [](const RayPoint& point) { return point.view != 2; });
  ASSERT_FALSE(points.empty());
  EXPECT_TRUE(agreed_points(points).empty());
  EXPECT_FALSE(agreed_points(points, 1).empty());
}

TEST(ErrorRays, ThreadsChangeNothing) {
  omp_set_num_threads(1);
  const std::vector<RayPoint> one = traced(views());
  omp_set_num_threads(3);
  const std::vector<RayPoint> three = traced(views());
  ASSERT_EQ(one.size(), three.size());
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].position, three[i].position);
    EXPECT_EQ(one[i].score, three[i].score);
  }
}

}  // namespace
}  // namespace ptl
