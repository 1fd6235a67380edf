// Faults of poses, calibrations and tracks, planted one at a time: each found, and named.
#include <cmath>

#include "tests/doctor/planted.h"
#include "tests/support/expect_input_error.h"

namespace ptl::testing {

namespace {

using doctor::Severity;

void strip_tracks(ColmapModel& model) {
  for (ColmapImage& image : model.images) image.observations.clear();
  for (SparsePoint& point : model.points) point.track.clear();
}

/// Keeps the observations that `keep` wants, and the tracks in step.
void filter_observations(ColmapModel& model, const std::function<bool(const ColmapImage&, uint64_t point)>& keep) {
  for (SparsePoint& point : model.points) point.track.clear();
  for (ColmapImage& image : model.images) {
    std::erase_if(image.observations, [&](const Observation& o) { return !keep(image, o.point_id); });
    for (uint32_t k = 0; k < image.observations.size(); ++k)
      for (SparsePoint& point : model.points)
        if (point.id == image.observations[k].point_id) point.track.push_back({image.id, k});
  }
}

TEST(DoctorModel, ShiftedPose) {
  Planted scene;
  scene.change_model([](ColmapModel& model) { move_pose(image_named(model, 7), {0.4, 0, 0}, {0, 0, 1}, 0); });
  expect_found(scene.examine(), "pose_disagrees", Severity::severe, {7});
}

TEST(DoctorModel, TurnedPose) {
  Planted scene;
  scene.change_model([](ColmapModel& model) { move_pose(image_named(model, 11), {0, 0, 0}, {0, 1, 0}, 3); });
  const doctor::Examination examination = scene.examine();
  expect_found(examination, "pose_disagrees", Severity::severe, {11});
  EXPECT_FALSE(check_found(examination, "pose_disagrees").images[0].marks.empty());
}

TEST(DoctorModel, PoseThatLooksAway) {
  Planted scene;
  scene.change_model([](ColmapModel& model) { move_pose(image_named(model, 11), {0, 0, 0}, {0, 1, 0}, 180); });
  const doctor::Examination examination = scene.examine();
  expect_found(examination, "pose_disagrees", Severity::severe, {11});
  EXPECT_NE(check_found(examination, "pose_disagrees").images[0].detail.find("behind"), std::string::npos);
}

TEST(DoctorModel, ScaledIntrinsics) {
  Planted scene;
  scene.change_model([](ColmapModel& model) {
    for (double* focal : {&model.cameras[0].params[0], &model.cameras[0].params[1]}) *focal *= 1.25;
  });
  const doctor::Examination examination = scene.examine();
  const doctor::Finding* finding = find_check(examination, "all_disagree");
  ASSERT_NE(finding, nullptr) << describe_text(examination);
  EXPECT_EQ(finding->severity, Severity::severe);
  EXPECT_NE(finding->where.find("0.8"), std::string::npos) << finding->where;
  EXPECT_EQ(finding->images.size(), static_cast<size_t>(sound_photos));
}

TEST(DoctorModel, FarCamera) {
  Planted scene;
  scene.change_model([](ColmapModel& model) { move_pose(image_named(model, 18), {0, 0, -300}, {0, 0, 1}, 0); });
  expect_found(scene.examine(), "far_camera", Severity::harmful, {18});
}

TEST(DoctorModel, OneSpot) {
  Planted scene;
  scene.change_model([](ColmapModel& model) {
    Scene read = scene_from_colmap(model, "model");
    for (ColmapImage& image : model.images)
      for (const SceneImage& posed : read.images)
        if (posed.name == image.name) {
          const Vec3<double> centre = camera_centre(read.images[0].camera_from_world) + read.origin_world;
          const Vec3<double> t = -(posed.camera_from_world.rotation * centre);
          image.translation = {t.x, t.y, t.z};
        }
  });
  const doctor::Examination examination = scene.examine();
  expect_found(examination, "one_spot", Severity::severe, {});
}

TEST(DoctorModel, TwoHalves) {
  Planted scene;
  scene.change_model([](ColmapModel& model) {
    filter_observations(model, [](const ColmapImage& image, uint64_t point) {
      return (image.name < synthetic_photo_name(12)) == (point % 2 == 0);
    });
  });
  const doctor::Examination examination = scene.examine();
  expect_found(examination, "disconnected", Severity::severe, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  expect_nothing_else(examination, {"disconnected"});
}

TEST(DoctorModel, FewObservations) {
  Planted scene;
  scene.change_model([](ColmapModel& model) {
    size_t kept = 0;
    const std::string name = synthetic_photo_name(19);
    filter_observations(model, [&](const ColmapImage& image, uint64_t) { return image.name != name || kept++ < 9; });
  });
  const doctor::Examination examination = scene.examine();
  const doctor::Finding* finding = find_check(examination, "few_points");
  ASSERT_NE(finding, nullptr) << describe_text(examination);
  EXPECT_EQ(names_in(examination, *finding), photo_names({19}));
}

TEST(DoctorModel, CameraOfItsOwn) {
  Planted scene;
  scene.change_model([](ColmapModel& model) {
    for (ColmapImage& image : model.images) {
      if (image.camera_id == image.id) continue;
      ColmapCamera own = model.cameras[0];
      own.id = 100 + image.id;
      image.camera_id = own.id;
      model.cameras.push_back(own);
    }
  });
  const doctor::Examination examination = scene.examine();
  EXPECT_NE(find_check(examination, "camera_per_image"), nullptr);
  expect_nothing_else(examination, {});
}

TEST(DoctorModel, PrincipalPoint) {
  Planted scene;
  scene.change_model([](ColmapModel& model) { model.cameras[0].params[2] += 80; });
  EXPECT_NE(find_check(scene.examine(), "principal_point"), nullptr);
}

TEST(DoctorModel, HeldOutSplit) {
  Planted scene;
  write_contents(scene.path() / "held_out.txt", "photo_0000.jpg\nphoto_0001.jpg\nphoto_0002.jpg\n");
  doctor::ExamineOptions options;
  options.split = (scene.path() / "held_out.txt").string();
  EXPECT_EQ(find_check(scene.examine(options), "unseen_when_held_out"), nullptr);
  scene.change_model([](ColmapModel& model) {
    filter_observations(model, [](const ColmapImage& image, uint64_t point) {
      return (image.name < synthetic_photo_name(3)) == (point % 4 == 0);
    });
  });
  expect_found(scene.examine(options), "unseen_when_held_out", Severity::harmful, {0, 1, 2});
}

TEST(DoctorModel, WithoutTracks) {
  Planted scene;
  scene.change_model(strip_tracks);
  const doctor::Examination sound = scene.examine();
  EXPECT_TRUE(sound.diagnosis.fit_is_advisable());
  expect_nothing_else(sound, {});
  EXPECT_NE(describe_text(sound).find("no tracks"), std::string::npos);
  std::filesystem::rename(scene.photo_path(3), scene.path() / "other.jpg");
  std::filesystem::rename(scene.photo_path(17), scene.photo_path(3));
  std::filesystem::rename(scene.path() / "other.jpg", scene.photo_path(17));
  scene.change_model([](ColmapModel& model) { move_pose(image_named(model, 25), {0, 0, 0}, {0, 1, 0}, 12); });
  const doctor::Examination examination = scene.examine();
  expect_found(examination, "swapped_photo", Severity::severe, {3, 17});
  expect_found(examination, "photo_misfit", Severity::severe, {25});
}

TEST(DoctorModel, WhatCannotBeRead) {
  Planted scene;
  const std::string bytes = file_contents(scene.model_path() / "images.bin");
  write_contents(scene.model_path() / "images.bin", bytes.substr(0, bytes.size() / 2));
  expect_input_error([&] { scene.examine(); }, {"images.bin"});
  EXPECT_THROW(scene.examine(), doctor::CannotExamine);
  EXPECT_THROW(doctor::open_scene_to_examine(scene.path() / "nowhere", {}), doctor::CannotExamine);
  write_contents(scene.model_path() / "images.bin", bytes);
  doctor::ExamineOptions options;
  options.split = "no_such_split";
  EXPECT_THROW(scene.examine(options), doctor::CannotExamine);
}

}  // namespace

}  // namespace ptl::testing
