// pointillist synth with a moving camera: what is written, and what is refused.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/run_program.h"

namespace ptl::testing {
namespace {

namespace fs = std::filesystem;
const std::string program = PTL_PROGRAM;

ProgramResult run_synth(const fs::path& out, std::vector<std::string> options) {
  options.insert(options.begin(), {"synth", "--out", out.string(), "--photos", "3", "--width", "96", "--height", "64",
                                   "--samples", "1"});
  return run_program(program, options);
}

nlohmann::json images_of(const fs::path& scene) {
  std::ifstream stream(scene / "truth.json");
  return nlohmann::json::parse(stream)["images"];
}

TEST(SynthCommand, TruthOfMovingCameras) {
  TemporaryFolder folder;
  const ProgramResult moving = run_synth(folder / "moving", {"--rolling-shutter", "6", "--motion-blur", "3"});
  ASSERT_EQ(moving.exit_code, 0) << moving.output;
  const nlohmann::json images = images_of(folder / "moving");
  ASSERT_EQ(images.size(), 3u);
  std::array<double, 6> first{};
  for (const nlohmann::json& image : images) {
    const auto readout = image["readout_motion"].get<std::array<double, 6>>(),
               exposure = image["exposure_motion"].get<std::array<double, 6>>();
    double largest = 0;
    for (size_t k = 0; k < 6; ++k) {
      EXPECT_NEAR(exposure[k], readout[k] / 2, 1e-12);
      largest = std::max(largest, std::fabs(readout[k]));
    }
    EXPECT_GT(largest, 0.01);  // 3 px and more of a focal length of 71 px
    EXPECT_LT(largest, 0.5);
    EXPECT_NE(readout, first) << "each photo has its own";
    first = readout;
  }
  const ProgramResult still = run_synth(folder / "still", {});
  ASSERT_EQ(still.exit_code, 0) << still.output;
  for (const nlohmann::json& image : images_of(folder / "still")) {
    EXPECT_EQ(image["readout_motion"], nlohmann::json(std::array<double, 6>{}));
    EXPECT_EQ(image["exposure_motion"], nlohmann::json(std::array<double, 6>{}));
  }
  EXPECT_NE(file_contents(folder / "still/images/photo_0001.jpg"),
            file_contents(folder / "moving/images/photo_0001.jpg"));
}

TEST(SynthCommand, RefusesMotionsOutOfRange) {
  TemporaryFolder folder;
  for (const char* option : {"--rolling-shutter", "--motion-blur"}) {
    const ProgramResult result = run_synth(folder / "scene", {option, "9"});
    EXPECT_NE(result.exit_code, 0);
    EXPECT_NE(result.output.find(std::string(option) +
                                 ": expected 0 to an eighth of the photos' shorter side in pixels, found 9"),
              std::string::npos)
        << result.output;
    EXPECT_FALSE(fs::exists(folder / "scene"));
  }
}

}  // namespace
}  // namespace ptl::testing
