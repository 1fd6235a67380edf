#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "datasets/camera_path_json.h"
#include "datasets/camera_path_nerfstudio.h"
#include "kernels/hash.h"
#include "tests/support/broken_json.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"

namespace ptl {
namespace {

using testing::BrokenJson;
using testing::expect_input_error;
using testing::file_contents;
using testing::TemporaryFolder;
using testing::write_contents;
using Vec = Vec3<double>;
const Vec far_away(4.5e5, 5.4e6, 300);  // georeferenced

PathFrame key_at(double time_s, const Vec& centre, const Vec& axis_angle = Vec(0)) {
  PathFrame key;
  key.time_s = time_s;
  key.camera_from_world.rotation = exp(Tangent<double>{Vec(0), axis_angle}).rotation;
  key.camera_from_world.translation = -(key.camera_from_world.rotation * centre);
  return key;
}

CameraPath some_path() {
  CameraPath path;
  path.keys = {key_at(0, Vec(0)), key_at(1.5, Vec(1, 2, 3), Vec(0.3, -1, 0.2)),
               key_at(2.25, Vec(0, -1, 1), Vec(2, 0, 0.1))};
  path.keys[1].vertical_fov_deg = 33.3;
  path.width_px = 320;
  path.height_px = 240;
  path.frames_per_s = 24;
  return path;
}

void expect_close(const PathFrame& a, const PathFrame& b, double metres) {
  EXPECT_NEAR(a.time_s, b.time_s, 1e-12);
  EXPECT_LT(glm::distance(camera_centre(a.camera_from_world), camera_centre(b.camera_from_world)), metres);
  EXPECT_LT(rotation_angle(a.camera_from_world.rotation * glm::transpose(b.camera_from_world.rotation)), 1e-9);
  EXPECT_NEAR(a.vertical_fov_deg, b.vertical_fov_deg, 1e-12);
}

class PathFiles : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "path.json";
};

TEST_F(PathFiles, OwnFilesComeBackBitForBit) {
  CameraPath path = some_path();
  path.image = "a/IMG_0017.jpg";
  path.lens_of_image = true;
  for (PathFrame& key : path.keys) key.exposure_ev = 0.1 * key.time_s - 1.0 / 3;
  close_loop(path, 0.7);
  write_camera_path(path, Vec(0), file_);
  const CameraPath back = read_camera_path(file_, Vec(0));
  ASSERT_EQ(back.keys.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(back.keys[i].camera_from_world.rotation, path.keys[i].camera_from_world.rotation);
    EXPECT_EQ(back.keys[i].camera_from_world.translation, path.keys[i].camera_from_world.translation);
    EXPECT_EQ(back.keys[i].time_s, path.keys[i].time_s);
    EXPECT_EQ(back.keys[i].vertical_fov_deg, path.keys[i].vertical_fov_deg);
    EXPECT_EQ(back.keys[i].exposure_ev, path.keys[i].exposure_ev);
  }
  EXPECT_TRUE(back.loop);
  EXPECT_TRUE(back.lens_of_image);
  EXPECT_EQ(back.image, path.image);
  EXPECT_EQ(back.width_px, 320);
  EXPECT_EQ(back.height_px, 240);
  EXPECT_EQ(back.frames_per_s, 24);
}

TEST_F(PathFiles, FilesHoldWorldCoordinates) {
  const CameraPath path = some_path();
  write_camera_path(path, far_away, file_);
  // The first key frame looks along z from the scene's origin: x_camera = x_world − origin.
  const nlohmann::json document = nlohmann::json::parse(file_contents(file_));
  EXPECT_EQ(document["key_frames"][0]["camera_from_world"][1], nlohmann::json({0.0, 1.0, 0.0, -5.4e6}));
  const CameraPath back = read_camera_path(file_, far_away);
  for (size_t i = 0; i < 3; ++i) expect_close(back.keys[i], path.keys[i], 1e-8);
  // Another program's origin of the scene is no concern of the file's.
  const CameraPath elsewhere = read_camera_path(file_, far_away + Vec(1, 2, 3));
  EXPECT_LT(glm::distance(camera_centre(elsewhere.keys[0].camera_from_world), Vec(-1, -2, -3)), 1e-8);
}

TEST_F(PathFiles, BrokenOwnFilesAreRefused) {
  write_camera_path(some_path(), Vec(0), file_);
  const BrokenJson expect(file_, [&] { read_camera_path(file_, Vec(0)); });
  expect([](nlohmann::json& d) { d["version"] = 2; }, {"path.json: version", "expected 1", "found 2"});
  expect([](nlohmann::json& d) { d["format"] = "other"; }, {"format", "pointillist camera path", "other"});
  expect([](nlohmann::json& d) { d["fp"] = 3; }, {"expected only format", "found \"fp\""});
  expect([](nlohmann::json& d) { d.erase("fps"); }, {"expected \"fps\", found none"});
  expect([](nlohmann::json& d) { d["key_frames"] = 7; }, {"key_frames", "list", "found 7"});
  expect([](nlohmann::json& d) { d["key_frames"] = nlohmann::json::array(); }, {"no key frames"});
  expect([](nlohmann::json& d) { d["key_frames"][1] = "x"; }, {"key_frames[1]", "expected an object"});
  expect([](nlohmann::json& d) { d["key_frames"][1]["time_s"] = "1"; }, {"key_frames[1].time_s", "a number", "\"1\""});
  expect([](nlohmann::json& d) { d["key_frames"][1]["time_s"] = 99; }, {"key frame 2", "expected more than the 99 s"});
  expect([](nlohmann::json& d) { d["key_frames"][2]["vertical_fov_deg"] = 0; }, {"key_frames[2].vertical_fov_deg"});
  expect([](nlohmann::json& d) { d["key_frames"][0]["camera_from_world"].erase(2); },
         {"key_frames[0].camera_from_world", "3 rows of 4 numbers", "a list of 2"});
  expect([](nlohmann::json& d) { d["key_frames"][0]["camera_from_world"][1][1] = -1; },
         {"a rotation and a translation"});
  expect([](nlohmann::json& d) { d["key_frames"][0]["camera_from_world"][1][1] = nullptr; },
         {"key_frames[0].camera_from_world[1][1]", "a number", "null"});
  expect([](nlohmann::json& d) { d["key_frames"][0]["exposure_ev"] = 1; }, {"exposure_ev", "in all key frames"});
  expect([](nlohmann::json& d) { d.erase("height_px"); }, {"height_px"});
  expect([](nlohmann::json& d) { d["width_px"] = 1.5; }, {"width_px", "whole number"});
  expect([](nlohmann::json& d) { d["loop"] = true; }, {"loop", "the view of the first"});
  expect([](nlohmann::json& d) { d = nlohmann::json::array(); }, {"expected an object"});
  write_contents(file_, "{\"format\": ");
  expect_input_error([&] { read_camera_path(file_, Vec(0)); }, {"path.json", "not a JSON file", "line 1"});
  expect_input_error([&] { read_camera_path(folder_ / "none.json", Vec(0)); }, {"none.json", "could not be opened"});
  expect_input_error([&] { read_camera_path(folder_.path(), Vec(0)); }, {"is a folder"});
}

/// Any damage is an InputError or leaves a sound path; never a crash or another exception.
TEST_F(PathFiles, RandomDamage) {
  write_camera_path(some_path(), Vec(0), file_);
  const std::string own = file_contents(file_);
  write_nerfstudio_path(some_path(), Vec(0), file_);
  const std::string theirs =
      file_contents(file_).substr(0, 2500) + file_contents(file_).substr(file_contents(file_).size() - 400);
  for (uint64_t i = 0; i < 600; ++i) {
    const bool ours = i % 2 == 0;
    std::string text = ours ? own : theirs;
    for (uint64_t k = 0; k < 1 + i % 3; ++k) {
      const uint64_t bits = draw_bits(3, DrawPurpose::synthetic, i, k);
      text[bits % text.size()] = "0123456789-.eE[]{},:\"nul \xff"[(bits >> 32) % 26];
    }
    write_contents(file_, text);
    try {
      check_path(ours ? read_camera_path(file_, Vec(0)) : read_nerfstudio_path(file_, Vec(0)).path, "test");
    } catch (const InputError&) {
    }
  }
}

TEST_F(PathFiles, NerfstudioByHand) {
  // What its viewer writes: a camera at (1, 2, 3) that looks along −z there, which is the identity in OpenGL's axes.
  write_contents(file_, R"({"default_fov": 75.0, "default_transition_sec": 2.0, "camera_type": "perspective",
    "keyframes": [
      {"matrix": [1,0,0,1, 0,1,0,2, 0,0,1,3, 0,0,0,1], "fov": 75.0, "aspect": 1.5,
       "override_transition_enabled": false, "override_transition_sec": null},
      {"matrix": [1,0,0,4, 0,1,0,2, 0,0,1,3, 0,0,0,1], "fov": 50.0, "aspect": 1.5,
       "override_transition_enabled": true, "override_transition_sec": 0.5},
      {"matrix": [1,0,0,4, 0,1,0,2, 0,0,1,9, 0,0,0,1], "fov": 50.0, "aspect": 1.5}],
    "render_height": 480, "render_width": 720, "fps": 4.0, "seconds": 0.5, "is_cycle": false, "smoothness_value": 0.5,
    "camera_path": [
      {"camera_to_world": [0,0,1,1, 0,1,0,2, -1,0,0,3, 0,0,0,1], "fov": 75.0, "aspect": 1.5},
      {"camera_to_world": [1,0,0,2, 0,1,0,2, 0,0,1,3, 0,0,0,1], "fov": 70.0, "aspect": 1.5}]})");
  const NerfstudioPath read = read_nerfstudio_path(file_, Vec(1, 0, 0));
  ASSERT_EQ(read.path.keys.size(), 3u);
  EXPECT_EQ(camera_centre(read.path.keys[0].camera_from_world), Vec(0, 2, 3));
  const Mat3<double> axes = glm::transpose(read.path.keys[0].camera_from_world.rotation);
  EXPECT_EQ(axes[0], Vec(1, 0, 0));
  EXPECT_EQ(axes[1], Vec(0, -1, 0));  // our y is down
  EXPECT_EQ(axes[2], Vec(0, 0, -1));
  EXPECT_EQ(read.path.keys[1].time_s, 0.5);
  EXPECT_EQ(read.path.keys[2].time_s, 2.5);
  EXPECT_EQ(read.path.keys[1].vertical_fov_deg, 50);
  EXPECT_EQ(read.path.width_px, 720);
  EXPECT_EQ(read.path.height_px, 480);
  ASSERT_EQ(read.frames.size(), 2u);
  EXPECT_EQ(read.frames[1].time_s, 0.25);
  // By rows: the camera's z (backward) is the world's x, so it looks along −x.
  EXPECT_EQ(glm::transpose(read.frames[0].camera_from_world.rotation)[2], Vec(-1, 0, 0));
  EXPECT_TRUE(read.remarks.empty());

  // Moved and scaled: x_nerfstudio = 2 (x_world + (0, 0, 5)).
  const NerfstudioPath moved = read_nerfstudio_path(file_, Vec(0), {Mat3<double>(1), Vec(0, 0, 5), 2});
  EXPECT_EQ(camera_centre(moved.path.keys[0].camera_from_world), Vec(0.5, 1, -3.5));
}

TEST_F(PathFiles, NerfstudiosOlderFilesAndTheAddOns) {
  // By columns, as a text, without times: the key frames share the seconds. A cycle goes back to the first.
  write_contents(file_, R"({"keyframes": [
      {"matrix": "[0,0,-1,0, 0,1,0,0, 1,0,0,0, 1,2,3,1]", "fov": 50, "aspect": 1, "properties": "[]"},
      {"matrix": "[1,0,0,0, 0,1,0,0, 0,0,1,0, 5,2,3,1]", "fov": 50, "aspect": 1}],
    "camera_type": "perspective", "render_height": 100, "render_width": 100, "camera_path": [], "fps": 24, "seconds": 4,
    "smoothness_value": 0, "is_cycle": true, "crop": {"crop_center": [0,0,0]}})");
  const NerfstudioPath read = read_nerfstudio_path(file_, Vec(0));
  ASSERT_EQ(read.path.keys.size(), 3u);
  EXPECT_TRUE(read.path.loop);
  EXPECT_EQ(camera_centre(read.path.keys[0].camera_from_world), Vec(1, 2, 3));
  EXPECT_EQ(glm::transpose(read.path.keys[0].camera_from_world.rotation)[2], Vec(-1, 0, 0));
  EXPECT_EQ(read.path.keys[1].time_s, 2);
  EXPECT_EQ(read.path.keys[2].time_s, 4);
  ASSERT_EQ(read.remarks.size(), 2u);  // crop and smoothness
  EXPECT_TRUE(read.frames.empty());
}

TEST_F(PathFiles, NerfstudioThereAndBack) {
  const NerfstudioTransform transform = {exp(Tangent<double>{Vec(0), Vec(1, 0.5, -0.2)}).rotation, -far_away, 0.01};
  CameraPath path = some_path();
  for (const bool loop : {false, true}) {
    if (loop) close_loop(path, 0.75);
    EXPECT_TRUE(write_nerfstudio_path(path, far_away, file_, transform).empty());
    const NerfstudioPath back = read_nerfstudio_path(file_, far_away, transform);
    EXPECT_EQ(back.path.loop, loop);
    ASSERT_EQ(back.path.keys.size(), path.keys.size());
    for (size_t i = 0; i < path.keys.size(); ++i) expect_close(back.path.keys[i], path.keys[i], 1e-5);
    const std::vector<PathFrame> frames = sample_path(path, 24);
    ASSERT_EQ(back.frames.size(), frames.size());
    for (size_t i = 0; i < frames.size(); ++i) expect_close(back.frames[i], frames[i], 1e-5);
  }
  for (PathFrame& key : path.keys) key.exposure_ev = 1;
  EXPECT_EQ(write_nerfstudio_path(path, Vec(0), file_).size(), 1u);
  path.width_px = 0;
  expect_input_error([&] { write_nerfstudio_path(path, Vec(0), file_); }, {"size"});
  path = some_path();
  path.image = "a.jpg";
  path.lens_of_image = true;
  expect_input_error([&] { write_nerfstudio_path(path, Vec(0), file_); }, {"lens"});
}

TEST_F(PathFiles, BrokenNerfstudioFilesAreRefused) {
  write_nerfstudio_path(some_path(), Vec(0), file_);
  const BrokenJson expect(file_, [&] { read_nerfstudio_path(file_, Vec(0)); });
  expect([](nlohmann::json& d) { d["camera_type"] = "equirectangular"; },
         {"camera_type", "perspective", "equirectangular"});
  expect([](nlohmann::json& d) { d.erase("render_width"); }, {"render_width"});
  expect([](nlohmann::json& d) { d.erase("seconds"); }, {"seconds"});
  expect([](nlohmann::json& d) { d["keyframes"] = d["camera_path"] = nlohmann::json::array(); },
         {"at least one camera"});
  expect([](nlohmann::json& d) { d["keyframes"][1]["matrix"].erase(3); },
         {"keyframes[1].matrix", "16 numbers", "a list of 15"});
  expect([](nlohmann::json& d) { d["keyframes"][1]["matrix"] = "[1, 2"; }, {"keyframes[1].matrix", "16 numbers"});
  expect([](nlohmann::json& d) { d["keyframes"][1]["matrix"][15] = 2; }, {"keyframes[1].matrix"});
  expect([](nlohmann::json& d) { d["keyframes"][1]["matrix"][0] = 7; }, {"keyframes[1].matrix"});
  expect([](nlohmann::json& d) { d["camera_path"][3]["fov"] = nullptr; }, {"camera_path[3].fov", "null"});
  expect([](nlohmann::json& d) { d["camera_path"][3].erase("camera_to_world"); },
         {"camera_path[3]", "camera_to_world"});
  const std::filesystem::path transform = folder_ / "dataparser_transforms.json";
  write_contents(transform, R"({"transform": [[1,0,0,0],[0,1,0,0],[0,0,2,0]], "scale": 1})");
  expect_input_error([&] { read_nerfstudio_transform(transform); }, {"transform", "a rotation"});
  write_contents(transform, R"({"transform": [[1,0,0,1],[0,1,0,2],[0,0,1,3]], "scale": 0})");
  expect_input_error([&] { read_nerfstudio_transform(transform); }, {"scale", "found 0"});
  write_contents(transform, R"({"transform": [[0,1,0,1],[1,0,0,2],[0,0,-1,3]], "scale": 0.25})");
  EXPECT_EQ(read_nerfstudio_transform(transform).translation, Vec(1, 2, 3));
  EXPECT_EQ(read_nerfstudio_transform(transform).scale, 0.25);
}

}  // namespace
}  // namespace ptl
