#include "datasets/openmvg.h"

#include <gtest/gtest.h>

#include "datasets/scene_formats.h"
#include "datasets/scene_loader.h"
#include "tests/support/broken_json.h"
#include "tests/support/projected.h"
#include "tests/support/random_damage.h"
#include "tests/support/tiny_scene.h"

namespace ptl {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using testing::expect_input_error;
using testing::grey_photo;
using testing::projected;
using testing::says;
using testing::TemporaryFolder;
using testing::write_contents;

ordered_json view(int id, const std::string& name, int64_t pose, int lens = 0) {
  return {{"key", id},
          {"value",
           {{"polymorphic_id", 1073741824},
            {"ptr_wrapper",
             {{"id", 2147483649u + static_cast<unsigned>(id)},
              {"data",
               {{"local_path", "north/"},
                {"filename", name},
                {"width", 80},
                {"height", 60},
                {"id_view", id},
                {"id_intrinsic", lens},
                {"id_pose", pose}}}}}}}};
}

ordered_json lens(int id, int64_t type, const std::string& name, const ordered_json& distortion) {
  ordered_json value = {{"polymorphic_id", type}};
  if (!name.empty()) value["polymorphic_name"] = name;
  ordered_json data = {{"width", 80}, {"height", 60}, {"focal_length", 100.0}, {"principal_point", {40.25, 29.0}}};
  data.update(distortion);
  value["ptr_wrapper"] = {{"id", 2147483700u + static_cast<unsigned>(id)}, {"data", data}};
  return {{"key", id}, {"value", value}};
}

/// Rz(0.2) Rx(−0.35) Ry(0.5).
ordered_json pose(int id, double x = 0.4) {
  return {{"key", id},
          {"value",
           {{"rotation",
             {{0.892749377422, -0.186624548229, 0.410085146172},
              {0.013231708588, 0.920647799998, 0.390169899207},
              {-0.450359268807, -0.342897807455, 0.824377111911}}},
            {"center", {x, -0.3, -4.0}}}}};
}

ordered_json seen(int view_id, double x, double y) {
  return {{"key", view_id}, {"value", {{"id_feat", 0}, {"x", {x, y}}}}};
}

/// Four views: one without a pose; lenses brown, radial_k1, and radial_k1 again by its number alone.
ordered_json document() {
  const ordered_json brown = {{"disto_t2", {-0.2, 0.05, 0.01, 0.002, -0.003}}}, radial = {{"disto_k1", {-0.2}}};
  return {
      {"sfm_data_version", "0.3"},
      {"root_path", "/somewhere/else"},
      {"views", {view(0, "a.jpg", 0), view(1, "b.jpg", 1, 1), view(2, "c.jpg", 2, 2), view(7, "d.jpg", 4294967295)}},
      {"intrinsics",
       {lens(0, 2147483649, "pinhole_brown_t2", brown), lens(1, 2147483650, "pinhole_radial_k1", radial),
        lens(2, 2, "", radial)}},
      {"extrinsics", {pose(0), pose(1), pose(2, 0.5)}},
      {"structure",
       {{{"key", 5},
         {"value", {{"X", {0.5, 0.4, 0.8}}, {"observations", {seen(0, 86.25, 89.5), seen(7, 1, 2), seen(2, 3, 4)}}}}}}},
      {"control_points", ordered_json::array()}};
}

struct Folder : TemporaryFolder {
  Folder() {
    write_contents(*this / "sfm_data.json", document().dump(2));
    for (const char* name : {"a.jpg", "b.jpg", "c.jpg"}) write_jpeg(*this / "images" / name, grey_photo(80, 60));
  }
};

// Recorded: numpy, from the formulas in OpenMVG's camera classes, + 0.5.
TEST(OpenMvg, AxesLensesAndPixelCentres) {
  const Folder folder;
  const Scene scene = load_scene(folder.path());
  ASSERT_EQ(scene.images.size(), 3u);
  EXPECT_TRUE(says(scene, "1 views have no pose or lens and are left out: north/d.jpg"));
  EXPECT_TRUE(says(scene, "mid grey"));
  const Vec3<double> x(0.5, 0.4, 0.8);
  const auto brown = projected(scene, "a.jpg", x), radial = projected(scene, "b.jpg", x);
  EXPECT_NEAR(brown.x_px, 86.83404849921465, 1e-7);
  EXPECT_NEAR(brown.y_px, 90.17210243881621, 1e-7);
  EXPECT_NEAR(brown.depth_m, 3.671945745070948, 1e-8);
  EXPECT_NEAR(radial.x_px, 85.40147835227611, 1e-7);
  EXPECT_NEAR(radial.y_px, 87.85814824543597, 1e-7);
  EXPECT_EQ(scene.cameras.size(), 2u);  // the second and the third lens are the same
  ASSERT_EQ(scene.sparse_points.size(), 1u);
  EXPECT_EQ(scene.sparse_points[0].track.size(), 2u);
  EXPECT_EQ(scene.images[0].observations[0].x_px, 86.75);
  EXPECT_EQ(scene.images[0].observations[0].y_px, 90.0);
  EXPECT_EQ(scene.cloud_source, "the structure of sfm_data.json");
}

// Recorded: numpy, from Camera_Pinhole_Fisheye.hpp's formulas, + 0.5.
TEST(OpenMvg, Fisheyes) {
  const Folder folder;
  ordered_json content = document();
  ordered_json& fisheye = content["intrinsics"][0]["value"];
  fisheye["polymorphic_name"] = "fisheye";
  fisheye["ptr_wrapper"]["data"]["fisheye"] = {-0.02, 0.01, 0.003, -0.001};
  write_contents(folder / "sfm_data.json", content.dump());
  const Scene scene = load_scene(folder.path());
  const auto pixel = projected(scene, "a.jpg", {0.5, 0.4, 0.8});
  EXPECT_NEAR(pixel.x_px, 83.723702792459, 1e-7);
  EXPECT_NEAR(pixel.y_px, 85.665345712265, 1e-7);
  EXPECT_NEAR(pixel.depth_m, 4.851803788285, 1e-8);
  EXPECT_EQ(scene.camera_of(scene.images[0]).colmap_model_id, 5);
  EXPECT_NEAR(projected(scene, "b.jpg", {0.5, 0.4, 0.8}).x_px, 85.40147835227611, 1e-7);  // others are as they were
}

TEST(OpenMvg, PhotosWhereTheFileSays) {
  const Folder folder;
  ordered_json content = document();
  content["root_path"] = (folder / "photos").string();
  write_contents(folder / "sfm_data.json", content.dump());
  fs::create_directories(folder / "photos");
  fs::rename(folder / "images", folder / "photos" / "north");
  const Scene scene = load_scene(folder.path());
  EXPECT_EQ(scene.images[0].name, "a.jpg");
  EXPECT_TRUE(fs::is_regular_file(scene.images[0].photo_path));
}

TEST(OpenMvg, IsRecognisedByItsContents) {
  const Folder folder;
  EXPECT_STREQ(choose_scene(folder.path()).format->name, "openmvg");
  fs::rename(folder / "sfm_data.json", folder / "robust.json");
  EXPECT_EQ(load_scene(folder.path()).images.size(), 3u);
  write_contents(folder / "again.json", document().dump());
  expect_input_error([&] { load_scene(folder.path()); }, {"2 ways", "again.json", "robust.json"});
  EXPECT_EQ(load_scene(folder / "again.json").images.size(), 3u);
}

TEST(OpenMvgErrors, Messages) {
  const Folder folder;
  using nlohmann::json;
  const testing::BrokenJson broken(folder / "sfm_data.json", [&] { load_scene(folder / "sfm_data.json"); });
  const auto data = [](json& d, const char* list, size_t i) -> json& {
    return d[list][i]["value"]["ptr_wrapper"]["data"];
  };
  broken(
      [&](json& d) {
        d.erase("views");
        d["sfm_data_version"] = "0.3";
      },
      {"expected \"views\""});
  broken([&](json& d) { d["views"] = 1; }, {"views", "a list of", "found 1"});
  broken([&](json& d) { d["views"][0].erase("key"); }, {"views[0]", "expected \"key\""});
  broken([&](json& d) { d["views"][0]["key"] = 0.5; }, {"views[0].key", "whole number", "0.5"});
  broken([&](json& d) { data(d, "views", 1).erase("filename"); }, {"views[1].value.ptr_wrapper.data", "filename"});
  broken([&](json& d) { data(d, "views", 1)["filename"] = "../../x.jpg"; }, {"no such folder", "--images"});
  broken([&](json& d) { data(d, "views", 1)["id_pose"] = -1; }, {"id_pose", "found -1"});
  broken([&](json& d) { data(d, "intrinsics", 0)["focal_length"] = -100; }, {"focal_length", "found -100"});
  broken([&](json& d) { data(d, "intrinsics", 0)["focal_length"] = "x"; }, {"focal_length", "a number", "\"x\""});
  broken([&](json& d) { data(d, "intrinsics", 0)["width"] = 1e9; }, {"width", "1048576"});
  broken([&](json& d) { data(d, "intrinsics", 0)["principal_point"] = {1}; }, {"principal_point", "2 numbers"});
  broken([&](json& d) { data(d, "intrinsics", 0)["disto_t2"] = {1, 2}; }, {"disto_t2", "5 numbers", "list of 2"});
  broken([&](json& d) { data(d, "intrinsics", 0).erase("disto_t2"); }, {"expected \"disto_t2\""});
  broken([&](json& d) { d["intrinsics"][0]["value"]["polymorphic_name"] = "spherical"; },
         {"intrinsics[0]", "spherical", "not supported", "pinhole_radial_k3", "fisheye"});
  broken([&](json& d) { d["intrinsics"][0]["value"]["polymorphic_name"] = "fisheye"; }, {"expected \"fisheye\""});
  broken([&](json& d) { d["intrinsics"][0]["value"]["polymorphic_name"] = "box"; }, {"box", "not known"});
  broken([&](json& d) { d["intrinsics"][2]["value"]["polymorphic_id"] = 9; }, {"intrinsics[2]", "polymorphic_name"});
  broken([&](json& d) { d["extrinsics"][0]["value"]["rotation"][0][0] = 2; }, {"rotation", "a rotation matrix"});
  broken([&](json& d) { d["extrinsics"][0]["value"]["rotation"][0] = {1, 2}; }, {"rotation[0]", "3 numbers"});
  broken([&](json& d) { d["extrinsics"][0]["value"]["center"][1] = nullptr; }, {"center[1]", "a number", "null"});
  broken([&](json& d) { d["extrinsics"] = json::array(); }, {"none of its 4 views has a pose", "ConvertSfM"});
  broken([&](json& d) { d["structure"][0]["value"]["X"] = {1, 2}; }, {"structure[0].value.X", "3 numbers"});
  broken([&](json& d) { d["structure"][0]["value"]["X"][0] = 1e13; }, {"point 1", "1e12"});
  broken([&](json& d) { d["structure"][0]["value"]["observations"][0]["value"]["x"] = 3; },
         {"observations[0].value.x"});
  broken([&](json& d) { d["structure"] = json::array(); }, {"no points", "--points"});
}

TEST(OpenMvgErrors, RandomDamage) {
  const Folder folder;
  EXPECT_GT(testing::damage_at_random(folder / "sfm_data.json", 400, [&] { load_scene(folder / "sfm_data.json"); }),
            100);
}

}  // namespace
}  // namespace ptl
