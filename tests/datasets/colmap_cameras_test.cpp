#include "datasets/colmap_cameras.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "tests/support/expect_input_error.h"

namespace ptl {
namespace {

using testing::expect_input_error;

// Recorded: pycolmap 4.2.1, Camera(model, 640, 480, params).img_from_cam((0.3, −0.2, 1)).
TEST(ColmapCameras, ProjectAsColmapDoes) {
  const struct {
    const char* name;
    std::vector<double> params;
    double x_px, y_px;
  } cases[] = {{"SIMPLE_PINHOLE", {500, 320, 240}, 470, 140},
               {"PINHOLE", {500, 510, 320, 240}, 470, 138},
               {"SIMPLE_RADIAL", {500, 320, 240, -.1}, 468.05, 141.3},
               {"RADIAL", {500, 320, 240, -.1, .03}, 468.12605, 141.2493},
               {"OPENCV", {500, 510, 320, 240, -.1, .03, .001, -.002}, 467.75605, 139.503786},
               {"FULL_OPENCV",
                {500, 510, 320, 240, -.1, .03, .001, -.002, .01, .05, -.02, .003},
                466.851198142131,
                140.119085263351}};
  for (const auto& c : cases) {
    const auto camera = camera_from_colmap(colmap_camera_model(c.name, "f").id, c.params, 640, 480, "f");
    const auto p = project(camera, Vec3<double>(0.3, -0.2, 1));
    EXPECT_TRUE(p.valid);
    EXPECT_NEAR(p.x_px, c.x_px, 1e-9) << c.name;
    EXPECT_NEAR(p.y_px, c.y_px, 1e-9) << c.name;
  }
}

TEST(ColmapCameras, AFitMovesWhatTheModelHas) {
  using P = PinholeModel;
  const struct {
    const char* name;
    std::vector<int> moves;
    bool one_focal_length;
  } cases[] = {
      {"SIMPLE_PINHOLE", {P::fx, P::cx, P::cy, P::k1, P::k2, P::p1, P::p2}, true},  // as OPENCV, if at all
      {"PINHOLE", {P::fx, P::fy, P::cx, P::cy, P::k1, P::k2, P::p1, P::p2}, false},
      {"SIMPLE_RADIAL", {P::fx, P::cx, P::cy, P::k1}, true},
      {"RADIAL", {P::fx, P::cx, P::cy, P::k1, P::k2}, true},
      {"OPENCV", {P::fx, P::fy, P::cx, P::cy, P::k1, P::k2, P::p1, P::p2}, false},
      {"FULL_OPENCV", {P::fx, P::fy, P::cx, P::cy, P::k1, P::k2, P::p1, P::p2, P::k3, P::k4, P::k5, P::k6}, false}};
  for (const auto& c : cases) {
    const CameraFreedom freedom = camera_freedom(find_colmap_camera_model(c.name)->id);
    EXPECT_EQ(freedom.one_focal_length, c.one_focal_length) << c.name;
    for (int k = 0; k < camera_param_capacity; ++k)
      EXPECT_EQ(freedom.moves[k], std::count(c.moves.begin(), c.moves.end(), k) == 1) << c.name << ", parameter " << k;
  }
  EXPECT_THROW(camera_freedom(99), std::invalid_argument);
}

TEST(ColmapCameras, OthersAreRefusedByName) {
  for (int id = 0; id <= 17; ++id) EXPECT_EQ(colmap_camera_model(id, "f").id, id);
  // What stands for our own lens is in no file of COLMAP's.
  EXPECT_STREQ(find_colmap_camera_model(ocam_model_id)->name, "OCAM");
  expect_input_error([] { colmap_camera_model(ocam_model_id, "cameras.bin"); }, {"cameras.bin", "OCAM"});
  expect_input_error([] { colmap_camera_model("OCAM", "cameras.txt"); }, {"cameras.txt", "OCAM", "OPENCV_FISHEYE"});
  expect_input_error([] { camera_from_colmap(18, {1, 2, 3}, 64, 48, "folder"); }, {"folder", "0 to 17", "18"});
  EXPECT_EQ(find_colmap_camera_model(18), nullptr);
  EXPECT_EQ(find_colmap_camera_model("BOX"), nullptr);
  expect_input_error([] { colmap_camera_model(-1, "cameras.bin"); }, {"cameras.bin", "-1"});
  expect_input_error([] { colmap_camera_model("BOX", "cameras.txt"); }, {"cameras.txt", "BOX"});
}

TEST(ColmapCameras, NumbersThatCannotBeRight) {
  expect_input_error([] { camera_from_colmap(1, {1, 2, 3}, 64, 48, "f"); }, {"4 parameters", "PINHOLE", "found 3"});
  expect_input_error([] { camera_from_colmap(0, {-5, 2, 3}, 64, 48, "f"); }, {"focal length", "-5"});
  expect_input_error([] { camera_from_colmap(0, {NAN, 2, 3}, 64, 48, "f"); }, {"finite", "nan"});
}

}  // namespace
}  // namespace ptl
