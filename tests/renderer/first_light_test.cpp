// What a fit begins with in light, from photos of a wall whose exposures are known.
#include "renderer/first_light.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "datasets/image_io.h"
#include "datasets/prepare.h"
#include "datasets/scene_loader.h"
#include "datasets/split.h"
#include "renderer/checkpoint.h"
#include "renderer/model_file.h"
#include "tests/support/fit_scene.h"
#include "tests/support/temporary_folder.h"

namespace ptl::testing {
namespace {

/// Stops by which a photo is darker than the others.
double darker_ev(int image) { return 0.15 * ((image * 7) % 5) - 0.3; }

class FirstLightTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_fit_scene(folder_ / "scene", {.images = 16, .width_px = 160, .height_px = 120, .points = 30000});
    for (int i = 0; i < 16; ++i) {
      const std::filesystem::path path = folder_ / "scene/images" / fmt::format("photo_{:03d}.png", i);
      Image photo = to_float(read_image(path));
      // The wall at half the radiance, so that nothing becomes white.
      for (float& value : photo.pixels) value *= static_cast<float>(std::exp2(-(1 + darker_ev(i)) / initial_response_gamma));
      write_png(path, photo);
    }
  }
  SceneModel model() {
    scene_ = load_scene(folder_ / "scene");
    return make_scene_model(scene_, make_split(scene_, "every8"), prepare_points(scene_, {}), config_, 4);
  }
  TemporaryFolder folder_;
  Scene scene_;
  FitConfig config_ = preset_config("quick");
};

TEST_F(FirstLightTest, PhotosWithoutExifTellTheirExposures) {
  SceneModel made = model();
  const std::string fingerprint = scene_fingerprint(made);
  ImageCache photos(image_sources(scene_), 1 << 28);
  const std::string found = find_first_light(made, photos);
  EXPECT_NE(found.find("exposures differ from each other by 0."), std::string::npos) << found;
  double mean = 0;
  const std::vector<int64_t> training = made.training_images();
  for (const int64_t i : training) mean += darker_ev(static_cast<int>(i)) / static_cast<double>(training.size());
  // Without EXIF the exponent is what responses usually have: exposures are right but for a factor near 1.
  double product = 0, square = 0;
  const auto known = [&](int64_t i) { return darker_ev(static_cast<int>(i)) - mean; };
  const auto seen = [&](int64_t i) { return made.tone->exposure_ev[i].item<double>() - made.radiance_ev; };
  for (const int64_t i : training) {
    product += seen(i) * known(i);
    square += known(i) * known(i);
  }
  EXPECT_NEAR(product / square, 1, 0.15);
  for (const int64_t i : training) {
    EXPECT_NEAR(seen(i) / (product / square), known(i), 0.01) << i;
    EXPECT_NEAR(made.tone->white_balance[i][0].item<double>(), 1, 0.02);
  }
  for (const int64_t i : made.held_out_images()) EXPECT_FALSE(made.images[static_cast<size_t>(i)].first_exposure_ev);
  EXPECT_TRUE(made.tone->exposures_vary());
  EXPECT_EQ(scene_fingerprint(made), fingerprint) << "the scene is what it was";

  // As a resumed fit reads it: the gauge holds on to the same exposures.
  write_model(folder_ / "a.safetensors", made);
  SceneModel read = read_model(folder_ / "a.safetensors");
  for (SceneModel* one : {&made, &read}) {
    const torch::NoGradGuard no_gradient;
    one->tone->exposure_ev.mul_(1.2);
    one->tone->fix_gauge(ExponentGauge::exposure_slope);
  }
  EXPECT_TRUE(torch::equal(made.tone->exposure_ev, read.tone->exposure_ev));
  for (const int64_t i : training) EXPECT_EQ(made.images[static_cast<size_t>(i)].first_exposure_ev, read.images[static_cast<size_t>(i)].first_exposure_ev);
}

TEST_F(FirstLightTest, GroupsThatAreFrozenStay) {
  config_.groups.exposure.frozen = config_.groups.response.frozen = config_.groups.vignette.frozen = config_.groups.white_balance.frozen = true;
  SceneModel made = model();
  ImageCache photos(image_sources(scene_), 1 << 28);
  EXPECT_EQ(find_first_light(made, photos), "");
  config_.groups.white_balance.frozen = false;
  SceneModel other = model();
  EXPECT_NE(find_first_light(other, photos), "");
  EXPECT_TRUE(torch::equal(other.tone->exposure_ev, made.tone->exposure_ev));
  EXPECT_TRUE(torch::equal(other.tone->response, made.tone->response));
  EXPECT_TRUE(torch::equal(other.tone->vignette, made.tone->vignette));
}

TEST_F(FirstLightTest, WhatIsHiddenOrMaskedDoesNotCount) {
  SceneModel made = model();
  ImageCache photos(image_sources(scene_), 1 << 28);
  const LightProblem whole = light_problem(made, photos, made.training_images());
  ASSERT_GT(whole.sightings.size(), 1000u);
  for (const LightSighting& sighting : whole.sightings) {
    EXPECT_GE(sighting.point, 0);
    EXPECT_LT(sighting.point, whole.points);
  }
  // Halves of all photos are masked.
  for (int i = 0; i < 16; ++i) {
    Image mask(160, 120, 1, 1.0f);
    for (int y = 0; y < 120; ++y)
      for (int x = 0; x < 80; ++x) mask.at(x, y, 0) = 0;
    write_png(folder_ / "scene/masks" / fmt::format("photo_{:03d}.png.png", i), mask);
  }
  SceneModel masked_model = model();
  ImageCache masked_photos(image_sources(scene_), 1 << 28);
  const LightProblem masked = light_problem(masked_model, masked_photos, masked_model.training_images());
  EXPECT_LT(masked.sightings.size(), whole.sightings.size() * 6 / 10);
  for (const LightSighting& sighting : masked.sightings) EXPECT_GT(sighting.position.x, 0);
}

TEST_F(FirstLightTest, APointBehindAnotherIsNotLookedAt) {
  SceneModel made = model();
  ImageCache photos(image_sources(scene_), 1 << 28);
  const size_t before = light_problem(made, photos, made.training_images()).sightings.size();
  {  // a second wall, a tenth farther away
    const torch::NoGradGuard no_gradient;
    const torch::Tensor behind = made.points.position * torch::tensor({1.1f, 1.1f, 1.1f});
    made.points.position = torch::cat({made.points.position, behind}).contiguous();
  }
  const size_t after = light_problem(made, photos, made.training_images()).sightings.size();
  EXPECT_LT(after, before * 7 / 10) << "half of the points are hidden";
  EXPECT_GT(after, before * 3 / 10);
}

}  // namespace
}  // namespace ptl::testing
