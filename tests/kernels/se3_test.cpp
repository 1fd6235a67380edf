#include "kernels/se3.h"

#include <gtest/gtest.h>

namespace ptl {
namespace {

void expect_near(const Mat3<double>& a, const Mat3<double>& b, double tolerance) {
  for (int c = 0; c < 3; ++c)
    for (int r = 0; r < 3; ++r) EXPECT_NEAR(a[c][r], b[c][r], tolerance) << "column " << c << " row " << r;
}

TEST(Se3, QuarterTurnAboutZByHand) {
  const double quarter = 1.57079632679489661923;
  const Pose<double> pose = exp(Tangent<double>{{1, 0, 0}, {0, 0, quarter}});
  const Vec3<double> x = pose.rotation * Vec3<double>(1, 0, 0);
  EXPECT_NEAR(x.x, 0, 1e-15);
  EXPECT_NEAR(x.y, 1, 1e-15);
  // V(θ) t with t = x: (sin θ, 1 − cos θ)/θ.
  EXPECT_NEAR(pose.translation.x, 1 / quarter, 1e-15);
  EXPECT_NEAR(pose.translation.y, 1 / quarter, 1e-15);
}

TEST(Se3, ExponentialIsTheLimitOfSmallSteps) {
  for (const double scale : {1e-9, 1e-4, 0.05, 0.0999, 0.1001, 1.0, 3.0}) {
    const Tangent<double> xi{Vec3<double>(0.3, -0.2, 0.5) * scale, Vec3<double>(0.4, 0.8, -0.2) * scale};
    const Pose<double> half = exp(Tangent<double>{xi.translation / 2.0, xi.rotation / 2.0});
    const Pose<double> whole = exp(xi), twice = half * half;
    expect_near(whole.rotation, twice.rotation, 2e-15);
    for (int i = 0; i < 3; ++i) EXPECT_NEAR(whole.translation[i], twice.translation[i], 2e-15 * (1 + scale));
    expect_near(glm::transpose(whole.rotation) * whole.rotation, Mat3<double>(1.0), 3e-15);
  }
}

TEST(Se3, InverseUndoes) {
  const Pose<double> pose = exp(Tangent<double>{{1, 2, 3}, {0.3, -1.1, 0.7}});
  const Pose<double> nothing = inverse(pose) * pose;
  expect_near(nothing.rotation, Mat3<double>(1.0), 1e-15);
  EXPECT_NEAR(glm::length(nothing.translation), 0, 1e-14);
}

TEST(Se3, QuaternionsByHandAndBack) {
  const double h = std::sqrt(0.5);
  // (w, x, y, z) = quarter turn about x: y → z.
  const Mat3<double> quarter = rotation_from_quaternion(std::array<double, 4>{h, h, 0, 0});
  expect_near(quarter, Mat3<double>(Vec3<double>(1, 0, 0), Vec3<double>(0, 0, 1), Vec3<double>(0, -1, 0)), 1e-15);
  const std::array<double, 4> cases[] = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}, {.5, .5, -.5, .5},
                                         {1e-9, 0.6, -0.8, 0}, {0.1, -0.2, 0.3, 0.9273618495495703}};
  for (const auto& q : cases) {
    const auto back = quaternion_from_rotation(rotation_from_quaternion(q));
    for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(back[i], q[i], 1e-15);
  }
}

TEST(Se3, TangentJacobianAgainstFiniteDifferences) {
  const Vec3<double> x(0.7, -1.3, 2.1), weight(0.3, 0.9, -0.4);
  double jacobian[3][6];
  tangent_jacobian(x, jacobian);
  const Tangent<double> gradient = tangent_gradient(x, weight);
  const double step = 1e-6;
  for (int i = 0; i < 6; ++i) {
    Tangent<double> plus, minus;
    (i < 3 ? plus.translation[i] : plus.rotation[i - 3]) = step;
    (i < 3 ? minus.translation[i] : minus.rotation[i - 3]) = -step;
    const Vec3<double> difference = (exp(plus) * x - exp(minus) * x) / (2 * step);
    double dot = 0;
    for (int row = 0; row < 3; ++row) {
      EXPECT_NEAR(jacobian[row][i], difference[row], 1e-9);
      dot += weight[row] * jacobian[row][i];
    }
    EXPECT_NEAR(i < 3 ? gradient.translation[i] : gradient.rotation[i - 3], dot, 1e-14);
  }
}

}  // namespace
}  // namespace ptl
