// Editing points in a view: boxes and their handles, the brush's reach, strokes and undo, and which points of a drawn
// cloud the edits remove.
#include "viewer/point_editing.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <thread>

#include "datasets/point_filter.h"
#include "datasets/view_camera.h"
#include "kernels/hash.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"
#include "viewer/edit_filter.h"

namespace ptl {
namespace {

using testing::TemporaryFolder;
using Vec = Vec3<double>;
using Kind = PointEdit::Kind;

constexpr double pi = 3.14159265358979323846;

/// Looks along z from the origin; 90° high: a pixel at (x, y) is the ray ((x − 100) / 100, (y − 100) / 100, 1).
EditView straight_view() {
  return {pinhole_of_fov(90, 200, 200), Pose<double>{}};
}

Vec2<double> pixel_of(const EditView& view, const Vec& x) {
  const Projection<double> p = project(view.camera, view.camera_from_scene * x);
  EXPECT_TRUE(p.valid);
  return {p.x_px, p.y_px};
}

EditBox turned_box() {
  EditBox box;
  box.centre = Vec(0.3, -0.2, 5);
  box.half_size = Vec(1, 0.5, 0.8);
  box.box_from_scene = glm::transpose(exp(Tangent<double>{Vec(0), Vec(0.3, 0.5, 0.2)}).rotation);
  return box;
}

void expect_near(const Vec& a, const Vec& b, double tolerance = 1e-9) {
  EXPECT_LT(glm::distance(a, b), tolerance)
      << a.x << ' ' << a.y << ' ' << a.z << " against " << b.x << ' ' << b.y << ' ' << b.z;
}

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

DrawnCloud cloud_of(const std::vector<Vec3<float>>& points, uint64_t most = most_drawn_points) {
  return arrange_cloud(points, std::vector<std::array<uint8_t, 3>>(points.size()), /*in_order=*/false, most);
}

/// Points in a slab that leans, and a few far away.
std::vector<Vec3<float>> scattered(size_t count) {
  std::vector<Vec3<float>> points;
  for (uint64_t i = 0; i < count; ++i) {
    const auto draw = [&](uint64_t n) { return 2 * draw_unit(3, DrawPurpose::synthetic, i, n) - 1; };
    const float far = i % 500 == 0 ? 40.f : 1.f;
    points.push_back({4 * draw(0) * far, 3 * draw(1) * far, 6 + 2 * draw(2) + draw(0)});
  }
  return points;
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
  testing::write_contents(folder / "bad.json", "{}");
  testing::expect_input_error([&] { other.load((folder / "bad.json").string(), origin); }, {"bad.json"});
  EXPECT_EQ(other.edits().size(), 1u);  // as it was
  EXPECT_EQ(other.file, editing.file);
}

TEST(PointEditing, WordsForAShell) {
  EXPECT_EQ(shell_word("/data/scene-1/a.json"), "/data/scene-1/a.json");
  EXPECT_EQ(shell_word("my scene"), "'my scene'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word(""), "''");
}

PointEdit box_edit(Kind kind, const EditBox& box) {
  PointEdit edit;
  edit.kind = kind;
  edit.box = box;
  return edit;
}

PointEdit some_stroke(uint64_t seed) {
  PointEdit edit;
  edit.kind = Kind::remove_cylinders;
  for (uint64_t i = 0; i < 40; ++i) {
    const auto draw = [&](uint64_t n) {
      return 2 * static_cast<double>(draw_unit(seed, DrawPurpose::synthetic, i, n)) - 1;
    };
    const Vec at(4 * draw(0), 3 * draw(1), 6 + 2 * draw(2));
    edit.cylinders.push_back({at, at * 1.1, 0.2});
  }
  return edit;
}

/// What the thread says of each vertex, after all blocks were decided.
struct Decided {
  std::vector<uint8_t> removed;
  EditFilter::Status status;
  size_t blocks = 0;  ///< that were decided anew
};
void wait_for(EditFilter& filter, const DrawnCloud& cloud, uint64_t version, Decided& all) {
  all.removed.resize(cloud.vertices.size());
  all.blocks = 0;
  do {
    all.status = filter.status();
    for (const EditFilter::Decided& decided : filter.take(100000)) {
      ASSERT_EQ(decided.removed.size(), cloud.blocks[decided.block].count);
      // Around all that changed: the picture is drawn again there and nowhere else.
      const uint32_t first = cloud.blocks[decided.block].first;
      for (uint32_t i = 0; i < decided.removed.size(); ++i) {
        if (decided.removed[i] == all.removed[first + i]) continue;
        const CloudVertex& v = cloud.vertices[first + i];
        ASSERT_TRUE(v.x >= decided.low.x && v.y >= decided.low.y && v.z >= decided.low.z && v.x <= decided.high.x &&
                    v.y <= decided.high.y && v.z <= decided.high.z);
      }
      std::copy(decided.removed.begin(), decided.removed.end(),
                all.removed.begin() + cloud.blocks[decided.block].first);
      ++all.blocks;
    }
    if (all.status.version != version || !all.status.taken) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  } while (all.status.version != version || !all.status.taken);
}

/// Block by block and change by change the same as every point asked alone.
TEST(EditFilter, DecidesAsThePointFilterDoes) {
  const auto cloud = std::make_shared<DrawnCloud>(cloud_of(scattered(100000)));
  ASSERT_GE(cloud->blocks.size(), 6u);
  EditFilter filter(nullptr);
  filter.set_cloud(cloud);
  EditBox large = turned_box();
  large.half_size = Vec(3, 2, 2);
  large.centre.z = 6;
  EditBox all;
  all.half_size = Vec(1000);
  EditBox nowhere;
  nowhere.centre = Vec(0, 0, -500);
  const std::vector<PointEdits> lists = {
      {},
      {some_stroke(1)},
      {some_stroke(1), box_edit(Kind::remove_box, turned_box())},
      {some_stroke(1), box_edit(Kind::remove_box, turned_box()), box_edit(Kind::keep_box, large)},
      {box_edit(Kind::keep_box, large), some_stroke(2)},
      {box_edit(Kind::keep_box, large), box_edit(Kind::keep_box, nowhere)},
      {box_edit(Kind::keep_box, all), some_stroke(2)},
      {box_edit(Kind::keep_box, nowhere)},
      {box_edit(Kind::remove_box, all)},
      {}};
  Decided decided;
  uint64_t version = 0, most = 0;
  for (const PointEdits& edits : lists) {
    filter.request(edits, ++version);
    wait_for(filter, *cloud, version, decided);
    const PointFilter reference(edits);
    uint64_t removed = 0;
    for (size_t i = 0; i < cloud->vertices.size(); ++i) {
      const CloudVertex& v = cloud->vertices[i];
      const bool gone = !reference.keeps(Vec(Vec3<float>(v.x, v.y, v.z)));
      ASSERT_EQ(decided.removed[i] != 0, gone) << version << ' ' << i;
      removed += gone;
    }
    EXPECT_EQ(decided.status.removed, removed);
    EXPECT_TRUE(decided.status.exact);
    most = std::max(most, removed);
  }
  EXPECT_EQ(most, 100000u);
}

TEST(EditFilter, LooksOnlyAtBlocksThatAnEditTouches) {
  const auto cloud = std::make_shared<DrawnCloud>(cloud_of(scattered(200000)));
  EditFilter filter(nullptr);
  filter.set_cloud(cloud);
  PointEdits edits = {some_stroke(1)};
  filter.request(edits, 1);
  Decided decided;
  wait_for(filter, *cloud, 1, decided);
  EXPECT_GT(decided.blocks, 2u);
  PointEdit dab;
  dab.kind = Kind::remove_cylinders;
  const CloudVertex& v = cloud->vertices[5];
  dab.cylinders = {{Vec(v.x, v.y, v.z - 0.01), Vec(v.x, v.y, v.z + 0.01), 0.01}};
  edits.push_back(dab);
  filter.request(edits, 2);
  wait_for(filter, *cloud, 2, decided);
  EXPECT_GE(decided.blocks, 1u);
  EXPECT_LE(decided.blocks, 4u) << "of " << cloud->blocks.size();
  EXPECT_EQ(decided.removed[5], 1);
  filter.request(edits, 3);  // the same again
  wait_for(filter, *cloud, 3, decided);
  EXPECT_EQ(decided.blocks, 0u);
}

TEST(EditFilter, SharesOfCloudsAreScaledAndOtherCloudsBeginAnew) {
  const auto cloud = std::make_shared<DrawnCloud>(cloud_of(scattered(100000), 25000));
  EditFilter filter(nullptr);
  filter.set_cloud(cloud);
  EditBox half;
  half.centre = Vec(500, 0, 0);
  half.half_size = Vec(500);
  filter.request({box_edit(Kind::remove_box, half)}, 1);
  Decided decided;
  wait_for(filter, *cloud, 1, decided);
  EXPECT_FALSE(decided.status.exact);
  EXPECT_NEAR(static_cast<double>(decided.status.removed), 50000, 1000);
  const auto other = std::make_shared<DrawnCloud>(cloud_of({{-1, 0, 0}, {1, 0, 0}, {2, 0, 0}}));
  filter.set_cloud(other);
  filter.request({box_edit(Kind::remove_box, half)}, 2);
  decided.removed.clear();
  wait_for(filter, *other, 2, decided);
  EXPECT_EQ(decided.status.removed, 2u);
  EXPECT_TRUE(decided.status.exact);
}

}  // namespace
}  // namespace ptl
