// Scenes and clouds without any fit: brightness, thinning, where a lone cloud is looked at from, plain pictures.
#include "renderer/unfitted_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "datasets/ply.h"
#include "datasets/point_filter.h"
#include "renderer/cloud_overview.h"
#include "renderer/environment_colors.h"
#include "renderer/evaluate.h"
#include "renderer/model_file.h"
#include "renderer/picture.h"
#include "renderer/preview.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/fit_scene.h"
#include "tests/support/temporary_folder.h"

namespace ptl::testing {
namespace {

namespace fs = std::filesystem;

TEST(Radiance, TheMedianLuminanceBecomesTheOneThatPretrainedNetworksKnow) {
  // Linear luminances 0.09, 0.36 and 0.045: the median is half of 0.18.
  const auto grey = [](double linear) { return Vec3<float>(static_cast<float>(std::pow(linear, 1 / 2.2))); };
  EXPECT_NEAR(radiance_ev_of({grey(0.36), grey(0.09), grey(0.045)}), 1, 1e-4);
  EXPECT_EQ(radiance_ev_of({grey(0)}), 4);
  EXPECT_NEAR(radiance_ev_of({grey(1)}), std::log2(0.18), 1e-5);
  EXPECT_NEAR(color_descriptor(0.5f, 1, false), 2 * std::pow(0.5, 2.2), 1e-6);
}

class UnfittedTest : public ::testing::Test {
 protected:
  void SetUp() override { write_fit_scene(folder_ / "scene"); }
  SceneModel model(const fs::path& path, int64_t most_points = 1 << 30) {
    UnfittedOptions options;
    options.most_points = most_points;
    std::string missing;
    Scene scene = open_unfitted(path, options.scene, missing);
    return unfitted_model(scene, options);
  }
  fs::path cloud(const Vec3<double>& shift = Vec3<double>(0)) {
    const Scene scene = open_scene(folder_ / "scene", {});
    PointCloud moved = scene.cloud;
    write_ply(folder_ / "cloud.ply", moved, scene.origin_world + shift, {});
    return folder_ / "cloud.ply";
  }
  TemporaryFolder folder_;
};

TEST_F(UnfittedTest, ExposuresUndoWhatTheRadianceGained) {
  const SceneModel made = model(folder_ / "scene");
  EXPECT_NE(made.radiance_ev, 0);
  EXPECT_NEAR(made.tone->exposure_ev[0].item<double>(), made.radiance_ev, 1e-6);
  EXPECT_NEAR(photometric_setting(made, made.held_out_images()[0], ExposureProtocol::exif).exposure_ev, made.radiance_ev, 1e-6);
  // Drawn plainly, the points have the wall's colours again.
  const RenderView view = photo_view(made, 4);
  PictureLight light;
  light.image = 4;
  light.setting = photometric_setting(made, 4, ExposureProtocol::exif);
  const Image plain = *ViewPictures(made, view).plain(light);
  const Image photo = open_photos(made, {})->photo(4);
  double error = 0;
  for (size_t i = 0; i < plain.pixels.size(); ++i) error += std::abs(plain.pixels[i] - photo.pixels[i]);
  EXPECT_LT(error / static_cast<double>(plain.pixels.size()), 0.05);
  write_model(folder_ / "model.safetensors", made);
  EXPECT_EQ(read_model(SafetensorsFile(folder_ / "model.safetensors"), torch::kCPU).radiance_ev, made.radiance_ev);
}

TEST_F(UnfittedTest, PlainPicturesAreTheFinestLayerAndScoredWhenAsked) {
  const SceneModel made = model(folder_ / "scene");
  const RenderView view = photo_view(made, 0);
  torch::NoGradGuard no_gradient;
  const FilledPyramid pyramid = render_pyramid(made, view, nullptr);
  const torch::Tensor plain = plain_radiance(pyramid, view);
  ASSERT_EQ(plain.sizes(), (std::vector<int64_t>{3, view.crop.height_px, view.crop.width_px}));
  for (const int64_t y : {0, 10, 71})
    for (const int64_t x : {0, 50, 95})
      for (int64_t c = 0; c < 3; ++c)
        EXPECT_EQ(plain[c][y][x].item<float>(), pyramid.features[y * pyramid.raster.shape.width_px + x][c].item<float>());
  const auto photos = open_photos(made, {});
  EvaluateOptions options;
  options.plain = true;
  const double psnr_db = evaluate(made, *photos, options).mean.psnr_db;
  EXPECT_GT(psnr_db, 18);
  EXPECT_NE(psnr_db, evaluate(made, *photos, {}).mean.psnr_db);
}

/// The wall's left half has no points: there the background shows what the photos show, at infinity.
TEST_F(UnfittedTest, TheBackgroundBeginsWithWhatPhotosShowWhereNoPointIs) {
  const fs::path folder = folder_ / "scene";
  Scene scene = open_scene(folder, {});
  std::vector<uint8_t> kept;
  for (const Vec3<float>& position : scene.cloud.position) kept.push_back(position.x + scene.origin_world.x > 0);
  keep_flagged(scene.cloud.position, kept);
  keep_flagged(scene.cloud.color, kept);
  UnfittedOptions options;
  ImageCache photos(image_sources(scene), 1 << 24);
  options.photos = &photos;
  const SceneModel model = unfitted_model(scene, options);
  // By the definition, for some directions, one photo after the other, at the photos' own size (it is below the limit).
  const EnvironmentShape shape{256, 512, static_cast<int32_t>(model.background->texels.size(2))};
  int compared = 0, empty = 0;
  for (int32_t y = 100; y < 156; y += 7)
    for (int32_t x = 200; x < 312; x += 7) {
      const Vec3<double> direction = environment_direction<double>(shape, x, y);
      const EnvironmentSample<double> back = environment_sample(shape, direction);
      EXPECT_NEAR(back.x[0] + back.weight_x, x, 1e-6);
      EXPECT_NEAR(back.y[0] + back.weight_y, y, 1e-6);
      Vec3<double> of_holes(0), of_points(0);
      int holes = 0, points = 0;
      for (const int64_t image : model.training_images()) {
        const RenderView view = photo_view(model, image);
        const Projection<double> at = project(view.camera, view.camera_from_world.rotation * direction);
        if (!at.valid || at.x_px < 0 || at.y_px < 0 || at.x_px >= 96 || at.y_px >= 72) continue;
        const int column = static_cast<int>(at.x_px), row = static_cast<int>(at.y_px), coarsest = model.layers - 1;
        const Pyramid raster = render_pyramid(model, view, nullptr).raster;
        const int64_t cell = raster.shape.first(coarsest) + (row >> coarsest) * raster.shape.width(coarsest) + (column >> coarsest);
        const bool hole = raster.weight[cell].item<int>() == 0;
        const Image photo = photos.photo(static_cast<int>(image));
        for (int c = 0; c < 3; ++c)
          (hole ? of_holes : of_points)[c] += std::pow(static_cast<double>(photo.at(column, row, c)), 2.2) * std::exp2(model.radiance_ev);
        (hole ? holes : points) += 1;
      }
      if (holes + points == 0) continue;
      ++compared;
      empty += holes > 0;
      for (int c = 0; c < 3; ++c)
        EXPECT_NEAR(model.background->texels[y][x][c].item<double>(),
                    (of_holes[c] + 1e-3 * of_points[c]) / (holes + 1e-3 * points), 1e-5);
    }
  EXPECT_GT(compared, 20);
  EXPECT_GT(empty, 5);
}

TEST_F(UnfittedTest, LargeCloudsAreThinnedAlikeEachTime) {
  const SceneModel some = model(folder_ / "scene", 1000), again = model(folder_ / "scene", 1000);
  EXPECT_GT(some.points.size(), 850);
  EXPECT_LT(some.points.size(), 1150);
  EXPECT_TRUE(torch::equal(some.points.position, again.points.position));
}

TEST_F(UnfittedTest, ALoneCloudIsSeenWhole) {
  const fs::path file = cloud({5e6, 0, -2e5});  // coordinates as surveyors have them
  EXPECT_TRUE(is_unfitted(file));
  EXPECT_TRUE(is_unfitted(folder_ / "scene"));
  EXPECT_FALSE(is_unfitted(folder_ / "nowhere"));
  EXPECT_FALSE(is_unfitted(folder_ / "model.safetensors"));
  const SceneModel made = model(file);
  ASSERT_EQ(made.images.size(), 1u);
  EXPECT_EQ(made.images[0].name, overview_name);
  EXPECT_NEAR(made.origin_world.x, 5e6, 100);
  const RenderView view = photo_view(made, 0);
  int seen = 0;
  const PointCloud points = model_cloud(made);
  for (const Vec3<float>& p : points.position) {
    const Projection<double> at = project(view.camera, view.camera_from_world * Vec3<double>(p));
    seen += at.valid && at.x_px >= 0 && at.x_px < view.camera.width_px && at.y_px >= 0 && at.y_px < view.camera.height_px;
  }
  EXPECT_GT(seen, static_cast<int>(points.size()) * 85 / 100);
  const Image picture = *ViewPictures(made, view).plain({{made.radiance_ev, {1, 1}}, 0});
  EXPECT_EQ(picture.width, 1280);
}

/// The floor of a room lies flat, its normals point up: the camera is above and sees up as up.
TEST(Overview, TheFlattestDirectionIsVertical) {
  PointCloud cloud;
  for (int i = 0; i < 4000; ++i) {
    const auto draw = [&](uint64_t n) { return draw_unit(3, DrawPurpose::synthetic, static_cast<uint64_t>(i), n); };
    cloud.position.emplace_back(0.2f * draw(0), 10 * draw(1), 8 * draw(2));  // flat along x
    cloud.color.push_back({128, 128, 128});
    cloud.normal.emplace_back(-1.0f, 0.0f, 0.0f);
  }
  const Pose<double> pose = overview_pose(cloud, 50, 1.5);
  const Vec3<double> up(-1, 0, 0), down_of_camera(pose.rotation[0][1], pose.rotation[1][1], pose.rotation[2][1]);
  EXPECT_LT(glm::dot(down_of_camera, up), -0.85);  // cos of 25 degrees is 0.906
  EXPECT_GT(glm::dot(camera_centre(pose), up), 1);
  EXPECT_NEAR(glm::determinant(pose.rotation), 1, 1e-9);
}

TEST_F(UnfittedTest, PreviewsShowPhotosAndPictures) {
  const SceneModel made = model(folder_ / "scene");
  const auto photos = open_photos(made, {});
  EXPECT_EQ(preview_images(made, 2), made.held_out_images());
  EXPECT_EQ(preview_images(made, 3).size(), 3u);
  const Image picture = preview_picture(made, *photos, preview_images(made, 2), 48);
  EXPECT_EQ(picture.width, 48 + 8 + 48);
  EXPECT_EQ(picture.height, 36 + 8 + 36);
  const Image photo = photos->photo(0);  // halved: the mean of four
  const float mean = (photo.at(20, 10, 1) + photo.at(21, 10, 1) + photo.at(20, 11, 1) + photo.at(21, 11, 1)) / 4;
  EXPECT_NEAR(picture.at(10, 5, 1), mean, 1e-5);
}

TEST_F(UnfittedTest, MissingPhotosAndEmptyCloudsAreTold) {
  fs::remove_all(folder_ / "scene" / "images");
  const Shown shown = open_shown(folder_ / "scene", {});
  EXPECT_FALSE(shown.fitted);
  EXPECT_NE(shown.photos_missing.find("images: no such folder"), std::string::npos) << shown.photos_missing;
  write_contents(folder_ / "letter.ply", "Dear reader");
  expect_input_error([&] { open_shown(folder_ / "letter.ply", {}); }, {"letter.ply"});
  expect_input_error([&] { open_shown(folder_ / "nowhere", {}); }, {"nowhere", "no such"});
}

}  // namespace
}  // namespace ptl::testing
