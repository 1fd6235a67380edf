#include "datasets/adop_scene.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "datasets/colmap.h"
#include "datasets/ply.h"
#include "datasets/scene_formats.h"
#include "datasets/scene_loader.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/projected.h"
#include "tests/support/random_damage.h"
#include "tests/support/tiny_scene.h"

namespace ptl {
namespace {

namespace fs = std::filesystem;
using testing::expect_input_error;
using testing::file_contents;
using testing::grey_photo;
using testing::projected;
using testing::says;
using testing::TemporaryFolder;
using testing::write_contents;

struct Folder : TemporaryFolder {
  Folder() {
    write_contents(*this / "dataset.ini",
                   "[SceneDatasetParams]\nfile_model = \nimage_dir = scenes/elsewhere/pictures/\nmask_dir = \n"
                   "camera_files = camera0.ini camera1.ini\nfile_point_cloud = point_cloud.ply\nrender_scale = 0.5\n"
                   "scene_exposure_value = 13\n# a comment\nup_vector = 0 -1 0\n");
    write_contents(*this / "camera0.ini",
                   "[SceneCameraParams]\nw = 80\nh = 60\n# fx fy cx cy s\nK = 1.0e+02 110 41.5 29.25 0\n"
                   "# 8 paramter distortion model. see distortion.h\n"
                   "distortion = -0.1 0.02 0.003 0.01 -0.004 0.0005 0.001 -0.002\n");
    write_contents(*this / "camera1.ini", "[SceneCameraParams]\nw = 40\nh = 30\nK = 50 50 20 15 0\n");
    write_contents(*this / "images.txt", "z.jpg\na photo.jpg\r\nm.jpg\n");
    write_contents(*this / "camera_indices.txt", "0\n1\n0\n");
    write_contents(*this / "poses.txt",
                   "0.1 -0.2 0.05 0.9733961166965892 0.3 -0.2 -3.5\n0 0 0 1 0 0 -3\n0 0 0 1 5.0e-01 0 -3\n");
    write_contents(*this / "exposure.txt", "13.1\n14\n1.05e+01\n");
    write_contents(*this / "masks.txt", "\n\n\n");
    for (const char* name : {"z.jpg", "m.jpg"}) write_jpeg(*this / "pictures" / name, grey_photo(80, 60));
    write_jpeg(*this / "pictures" / "a photo.jpg", grey_photo(40, 30));
    PointCloud cloud;
    cloud.position = {{0.4f, 0.5f, 0.2f}, {0, 0, 0}};
    cloud.color = {{1, 2, 3}, {4, 5, 6}};
    write_ply(*this / "point_cloud.ply", cloud);
  }
};

// Recorded: numpy, camera_from_world as the inverse of the quaternion's matrix, OpenCV's rational distortion.
TEST(AdopScene, PosesLensAndExposures) {
  const Folder folder;
  const Scene scene = load_scene(folder.path());
  ASSERT_EQ(scene.images.size(), 3u);
  EXPECT_EQ(scene.images[0].name, "a photo.jpg");
  EXPECT_EQ(scene.camera_of(scene.images[0]).params.width_px, 40);
  const auto pixel = projected(scene, "z.jpg", {0.4, 0.5, 0.2});
  EXPECT_NEAR(pixel.x_px, 90.36045521118768, 1e-9);
  EXPECT_NEAR(pixel.y_px, 73.2980605712656, 1e-9);
  EXPECT_NEAR(pixel.depth_m, 3.141788698994614, 1e-12);
  EXPECT_EQ(scene.images[0].exposure_ev, 14.0);
  EXPECT_EQ(scene.images[2].exposure_ev, 13.1);
  EXPECT_TRUE(scene.images[0].mask_path.empty());
  EXPECT_EQ(scene.cloud_source, "point_cloud.ply");
  EXPECT_EQ(scene.cloud.size(), 2u);
  EXPECT_TRUE(says(scene, "render_scale"));
}

// Recorded: numpy, from method section 1's formulas.
TEST(AdopScene, OcamLenses) {
  const Folder folder;
  std::string dataset = file_contents(folder / "dataset.ini");
  write_contents(folder / "dataset.ini", dataset + "camera_type_int = 1\n");
  const std::string start = "[SceneCameraParams]\nw = 80\nh = 60\nK = 1 1 0 0 0\ndistortion = 0 0 0 0 0 0 0 0\n# c d e cx cy\n";
  const auto lens = [&](const std::string& text) {
    write_contents(folder / "camera0.ini", start + text);
    write_contents(folder / "camera1.ini", start + text);
  };
  write_jpeg(folder / "pictures" / "a photo.jpg", grey_photo(80, 60));
  const std::string good =
      "op = 9.98e-1 0.001 -0.002 29.5 40.25\npoly_world2cam = 60 38 -2 1.5\npoly_cam2world = -60 0 0.01\nocam_cutoff = 0.7\n";
  lens(good);
  const Scene scene = load_scene(folder.path());
  ASSERT_EQ(scene.cameras.size(), 1u);
  EXPECT_EQ(scene.cameras[0].params.model, CameraModel::ocam);
  auto pixel = projected(scene, "z.jpg", {0.4, 0.5, 0.2});
  EXPECT_NEAR(pixel.x_px, 55.040178846041, 1e-9);
  EXPECT_NEAR(pixel.y_px, 41.596817935147, 1e-9);
  EXPECT_NEAR(pixel.depth_m, 3.766961640367, 1e-9);
  pixel = projected(scene, "z.jpg", {3, 1, -4});  // behind the camera, 0.616 rad; far outside of the photo
  EXPECT_NEAR(pixel.x_px, 119.614444823810, 1e-9);
  EXPECT_NEAR(pixel.y_px, 53.692815193739, 1e-9);
  // COLMAP has no such lens, and only pinholes are written as these.
  expect_input_error([&] { write_colmap(scene, folder / "out", ColmapFormat::binary); }, {"OCAM", "no camera model"});
  expect_input_error([&] { write_colmap(scene, folder / "out", ColmapFormat::text); }, {"OCAM", "no camera model"});
  expect_input_error([&] { write_adop_scene(scene, folder / "out"); }, {"ocam"});
  const auto broken = [&](const std::string& from, const std::string& to, std::initializer_list<const char*> parts) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    lens(text);
    expect_input_error([&] { load_scene(folder.path()); }, parts);
  };
  broken("29.5 40.25", "29.5", {"camera0.ini: op", "c d e cx cy"});
  broken("9.98e-1", "0", {"camera0.ini: op", "c > d e"});
  broken("60 38 -2 1.5", "60", {"poly_world2cam", "at least 2 coefficients"});
  broken("60 38", "nan 38", {"poly_world2cam", "a finite number", "nan"});
  broken("60 38", "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18", {"poly_world2cam", "at most 18 coefficients"});
  broken("0.7", "-2", {"ocam_cutoff", "-pi/2", "-2"});
}

TEST(AdopScene, WhatItMayLack) {
  const Folder folder;
  fs::remove(folder / "camera_indices.txt");
  write_jpeg(folder / "pictures" / "a photo.jpg", grey_photo(80, 60));
  fs::remove(folder / "masks.txt");
  write_contents(folder / "exposure.txt", "0\n0\n0\n");  // how ADOP's converter says that it knows none
  fs::rename(folder / "pictures", folder / "images");
  fs::rename(folder / "point_cloud.ply", folder / "point_cloud_initial_preprocess.ply");
  const Scene scene = load_scene(folder.path());
  EXPECT_EQ(scene.camera_of(scene.images[0]).params.width_px, 80);
  EXPECT_FALSE(scene.images[0].exposure_ev);
  EXPECT_EQ(scene.cloud_source, "point_cloud_initial_preprocess.ply");
}

TEST(AdopScene, Masks) {
  const Folder folder;
  write_contents(folder / "masks.txt", "m0.png\n\nm2.png\n");
  expect_input_error([&] { load_scene(folder.path()); }, {"masks.txt, line 1", "m0.png", "no such file"});
  for (const char* name : {"m0.png", "m2.png"}) write_png(folder / "masks" / name, grey_photo(80, 60, 255, 1));
  const Scene scene = load_scene(folder.path());
  EXPECT_EQ(scene.images[2].mask_path.filename(), "m0.png");
  EXPECT_TRUE(scene.images[0].mask_path.empty());
}

TEST(AdopScene, WhatIsWrittenComesBack) {
  TemporaryFolder folder;
  testing::write_tiny_scene(folder / "colmap", testing::shifted(testing::tiny_model(), {1000, -2000, 300}));
  write_png(folder / "colmap" / "masks" / "photo 1.png", grey_photo(64, 48, 255, 1));
  LoadOptions half;
  half.image_scale = 0.5;  // what is written is at the stored resolution all the same
  const Scene before = load_scene(folder / "colmap", half);
  write_adop_scene(before, folder / "adop");
  const std::string poses = file_contents(folder / "adop" / "poses.txt");
  EXPECT_EQ(std::count(poses.begin(), poses.end(), '\n'), 3);
  EXPECT_EQ(file_contents(folder / "adop" / "camera_indices.txt"), "0\n0\n1\n");
  EXPECT_EQ(file_contents(folder / "adop" / "images.txt"), "photo 0.jpg\nphoto 1.jpg\nphoto 2.jpg\n");
  const Scene after = load_scene(folder / "adop", half);
  ASSERT_EQ(after.images.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(after.images[i].name, before.images[i].name);
    EXPECT_EQ(after.images[i].exposure_ev, before.images[i].exposure_ev);
    EXPECT_EQ(after.images[i].mask_path, before.images[i].mask_path);
    for (const Vec3<double>& x : {Vec3<double>(1000.3, -1999.9, 300.2), Vec3<double>(999.8, -2000.1, 301)}) {
      const auto there = projected(before, before.images[i].name, x), here = projected(after, after.images[i].name, x);
      EXPECT_NEAR(here.x_px, there.x_px, 1e-9);
      EXPECT_NEAR(here.y_px, there.y_px, 1e-9);
      EXPECT_NEAR(here.depth_m, there.depth_m, 1e-9);
    }
  }
  ASSERT_EQ(after.cloud.size(), before.cloud.size());
  EXPECT_EQ(after.cloud.color, before.cloud.color);
  for (size_t i = 0; i < after.cloud.size(); ++i)
    EXPECT_LT(glm::length(Vec3<double>(after.cloud.position[i]) + after.origin_world -
                          (Vec3<double>(before.cloud.position[i]) + before.origin_world)),
              1e-5);
}

TEST(AdopScene, IsRecognisedByItsContents) {
  const Folder folder;  // its images.txt is no part of a COLMAP model
  EXPECT_STREQ(choose_scene(folder.path()).format->name, "adop");
  EXPECT_EQ(load_scene(folder / "dataset.ini").images.size(), 3u);
  write_contents(folder / "dataset.ini", "[Other]\n");
  expect_input_error([&] { choose_scene(folder / "dataset.ini"); }, {"no scene found", "adop: dataset.ini"});
}

TEST(AdopSceneErrors, Messages) {
  const Folder folder;
  const auto broken = [&](const char* file, const std::string& from, const std::string& to,
                          std::initializer_list<const char*> parts) {
    const std::string sound = file_contents(folder / file);
    std::string text = sound;
    ASSERT_NE(text.find(from), std::string::npos) << from;
    text.replace(text.find(from), from.size(), to);
    write_contents(folder / file, text);
    expect_input_error([&] { load_scene(folder.path()); }, parts);
    write_contents(folder / file, sound);
  };
  broken("dataset.ini", "camera0.ini camera1.ini", "", {"camera_files", "names no camera"});
  broken("dataset.ini", "camera0.ini", "camera7.ini", {"camera7.ini", "no such file"});
  broken("dataset.ini", "up_vector", "camera_type_int = 1\nup", {"camera0.ini", "expected op, found none"});
  broken("dataset.ini", "up_vector", "camera_type_int = 9\nup", {"camera_type_int", "9 is not known", "OCam"});
  broken("dataset.ini", "up_vector", "camera_type_int = x\nup", {"dataset.ini: camera_type_int", "a number", "'x'"});
  broken("camera0.ini", "[SceneCameraParams]", "[Camera]", {"camera0.ini", "[SceneCameraParams]"});
  broken("camera0.ini", "w = 80", "", {"camera0.ini", "expected w, found none"});
  broken("camera0.ini", "w = 80", "w = 0", {"camera0.ini", "1048576", "0 x 60"});
  broken("camera0.ini", "w = 80", "w = 88888888888", {"camera0.ini: w", "'88888888888'"});
  broken("camera0.ini", "K = 1.0e+02 110 41.5 29.25 0", "K = 100 110 41.5",
         {"camera0.ini: K", "ends before fx fy cx cy s"});
  broken("camera0.ini", "29.25 0\n", "29.25 0.5\n", {"camera0.ini", "without skew", "0.5"});
  broken("camera0.ini", "1.0e+02", "nan", {"camera0.ini: K", "a finite number", "nan"});
  broken("camera0.ini", "1.0e+02", "-100", {"camera0.ini", "focal length above 0", "-100"});
  broken("camera0.ini", "0.001 -0.002", "0.001 -0.002 1", {"camera0.ini: distortion", "expected the end"});
  broken("images.txt", "z.jpg\n", "", {"poses.txt", "each of the 2 photos", "found 3"});
  broken("images.txt", "z.jpg", "../z.jpg", {"'../z.jpg'", "leads out"});
  broken("images.txt", "z.jpg", "m.jpg", {"m.jpg", "stands twice"});
  broken("images.txt", "z.jpg", "y.jpg", {"missing: y.jpg", "--images"});
  broken("poses.txt", "0 0 0 1 0 0 -3\n", "", {"poses.txt", "each of the 3 photos", "found 2"});
  broken("poses.txt", "0 0 0 1 0 0 -3\n", "0 0 0 1 0 0\n", {"poses.txt, line 2", "ends before a position"});
  broken("poses.txt", "0 0 0 1 0 0 -3\n", "0 0 0 2 0 0 -3\n", {"poses.txt, line 2", "length 1", "'2'"});
  broken("poses.txt", "0 0 0 1 0 0 -3\n", "0 0 0 1 0 0 inf\n", {"poses.txt, line 2", "a finite number", "inf"});
  broken("poses.txt", "0 0 0 1 0 0 -3\n", "0 0 0 1 0 0 -1e13\n", {"a photo.jpg", "1e12"});
  broken("camera_indices.txt", "1", "2", {"camera_indices.txt, line 2", "a camera from 0 to 1", "'2'"});
  broken("camera_indices.txt", "1", "-1", {"camera_indices.txt, line 2", "a number", "'-1'"});
  broken("exposure.txt", "14", "bright", {"exposure.txt, line 2", "an exposure value", "'bright'"});
  broken("exposure.txt", "14\n", "", {"exposure.txt", "each of the 3 photos", "found 2"});
  fs::remove(folder / "point_cloud.ply");
  expect_input_error([&] { load_scene(folder.path()); }, {"point_cloud.ply", "dataset.ini names", "--points"});
  fs::remove(folder / "poses.txt");
  expect_input_error([&] { load_scene(folder.path()); }, {"poses.txt", "no such file"});
  Scene scattered = load_scene(Folder().path());
  scattered.images[1].photo_path = "/elsewhere/m.jpg";
  expect_input_error([&] { write_adop_scene(scattered, folder / "out"); }, {"m.jpg", "one folder"});
}

TEST(AdopSceneErrors, RandomDamage) {
  const Folder folder;
  for (const char* file :
       {"dataset.ini", "camera0.ini", "poses.txt", "images.txt", "camera_indices.txt", "exposure.txt"})
    EXPECT_GT(testing::damage_at_random(folder / file, 100, [&] { load_scene(folder.path()); }), 10) << file;
}

}  // namespace
}  // namespace ptl
