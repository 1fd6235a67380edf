// Camera models beyond the pinhole: known values, derivatives, there and back, range, seam and poles.
#include <gtest/gtest.h>

#include <limits>

#include "kernels/arctan.h"
#include "kernels/hash.h"
#include "tests/kernels/wide_cameras.h"

namespace ptl::test {
namespace {

TEST(Arctan, FloatsAreAsGoodAsTheLibrarys) {
  double worst = 0;
  for (int i = 0; i <= 400000; ++i) {
    const double turn = (i / 200000.0 - 1) * 3.14159265358979;
    const float y = static_cast<float>(std::sin(turn) * 3), x = static_cast<float>(std::cos(turn) * 3);
    const double exact = std::atan2(static_cast<double>(y), static_cast<double>(x));
    worst = std::max(worst, std::abs(static_cast<double>(arctan2(y, x)) - exact));
    const double of_angle = std::abs(exact) < 1.5 ? 2e-7 * std::abs(exact) : 4e-7;
    ASSERT_NEAR(static_cast<double>(arctan2(y, x)), exact, of_angle + 1e-38);
  }
  EXPECT_LT(worst, 4e-7);  // a float's step near π is 2.4e-7
  EXPECT_EQ(arctan2(0.0f, 0.0f), 0.0f);
  EXPECT_EQ(arctan2(0.0f, 1.0f), 0.0f);
  EXPECT_EQ(arctan2(0.0f, -1.0f), 3.14159265f);
  EXPECT_EQ(arctan2(1.0f, 0.0f), 1.57079633f);
  EXPECT_EQ(arctan2(-1.0f, 0.0f), -1.57079633f);
  EXPECT_TRUE(std::isnan(arctan2(NAN, 1.0f)) && std::isnan(arctan2(1.0f, NAN)));
  for (float angle = 0; angle < 3.13f; angle += 1e-4f)
    ASSERT_NEAR(tan_half(angle), std::tan(0.5 * static_cast<double>(angle)),
                4e-7 * std::tan(0.5 * angle) / std::cos(0.5 * angle) + 1e-30);
}

// Recorded: OpenCV 5.0.0, fisheye.projectPoints with K = (300, 310, 319.5, 239.5), D = (-0.02, 0.01, 0.003, -0.001), +
// 0.5 since OpenCV puts the centre of the upper-left pixel at (0, 0); alpha 0 and 0.01, which is a skew of fx · alpha.
TEST(WideCamera, AgreesWithOpenCvsFisheye) {
  const double points[3][3] = {{.3, -.2, 1}, {2, 1, .3}, {-1, .5, .01}};
  const double pixels[3][4] = {{406.18447488, 180.62847286, 405.60991172, 180.62847286},
                               {709.40721049, 441.19372542, 711.35424655, 441.19372542},
                               {-106.99129314, 460.61216812, -104.85633667, 460.61216812}};
  auto camera = camera_of(CameraModel::fisheye, 640, 480, {300, 310, 320, 240, 0, -.02, .01, 0, 0, .003, -.001});
  for (int i = 0; i < 3; ++i) {
    const Vec3<double> x(points[i][0], points[i][1], points[i][2]);
    camera.value[FisheyeModel::skew] = 0;
    EXPECT_NEAR(project(camera, x).x_px, pixels[i][0], 1e-8);
    EXPECT_NEAR(project(camera, x).y_px, pixels[i][1], 1e-8);
    camera.value[FisheyeModel::skew] = 3;
    EXPECT_NEAR(project(camera, x).x_px, pixels[i][2], 1e-8);
    EXPECT_NEAR(project(camera, x).y_px, pixels[i][3], 1e-8);
  }
}

// Computed in numpy from method section 1's text: X = y, Y = x, Z = −z, θ = atan(Z/√(X² + Y²)), ….
TEST(WideCamera, OcamByTheMethodsFormulas) {
  const double seen[5][5] = {{0.3, -0.2, 1.0, 506.713966029710, 335.640079418182},
                             {-1.1, 0.7, 0.9, 187.321867138110, 541.320922657419},
                             {0.05, 2.2, 0.4, 432.604727773891, 782.991144010023},
                             {1.0, 0.6, -0.3, 843.907223788210, 642.720634973324},
                             {-0.9, 1.2, -0.8, 97.551697127141, 825.521657697547}};
  const auto camera = ocam_camera();
  for (const auto& s : seen) {
    const Projection<double> p = project(camera, Vec3<double>(s[0], s[1], s[2]));
    EXPECT_TRUE(p.valid);
    EXPECT_NEAR(p.x_px, s[3], 1e-9);
    EXPECT_NEAR(p.y_px, s[4], 1e-9);
    EXPECT_NEAR(p.depth_m, std::hypot(s[0], s[1], s[2]), 1e-12);
  }
  // The cutoff: atan(0.7) is 0.61 rad above the plane z = 0.
  EXPECT_NEAR(camera.valid_radius, 0.6 + OcamModel::pi / 2, 1e-12);
  EXPECT_FALSE(project(camera, Vec3<double>(1, 0, -0.7)).valid);
  EXPECT_TRUE(project(camera, Vec3<double>(1, 0, -0.68)).valid);
  EXPECT_NEAR(focal_length_px(camera), 289.3698513695 * std::sqrt(0.999134 - 0.000325 * 0.000071), 1e-6);
}

TEST(WideCamera, PointsOnTheAxisBehindAndNowhere) {
  for (const auto& [name, camera] : wide_cameras()) {
    const auto ahead = project(camera, Vec3<double>(0, 0, 2));
    EXPECT_TRUE(ahead.valid) << name;
    EXPECT_EQ(ahead.depth_m, 2) << name;
    EXPECT_FALSE(project(camera, Vec3<double>(0, 0, 0)).valid) << name;
    EXPECT_FALSE(project(camera, Vec3<double>(0, 0, std::numeric_limits<double>::quiet_NaN())).valid) << name;
    const auto with_nan = project(camera_cast<float>(camera), Vec3<float>(NAN, 1, 1));
    EXPECT_FALSE(with_nan.valid && with_nan.x_px >= 0 && with_nan.y_px >= 0) << name;
    if (camera.model != CameraModel::equirectangular) {
      EXPECT_FALSE(project(camera, Vec3<double>(0, 0, -1)).valid) << name;
      const double* c = camera.value;
      const bool own = camera.model == CameraModel::ocam;
      EXPECT_EQ(ahead.x_px, own ? c[OcamModel::centre_column] : c[FisheyeModel::cx]) << name;
      EXPECT_EQ(ahead.y_px, own ? c[OcamModel::centre_row] : c[FisheyeModel::cy]) << name;
    }
  }
}

TEST(WideCamera, JacobiansOverTheWholeSphere) {
  for (const auto& [name, camera] : wide_cameras()) {
    int checked = 0, behind = 0;
    for (int i = 0; i < 3000; ++i) {
      const Vec3<double> point = direction_on_sphere(i, 3000) * 1.7;
      const auto p = project(camera, point);
      if (!p.valid || p.x_px < 1 || p.y_px < 1 || p.x_px > camera.width_px - 1 || p.y_px > camera.height_px - 1)
        continue;
      ++checked;
      behind += point.z < 0;
      const auto jacobian = project_jacobian(camera, point);
      const double step = 1e-6;
      for (int k = 0; k < 3; ++k) {
        Vec3<double> plus = point, minus = point;
        plus[k] += step;
        minus[k] -= step;
        const auto a = project(camera, plus), b = project(camera, minus);
        const double dx = (a.x_px - b.x_px) / (2 * step), dy = (a.y_px - b.y_px) / (2 * step);
        ASSERT_NEAR(jacobian.point[0][k], dx, 2e-6 * (100 + std::abs(dx))) << name << " axis " << k << " of " << i;
        ASSERT_NEAR(jacobian.point[1][k], dy, 2e-6 * (100 + std::abs(dy))) << name << " axis " << k << " of " << i;
      }
      for (int k = 0; k < camera_param_capacity; ++k) {
        // No farther than the pixel follows in a line: high powers of the angle move it far.
        const double size = 1e-3 / (1e3 + std::abs(jacobian.params[0][k]) + std::abs(jacobian.params[1][k]));
        CameraParams<double> plus = camera, minus = camera;
        plus.value[k] += size;
        minus.value[k] -= size;
        const auto a = project(plus, point), b = project(minus, point);
        const double dx = (a.x_px - b.x_px) / (2 * size), dy = (a.y_px - b.y_px) / (2 * size);
        ASSERT_NEAR(jacobian.params[0][k], dx, 2e-4 + 2e-6 * std::abs(dx)) << name << " parameter " << k;
        ASSERT_NEAR(jacobian.params[1][k], dy, 2e-4 + 2e-6 * std::abs(dy)) << name << " parameter " << k;
      }
    }
    EXPECT_GT(checked, 100) << name;
    if (name.find("degrees") != std::string::npos || name.find("wide") != std::string::npos) {
      EXPECT_GT(behind, 100) << name;
    }
  }
}

/// Pixels of the photo that have a ray land where they were; the others are beyond the rim.
template <class T>
void expect_round_trip(const NamedCamera& named, double tolerance_px) {
  const auto camera = camera_cast<T>(named.params);
  int seen = 0, behind = 0;
  for (int y = 1; y < camera.height_px; y += 7)
    for (int x = 1; x < camera.width_px; x += 7) {
      Vec3<T> ray;
      const bool found = unproject_ray(camera, T(x), T(y), ray);
      ASSERT_TRUE(std::isfinite(ray.x) && std::isfinite(ray.y) && std::isfinite(ray.z));
      ASSERT_NEAR(static_cast<double>(glm::length(ray)), 1, 1e-5) << named.name;
      if (!found) continue;
      ++seen;
      behind += ray.z < 0;
      // Where the profile is flat at its rim, a pixel's direction is only known to the square root of what is rounded.
      const Projection<T> back = project(camera, Vec3<T>(ray * T(3)));
      ASSERT_NEAR(static_cast<double>(back.x_px), x, tolerance_px) << named.name << " " << x << " " << y;
      ASSERT_NEAR(static_cast<double>(back.y_px), y, tolerance_px) << named.name << " " << x << " " << y;
    }
  EXPECT_GT(seen, 300) << named.name;
}

TEST(WideCamera, UnprojectUndoesProjectOverWholeImages) {
  for (const NamedCamera& named : wide_cameras()) {
    expect_round_trip<double>(named, 1e-7);
    expect_round_trip<float>(named, 5e-3);
  }
}

TEST(WideCamera, EveryPointInTheImageHasItsRay) {
  for (const auto& [name, camera] : wide_cameras()) {
    int seen = 0;
    for (int i = 0; i < 5000; ++i) {
      const Vec3<double> direction = direction_on_sphere(i, 5000);
      const auto p = project(camera, direction);
      if (!p.valid || p.x_px < 0 || p.y_px < 0 || p.x_px >= camera.width_px || p.y_px >= camera.height_px) continue;
      ++seen;
      Vec3<double> ray;
      ASSERT_TRUE(unproject_ray(camera, p.x_px, p.y_px, ray)) << name;
      ASSERT_NEAR(glm::dot(ray, direction), 1, 1e-9)
          << name << " " << direction.x << " " << direction.y << " " << direction.z;
    }
    EXPECT_GT(seen, 100) << name;
  }
}

TEST(WideCamera, RangeOfALensThatFolds) {
  // θ (1 − 0.09 θ² + 0.001 θ⁴) rises up to 1 − 0.27 q + 0.005 q² = 0.
  const auto camera = camera_of(CameraModel::fisheye, 1000, 1000, {200, 200, 500, 500, 0, -.09, .001});
  const double q = (0.27 - std::sqrt(0.27 * 0.27 - 4 * 0.005)) / (2 * 0.005), last = std::sqrt(q);
  EXPECT_NEAR(camera.valid_radius, last, 1e-9);
  const auto at = [](double angle) { return Vec3<double>(std::sin(angle), 0, std::cos(angle)); };
  EXPECT_TRUE(project(camera, at(last - 1e-3)).valid);
  EXPECT_FALSE(project(camera, at(last + 1e-3)).valid);
  Vec3<double> ray;
  EXPECT_FALSE(unproject_ray(camera, 0.0, 0.0, ray));  // outside of the circle
  EXPECT_NEAR(std::acos(ray.z), last, 1e-6);           // its rim
  EXPECT_TRUE(unproject_ray(camera, 500.0 + 200 * 0.9, 500.0, ray));
}

TEST(WideCamera, RangesByHand) {
  using enum CameraModel;
  const double pi = OcamModel::pi;
  // Without distortion: the sphere, or 1.5 times the corner's angle.
  EXPECT_NEAR(camera_of(fisheye, 1000, 1000, {200, 200, 500, 500}).valid_radius, pi, 1e-12);
  EXPECT_NEAR(camera_of(fisheye, 600, 800, {500, 500, 300, 400}).valid_radius, 1.5, 2e-3);
  EXPECT_NEAR(camera_of(fov, 640, 480, {100, 100, 320, 240, 0, .9}).valid_radius, pi / 2, 1e-12);
  EXPECT_NEAR(camera_of(division, 640, 480, {100, 100, 320, 240, 0, .25}).valid_radius, std::atan(1.0), 1e-3);
  EXPECT_GT(camera_of(division, 640, 480, {100, 100, 320, 240, 0, -.25}).valid_radius, pi / 2);
  // β = 1: the unified model, which turns where cos θ = −(1 − α)/α, and has a pole at cos θ = −α/(1 − α).
  EXPECT_NEAR(camera_of(eucm, 900, 900, {100, 100, 450, 450, 0, .75, 1}).valid_radius, std::acos(-1.0 / 3), 1e-9);
  EXPECT_LT(camera_of(eucm, 900, 900, {1, 1, 450, 450, 0, .25, 1}).valid_radius, std::acos(-1.0 / 3));
  EXPECT_GT(camera_of(eucm, 900, 900, {1, 1, 450, 450, 0, .25, 1}).valid_radius, std::acos(-1.0 / 3) - 2e-3);
  EXPECT_EQ(camera_of(equirectangular, 64, 32, {}).valid_radius, pi);
}

TEST(WideCamera, PanoramasSeamAndPoles) {
  const auto exact = camera_of(CameraModel::equirectangular, 640, 320, {});
  const auto camera = camera_cast<float>(exact);
  const auto inside = [&](const Vec3<float>& x) {
    const auto p = project(camera, x);
    EXPECT_TRUE(p.valid && p.x_px >= 0 && p.x_px < 640 && p.y_px >= 0 && p.y_px < 320)
        << x.x << " " << x.y << " " << x.z << ": " << p.x_px << " " << p.y_px;
    float grad[3], none[1] = {7};
    EquirectangularModel::pull_back(camera, x.x, x.y, x.z, 1.0f, 1.0f, grad, none);
    EXPECT_TRUE(std::isfinite(grad[0]) && std::isfinite(grad[1]) && std::isfinite(grad[2]));
    EXPECT_EQ(none[0], 7);
    return p;
  };
  EXPECT_NEAR(inside({0, 0, 1}).x_px, 320, 1e-4);
  EXPECT_NEAR(inside({1, 0, 0}).x_px, 480, 1e-4);
  EXPECT_NEAR(inside({1e-6f, 0, -1}).x_px, 640, 1e-2);
  EXPECT_NEAR(inside({-1e-6f, 0, -1}).x_px, 0, 1e-2);
  EXPECT_EQ(inside({0, 0, -1}).x_px, 0);
  EXPECT_EQ(inside({0, 1, 0}).y_px, std::nextafter(320.0f, 0.0f));
  EXPECT_EQ(inside({0, -1, 0}).y_px, 0);
  for (uint64_t i = 0; i < 20000; ++i) {
    const auto draw = [&](uint64_t k) { return draw_unit(1, DrawPurpose::synthetic, i, k) - 0.5f; };
    const float tiny = std::pow(10.0f, -16.0f * (draw(3) + 0.5f));
    inside({tiny * draw(0), draw(1), -std::abs(draw(2))});
    inside({tiny * draw(0), draw(1), tiny * draw(2)});
  }
  // Rows beyond the photo have no ray; columns wrap.
  Vec3<double> ray, wrapped;
  EXPECT_FALSE(unproject_ray(exact, 10.0, -0.5, ray));
  EXPECT_FALSE(unproject_ray(exact, 10.0, 320.5, ray));
  EXPECT_TRUE(unproject_ray(exact, 650.0, 100.0, wrapped) && unproject_ray(exact, 10.0, 100.0, ray));
  EXPECT_NEAR(glm::dot(ray, wrapped), 1, 1e-12);
  EXPECT_NEAR(focal_length_px(exact), 640 / (2 * OcamModel::pi), 1e-9);
}

TEST(WideCamera, ScaledCamerasSeeTheSameElsewhere) {
  for (const auto& [name, camera] : wide_cameras()) {
    const auto scaled = scale_camera(camera, camera.width_px * 2, camera.height_px * 3);
    int seen = 0;
    for (int i = 0; i < 500; ++i) {
      const Vec3<double> x = direction_on_sphere(i, 500);
      const auto a = project(camera, x), b = project(scaled, x);
      if (!a.valid || a.x_px < 0 || a.y_px < 0 || a.x_px >= camera.width_px || a.y_px >= camera.height_px) continue;
      ++seen;
      ASSERT_TRUE(b.valid) << name;
      ASSERT_NEAR(b.x_px, 2 * a.x_px, 1e-9) << name;
      ASSERT_NEAR(b.y_px, 3 * a.y_px, 1e-9) << name;
    }
    EXPECT_GT(seen, 10) << name;
    const double ratio = camera.model == CameraModel::equirectangular ? 2 : std::sqrt(6.0);
    EXPECT_NEAR(focal_length_px(scaled), focal_length_px(camera) * ratio, 1e-8) << name;
  }
}

// A small sphere around a point on the axis covers what the focal length says.
TEST(WideCamera, FocalLengthIsWhatALengthCovers) {
  for (const auto& [name, camera] : wide_cameras()) {
    const double step = 1e-4,
                 off = camera.model == CameraModel::ocam ? 0.05 : 0;  // its polynomial is not 0 on the axis
    const auto at = [&](double x, double y) { return project(camera, Vec3<double>(x + off, y, 1)); };
    const double wide = (at(step, 0).x_px - at(-step, 0).x_px) / (2 * step);
    const double high = (at(0, step).y_px - at(0, -step).y_px) / (2 * step);
    const double focal = camera.model == CameraModel::equirectangular ? wide : std::sqrt(wide * high);
    EXPECT_NEAR(focal_length_px(camera), focal, 0.02 * focal) << name;
  }
}

TEST(WideCamera, LeastDepthIsABound) {
  for (uint64_t i = 0; i < 3000; ++i) {
    const auto draw = [&](uint64_t k) { return draw_unit(2, DrawPurpose::synthetic, i, k) - 0.5f; };
    const float far = i % 3 == 0 ? 1000.0f : 0.0f;
    Pose<float> pose =
        pose_cast<float>(exp(Tangent<double>{{draw(0), draw(1), draw(2)}, {4 * draw(3), 4 * draw(4), 4 * draw(5)}}));
    pose.translation -= pose.rotation * Vec3<float>(far, 0, 0);
    float low[3], high[3];
    for (uint64_t k = 0; k < 3; ++k) {
      const float middle = (k == 0 ? far : 0) + 3 * draw(6 + k), half = std::abs(draw(9 + k));
      low[k] = middle - half;
      high[k] = middle + half;
    }
    const float least = FisheyeModel::least_depth_m(pose, low, high);
    for (uint64_t p = 0; p < 20; ++p) {
      Vec3<float> x;
      for (uint64_t k = 0; k < 3; ++k)
        x[static_cast<int>(k)] =
            low[k] + (high[k] - low[k]) * (p < 8 ? static_cast<float>(p >> k & 1) : draw(20 + 3 * p + k) + 0.5f);
      const auto camera = camera_cast<float>(camera_of(CameraModel::fisheye, 100, 100, {50, 50, 50, 50}));
      ASSERT_LE(least, project(camera, pose * x).depth_m);
    }
    // And a near one, where the box does not hold the camera.
    const Vec3<float> centre = camera_centre(pose);
    Vec3<float> nearest;
    for (int k = 0; k < 3; ++k) nearest[k] = std::fmin(std::fmax(centre[k], low[k]), high[k]);
    ASSERT_GE(least, glm::length(nearest - centre) - 1e-4f * (1 + far));
  }
}

TEST(CameraTables, HaveWhatTheModelsHave) {
  for (const CameraModel model : all_camera_models) {
    const CameraTable& table = camera_table(model);
    const int count = visit_camera(model, [](auto m) { return static_cast<int>(decltype(m)::param_count); });
    EXPECT_EQ(table.param_count, count);
    EXPECT_TRUE(is_camera_model(static_cast<int32_t>(model)));
    for (int k = 0; k < count; ++k) EXPECT_LT(table.params[k].low, table.params[k].high);
    const bool own = model == CameraModel::equirectangular || model == CameraModel::ocam;
    if (own) continue;
    const char* const names[] = {"fx", "fy", "cx", "cy", "skew"};
    for (int k = 0; k < 5; ++k) {
      EXPECT_STREQ(table.params[k].name, names[k]);
      EXPECT_EQ(table.params[k].group, CameraParamGroup::intrinsics);
    }
    EXPECT_EQ(table.params[4].rate_factor, 0);
    for (int k = 5; k < count; ++k) EXPECT_EQ(table.params[k].group, CameraParamGroup::distortion);
  }
  EXPECT_STREQ(camera_table(CameraModel::fisheye).params[FisheyeModel::sy1].name, "sy1");
  EXPECT_STREQ(camera_table(CameraModel::ocam).params[OcamModel::a0].name, "a0");
  EXPECT_EQ(camera_table(CameraModel::rad_tan_thin_prism_fisheye).params[RadTanThinPrismFisheyeModel::k2].rate_factor,
            0.25);
  EXPECT_FALSE(is_camera_model(8) || is_camera_model(-1));
}

}  // namespace
}  // namespace ptl::test
