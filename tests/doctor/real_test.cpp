// The three real scenes: nothing is wrong with them, and what is made wrong in memory is found.
#include <cstdlib>

#include "tests/doctor/planted.h"

namespace ptl::testing {

namespace {

using doctor::Severity;

std::set<std::string> names_of(const doctor::Examination& examination, const char* check) {
  const doctor::Finding* finding = find_check(examination, check);
  return finding ? names_in(examination, *finding) : std::set<std::string>();
}

class DoctorRealScenes : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!std::getenv("PTL_TEST_DATA")) GTEST_SKIP() << "PTL_TEST_DATA names no folder with fox, plush and fountain";
  }
  static doctor::OpenedScene open() {
    LoadOptions options;
    options.format = "colmap";
    return doctor::open_scene_to_examine(std::filesystem::path(std::getenv("PTL_TEST_DATA")) / GetParam(), options);
  }
};

TEST_P(DoctorRealScenes, AreSound) {
  const doctor::Examination examination = doctor::examine(open(), {});
  expect_nothing_else(examination, {});
  EXPECT_EQ(find_check(examination, "rolling_shutter"), nullptr) << describe_text(examination);
  EXPECT_TRUE(examination.diagnosis.fit_is_advisable());
}

TEST_P(DoctorRealScenes, SwappedNeighboursAndATurnedPose) {
  doctor::OpenedScene opened = open();
  auto& images = opened.scene.images;
  std::swap(images[3].photo_path, images[4].photo_path);
  const double angle = 3 * 3.14159265358979323846 / 180;
  images[8].camera_from_world = exp(Tangent<double>{Vec3<double>(0), Vec3<double>(0, angle, 0)}) * images[8].camera_from_world;
  const std::set<std::string> swapped{images[3].name, images[4].name}, turned{images[8].name};
  const doctor::Examination examination = doctor::examine(std::move(opened), {});
  EXPECT_EQ(names_of(examination, "swapped_photo"), swapped) << describe_text(examination);
  EXPECT_EQ(names_of(examination, "pose_disagrees"), turned) << describe_text(examination);
}

INSTANTIATE_TEST_SUITE_P(All, DoctorRealScenes, ::testing::Values("fox", "plush", "fountain"));

}  // namespace

}  // namespace ptl::testing
