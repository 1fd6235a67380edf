// pointillist doctor: what it ends with, and where its page and JSON go.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "datasets/synthetic_write.h"
#include "tests/support/run_program.h"

namespace ptl::testing {
namespace {

namespace fs = std::filesystem;
const std::string program = PTL_PROGRAM;

TEST(DoctorCommand, StatusPageAndJson) {
  TemporaryFolder folder;
  SyntheticOptions small;
  small.photos = 16;
  small.width_px = 240;
  small.height_px = 160;
  small.samples = 2;
  small.density = 0.2;
  small.sparse_points = 2000;
  const fs::path scene = folder / "scene";
  write_synthetic_scene(small, scene);
  ProgramResult result = run_program(program, {"doctor", scene.string(), "--out", (folder / "page.html").string()});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("a fit is advisable"), std::string::npos) << result.output;
  EXPECT_NE(file_contents(folder / "page.html").find("photo_0003.jpg"), std::string::npos);
  for (const char* preset : {"quick: ", "standard: ", "paper: "}) EXPECT_NE(result.output.find(preset), std::string::npos) << result.output;
  EXPECT_NE(result.output.find("GiB, 5 min; "), std::string::npos) << result.output;
  EXPECT_NE(file_contents(folder / "page.html").find("What the presets need"), std::string::npos);

  fs::remove(scene / "images" / "photo_0003.jpg");
  result = run_program(program, {"doctor", scene.string(), "--quick", "--json"});
  EXPECT_EQ(result.exit_code, 1) << result.output;
  const nlohmann::json json = nlohmann::json::parse(result.output.substr(result.output.find('{')));
  EXPECT_EQ(json["fit_is_advisable"], false);
  EXPECT_TRUE(json["presets"].empty());
  EXPECT_NE(result.output.find("photo_0003.jpg"), std::string::npos);

  result = run_program(program, {"doctor", (folder / "nowhere").string()});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.output.find("nowhere"), std::string::npos) << result.output;
  result = run_program(program, {"doctor", scene.string(), "--split", (folder / "none.txt").string()});
  EXPECT_EQ(result.exit_code, 2);
}

}  // namespace
}  // namespace ptl::testing
