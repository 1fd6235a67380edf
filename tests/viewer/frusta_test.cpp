#include "viewer/frusta.h"

#include <gtest/gtest.h>

#include "datasets/view_camera.h"

namespace ptl {
namespace {

using Vec = Vec3<double>;

Pose<double> at(const Vec& centre) {
  return {Mat3<double>(1), -centre};
}  // looks along z

TEST(Frusta, CornersAreThePhotosOwn) {
  // 90° high, twice as wide: at a depth of 2 the photo reaches 2 up and 4 to the side.
  const Frustum frustum = camera_frustum(pinhole_of_fov(90, 200, 100), at(Vec(10, 0, 0)), 2);
  const Vec expected[4] = {{6, -2, 2}, {14, -2, 2}, {14, 2, 2}, {6, 2, 2}};
  EXPECT_EQ(frustum.apex, Vec(10, 0, 0));
  for (size_t i = 0; i < 4; ++i) EXPECT_LT(glm::distance(frustum.corners[i], expected[i]), 1e-9) << i;
  // With distortion the corners project to the photo's corners all the same.
  CameraParams<double> lens = pinhole_of_fov(50, 200, 100);
  lens.value[PinholeModel::k1] = -0.1;
  update_valid_radius(lens);
  const Projection<double> corner = project(lens, camera_frustum(lens, at(Vec(0)), 3).corners[2]);
  EXPECT_NEAR(corner.x_px, 200, 1e-6);
  EXPECT_NEAR(corner.y_px, 100, 1e-6);
}

TEST(Frusta, TheNearestUnderTheCursorIsPicked) {
  const CameraParams<double> photo = pinhole_of_fov(90, 100, 100), view = pinhole_of_fov(90, 200, 200);
  std::vector<Frustum> frusta = {camera_frustum(photo, at(Vec(0, 0, 8)), 1), camera_frustum(photo, at(Vec(0, 0, 4)), 1),
                                 camera_frustum(photo, at(Vec(5, 0, 8)), 1)};
  const Pose<double> eye = at(Vec(0));
  EXPECT_EQ(pick_frustum(frusta, view, eye, 100, 100), 1u);  // in front of the first
  EXPECT_EQ(pick_frustum(frusta, view, eye, 100 + 500 / 9.0, 100), 2u);
  EXPECT_FALSE(pick_frustum(frusta, view, eye, 100, 160));
  // The nearer one's photo is at z = 5 and reaches 20 px from the middle; its edge a little beyond.
  EXPECT_EQ(pick_frustum(frusta, view, eye, 119, 100), 1u);
  EXPECT_EQ(pick_frustum(frusta, view, eye, 123, 100), 1u);
  EXPECT_FALSE(pick_frustum(frusta, view, eye, 126, 100));
  // Standing in a camera, its own pyramid is not in the way; what lies behind it is found.
  EXPECT_EQ(pick_frustum(frusta, view, at(Vec(0, 0, 4)), 100, 100), 0u);
  // Behind the view there is nothing.
  EXPECT_FALSE(pick_frustum(frusta, view, at(Vec(0, 0, 20)), 100, 100));
  EXPECT_FALSE(pick_frustum({}, view, eye, 100, 100));
}

TEST(Frusta, TheirSizeFollowsTheDistanceBetweenCameras) {
  EXPECT_EQ(frustum_depth({Vec(0), Vec(1, 0, 0), Vec(2, 0, 0)}, 20), 0.5);
  EXPECT_EQ(frustum_depth({Vec(0), Vec(9, 0, 0)}, 20), 1);        // a twentieth at most
  EXPECT_EQ(frustum_depth({Vec(0), Vec(0.001, 0, 0)}, 20), 0.1);  // a 200th at least
  EXPECT_EQ(frustum_depth({Vec(0)}, 20), 1);
}

}  // namespace
}  // namespace ptl
