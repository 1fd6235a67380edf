// Scenes of HDR photos as a user meets them: fit, scores, pictures and linear radiance; and what is refused.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "tests/support/fit_scene.h"
#include "tests/support/run_program.h"

namespace ptl::testing {
namespace {

namespace fs = std::filesystem;
const std::string program = PTL_PROGRAM;

class HdrCliTest : public ::testing::Test {
 protected:
  void SetUp() override { write_fit_scene(scene(), {10, 96, 72, 3000, true}); }
  fs::path scene() const { return folder_ / "scene"; }
  fs::path photo(const std::string& name) const { return scene() / "images" / name; }
  std::string at(const std::string& name) const { return (folder_ / name).string(); }
  ProgramResult fit(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"fit",   scene().string(),       "--out",       at("run"),
                                          "--set", "crop.size_px=64",      "--set",       "environment.height=16",
                                          "--set", "environment.width=32", "--no-densify"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(program, arguments);
  }
  /// Its output.
  std::string done(const std::vector<std::string>& arguments) const {
    const ProgramResult result = run_program(program, arguments);
    EXPECT_EQ(result.exit_code, 0) << arguments.front() << "\n" << result.output;
    return result.output;
  }
  TemporaryFolder folder_;
};

/// Whether a group is frozen in the run's config.toml.
bool frozen(const fs::path& run, const std::string& group) {
  const std::string settings = file_contents(run / "config.toml");
  const size_t begin = settings.find("[groups." + group + "]");
  EXPECT_NE(begin, std::string::npos) << group;
  return settings.find("frozen = true", begin) < settings.find("[groups.", begin + 1);
}

struct Agreement {
  double correlation = 0, bias_stops = 0;
};

/// Of the logarithms of two pictures' radiance.
Agreement agreement(const Image& a, const Image& b) {
  double sum[2] = {}, square[2] = {}, product = 0;
  const auto count = static_cast<double>(a.pixels.size());
  for (size_t i = 0; i < a.pixels.size(); ++i) {
    const double x = std::log2(static_cast<double>(a.pixels[i])), y = std::log2(static_cast<double>(b.pixels[i]));
    sum[0] += x / count, sum[1] += y / count;
    square[0] += x * x / count, square[1] += y * y / count, product += x * y / count;
  }
  const double covariance = product - sum[0] * sum[1];
  return {covariance / std::sqrt((square[0] - sum[0] * sum[0]) * (square[1] - sum[1] * sum[1])), sum[0] - sum[1]};
}

TEST_F(HdrCliTest, AFitGivesLinearRadianceInTheScaleOfTheFiles) {
  const ProgramResult fitted = fit({"--steps", "80"});
  ASSERT_EQ(fitted.exit_code, 0) << fitted.output;
  EXPECT_NE(fitted.output.find("HDR (OpenEXR) and log-coded"), std::string::npos) << fitted.output;
  for (const char* group : {"exposure", "white_balance", "response"})
    EXPECT_TRUE(frozen(folder_ / "run", group)) << group;
  const std::string table = done({"eval", at("run")});
  EXPECT_NE(table.find("values: log-coded"), std::string::npos) << table;
  const nlohmann::json result = nlohmann::json::parse(done({"eval", at("run"), "--json"}));
  EXPECT_EQ(result.at("protocol").at("values").get<std::string>().rfind("log-coded, ", 0), 0u);
  EXPECT_NE(file_contents(folder_ / "run" / "report.html").find("values log-coded"), std::string::npos);

  done({"render", at("run"), "--view", "photo_008.exr", "--out", at("view.exr")});
  const Agreement found = agreement(read_exr(at("view.exr")), read_exr(photo("photo_008.exr")));
  EXPECT_GT(found.correlation, 0.97);
  EXPECT_LT(std::abs(found.bias_stops), 0.5);

  // All views in one scale; a brighter picture is another one, but the radiance is what it is.
  done({"render", at("run"), "--view", "photo_008.exr", "--exposure", "2", "--out", at("bright.exr")});
  EXPECT_EQ(read_exr(at("bright.exr")).pixels, read_exr(at("view.exr")).pixels);
  done({"render", at("run"), "--view", "photo_008.exr", "--out", at("view.png")});
  done({"render", at("run"), "--view", "photo_008.exr", "--exposure", "2", "--out", at("bright.png")});
  const double stops = std::stod(result.at("protocol").at("values").get<std::string>().substr(11));
  double mean = 0;
  const Image plain = to_float(read_image(at("view.png"))), bright = to_float(read_image(at("bright.png")));
  for (size_t i = 0; i < plain.pixels.size(); ++i)
    mean += (bright.pixels[i] - plain.pixels[i]) / static_cast<double>(plain.pixels.size());
  EXPECT_NEAR(mean, 2 / stops, 0.01);

  // The held-out photos themselves, scored as pictures of another program.
  fs::create_directories(folder_ / "pictures");
  for (const char* name : {"photo_000.exr", "photo_008.exr"}) fs::copy(photo(name), folder_ / "pictures" / name);
  const nlohmann::json score =
      nlohmann::json::parse(done({"score", at("pictures"), "--scene", scene().string(), "--json"}));
  EXPECT_GT(score.at("mean").at("psnr").get<double>(), 55);  // what is scored is rounded to 8 bits, photos are not
  EXPECT_EQ(score.at("protocol").at("values"), result.at("protocol").at("values"));
  for (const char* name : {"photo_000", "photo_008"}) {
    fs::remove(folder_ / "pictures" / (std::string(name) + ".exr"));
    fs::copy(at("view.png"), folder_ / "pictures" / (std::string(name) + ".png"));
  }
  expect_refused(run_program(program, {"score", at("pictures"), "--scene", scene().string()}),
                 {"photo_000.png", "expected OpenEXR"});

  // Photos of the other kind under the names of these.
  for (int i = 0; i < 10; ++i) write_png(photo("photo_00" + std::to_string(i) + ".exr"), Image(96, 72, 3, 0.5f));
  expect_refused(run_program(program, {"eval", at("run")}), {"not OpenEXR", "--scene"});
}

TEST_F(HdrCliTest, GoesOnAndFitsTheLightThatIsAskedFor) {
  const std::vector<std::string> words = {"--no-report", "--fit", "exposure", "--steps"};
  const auto steps = [&](const char* count, std::vector<std::string> more) {
    more.insert(more.begin(), words.begin(), words.end());
    more.insert(more.begin() + static_cast<std::ptrdiff_t>(words.size()), count);
    const ProgramResult result = fit(more);
    EXPECT_EQ(result.exit_code, 0) << result.output;
  };
  steps("12", {});
  steps("16", {"--resume"});
  steps("20", {"--resume", "--preset", "quick"});  // what the preset means for HDR photos is what the run has
  EXPECT_FALSE(frozen(folder_ / "run", "exposure"));
  EXPECT_TRUE(frozen(folder_ / "run", "white_balance"));
  EXPECT_TRUE(frozen(folder_ / "run", "response"));
  EXPECT_FALSE(frozen(folder_ / "run", "vignette"));
  done({"export", at("run"), "--photometry", at("light")});
  EXPECT_NE(file_contents(folder_ / "light" / "images.csv").find("photo_001.exr"), std::string::npos);
  // Brighter photos are another scene.
  Image brighter = read_exr(photo("photo_001.exr"));
  for (float& value : brighter.pixels) value *= 4096;
  write_exr(photo("photo_001.exr"), brighter);
  expect_refused(fit({"--no-report", "--fit", "exposure", "--steps", "24", "--resume"}), {"--resume", "not the one"});
}

TEST_F(HdrCliTest, IsLookedAtWithoutAFit) {
  const nlohmann::json plain = nlohmann::json::parse(done({"eval", scene().string(), "--plain", "--json"}));
  EXPECT_GT(plain.at("mean").at("psnr").get<double>(),
            18);  // as of ordinary photos: the points have the photos' values
  EXPECT_TRUE(plain.at("protocol").contains("values"));
  const std::string doctor = done({"doctor", scene().string()});
  for (const char* part : {"OpenEXR photo, but", "EXIF exposure", "unknown, unknown"})
    EXPECT_EQ(doctor.find(part), std::string::npos) << doctor;
  EXPECT_NE(done({"info", scene().string()}).find("HDR (OpenEXR)"), std::string::npos);
}

TEST_F(HdrCliTest, WhatIsRefused) {
  Image broken = read_exr(photo("photo_001.exr"));
  broken.at(5, 7, 2) = std::numeric_limits<float>::quiet_NaN();
  write_exr(photo("photo_001.exr"), broken);
  expect_refused(fit({"--steps", "2"}), {"photo_001.exr", "pixel (5, 7)", "nan"});
  write_exr(photo("photo_001.exr"), Image(96, 72, 1, 1.0f));
  expect_refused(fit({"--steps", "2"}), {"photo_001.exr", "one channel"});
  write_png(photo("photo_001.exr"), Image(96, 72, 3, 0.5f));
  expect_refused(fit({"--steps", "2"}), {"photo_001.exr is not", "OpenEXR", "or none"});
  const ProgramResult doctor = run_program(program, {"doctor", scene().string()});
  EXPECT_EQ(doctor.exit_code, 1) << doctor.output;
  EXPECT_NE(doctor.output.find("photo_001.exr is not"), std::string::npos) << doctor.output;
  EXPECT_FALSE(fs::exists(folder_ / "run"));
}

TEST_F(HdrCliTest, SyntheticPhotosAsExr) {
  done({"synth", "--out", at("place"), "--photos", "9", "--width", "48", "--height", "32", "--samples", "1", "--points",
        "500", "--photos-as", "exr", "--contrast", "1.5"});
  done({"synth", "--out", at("flat"), "--photos", "9", "--width", "48", "--height", "32", "--samples", "1", "--points",
        "500"});
  for (const char* name : {"photo_0000", "photo_0008"}) {
    const Image photo = read_exr(folder_ / "place" / "images" / (std::string(name) + ".exr"));
    EXPECT_EQ(photo.pixels, read_exr(folder_ / "place" / "truth" / (std::string(name) + "_linear.exr")).pixels);
    const Image flat = read_exr(folder_ / "flat" / "truth" / (std::string(name) + "_linear.exr"));
    for (size_t i = 0; i < flat.pixels.size(); i += 97)
      EXPECT_NEAR(photo.pixels[i] / (0.18 * std::pow(flat.pixels[i] / 0.18, 1.5)), 1, 1e-4);
  }
  EXPECT_FALSE(fs::exists(folder_ / "place" / "truth" / "photo_0001_linear.exr"));
  EXPECT_NE(done({"info", at("place")}).find("HDR (OpenEXR)"), std::string::npos);
}

}  // namespace
}  // namespace ptl::testing
