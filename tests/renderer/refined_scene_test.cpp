// Cameras go back to the tools that they came from: COLMAP models and transforms.json of a fit that moved them.
#include "renderer/refined_scene.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "datasets/colmap.h"
#include "datasets/prepare.h"
#include "datasets/scene_loader.h"
#include "datasets/split.h"
#include "datasets/transforms_json.h"
#include "renderer/fitter.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/fit_scene.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"

namespace ptl::testing {
namespace {

class RefinedSceneTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_fit_scene(folder_ / "scene", {.images = 10, .width_px = 128, .height_px = 96, .points = 4000});
    scene_ = load_scene(folder_ / "scene");
    config_ = preset_config("quick");
    config_.crop.size_px = 64;
    config_.raster.layers = 3;
    config_.environment.enabled = false;
    config_.structure.lock = 0;
  }
  SceneModel fitted(bool moves) {
    GroupSettings& groups = config_.groups;
    for (GroupConfig* group : {&groups.points, &groups.poses, &groups.intrinsics, &groups.distortion})
      group->frozen = !moves;
    SceneModel model = make_scene_model(scene_, make_split(scene_, "every8"), prepare_points(scene_, {}), config_, 3);
    ImageCache photos(image_sources(scene_), 1 << 20);
    Fitter fitter(model, photos, 40);
    for (int64_t step = 0; step < 40; ++step) EXPECT_EQ(fitter.step(step).problem, "");
    return model;
  }
  TemporaryFolder folder_;
  Scene scene_;
  FitConfig config_;
};

/// Where an image of the model sees a point.
Vec2<double> seen(const SceneModel& model, size_t image, const Vec3<double>& point) {
  const ModelImage& entry = model.images[image];
  const auto at = project(model.cameras[static_cast<size_t>(entry.camera)].params, entry.camera_from_world * point);
  return {at.x_px, at.y_px};
}

TEST_F(RefinedSceneTest, WhatDidNotMoveKeepsItsNumbers) {
  const SceneModel model = fitted(false);
  write_colmap(refined_scene(model, scene_), folder_ / "out");
  for (const char* file : {"cameras.bin", "images.bin", "points3D.bin"}) {
    write_colmap(scene_, folder_ / "as_read");
    EXPECT_TRUE(file_contents(folder_ / "out" / file) == file_contents(folder_ / "as_read" / file)) << file;
  }
}

TEST_F(RefinedSceneTest, TheRoundTripReprojectsAsTheModel) {
  const SceneModel model = fitted(true);
  const Scene refined = refined_scene(model, scene_);
  for (const ColmapFormat format : {ColmapFormat::binary, ColmapFormat::text}) {
    const auto out = folder_ / (format == ColmapFormat::binary ? "binary" : "text");
    write_colmap(refined, out, format);
    const ColmapModel read = read_colmap_model(out);
    EXPECT_EQ(read.cameras.at(0).id, scene_.cameras[0].id);
    EXPECT_EQ(read.cameras.at(0).model_id, 4) << "a PINHOLE whose k1, k2, p1, p2 have moved: OPENCV";
    Scene back = scene_from_colmap(read, out);
    // The origin is chosen anew by the reader; points are compared in world coordinates.
    int compared = 0;
    double moved_px = 0;
    for (size_t i = 0; i < model.images.size(); ++i) {
      EXPECT_EQ(back.images[i].id, scene_.images[i].id);
      EXPECT_EQ(back.images[i].name, scene_.images[i].name);
      for (size_t k = 0; k < back.sparse_points.size(); k += 10) {
        const Vec3<double> world = back.sparse_points[k].position + back.origin_world;
        const Vec2<double> ours = seen(model, i, world - model.origin_world);
        const auto theirs = project(back.camera_of(back.images[i]).params,
                                    back.images[i].camera_from_world * back.sparse_points[k].position);
        if (!(ours.x >= 0 && ours.y >= 0 && ours.x < 128 && ours.y < 96)) continue;
        ++compared;
        ASSERT_NEAR(ours.x, theirs.x_px, 1e-6);
        ASSERT_NEAR(ours.y, theirs.y_px, 1e-6);
        const auto given =
            project(scene_.cameras[0].params, scene_.images[i].camera_from_world * scene_.sparse_points[k].position);
        moved_px = std::max(moved_px, std::hypot(ours.x - given.x_px, ours.y - given.y_px));
      }
    }
    EXPECT_GT(compared, 500);
    EXPECT_GT(moved_px, 0.01) << "something moved";
  }
  // Sparse points that were fitted themselves went along.
  int moved = 0;
  for (size_t k = 0; k < scene_.sparse_points.size(); ++k)
    moved += refined.sparse_points[k].position != scene_.sparse_points[k].position;
  EXPECT_GT(moved, 1000);
}

TEST_F(RefinedSceneTest, ColmapsOwnReaderSeesTheSamePixels) {
  const char* library = std::getenv("PTL_PYCOLMAP");
  if (!library || !std::filesystem::exists(std::filesystem::path(library) / "pycolmap"))
    GTEST_SKIP() << "PTL_PYCOLMAP does not name a folder with pycolmap (scripts/setup --test)";
  const SceneModel model = fitted(true);
  write_colmap(refined_scene(model, scene_), folder_ / "out");
  std::ofstream(folder_ / "read.py") << R"(import json, sys
sys.path.insert(0, sys.argv[1])
import pycolmap
model = pycolmap.Reconstruction(sys.argv[2])
found = {}
for image in model.images.values():
    for number, point in model.points3D.items():
        if number % 50: continue
        pixel = image.project_point(point.xyz)
        if pixel is not None: found.setdefault(image.name, {})[str(number)] = [list(point.xyz), list(pixel)]
print(json.dumps(found))
)";
  const ProgramResult result =
      run_program("/usr/bin/env", {"python3", (folder_ / "read.py").string(), library, (folder_ / "out").string()});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const nlohmann::json found = nlohmann::json::parse(result.output.substr(result.output.find('{')));
  EXPECT_EQ(found.size(), model.images.size());
  int compared = 0;
  for (size_t i = 0; i < model.images.size(); ++i)
    for (const auto& [number, entry] : found.at(model.images[i].name).items()) {
      const Vec3<double> world(entry[0][0], entry[0][1], entry[0][2]);
      const Vec2<double> ours = seen(model, i, world - model.origin_world);
      if (!(ours.x >= 0 && ours.y >= 0 && ours.x < 128 && ours.y < 96)) continue;
      ++compared;
      ASSERT_NEAR(ours.x, entry[1][0].get<double>(), 1e-6) << model.images[i].name << " point " << number;
      ASSERT_NEAR(ours.y, entry[1][1].get<double>(), 1e-6);
    }
  EXPECT_GT(compared, 100);
}

TEST_F(RefinedSceneTest, TransformsSayTheSame) {
  SceneModel model = fitted(true);
  model.cameras[0].params.value[PinholeModel::k4] = 0.01;
  expect_input_error([&] { write_transforms_json(refined_scene(model, scene_), folder_ / "transforms.json"); },
                     {"rational distortion"});
  model.cameras[0].params.value[PinholeModel::k4] = 0;
  const Scene refined = refined_scene(model, scene_);
  write_transforms_json(refined, folder_ / "transforms.json");
  const nlohmann::json document = nlohmann::json::parse(file_contents(folder_ / "transforms.json"));
  EXPECT_EQ(document.at("camera_model"), "OPENCV");
  ASSERT_EQ(document.at("frames").size(), model.images.size());
  const nlohmann::json& frame = document.at("frames")[4];
  EXPECT_EQ(frame.at("file_path"), "images/photo_004.png");
  EXPECT_EQ(frame.at("fl_x").get<double>(), model.cameras[0].params.value[PinholeModel::fx]);
  // A point before the camera: world → OpenGL camera (y up, z backward) by the inverse of the matrix.
  const Pose<double>& pose = model.images[4].camera_from_world;
  const Vec3<double> world = inverse(pose) * Vec3<double>(0.3, -0.2, 4.0) + model.origin_world;
  Vec3<double> centre, in_camera(0);
  for (int row = 0; row < 3; ++row)
    centre[row] = frame.at("transform_matrix")[static_cast<size_t>(row)][3].get<double>();
  for (int column = 0; column < 3; ++column)
    for (int row = 0; row < 3; ++row)
      in_camera[column] +=
          frame.at("transform_matrix")[static_cast<size_t>(row)][static_cast<size_t>(column)].get<double>() *
          (world[row] - centre[row]);
  EXPECT_NEAR(in_camera.x, 0.3, 1e-9);
  EXPECT_NEAR(in_camera.y, 0.2, 1e-9);
  EXPECT_NEAR(in_camera.z, -4.0, 1e-9);
}

TEST_F(RefinedSceneTest, AnotherSceneIsRefused) {
  const SceneModel model = fitted(false);
  Scene other = scene_;
  other.images.pop_back();
  expect_input_error([&] { refined_scene(model, other); }, {"it has 9 images, expected 10"});
  other = scene_;
  other.images[3].name = "something else.png";
  expect_input_error([&] { refined_scene(model, other); }, {"image 3 is 'something else.png'"});
}

}  // namespace
}  // namespace ptl::testing
