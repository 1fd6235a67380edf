// Boxes of edits and their handles.
#include "viewer/edit_box.h"

#include <gtest/gtest.h>

#include <cmath>

#include "datasets/point_filter.h"
#include "tests/viewer/edit_case.h"

namespace ptl::testing {
namespace {

TEST(EditBox, ADraggedFaceChangesExactlyThatSide) {
  const EditView view = straight_view();
  const EditBox box = turned_box();
  for (int face = 0; face < box_faces; ++face) {
    ASSERT_TRUE(can_drag(box, face, view)) << face;
    const Vec from = box_handle(box, face), normal = face_normal(box, face);
    for (const double by : {0.4, -0.3}) {
      // The mouse goes to where the face's middle is to be.
      const auto dragged = drag_handle(box, face, view, pixel_of(view, from), pixel_of(view, from + by * normal), 1e-3);
      ASSERT_TRUE(dragged) << face;
      expect_near(box_handle(*dragged, face), from + by * normal);
      expect_near(box_handle(*dragged, face ^ 1), box_handle(box, face ^ 1));  // the opposite one stays
      for (int axis = 0; axis < 3; ++axis)
        EXPECT_NEAR(dragged->half_size[axis], box.half_size[axis] + (axis == face / 2 ? by / 2 : 0), 1e-9);
      EXPECT_EQ(dragged->box_from_scene, box.box_from_scene);
    }
  }
}

TEST(EditBox, AFaceStopsBeforeItsOpposite) {
  const EditView view = straight_view();
  const EditBox box = turned_box();
  const Vec from = box_handle(box, 1), normal = face_normal(box, 1);
  const auto dragged = drag_handle(box, 1, view, pixel_of(view, from), pixel_of(view, from - 3.0 * normal), 0.25);
  ASSERT_TRUE(dragged);
  EXPECT_NEAR(dragged->half_size.x, 0.125, 1e-12);
  expect_near(box_handle(*dragged, 0), box_handle(box, 0));
}

TEST(EditBox, TheMiddleMovesAcrossTheViewWithAllOfIt) {
  const EditView view = straight_view();
  const EditBox box = turned_box();
  const auto dragged = drag_handle(box, centre_handle, view, {106, 96}, {126, 86}, 1e-3);
  ASSERT_TRUE(dragged);
  expect_near(dragged->centre, box.centre + Vec(1.0, -0.5, 0));  // 20 and 10 px at a depth of 5, focal length 100 px
  EXPECT_EQ(dragged->half_size, box.half_size);
}

TEST(EditBox, HandlesThatPointAtTheViewerAreNotThere) {
  const EditView view = straight_view();
  EditBox box;
  box.centre = Vec(0, 0, 5);
  EXPECT_FALSE(can_drag(box, 4, view));
  EXPECT_FALSE(can_drag(box, 5, view));
  EXPECT_EQ(pick_handle(box, view, {100, 100}, 10), centre_handle);
  EXPECT_EQ(pick_handle(box, view, {123, 101}, 10), 1);  // the right side: 1 at a depth of 5
  EXPECT_EQ(pick_handle(box, view, {78, 99}, 10), 0);
  EXPECT_EQ(pick_handle(box, view, {100, 79}, 10), 2);  // y is down: the low side is above
  EXPECT_EQ(pick_handle(box, view, {140, 140}, 10), -1);
  box.centre.z = -5;  // behind the view
  EXPECT_EQ(pick_handle(box, view, {100, 100}, 300), -1);
}

TEST(EditBox, IsUprightAndTurnsAboutUp) {
  const Vec up = glm::normalize(Vec(0.1, -0.9, 0.3));
  EditBox box;
  box.box_from_scene = upright_box_from_scene(up);
  expect_near(box_axis(box, 2), up);
  EXPECT_NEAR(glm::determinant(box.box_from_scene), 1, 1e-12);
  EXPECT_NEAR(turn_rad(box, up), 0, 1e-12);
  for (const double angle : {0.4, -2.5, 3.0}) {
    const EditBox turned = turned_to(box, up, angle);
    EXPECT_NEAR(turn_rad(turned, up), angle, 1e-9);
    expect_near(box_axis(turned, 2), up);
    expect_near(box_axis(turned, 0), std::cos(angle) * box_axis(box, 0) + std::sin(angle) * box_axis(box, 1));
  }
  // The world's own axes stay as they are: such boxes have no axes in files.
  EXPECT_EQ(upright_box_from_scene(Vec(0, 0, 1)), Mat3<double>(1));
}

TEST(EditBox, BeginsAroundNearlyAllPoints) {
  const std::vector<Vec3<float>> points = scattered(20000);
  const EditBox box = box_around(cloud_of(points), Vec(0, -1, 0));
  PointEdit keep;
  keep.box = box;
  const PointFilter filter({keep});
  size_t kept = 0, stray_kept = 0, stray = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    const bool in = filter.keeps(Vec(points[i]));
    kept += in;
    const bool far = std::abs(points[i].x) > 6 || std::abs(points[i].y) > 5;
    stray += far;
    stray_kept += far && in;
  }
  EXPECT_GT(kept, points.size() * 94 / 100);
  EXPECT_GT(stray, 30u);
  EXPECT_EQ(stray_kept, 0u);
}

}  // namespace
}  // namespace ptl::testing
