// What a fit has found of light, as tables: numbers that were put into a model come out of the files.
#include "renderer/photometry_export.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "datasets/prepare.h"
#include "datasets/scene_loader.h"
#include "datasets/split.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/fit_scene.h"
#include "tests/support/temporary_folder.h"

namespace ptl::testing {
namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

std::vector<std::string> lines(const fs::path& file) {
  std::ifstream stream(file);
  std::vector<std::string> all;
  for (std::string line; std::getline(stream, line);) all.push_back(line);
  return all;
}

class PhotometryExportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_fit_scene(folder_ / "scene");
    const Scene scene = load_scene(folder_ / "scene");
    FitConfig config = preset_config("quick");
    config.environment.enabled = false;
    model_ = make_scene_model(scene, make_split(scene, "every8"), prepare_points(scene, {}), config, 3);
  }
  TemporaryFolder folder_;
  SceneModel model_;
};

TEST_F(PhotometryExportTest, WritesWhatTheModelHolds) {
  const torch::NoGradGuard no_gradient;
  model_.images[1].name = "a \"quoted\", name.png";
  model_.images[1].exif_ev = 12.5;
  model_.mean_exposure_ev = 11;
  model_.tone->exposure_ev[1] = 0.75 + model_.radiance_ev;
  model_.tone->white_balance[1][0] = 1.25;
  model_.tone->white_balance[1][1] = 0.875;
  model_.tone->vignette[0] = torch::tensor({-0.25f, 0.125f, 0.0f, 0.0625f, -0.5f});
  model_.tone->response[0][1][12] = 0.625;
  write_photometry(model_, folder_ / "light" / "of a run");
  const fs::path out = folder_ / "light" / "of a run";

  const std::vector<std::string> images = lines(out / "images.csv");
  ASSERT_EQ(images.size(), 11u);
  EXPECT_EQ(images[0], "image,camera,held_out,exif_ev,fitted_ev,white_balance_red,white_balance_blue");
  EXPECT_EQ(images[1], "photo_000.png,1,1,,,,");  // held out, and without EXIF
  EXPECT_EQ(images[2], "\"a \"\"quoted\"\", name.png\",1,0,12.50000,11.75000,1.25000,0.87500");

  const std::vector<std::string> response = lines(out / "response.csv");
  ASSERT_EQ(response.size(), 26u);
  EXPECT_EQ(response[0], "camera,exposed_radiance,red,green,blue");
  EXPECT_EQ(response[1].substr(0, 18), "camera 1,0.000000,");
  EXPECT_NE(response[13].find(",0.500000,"), std::string::npos) << response[13];
  EXPECT_NE(response[13].find(",0.625000,"), std::string::npos) << response[13];

  const std::vector<std::string> vignette = lines(out / "vignette.csv");
  ASSERT_EQ(vignette.size(), 2u);
  EXPECT_EQ(vignette[1], "camera 1,-0.250000,0.125000,0.000000,0.062500,-0.500000");

  const std::string page = contents(out / "photometry.html");
  for (const char* part : {"Response of camera 1", "Vignette", "Exposure: fitted and from EXIF", "<svg"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
  EXPECT_EQ(page.find("PSNR"), std::string::npos);
}

TEST_F(PhotometryExportTest, SaysWhereItCannotWrite) {
  std::ofstream(folder_ / "file") << "in the way";
  expect_input_error([&] { write_photometry(model_, folder_ / "file"); }, {"file"});
  expect_input_error([&] { write_photometry(model_, folder_ / "file" / "below"); }, {"file"});
}

}  // namespace
}  // namespace ptl::testing
