// The brush's reach, strokes, undo and files of edits.
#include "viewer/point_editing.h"

#include <gtest/gtest.h>

#include <cmath>

#include "datasets/point_filter.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"
#include "tests/viewer/edit_case.h"

namespace ptl::testing {
namespace {

Image depth_image(float value) {
  return Image(200, 200, 1, value);
}

TEST(EditBrush, TheNearestPixelWithADepthCounts) {
  Image depth = depth_image(INFINITY);
  EXPECT_FALSE(nearest_depth(depth, 100, 100, 300));
  depth.at(109, 109, 0) = 3;  // 12.7 px away, but in an earlier ring than
  depth.at(111, 100, 0) = 2;  // this one, 11 px away
  EXPECT_EQ(nearest_depth(depth, 100.5, 100.5, 20), 2);
  EXPECT_EQ(nearest_depth(depth, 109.2, 109.9, 0.5), 3);
  EXPECT_FALSE(nearest_depth(depth, 100.5, 100.5, 10.9));
  EXPECT_EQ(nearest_depth(depth, -50, 100, 200), 3);  // from outside of the picture
}

/// The stroke of one press, as an edit.
PointEdit stroke_of(PointEditing& editing, const EditView& view, const StrokeDepths& depths,
                    const std::vector<Vec2<double>>& way) {
  const size_t before = editing.edits().size();
  EXPECT_TRUE(editing.press(view, way.front(), depths, 1e-3));
  for (const Vec2<double>& at : way) editing.move(view, at);
  editing.release();
  EXPECT_EQ(editing.edits().size(), before + 1);
  return editing.edits().back();
}

TEST(EditBrush, CoversThePointUnderItAndNotWhatLiesBehind) {
  const EditView view = straight_view();
  PointEditing editing;
  editing.tool = EditTool::brush;
  editing.brush.radius_px = 10;
  StrokeDepths depths{std::make_shared<Image>(depth_image(4)), nullptr};
  const PointFilter filter({stroke_of(editing, view, depths, {{120, 90}})});
  const Vec ray(0.2, -0.1, 1);  // of the pixel
  EXPECT_FALSE(filter.keeps(4.0 * ray));
  EXPECT_FALSE(filter.keeps(4.0 * ray + Vec(0.39, 0, 0)));  // 9.75 px beside
  EXPECT_TRUE(filter.keeps(4.0 * ray + Vec(0.42, 0, 0)));
  EXPECT_FALSE(filter.keeps(4.38 * ray));  // a radius is 0.4 at a depth of 4
  EXPECT_FALSE(filter.keeps(3.62 * ray));
  EXPECT_TRUE(filter.keeps(4.42 * ray));
  EXPECT_TRUE(filter.keeps(3.58 * ray));
  EXPECT_TRUE(filter.keeps(9.0 * ray));
}

TEST(EditBrush, AStrokeSeesWhatWasThereWhenItBegan) {
  const EditView view = straight_view();
  PointEditing editing;
  editing.tool = EditTool::brush;
  editing.brush.radius_px = 10;
  // A thing at a depth of 2 on the left half, a wall at 8 on the right.
  Image depth = depth_image(8);
  for (int y = 0; y < 200; ++y)
    for (int x = 0; x < 100; ++x) depth.at(x, y, 0) = 2;
  const StrokeDepths depths{std::make_shared<Image>(depth), nullptr};
  const std::vector<Vec2<double>> there_and_back = {{60, 100}, {90, 100}, {150, 100}, {60, 100}};
  const auto at = [](double x, double depth_m) { return Vec((x - 100) / 100, 0, 1) * depth_m; };
  {
    const PointFilter filter({stroke_of(editing, view, depths, there_and_back)});
    EXPECT_FALSE(filter.keeps(at(80, 2)));
    EXPECT_FALSE(filter.keeps(at(130, 2)));
    EXPECT_TRUE(filter.keeps(at(130, 8)));  // the wall beyond the thing's edge stays
    EXPECT_TRUE(filter.keeps(at(80, 8)));
  }
  editing.brush.depth = BrushDepth::any;
  {
    const PointFilter filter({stroke_of(editing, view, depths, there_and_back)});
    EXPECT_FALSE(filter.keeps(at(80, 2)));
    EXPECT_TRUE(filter.keeps(at(80, 8)));  // passed over twice, and still what lies behind stays
    EXPECT_FALSE(filter.keeps(at(130, 8)));
    EXPECT_TRUE(filter.keeps(at(130, 2)));
    EXPECT_FALSE(filter.keeps(at(75, 2)));  // between the places where the mouse was seen
  }
}

TEST(EditBrush, AStrokeFollowsASurfaceThatLeans) {
  const EditView view = straight_view();
  PointEditing editing;
  editing.tool = EditTool::brush;
  editing.brush.radius_px = 10;
  Image depth = depth_image(INFINITY);
  for (int y = 0; y < 200; ++y)
    for (int x = 0; x < 200; ++x) depth.at(x, y, 0) = 3 + 0.03f * static_cast<float>(x);
  const PointFilter filter(
      {stroke_of(editing, view, {std::make_shared<Image>(depth), nullptr}, {{20, 100}, {180, 100}})});
  for (const double x : {20.0, 60.0, 100.0, 140.0, 170.0})
    EXPECT_FALSE(filter.keeps(Vec((x - 100) / 100, 0, 1) * (3 + 0.03 * x))) << x;
  EXPECT_TRUE(filter.keeps(Vec(0.4, 0, 1) * 3.6));  // at the depth where it began
}

TEST(EditBrush, ThroughEverythingKeepsToTheCircle) {
  const EditView view = straight_view();
  PointEditing editing;
  editing.tool = EditTool::brush;
  editing.brush.radius_px = 20;
  editing.brush.depth = BrushDepth::everything;
  const std::vector<Vec3<float>> points = {{0, 0, 0.5}, {0, 0, 3}, {0.1f, 0, 300}, {0, 0, -4}, {5, 5, 50}};
  const auto cloud = std::make_shared<DrawnCloud>(cloud_of(points));
  const PointFilter filter({stroke_of(editing, view, {nullptr, cloud}, {{100, 100}})});
  for (const double depth : {0.5, 0.7, 3.0, 17.0, 120.0, 300.0}) {
    EXPECT_FALSE(filter.keeps(Vec(0, 0, depth))) << depth;
    EXPECT_FALSE(filter.keeps(Vec(0.17, 0, 1) * depth)) << depth;  // 20 px, less a tenth at most
    EXPECT_TRUE(filter.keeps(Vec(0.23, 0, 1) * depth)) << depth;
  }
  EXPECT_TRUE(filter.keeps(Vec(0, 0, -4)));  // behind the camera
  // Where no block is under the circle there is nothing to do.
  EXPECT_FALSE(depths_under_brush(cloud_of({{0, 0, 5}, {0.1f, 0, 5}}), view, {180, 180}, 20));
}

TEST(EditBrush, NothingUnderItIsNoStep) {
  PointEditing editing;
  editing.tool = EditTool::brush;
  const EditView view = straight_view();
  EXPECT_TRUE(editing.press(view, {100, 100}, {std::make_shared<Image>(depth_image(INFINITY)), nullptr}, 1e-3));
  editing.move(view, {150, 100});
  editing.release();
  EXPECT_TRUE(editing.press(view, {100, 100}, {}, 1e-3));  // no picture with depths
  editing.release();
  EXPECT_TRUE(editing.edits().empty());
  EXPECT_FALSE(editing.can_undo());
}

TEST(EditBrush, AStrokeEndsWhereTheViewMoves) {
  PointEditing editing;
  editing.tool = EditTool::brush;
  EditView view = straight_view();
  editing.press(view, {100, 100}, {std::make_shared<Image>(depth_image(4)), nullptr}, 1e-3);
  EXPECT_TRUE(editing.active());
  view.camera_from_scene.translation.x = 0.1;
  EXPECT_FALSE(editing.move(view, {150, 100}));
  EXPECT_FALSE(editing.active());
  ASSERT_EQ(editing.edits().size(), 1u);
  EXPECT_EQ(editing.edits()[0].cylinders.size(), 1u);
}

TEST(PointEditing, EachDragAndEachStrokeIsOneStepOfUndo) {
  PointEditing editing;
  const EditView view = straight_view();
  EditBox box;
  box.centre = Vec(0, 0, 5);
  editing.add_box(Kind::keep_box, box);
  EXPECT_EQ(editing.selected(), 0);
  uint64_t version = editing.version();
  const auto rises = [&] {
    const bool higher = editing.version() > version;
    version = editing.version();
    return higher;
  };
  ASSERT_TRUE(editing.press(view, {120, 100}, {}, 1e-3));  // the right side
  EXPECT_TRUE(editing.move(view, {130, 100}));
  EXPECT_TRUE(rises());
  EXPECT_NEAR(editing.shown()[0].box.half_size.x, 1.25, 1e-9);
  EXPECT_EQ(editing.edits()[0].box.half_size.x, 1);  // not yet
  EXPECT_TRUE(editing.move(view, {140, 100}));
  editing.release();
  EXPECT_TRUE(rises());
  EXPECT_NEAR(editing.edits()[0].box.half_size.x, 1.5, 1e-9);
  EXPECT_FALSE(editing.press(view, {180, 180}, {}, 1e-3));  // beside all handles: the camera's

  editing.tool = EditTool::brush;
  stroke_of(editing, view, {std::make_shared<Image>(depth_image(4)), nullptr}, {{50, 50}, {90, 50}, {90, 90}});
  EXPECT_TRUE(rises());
  ASSERT_EQ(editing.edits().size(), 2u);
  EXPECT_GT(editing.edits()[1].cylinders.size(), 4u);

  EXPECT_TRUE(editing.undo());
  EXPECT_TRUE(rises());
  ASSERT_EQ(editing.edits().size(), 1u);
  EXPECT_TRUE(editing.undo());
  EXPECT_EQ(editing.edits()[0].box.half_size.x, 1);
  EXPECT_EQ(editing.edits()[0].box.centre, box.centre);
  EXPECT_TRUE(editing.undo());
  EXPECT_TRUE(editing.edits().empty());
  EXPECT_EQ(editing.selected(), -1);
  EXPECT_EQ(editing.selected_box(), nullptr);
  EXPECT_FALSE(editing.undo());
  while (editing.redo()) {
  }
  ASSERT_EQ(editing.edits().size(), 2u);
  EXPECT_NEAR(editing.edits()[0].box.half_size.x, 1.5, 1e-9);
}

TEST(PointEditing, AClickOnAHandleIsNoStep) {
  PointEditing editing;
  const EditView view = straight_view();
  EditBox box;
  box.centre = Vec(0, 0, 5);
  editing.add_box(Kind::remove_box, box);
  EXPECT_TRUE(editing.press(view, {120, 100}, {}, 1e-3));
  editing.release();
  EXPECT_TRUE(editing.undo());
  EXPECT_TRUE(editing.edits().empty());
}

TEST(PointEditing, AnotherBoxIsChosenByItsMiddleAndRemovedFromTheList) {
  PointEditing editing;
  const EditView view = straight_view();
  EditBox left, right;
  left.centre = Vec(-2.5, 0, 5);
  right.centre = Vec(2.5, 0, 5);
  editing.add_box(Kind::keep_box, left);
  editing.add_box(Kind::remove_box, right);
  EXPECT_EQ(editing.selected(), 1);
  EXPECT_TRUE(editing.press(view, {52, 101}, {}, 1e-3));
  editing.release();
  EXPECT_EQ(editing.selected(), 0);
  EXPECT_EQ(editing.tool, EditTool::keep_box);
  editing.select(1);
  editing.remove(0);
  ASSERT_EQ(editing.edits().size(), 1u);
  EXPECT_EQ(editing.selected(), 0);  // the same box
  EXPECT_EQ(editing.edits()[0].box.centre, right.centre);
  EXPECT_TRUE(editing.undo());
  EXPECT_EQ(editing.edits().size(), 2u);
}

TEST(PointEditing, KnowsWhatNoFileHas) {
  const TemporaryFolder folder;
  const Vec origin(10, 20, 30);
  PointEditing editing;
  EXPECT_FALSE(editing.unsaved());
  editing.add_box(Kind::keep_box, turned_box());
  EXPECT_TRUE(editing.unsaved());
  editing.file = (folder / "a.json").string();
  editing.save(origin);
  EXPECT_FALSE(editing.unsaved());
  editing.remove(0);
  EXPECT_TRUE(editing.unsaved());
  editing.undo();
  EXPECT_FALSE(editing.unsaved());  // as in the file again

  PointEditing other;
  other.add_box(Kind::remove_box, turned_box());
  const uint64_t version = other.version();
  other.load(editing.file, origin);
  EXPECT_GT(other.version(), version);
  EXPECT_FALSE(other.unsaved());
  ASSERT_EQ(other.edits().size(), 1u);
  expect_near(other.edits()[0].box.centre, turned_box().centre);
  write_contents(folder / "bad.json", "{}");
  expect_input_error([&] { other.load((folder / "bad.json").string(), origin); }, {"bad.json"});
  EXPECT_EQ(other.edits().size(), 1u);  // as it was
  EXPECT_EQ(other.file, editing.file);
}

TEST(PointEditing, WordsForAShell) {
  EXPECT_EQ(shell_word("/data/scene-1/a.json"), "/data/scene-1/a.json");
  EXPECT_EQ(shell_word("my scene"), "'my scene'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word(""), "''");
}

}  // namespace
}  // namespace ptl::testing
