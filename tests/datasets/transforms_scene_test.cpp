#include "datasets/transforms_scene.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "datasets/ply.h"
#include "datasets/scene_formats.h"
#include "datasets/scene_loader.h"
#include "datasets/split.h"
#include "datasets/transforms_json.h"
#include "tests/support/broken_json.h"
#include "tests/support/projected.h"
#include "tests/support/random_damage.h"
#include "tests/support/tiny_scene.h"

namespace ptl {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::expect_input_error;
using testing::grey_photo;
using testing::projected;
using testing::says;
using testing::TemporaryFolder;
using testing::write_contents;

/// world_from_camera, OpenGL's axes: the rotation Rz(0.4) Rx(1.2) Ry(0.1) to nine digits.
json matrix(double x = 2, double y = -3, double z = 1.5) {
  return {{0.880224676, -0.141108756, 0.453092528, x},
          {0.473176351, 0.333753594, -0.815299135, y},
          {-0.036175413, 0.932039086, 0.360547475, z},
          {0, 0, 0, 1}};
}

json document() {
  json frames = json::array();
  for (int i = 0; i < 3; ++i)
    frames.push_back(
        {{"file_path", "./images/frame_" + std::to_string(i) + ".jpg"}, {"transform_matrix", matrix(2 + 0.1 * i)}});
  return {{"camera_model", "OPENCV"},
          {"w", 640},
          {"h", 480.0},
          {"fl_x", 500},
          {"fl_y", 510},
          {"cx", 322.5},
          {"cy", 238.25},
          {"k1", -0.1},
          {"k2", 0.03},
          {"k3", 0.004},
          {"p1", 0.001},
          {"p2", -0.002},
          {"aabb_scale", 16},
          {"frames", frames}};
}

void write_photos(const fs::path& folder, int width = 640, int height = 480) {
  for (int i = 0; i < 3; ++i)
    write_jpeg(folder / "images" / ("frame_" + std::to_string(i) + ".jpg"), grey_photo(width, height));
}

/// Points in front of all cameras, in the frame of the file.
void write_cloud(const fs::path& file, const Vec3<float>& where = {0.3f, -0.2f, 0.1f}) {
  PointCloud cloud;
  cloud.position = {where, where + Vec3<float>(0.1f, 0, 0)};
  cloud.color = {{1, 2, 3}, {4, 5, 6}};
  write_ply(file, cloud);
}

struct Folder : TemporaryFolder {
  explicit Folder(const json& content = document()) {
    write_photos(path());
    write_cloud(*this / "points.ply");
    write(content);
  }
  void write(const json& content) const { write_contents(*this / "transforms.json", content.dump()); }
};

// Recorded: numpy, from nerfstudio's ray of a pixel, ((u − cx)/fx, −(v − cy)/fy, −1), solved for the pixel; the point
// is taken to the file's frame by hand, 2 · (A x + b).
TEST(TransformsScene, AppliedTransformLensAndAxes) {
  json content = document();
  content["applied_transform"] = {{0, 1, 0, 0.5}, {0, 0, 1, 0.25}, {1, 0, 0, -1}};
  content["applied_scale"] = 2;
  content["ply_file_path"] = "sparse_pc.ply";
  const Folder folder(content);
  fs::remove(folder / "points.ply");
  write_cloud(folder / "sparse_pc.ply", {0.6f, 0.7f, -1.4f});
  const Scene scene = load_scene(folder.path());
  const auto pixel = projected(scene, "frame_0.jpg", {0.3, -0.2, 0.1});
  EXPECT_NEAR(pixel.x_px, 388.1865135242123, 1e-5);
  EXPECT_NEAR(pixel.y_px, 375.04147610749453, 1e-5);
  EXPECT_NEAR(pixel.depth_m, 4.6965240162 / 2, 1e-6);  // the original world is half as large
  // The cloud went the same way back.
  const Vec3<double> first = Vec3<double>(scene.cloud.position[0]) + scene.origin_world;
  EXPECT_NEAR(glm::length(first - Vec3<double>(0.3, -0.2, 0.1)), 0, 1e-6);
  EXPECT_EQ(scene.cloud_source, "sparse_pc.ply");
  EXPECT_EQ(scene.cameras.size(), 1u);
}

// Recorded: numpy, from nerfstudio's rays: a fisheye's (sin θ, −cos θ) with OpenCV's distortion of θ · (x, y)/r; a panorama's
// (−sin θ sin φ, cos φ, −cos θ sin φ) with θ = −π (u − cx)/H, φ = π (½ + (v − cy)/H).
TEST(TransformsScene, FisheyesAndPanoramas) {
  json content = document();
  content["camera_model"] = "OPENCV_FISHEYE";
  content["fl_x"] = 200;
  content["fl_y"] = 205;
  content["k1"] = -0.02;
  content["k2"] = 0.01;
  content["k3"] = 0.003;
  content["k4"] = -0.001;
  content["frames"][1]["transform_matrix"] = matrix();
  const Folder folder(content);
  Scene scene = load_scene(folder.path());
  EXPECT_EQ(scene.cameras[0].params.model, CameraModel::fisheye);
  auto pixel = projected(scene, "frame_1.jpg", {0.3, -0.2, 0.1});
  EXPECT_NEAR(pixel.x_px, 315.710579706880, 1e-5);
  EXPECT_NEAR(pixel.y_px, 245.762403326775, 1e-5);
  EXPECT_NEAR(pixel.depth_m, 3.5623026264, 1e-8);
  content["camera_model"] = "OPENCV";
  content["is_fisheye"] = true;  // instant-ngp
  for (const char* name : {"k1", "k2", "k3", "k4", "p1", "p2"}) content.erase(name);
  content["distortion_params"] = {-0.02, 0.01, 0.003, -0.001, 0.001, -0.002};
  folder.write(content);
  EXPECT_NEAR(projected(load_scene(folder.path()), "frame_1.jpg", {0.3, -0.2, 0.1}).x_px, 315.710579706880, 1e-5);
  for (const char* name : {"k1", "k2", "k3", "k4", "p1", "p2", "fl_x", "fl_y", "is_fisheye"}) content.erase(name);
  content["camera_model"] = "EQUIRECTANGULAR";
  content["h"] = 320;
  write_photos(folder.path(), 640, 320);
  folder.write(content);
  scene = load_scene(folder.path());
  EXPECT_EQ(scene.cameras[0].params.model, CameraModel::equirectangular);
  pixel = projected(scene, "frame_1.jpg", {0.3, -0.2, 0.1});
  EXPECT_NEAR(pixel.x_px, 316.541687888076, 1e-5);
  EXPECT_NEAR(pixel.y_px, 163.731152813038, 1e-5);
  pixel = projected(scene, "frame_1.jpg", {3, -5, 2});  // behind the camera
  EXPECT_TRUE(pixel.valid);
  EXPECT_NEAR(pixel.x_px, 3.787246065787, 1e-5);
  EXPECT_NEAR(pixel.y_px, 175.287445017509, 1e-5);
}

// Recorded: numpy, as above, without a frame of its own.
TEST(TransformsScene, IntrinsicsOfAFrameBeatSharedOnes) {
  json content = document();
  for (const char* name : {"k1", "k2", "k3", "p1", "p2"}) content.erase(name);
  content["frames"][1]["fl_x"] = 555.5555;
  content["frames"][1]["cx"] = 400;
  content["frames"][1]["transform_matrix"] = matrix();
  const Folder folder(content);
  const Scene scene = load_scene(folder.path());
  ASSERT_EQ(scene.cameras.size(), 2u);
  EXPECT_EQ(scene.cameras[0].params.value[PinholeModel::fx], 500);
  EXPECT_NEAR(projected(scene, "frame_1.jpg", {0.3, -0.2, 0.1}).x_px, 381.13058433653754, 1e-5);
  EXPECT_EQ(scene.images[1].name, "frame_1.jpg");
  EXPECT_TRUE(fs::exists(scene.images[1].photo_path));
}

TEST(TransformsScene, FieldsOfViewAndDefaults) {
  json content = document();
  for (const char* name : {"fl_x", "fl_y", "cx", "cy", "w", "h", "camera_model"}) content.erase(name);
  content["camera_angle_x"] = 0.8;
  Folder folder(content);
  Scene scene = load_scene(folder.path());
  const double* value = scene.cameras[0].params.value;
  EXPECT_NEAR(value[0], 320 / std::tan(0.4), 1e-9);
  EXPECT_EQ(value[1], value[0]);
  EXPECT_EQ(value[2], 320);
  EXPECT_EQ(value[3], 240);
  content["camera_angle_y"] = 0.7;
  content["x_fov"] = 60;
  content["distortion_params"] = {0.1, 0.2, 0.3, 0, 0.01, 0.02};
  folder.write(content);
  scene = load_scene(folder.path());
  EXPECT_NEAR(scene.cameras[0].params.value[0], 320 / std::tan(3.14159265358979323846 / 6), 1e-9);
  EXPECT_NEAR(scene.cameras[0].params.value[1], 240 / std::tan(0.35), 1e-9);
  EXPECT_EQ(scene.cameras[0].params.value[PinholeModel::k3], 0.3);
  EXPECT_EQ(scene.cameras[0].params.value[PinholeModel::p2], 0.02);
}

TEST(TransformsScene, WhatIsWrittenComesBack) {
  TemporaryFolder tiny;
  testing::write_tiny_scene(tiny / "colmap", testing::shifted(testing::tiny_model(), {1000, -2000, 300}));
  const Scene before = load_scene(tiny / "colmap");
  fs::create_directories(tiny / "other");
  fs::rename(tiny / "colmap" / "images", tiny / "other" / "images");
  write_transforms_json(before, tiny / "other" / "transforms.json");
  write_ply(tiny / "other" / "points.ply", before.cloud, before.origin_world);
  const Scene after = load_scene(tiny / "other");
  ASSERT_EQ(after.images.size(), before.images.size());
  for (size_t i = 0; i < after.images.size(); ++i) {
    EXPECT_EQ(after.images[i].name, before.images[i].name);
    const CameraParams<double>&a = after.camera_of(after.images[i]).params,
          &b = before.camera_of(before.images[i]).params;
    for (int k = 0; k < PinholeModel::param_count; ++k) EXPECT_EQ(a.value[k], b.value[k]);
    const Vec3<double> x(1000.3, -1999.9, 300.2);
    const auto there = projected(before, before.images[i].name, x), here = projected(after, after.images[i].name, x);
    EXPECT_NEAR(here.x_px, there.x_px, 1e-9);
    EXPECT_NEAR(here.y_px, there.y_px, 1e-9);
  }
  EXPECT_TRUE(after.oddities.empty()) << after.oddities.front();
}

// Recorded: numpy, with the focal length 40 / tan(angle / 2).
TEST(TransformsScene, NerfSynthetic) {
  TemporaryFolder folder;
  for (const char* part : {"train", "val", "test"}) {
    json frames = json::array();
    for (int i = 0; i < 2; ++i) {
      const std::string name = std::string(part) + "/r_" + std::to_string(i);
      frames.push_back({{"file_path", "./" + name}, {"rotation", 0.01}, {"transform_matrix", matrix(2 + 0.1 * i)}});
      write_png(folder / (name + ".png"), grey_photo(80, 60, 100, 4));
    }
    const json content = {{"camera_angle_x", 0.6911112070083618}, {"frames", frames}};
    write_contents(folder / ("transforms_" + std::string(part) + ".json"), content.dump());
  }
  expect_input_error([&] { load_scene(folder.path()); },
                     {"transforms_train.json", "no points", "--points FILE.ply", "densify", "point_triangulator"});
  write_cloud(folder / "points.ply");
  const Scene scene = load_scene(folder.path());
  ASSERT_EQ(scene.images.size(), 4u);
  EXPECT_EQ(scene.images[0].name, "test/r_0.png");
  EXPECT_EQ(scene.images[3].name, "train/r_1.png");
  const auto pixel = projected(scene, "train/r_0.png", {0.3, -0.2, 0.1});
  EXPECT_NEAR(pixel.x_px, 36.22611676135803, 1e-6);
  EXPECT_NEAR(pixel.y_px, 34.0742254382454, 1e-6);
  const Split split = make_split(scene, "dataset");
  EXPECT_EQ(split.held_out, (std::vector<int>{0, 1}));
  EXPECT_EQ(split.train, (std::vector<int>{2, 3}));
  EXPECT_TRUE(says(scene, "keeps 2 photos for testing: --split dataset"));
  EXPECT_TRUE(says(scene, "transforms_val.json is not read"));
  EXPECT_TRUE(says(scene, "4 photos have an alpha channel, which is their mask"));
}

TEST(TransformsScene, DatasetSplitAndMasks) {
  json content = document();
  content["train_filenames"] = {"images/frame_0.jpg", "images/frame_1.jpg"};
  content["test_filenames"] = {"images/frame_2.jpg"};
  for (int i = 0; i < 3; ++i) content["frames"][i]["mask_path"] = "stencils/m" + std::to_string(i) + ".png";
  const Folder folder(content);
  expect_input_error([&] { load_scene(folder.path()); }, {"frames[0].mask_path", "mask that is there"});
  for (int i = 0; i < 3; ++i)
    write_png(folder / "stencils" / ("m" + std::to_string(i) + ".png"), grey_photo(640, 480, 255, 1));
  const Scene scene = load_scene(folder.path());
  EXPECT_EQ(scene.images[1].mask_path.filename(), "m1.png");
  EXPECT_EQ(make_split(scene, "dataset").held_out, (std::vector<int>{2}));
  write_png(folder / "stencils" / "m1.png", grey_photo(64, 48, 255, 1));
  expect_input_error([&] { load_scene(folder.path()); }, {"m1.png", "640 x 480", "found 64 x 48"});
  const Folder plain;
  expect_input_error([&] { make_split(load_scene(plain.path()), "dataset"); }, {"--split dataset", "every8"});
}

TEST(TransformsScene, MissingPhotosAreLeftOut) {
  json content = document();
  content["frames"][0]["file_path"] = "images\\frame_0";  // of another system, without its extension
  Folder folder(content);
  fs::remove(folder / "images" / "frame_1.jpg");
  const Scene scene = load_scene(folder.path());
  ASSERT_EQ(scene.images.size(), 2u);
  EXPECT_EQ(scene.images[0].name, "frame_0.jpg");
  EXPECT_TRUE(says(scene, "1 of 3 photos are not there and are left out: frame_1.jpg"));
  content.erase("w");
  folder.write(content);
  EXPECT_TRUE(says(load_scene(folder.path()), "1 of 3 photos are not there and are left out: frame_1.jpg"));
  fs::remove(folder / "images" / "frame_2.jpg");
  expect_input_error([&] { load_scene(folder.path()); }, {"no size", "2 of the 3", "frame_2.jpg", "--images"});
  folder.write(document());
  expect_input_error([&] { load_scene(folder.path()); }, {"2 of the 3 photos", "missing", "frame_2.jpg", "--images"});
}

TEST(TransformsScene, ReducedPhotosNextToIt) {
  const Folder folder;
  for (int i = 0; i < 3; ++i)
    write_jpeg(folder / "images_4" / ("frame_" + std::to_string(i) + ".jpg"), grey_photo(160, 120));
  LoadOptions options;
  options.image_folder = "images_4";
  const Scene scene = load_scene(folder.path(), options);
  EXPECT_EQ(scene.cameras[0].stored_width_px, 160);
  EXPECT_EQ(scene.cameras[0].params.value[PinholeModel::fx], 125);
}

TEST(TransformsScene, InTheWorkingFolder) {
  json content = document();
  for (json& frame : content["frames"]) frame["file_path"] = frame["file_path"].get<std::string>().substr(9);
  const Folder folder(content);
  for (int i = 0; i < 3; ++i) {
    const std::string name = "frame_" + std::to_string(i) + ".jpg";
    fs::rename(folder / "images" / name, folder / name);
  }
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  EXPECT_EQ(load_scene("transforms.json").images.size(), 3u);
  EXPECT_EQ(load_scene(".").images[0].name, "frame_0.jpg");
  fs::current_path(before);
}

TEST(TransformsScene, IsRecognisedByItsContents) {
  Folder folder;
  EXPECT_STREQ(choose_scene(folder.path()).format->name, "transforms");
  fs::rename(folder / "transforms.json", folder / "poses of mine.json");
  const Scene scene = load_scene(folder / "poses of mine.json");
  EXPECT_EQ(scene.images.size(), 3u);
  EXPECT_TRUE(fs::equivalent(scene.folder, folder.path()));
  write_contents(folder / "other.json", R"({"keys": {"frames": [1]}, "list": [{"frames": 2}]})");
  expect_input_error([&] { load_scene(folder / "other.json"); }, {"other.json", "no scene found"});
  // With a COLMAP model beside it the folder could be either.
  folder.write(document());
  write_colmap_model(testing::tiny_model(), folder / "sparse" / "0", ColmapFormat::binary);
  expect_input_error([&] { load_scene(folder.path()); },
                     {"2 ways", "colmap: ", "sparse/0", "transforms: ", "transforms.json", "--format"});
  LoadOptions options;
  options.format = "transforms";
  EXPECT_EQ(load_scene(folder.path(), options).images.size(), 3u);
  write_contents(folder / "transforms_train.json", document().dump());
  expect_input_error([&] { load_scene(folder.path(), options); }, {"2 ways", "name the file", "transforms_train.json"});
}

TEST(TransformsSceneErrors, Messages) {
  const Folder folder;
  const testing::BrokenJson broken(folder / "transforms.json", [&] { load_scene(folder.path()); });
  const auto frame = [](json& d) -> json& { return d["frames"][1]; };
  broken([&](json& d) { frame(d).erase("file_path"); }, {"transforms.json", "frames[1]", "expected \"file_path\""});
  broken([&](json& d) { frame(d)["file_path"] = 7; }, {"frames[1].file_path", "expected a text, found 7"});
  broken([&](json& d) { frame(d)["file_path"] = ""; }, {"frames[1].file_path", "path of a file"});
  broken([&](json& d) { frame(d)["file_path"] = "images/frame_0.jpg"; }, {"frame_0.jpg", "stands twice"});
  broken([&](json& d) { d["frames"][0]["file_path"] = std::string(5000, 'x'); }, {"longer than 4096"});
  broken(
      [&](json& d) {
        d["frames"][0]["file_path"] = std::string(300, 'x');
        d["frames"][1]["file_path"] = "y";
      },
      {"2 of the 3 photos", "missing"});
  broken([&](json& d) { frame(d).erase("transform_matrix"); }, {"frames[1]", "expected \"transform_matrix\""});
  broken([&](json& d) { frame(d)["transform_matrix"] = {1, 2}; }, {"frames[1].transform_matrix", "3 or 4 rows"});
  broken([&](json& d) { frame(d)["transform_matrix"][2].erase(0); }, {"transform_matrix[2]", "4 numbers", "list of 3"});
  broken([&](json& d) { frame(d)["transform_matrix"][1][2] = "x"; }, {"transform_matrix[1][2]", "a number", "\"x\""});
  broken([&](json& d) { frame(d)["transform_matrix"][1][2] = nullptr; }, {"transform_matrix[1][2]", "found null"});
  broken([&](json& d) { frame(d)["transform_matrix"][3][0] = 1; }, {"transform_matrix[3]", "0, 0, 0, 1"});
  broken([&](json& d) { frame(d)["transform_matrix"][0][0] = 3; }, {"transform_matrix", "a rotation"});
  broken([&](json& d) { frame(d)["transform_matrix"][0][3] = 1e13; }, {"frame_1.jpg", "1e12"});
  broken(
      [&](json& d) {
        d["applied_transform"] = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, -1, 0}};
      },
      {"applied_transform", "right-handed"});
  broken([&](json& d) { d["applied_scale"] = 0; }, {"applied_scale", "found 0"});
  broken([&](json& d) { d["w"] = 0; }, {"w: ", "whole number", "found 0"});
  broken([&](json& d) { d["w"] = 4e9; }, {"w: ", "whole number"});
  broken([&](json& d) { d["fl_x"] = -5; }, {"fl_x", "found -5"});
  broken(
      [&](json& d) {
        d.erase("fl_x");
        d.erase("fl_y");
      },
      {"frames[0]", "focal length", "camera_angle_x"});
  broken([&](json& d) { d["k4"] = 0.1; }, {"frames[0]", "k4", "0.1", "undistort"});
  broken([&](json& d) { d["distortion_params"] = {1, 2}; }, {"distortion_params", "6 numbers"});
  broken([&](json& d) { d["camera_model"] = "FISHEYE624"; }, {"FISHEYE624 is not supported", "PINHOLE", "OPENCV_FISHEYE"});
  broken([&](json& d) { frame(d)["camera_model"] = "EQUIRECTANGULAR"; }, {"frames[1]", "twice as wide", "640 x 480"});
  broken([&](json& d) { d["equirectangular"] = true; }, {"instant-ngp's equirectangular is not supported"});
  broken(
      [&](json& d) {
        d["is_fisheye"] = true;
        d.erase("fl_x");
        d.erase("fl_y");
        d["camera_angle_x"] = 2;
      },
      {"frames[0]", "in pixels", "fl_x"});
  broken([&](json& d) { d["ftheta_p0"] = 1; }, {"FTHETA is not supported"});
  broken([&](json& d) { d["camera_model"] = "BOX"; }, {"camera_model", "\"BOX\"", "OPENCV"});
  broken([&](json& d) { d["frames"] = json::array(); }, {"no frames"});
  broken([&](json& d) { d["frames"] = 3; }, {"frames", "a list of frames", "found 3"});
  broken([&](json& d) { d.erase("frames"); }, {"transforms.json", "expected \"frames\""});
  broken(
      [&](json& d) {
        d["frames"].erase(1);
        d["frames"].erase(1);
      },
      {"1 image;", "at least 2"});
  broken([&](json& d) { d["w"] = 1280; }, {"frame_0.jpg", "1280 x 480", "found 640 x 480"});
  fs::remove(folder / "points.ply");
  broken([&](json&) {}, {"no points", "--points"});
  broken([&](json& d) { d["ply_file_path"] = "none.ply"; }, {"none.ply", "that", "names", "--points"});
}

TEST(TransformsSceneErrors, RandomDamage) {
  const Folder folder;
  EXPECT_GT(testing::damage_at_random(folder / "transforms.json", 400, [&] { load_scene(folder.path()); }), 100);
}

// instant-ngp's own scene, whose file is for photos of twice the size and lists some that are not there.
TEST(TransformsSceneRealScenes, Fox) {
  const char* data = std::getenv("PTL_TEST_DATA");
  if (!data) GTEST_SKIP() << "PTL_TEST_DATA names no folder with fox";
  LoadOptions options;
  options.format = "transforms";
  const Scene scene = load_scene(fs::path(data) / "fox", options);
  EXPECT_EQ(scene.images.size(), 50u);
  EXPECT_TRUE(says(scene, "photos are not there and are left out"));
  EXPECT_TRUE(says(scene, "is scaled from 1080 x 1920"));
  EXPECT_NEAR(scene.cameras[0].params.value[PinholeModel::fx], 1375.52 / 2, 1e-9);
  // Its COLMAP model was made from it: the two readers must agree.
  options.format = "colmap";
  const Scene model = load_scene(fs::path(data) / "fox", options);
  for (const SceneImage& image : model.images)
    for (size_t i = 0; i < 200; ++i) {
      const Vec3<double> x = Vec3<double>(model.cloud.position[i]) + model.origin_world;
      const auto there = projected(model, image.name, x), here = projected(scene, image.name, x);
      if (!there.valid || there.depth_m < 0.1) continue;
      EXPECT_NEAR(here.depth_m, there.depth_m, 1e-4);
      if (there.x_px < 0 || there.y_px < 0 || there.x_px > 540 || there.y_px > 960) continue;
      EXPECT_NEAR(here.x_px, there.x_px, 1e-2);
      EXPECT_NEAR(here.y_px, there.y_px, 1e-2);
    }
  for (const std::string& oddity : scene.oddities) std::cout << oddity << '\n';
}

}  // namespace
}  // namespace ptl
