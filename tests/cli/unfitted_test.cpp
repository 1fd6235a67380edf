// Commands on what was not fitted: a scene, a lone cloud; and the preview of densify.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "datasets/image_io.h"
#include "datasets/ply.h"
#include "datasets/scene_loader.h"
#include "tests/support/fit_scene.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"

namespace ptl::testing {
namespace {

namespace fs = std::filesystem;

const char* const program = PTL_PROGRAM;

class UnfittedCliTest : public ::testing::Test {
 protected:
  void SetUp() override { write_fit_scene(folder_ / "scene"); }
  std::string at(const std::string& name) const { return (folder_ / name).string(); }
  double psnr_db(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"eval", at("scene"), "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProgramResult result = run_program(program, arguments);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return nlohmann::json::parse(result.output).at("mean").at("psnr").get<double>();
  }
  TemporaryFolder folder_;
};

TEST_F(UnfittedCliTest, AScenesViewsAreRenderedAndScored) {
  const ProgramResult render =
      run_program(program, {"render", at("scene"), "--view", "photo_003.png", "--out", at("view.png")});
  ASSERT_EQ(render.exit_code, 0) << render.output;
  EXPECT_NE(render.output.find("not fitted; 3000 points through the built-in light network"), std::string::npos) << render.output;
  EXPECT_EQ(read_image(at("view.png")).width, 96);
  const double light = psnr_db({}), unet = psnr_db({"--network", "unet"}), plain = psnr_db({"--plain"});
  EXPECT_NE(light, unet);
  EXPECT_NE(light, plain);
  EXPECT_GT(plain, 18);  // a smooth wall, sampled densely

  // Another cloud, half of it.
  Scene scene = load_scene(folder_ / "scene");
  scene.cloud.position.resize(1500);
  scene.cloud.color.resize(1500);
  write_ply(at("half.ply"), scene.cloud, scene.origin_world);
  EXPECT_NE(psnr_db({"--points", at("half.ply")}), light);
}

TEST_F(UnfittedCliTest, ALoneCloudIsRenderedFromAnOverview) {
  const Scene scene = load_scene(folder_ / "scene");
  write_ply(at("cloud.ply"), scene.cloud, scene.origin_world);
  for (const char* kind : {"neural", "plain", "depth"}) {
    const ProgramResult render = run_program(
        program, {"render", at("cloud.ply"), "--view", "overview", "--width", "320", "--kind", kind, "--out", at("view.png")});
    ASSERT_EQ(render.exit_code, 0) << render.output;
    EXPECT_EQ(read_image(at("view.png")).height, 180);
  }
  expect_refused(run_program(program, {"render", at("cloud.ply"), "--out", at("x.png")}), {"--view", "overview"});
  expect_refused(run_program(program, {"eval", at("cloud.ply")}), {"cloud.ply", "no photos"});
  expect_refused(run_program(program, {"render", at("nowhere.ply"), "--view", "overview", "--out", at("x.png")}), {"nowhere.ply"});
}

TEST_F(UnfittedCliTest, DensifyShowsItsPoints) {
  const ProgramResult synth = run_program(
      program, {"synth", "--out", at("place"), "--photos", "10", "--width", "240", "--height", "160", "--samples", "1"});
  ASSERT_EQ(synth.exit_code, 0) << synth.output;
  expect_refused(run_program(program, {"densify", at("place"), "--out", at("p.ply"), "--preview", at("p.bmp")}), {"--preview", "p.bmp"});
  EXPECT_FALSE(fs::exists(at("p.ply")));
  const ProgramResult densify =
      run_program(program, {"densify", at("place"), "--out", at("p.ply"), "--preview", at("preview.png")});
  ASSERT_EQ(densify.exit_code, 0) << densify.output;
  const StoredImage picture = read_image(at("preview.png"));
  EXPECT_EQ(picture.width, 2 * 240 + 8);
  EXPECT_EQ(picture.height, 3 * 160 + 2 * 8);
}

/// A fit says what its network begins with, and goes on with it.
TEST_F(UnfittedCliTest, FitsBeginWithTheBuiltInNetwork) {
  const std::vector<std::string> small = {"--set", "crop.size_px=64", "--set", "environment.height=16", "--set",
                                          "environment.width=32", "--no-report", "--no-densify"};
  const auto fit = [&](std::vector<std::string> arguments) {
    std::vector<std::string> all = {"fit", at("scene")};
    all.insert(all.end(), arguments.begin(), arguments.end());
    all.insert(all.end(), small.begin(), small.end());
    return run_program(program, all);
  };
  const ProgramResult builtin = fit({"--out", at("builtin"), "--steps", "3"});
  ASSERT_EQ(builtin.exit_code, 0) << builtin.output;
  EXPECT_NE(builtin.output.find("the network begins as the built-in light"), std::string::npos) << builtin.output;
  const ProgramResult resumed = fit({"--out", at("builtin"), "--resume", "--preset", "quick", "--steps", "5"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.output;
  const ProgramResult channels = fit({"--out", at("channels"), "--steps", "3", "--set", "raster.channels=4"});
  ASSERT_EQ(channels.exit_code, 0) << channels.output;
  EXPECT_NE(channels.output.find("random weights: raster.channels is 4"), std::string::npos) << channels.output;
  expect_refused(fit({"--out", at("no"), "--steps", "3", "--network-init", "builtin", "--set", "raster.channels=4"}),
                 {"--network-init builtin", "raster.channels"});
}

}  // namespace
}  // namespace ptl::testing
