// Faults of clouds, planted one at a time; clouds in memory where no file can hold the fault.
#include <cmath>
#include <limits>

#include "doctor/checks.h"
#include "kernels/hash.h"
#include "tests/doctor/planted.h"
#include "tests/support/expect_input_error.h"

namespace ptl::testing {

namespace {

using doctor::Severity;

double draw(size_t i, uint64_t number) {
  return static_cast<double>(draw_unit(7, DrawPurpose::synthetic, i, number));
}

/// The finding is there, and of this severity.
void expect_check(const doctor::Examination& examination, const std::string& check, Severity severity) {
  const doctor::Finding* finding = find_check(examination, check);
  ASSERT_NE(finding, nullptr) << check << " was not found; found was\n" << describe_text(examination);
  EXPECT_EQ(doctor::severity_name(finding->severity), std::string(doctor::severity_name(severity)))
      << describe_text(examination);
}

TEST(DoctorPoints, Outliers) {
  Planted scene;
  scene.change_cloud([](PointCloud& cloud) {
    // As many in each decade of distances: at none of them are they each other's near neighbours.
    for (size_t i = 0; i < cloud.size(); i += 30)
      cloud.position[i] += Vec3<float>(Vec3<double>(draw(i, 0) - 0.5, draw(i, 1) - 0.5, draw(i, 2) - 0.5) * std::pow(10.0, 1.5 + 2.5 * draw(i, 3)));
  });
  expect_check(scene.examine(), "isolated_points", Severity::harmful);
}

TEST(DoctorPoints, Behind) {
  Planted scene;
  size_t first = 0;
  scene.change_cloud([&](PointCloud& cloud) {
    first = cloud.size();
    for (size_t i = 0; i < first / 40; ++i) {
      cloud.position.emplace_back(static_cast<float>(i % 7), static_cast<float>(i % 11), 500.0f);
      cloud.color.push_back({200, 30, 30});
      if (!cloud.normal.empty()) cloud.normal.emplace_back(0, 0, 1);
    }
  });
  const doctor::Examination examination = scene.examine();
  expect_check(examination, "points_behind", Severity::harmful);
  EXPECT_EQ(check_found(examination, "points_behind").points.front(), first);
}

TEST(DoctorPoints, FarAway) {
  Planted scene;
  scene.change_cloud([](PointCloud& cloud) { cloud.position[123] = {4e5f, 0, 0}; });
  const doctor::Examination examination = scene.examine();
  expect_check(examination, "far_points", Severity::note);
  EXPECT_EQ(check_found(examination, "far_points").points, std::vector<size_t>{123});
}

TEST(DoctorPoints, TooFew) {
  Planted scene;
  scene.change_cloud([](PointCloud& cloud) {
    const size_t step = cloud.size() / 60;
    PointCloud few;
    for (size_t i = 0; i < cloud.size(); i += step)
      few.position.push_back(cloud.position[i]), few.color.push_back(cloud.color[i]);
    cloud = few;
  });
  expect_check(scene.examine(), "too_few_points", Severity::severe);
}

TEST(DoctorPoints, Duplicated) {
  Planted scene;
  scene.change_cloud([](PointCloud& cloud) {
    for (size_t i = 0, count = cloud.size(); i < count; ++i) {
      cloud.position.push_back(Vec3<float>(cloud.position[i]));
      cloud.color.push_back(std::array<uint8_t, 3>(cloud.color[i]));
      if (!cloud.normal.empty()) cloud.normal.push_back(Vec3<float>(cloud.normal[i]));
    }
  });
  expect_check(scene.examine(), "duplicate_points", Severity::harmful);
}

TEST(DoctorPoints, BeforeTheLens) {
  Planted scene;
  const Scene read = load_scene(scene.path());
  scene.change_cloud([&](PointCloud& cloud) {
    const Pose<double> world = inverse(read.images[6].camera_from_world);
    for (size_t i = 0; i < cloud.size() / 20; ++i)
      cloud.position[i * 20] = Vec3<float>(
          world * Vec3<double>(1e-3 * (draw(i, 0) - 0.5), 1e-3 * (draw(i, 1) - 0.5), 0.01) + read.origin_world);
  });
  const doctor::Examination examination = scene.examine();
  expect_check(examination, "near_points", Severity::harmful);
  EXPECT_TRUE(names_in(examination, *find_check(examination, "near_points")).count(synthetic_photo_name(6)));
}

TEST(DoctorPoints, WithoutColors) {
  Planted scene;
  scene.change_cloud([](PointCloud& cloud) {
    for (auto& color : cloud.color) color = {128, 128, 128};
  });
  const doctor::Examination examination = scene.examine();
  expect_check(examination, "no_colors", Severity::note);
  expect_nothing_else(examination, {});
}

TEST(DoctorPoints, BarePhoto) {
  Planted scene;
  scene.change_model([](ColmapModel& model) {
    move_pose(image_named(model, 4), {0, 0, 0}, {1, 0, 0}, -75);
  });  // to the sky
  expect_found(scene.examine(), "bare_photo", Severity::harmful, {4});
}

TEST(DoctorPoints, NanInAFile) {
  Planted scene;
  write_contents(
      scene.path() / "points.ply",
      "ply\nformat ascii 1.0\nelement vertex 2\nproperty float x\nproperty float y\nproperty float z\nend_header\n"
      "0 0 0\nnan 1 2\n");
  expect_input_error([&] { scene.examine(); }, {"points.ply", "vertex 1", "finite"});
}

TEST(DoctorPoints, InMemory) {
  Planted planted;
  doctor::OpenedScene opened = doctor::open_scene_to_examine(planted.path(), {});
  opened.scene.cloud.position[55].y = std::numeric_limits<float>::quiet_NaN();
  doctor::ExamineOptions quick;
  quick.quick = true;
  const doctor::Examination examination = doctor::examine(opened, quick);
  expect_check(examination, "not_finite", Severity::severe);
  EXPECT_EQ(check_found(examination, "not_finite").points, std::vector<size_t>{55});

  opened = doctor::open_scene_to_examine(planted.path(), {});
  opened.scene.cloud.normal.assign(opened.scene.cloud.size(), Vec3<float>(0, 0, 1.2f));
  expect_check(doctor::examine(opened, quick), "normals", Severity::note);
}

TEST(DoctorPoints, LargeAgainstItsDetail) {
  Planted planted;
  doctor::OpenedScene opened = doctor::open_scene_to_examine(planted.path(), {});
  const Vec3<double> away(4e6, 0, 0);  // as if the origin had not been subtracted
  for (Vec3<float>& position : opened.scene.cloud.position) position += Vec3<float>(away);
  for (SparsePoint& point : opened.scene.sparse_points) point.position += away;
  for (SceneImage& image : opened.scene.images)
    image.camera_from_world.translation -= image.camera_from_world.rotation * away;
  doctor::ExamineOptions quick;
  quick.quick = true;
  expect_check(doctor::examine(opened, quick), "precision", Severity::harmful);
}

}  // namespace

}  // namespace ptl::testing
