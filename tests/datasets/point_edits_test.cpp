#include "datasets/point_edits.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "datasets/ply.h"
#include "datasets/point_filter.h"
#include "datasets/scene_info.h"
#include "datasets/scene_loader.h"
#include "datasets/view_camera.h"
#include "kernels/hash.h"
#include "tests/support/broken_json.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_scene.h"

namespace ptl {
namespace {

using testing::BrokenJson;
using testing::expect_input_error;
using testing::file_contents;
using testing::TemporaryFolder;
using testing::write_contents;
using Kind = PointEdit::Kind;
using Vec = Vec3<double>;

PointEdit box_edit(Kind kind, const Vec& centre, const Vec& half_size, const Vec& axis_angle = Vec(0)) {
  PointEdit edit;
  edit.kind = kind;
  edit.box = {centre, half_size, glm::transpose(exp(Tangent<double>{Vec(0), axis_angle}).rotation)};
  return edit;
}
PointEdit sphere_edit(std::vector<EditSphere> spheres) {
  PointEdit edit;
  edit.kind = Kind::remove_spheres;
  edit.spheres = std::move(spheres);
  return edit;
}
PointEdit cylinder_edit(std::vector<EditCylinder> cylinders) {
  PointEdit edit;
  edit.kind = Kind::remove_cylinders;
  edit.cylinders = std::move(cylinders);
  return edit;
}

TEST(PointFilter, EachShapeByHandBordersInside) {
  const auto keeps = [](const PointEdit& edit, const Vec& p) { return PointFilter({edit}).keeps(p); };
  const PointEdit keep = box_edit(Kind::keep_box, Vec(1, 0, 0), Vec(1, 2, 3));
  EXPECT_TRUE(keeps(keep, Vec(2, 2, -3)));
  EXPECT_TRUE(keeps(keep, Vec(0, 0, 0)));
  EXPECT_FALSE(keeps(keep, Vec(2.001, 0, 0)));
  EXPECT_FALSE(keeps(keep, Vec(1, 0, 3.001)));
  EXPECT_FALSE(keeps(box_edit(Kind::remove_box, Vec(1, 0, 0), Vec(1, 2, 3)), Vec(2, 2, -3)));
  EXPECT_TRUE(keeps(box_edit(Kind::remove_box, Vec(1, 0, 0), Vec(1, 2, 3)), Vec(2.001, 0, 0)));
  // Turned by 45° about z: its corner is on the x axis, at √2.
  const PointEdit turned = box_edit(Kind::keep_box, Vec(0), Vec(1), Vec(0, 0, 0.25 * 3.14159265358979));
  EXPECT_TRUE(keeps(turned, Vec(1.41, 0, 0.5)));
  EXPECT_FALSE(keeps(turned, Vec(1, 1, 0)));
  const PointEdit sphere = sphere_edit({{Vec(0, 0, 5), 1.5}});
  EXPECT_FALSE(keeps(sphere, Vec(0, 1.5, 5)));
  EXPECT_FALSE(keeps(sphere, Vec(1, 1, 5)));
  EXPECT_TRUE(keeps(sphere, Vec(1.2, 1.2, 5)));
  const PointEdit cylinder = cylinder_edit({{Vec(0, 0, 1), Vec(0, 0, 3), 0.5}});
  EXPECT_FALSE(keeps(cylinder, Vec(0.5, 0, 1)));
  EXPECT_FALSE(keeps(cylinder, Vec(0, -0.5, 3)));
  EXPECT_TRUE(keeps(cylinder, Vec(0, 0, 0.99)));  // flat ends
  EXPECT_TRUE(keeps(cylinder, Vec(0, 0, 3.01)));
  EXPECT_TRUE(keeps(cylinder, Vec(0.51, 0, 2)));
}

TEST(PointFilter, BoxesToKeepAddUpAndRemovalsWin) {
  const PointEdits edits = {box_edit(Kind::keep_box, Vec(0), Vec(1)), box_edit(Kind::keep_box, Vec(5, 0, 0), Vec(1)),
                            sphere_edit({{Vec(5, 0, 0), 0.5}})};
  const PointFilter filter(edits);
  EXPECT_TRUE(filter.keeps(Vec(0)));
  EXPECT_TRUE(filter.keeps(Vec(5.9, 0, 0)));
  EXPECT_FALSE(filter.keeps(Vec(3, 0, 0)));
  EXPECT_FALSE(filter.keeps(Vec(5, 0, 0)));
  EXPECT_TRUE(PointFilter({}).keeps(Vec(1e9)));
}

/// Long strokes, whose dabs are grouped, against each dab asked alone; all arrays of a cloud stay parallel.
TEST(PointFilter, GroupsChangeNothing) {
  const auto draw = [](uint64_t a, uint64_t b) {
    return 10 * static_cast<double>(draw_unit(2, DrawPurpose::synthetic, a, b)) - 5;
  };
  PointEdit spheres = sphere_edit({}), cylinders = cylinder_edit({});
  for (uint64_t i = 0; i < 100; ++i) {
    const Vec at(draw(i, 0), draw(i, 1), draw(i, 2));
    spheres.spheres.push_back({at, 0.3 + 0.05 * std::abs(draw(i, 3))});
    cylinders.cylinders.push_back({at, Vec(draw(i, 4), draw(i, 5), draw(i, 6)), 0.1});
  }
  PointCloud cloud;
  for (uint64_t i = 0; i < 20000; ++i) {
    cloud.position.emplace_back(draw(i, 7), draw(i, 8), draw(i, 9));
    cloud.color.push_back({static_cast<uint8_t>(i), static_cast<uint8_t>(i >> 8), 7});
  }
  std::vector<PointFilter> alone;
  for (const EditSphere& s : spheres.spheres) alone.emplace_back(PointEdits{sphere_edit({s})});
  for (const EditCylinder& c : cylinders.cylinders) alone.emplace_back(PointEdits{cylinder_edit({c})});
  PointCloud expected;
  for (size_t i = 0; i < cloud.size(); ++i)
    if (std::all_of(alone.begin(), alone.end(),
                    [&](const PointFilter& f) { return f.keeps(Vec(cloud.position[i])); })) {
      expected.position.push_back(cloud.position[i]);
      expected.color.push_back(cloud.color[i]);
    }
  ASSERT_GT(expected.size(), 1000u);
  ASSERT_LT(expected.size(), 19000u);
  const size_t dropped = drop_edited(cloud, {spheres, cylinders});
  EXPECT_EQ(dropped, 20000 - expected.size());
  EXPECT_EQ(cloud.position, expected.position);
  EXPECT_EQ(cloud.color, expected.color);
  EXPECT_TRUE(cloud.normal.empty());
}

TEST(PointEdits, ABrushCoversItsPixelsBetweenItsDepths) {
  const CameraParams<double> camera = pinhole_of_fov(60, 640, 480);
  Pose<double> pose{exp(Tangent<double>{Vec(0), Vec(0.2, -0.5, 1)}).rotation, Vec(1, 2, 3)};
  const auto cylinder = brush_cylinder(camera, pose, 500, 100, 20, 3.9, 4.1);
  ASSERT_TRUE(cylinder);
  const PointFilter filter({cylinder_edit({*cylinder})});
  const auto at = [&](double x_px, double y_px, double depth_m) {
    Vec ray;
    unproject_ray(camera, x_px, y_px, ray);
    return inverse(pose) * (ray * depth_m);
  };
  EXPECT_FALSE(filter.keeps(at(500, 100, 4)));
  EXPECT_FALSE(filter.keeps(at(500, 85, 4)));
  EXPECT_TRUE(filter.keeps(at(500, 75, 4)));
  EXPECT_TRUE(filter.keeps(at(500, 100, 3.8)));
  EXPECT_TRUE(filter.keeps(at(500, 100, 4.2)));
}

PointEdits some_edits() {
  return {box_edit(Kind::keep_box, Vec(0.1, 0.2, 0.3), Vec(1, 2, 3)),
          box_edit(Kind::remove_box, Vec(1), Vec(0.5, 0.25, 0.125), Vec(0.3, 0.2, 0.1)),
          sphere_edit({{Vec(1, 2, 3), 0.1}, {Vec(1.05, 2, 3), 0.1}}), cylinder_edit({{Vec(0), Vec(0, 0, 4), 0.2}})};
}

class PointEditFiles : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "edits.json";
};

TEST_F(PointEditFiles, ThereAndBackInWorldCoordinates) {
  write_point_edits(some_edits(), Vec(0), file_);
  const PointEdits back = read_point_edits(file_, Vec(0));
  ASSERT_EQ(back.size(), 4u);
  EXPECT_EQ(back[0].box.centre, Vec(0.1, 0.2, 0.3));
  EXPECT_EQ(back[1].box.box_from_scene, some_edits()[1].box.box_from_scene);
  EXPECT_EQ(back[1].kind, Kind::remove_box);
  EXPECT_EQ(back[2].spheres[1].centre, Vec(1.05, 2, 3));
  EXPECT_EQ(back[3].cylinders[0].to, Vec(0, 0, 4));
  const Vec origin(4.5e5, 5.4e6, 300);
  write_point_edits(some_edits(), origin, file_);
  EXPECT_EQ(nlohmann::json::parse(file_contents(file_))["edits"][0]["keep_box"]["centre"][1], 5.4e6 + 0.2);
  EXPECT_LT(glm::distance(read_point_edits(file_, origin)[2].spheres[0].centre, Vec(1, 2, 3)), 1e-8);
  write_point_edits({}, origin, file_);
  EXPECT_TRUE(read_point_edits(file_, origin).empty());
}

TEST_F(PointEditFiles, BrokenFilesAreRefused) {
  write_point_edits(some_edits(), Vec(0), file_);
  const BrokenJson expect(file_, [&] { read_point_edits(file_, Vec(0)); });
  expect([](nlohmann::json& d) { d["format"] = "pointillist camera path"; }, {"edits.json: format", "point edits"});
  expect([](nlohmann::json& d) { d["version"] = 2; }, {"version", "expected 1", "found 2"});
  expect([](nlohmann::json& d) { d["more"] = 2; }, {"\"more\""});
  expect([](nlohmann::json& d) { d["edits"] = 2; }, {"edits", "a list"});
  expect([](nlohmann::json& d) { d["edits"][0] = nlohmann::json::object(); }, {"edits[0]", "one of keep_box"});
  expect([](nlohmann::json& d) { d["edits"][0]["remove_box"] = 1; }, {"edits[0]", "one of keep_box"});
  expect([](nlohmann::json& d) { d["edits"][0]["keep_ball"] = 1; }, {"edits[0]", "\"keep_ball\""});
  expect([](nlohmann::json& d) { d["edits"][0]["keep_box"]["half_size"][1] = 0; },
         {"edits[0].keep_box", "sizes between"});
  expect([](nlohmann::json& d) { d["edits"][0]["keep_box"]["half_size"][1] = -1; }, {"edits[0].keep_box"});
  expect(
      [](nlohmann::json& d) {
        d["edits"][0]["keep_box"]["centre"] = {1, 2};
      },
      {"edits[0].keep_box.centre", "3 numbers"});
  expect(
      [](nlohmann::json& d) {
        d["edits"][1]["remove_box"]["axes"][0] = {1, 1, 1};
      },
      {"edits[1].remove_box.axes", "right angles"});
  expect([](nlohmann::json& d) { d["edits"][2]["remove_spheres"][1]["radius"] = "big"; },
         {"edits[2].remove_spheres[1].radius", "a number", "\"big\""});
  expect([](nlohmann::json& d) { d["edits"][2]["remove_spheres"] = nlohmann::json::array(); }, {"at least one sphere"});
  expect(
      [](nlohmann::json& d) {
        d["edits"][3]["remove_cylinders"][0]["to"] = {0, 0, 0};
      },
      {"edits[3].remove_cylinders", "lengths"});
  write_contents(file_, "remove everything");
  expect_input_error([&] { read_point_edits(file_, Vec(0)); }, {"edits.json", "not a JSON file"});
  expect_input_error([&] { read_point_edits(folder_ / "none", Vec(0)); }, {"none", "could not be opened"});
}

/// Five points at x = −0.6, −0.3, 0, 0.3, 0.6; the box keeps those beyond −0.1, of whichever cloud.
TEST_F(PointEditFiles, EveryCloudOfASceneIsEdited) {
  testing::write_tiny_scene(folder_ / "scene");
  write_point_edits({box_edit(Kind::keep_box, Vec(1.9, 0, 0), Vec(2, 9, 9))}, Vec(0), file_);  // in world coordinates
  LoadOptions options;
  options.edits_file = file_;
  Scene scene = load_scene(folder_ / "scene", options);
  EXPECT_EQ(scene.cloud.size(), 5u);
  apply_edits(scene);
  EXPECT_EQ(scene.cloud.size(), 3u);
  EXPECT_EQ(scene.sparse_points.size(), 5u);  // as the dataset has them
  ASSERT_EQ(scene.edits.size(), 1u);
  const std::string table = describe_scene(scene);
  EXPECT_NE(table.find("1 edit from"), std::string::npos) << table;
  EXPECT_NE(table.find("drops 2 of 5 points"), std::string::npos) << table;
  write_ply(folder_ / "dense.ply", load_scene(folder_ / "scene").cloud, scene.origin_world);
  read_cloud_file(scene, folder_ / "dense.ply", "another cloud");
  apply_edits(scene);
  EXPECT_EQ(scene.cloud.size(), 3u);
  EXPECT_EQ(scene.oddities.back(), file_.string() + " drops 2 of 5 points of another cloud");
  apply_edits(scene);
  EXPECT_EQ(scene.oddities.back(), file_.string() + " drops none of the 3 points of another cloud");
  write_point_edits({box_edit(Kind::keep_box, Vec(100), Vec(1))}, Vec(0), file_);
  scene = load_scene(folder_ / "scene", options);
  expect_input_error([&] { apply_edits(scene); }, {"edits.json", "drops all 5 points"});
}

TEST(PointEditHistory, GoesBackAndForth) {
  PointEditHistory history;
  EXPECT_FALSE(history.undo());
  const PointEdits all = some_edits();
  history.add(all[0]);
  history.add(all[2]);
  const uint64_t version = history.version();
  PointEdit wider = all[0];
  wider.box.half_size = Vec(9);
  history.replace(0, wider);
  EXPECT_GT(history.version(), version);
  EXPECT_EQ(history.edits()[0].box.half_size, Vec(9));
  history.remove(1);
  EXPECT_EQ(history.edits().size(), 1u);
  EXPECT_TRUE(history.undo());
  EXPECT_TRUE(history.undo());
  EXPECT_EQ(history.edits()[0].box.half_size, Vec(1, 2, 3));
  EXPECT_EQ(history.edits().size(), 2u);
  EXPECT_TRUE(history.redo());
  EXPECT_EQ(history.edits()[0].box.half_size, Vec(9));
  history.add(all[3]);
  EXPECT_FALSE(history.can_redo());
  while (history.can_undo()) history.undo();
  EXPECT_TRUE(history.edits().empty());
}

}  // namespace
}  // namespace ptl
