// Fits on a GPU as a user runs them: the files of a run, the same bits in every run and after a kill, the CPU's pictures.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <thread>

#include "datasets/image_io.h"
#include "tests/support/fit_scene.h"
#include "tests/support/gpu.h"
#include "tests/support/run_program.h"

namespace ptl::testing {
namespace {

namespace fs = std::filesystem;
const std::string program = PTL_PROGRAM;

class GpuFitTest : public ::testing::Test {
 protected:
  void SetUp() override {
    PTL_SKIP_WITHOUT_GPU();
    write_fit_scene(folder_ / "scene");
  }
  std::vector<std::string> arguments(const std::string& run, int steps, std::vector<std::string> more = {}) const {
    std::vector<std::string> all = {"fit", (folder_ / "scene").string(), "--out", (folder_ / run).string(), "--device",
                                    "cuda", "--steps", std::to_string(steps), "--set", "crop.size_px=64", "--set",
                                    "raster.layers=3", "--set", "environment.height=16", "--set", "environment.width=32",
                                    "--no-densify"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::string model(const std::string& run) const { return file_contents(folder_ / run / "model.safetensors"); }
  TemporaryFolder folder_;
};

TEST_F(GpuFitTest, ImprovesAndIsShownAlikeByBothDevices) {
  for (const char* network : {"light", "unet"}) {
    const std::string run = network;
    const ProgramResult fit = run_program(program, arguments(run, 300, {"--network", network}));
    ASSERT_EQ(fit.exit_code, 0) << fit.output;
    nlohmann::json score[2];
    for (const int cuda : {0, 1}) {
      const ProgramResult eval =
          run_program(program, {"eval", (folder_ / run).string(), "--json", "--device", cuda ? "cuda" : "cpu"});
      ASSERT_EQ(eval.exit_code, 0) << eval.output;
      score[cuda] = nlohmann::json::parse(eval.output);
    }
    const double cpu = score[0].at("mean").at("psnr"), gpu = score[1].at("mean").at("psnr");
    EXPECT_GT(gpu, 15.0) << network;
    EXPECT_NEAR(cpu, gpu, 0.01) << network;
    StoredImage picture[2];
    for (const int cuda : {0, 1}) {
      const fs::path file = folder_ / (run + (cuda ? "_gpu.png" : "_cpu.png"));
      const ProgramResult render = run_program(program, {"render", (folder_ / run).string(), "--view", "photo_003.png", "--out",
                                                         file.string(), "--device", cuda ? "cuda" : "cpu"});
      ASSERT_EQ(render.exit_code, 0) << render.output;
      picture[cuda] = read_image(file);
    }
    int largest = 0;
    for (size_t i = 0; i < picture[0].values8.size(); ++i)
      largest = std::max(largest, std::abs(int{picture[0].values8[i]} - int{picture[1].values8[i]}));
    EXPECT_LE(largest, 1) << network;  // of 255: a value at the edge of rounding
  }
}

TEST_F(GpuFitTest, TwoRunsAndResumedRunsEndInTheSameBits) {
  for (const char* network : {"light", "unet"}) {
    const std::string first = std::string(network) + "_first", second = std::string(network) + "_second",
                      killed = std::string(network) + "_killed";
    const std::vector<std::string> more = {"--network", network, "--no-report"};
    ASSERT_EQ(run_program(program, arguments(first, 200, more)).exit_code, 0);
    ASSERT_EQ(run_program(program, arguments(second, 200, more)).exit_code, 0);
    EXPECT_TRUE(model(first) == model(second)) << network;
    std::vector<std::string> often = more;
    often.insert(often.end(), {"--checkpoint-seconds", "0.05"});
    Program fit(program, arguments(killed, 200, often));
    const fs::path metrics = folder_ / killed / "metrics.jsonl";
    while (fit.running() && (!fs::exists(metrics) || fs::file_size(metrics) < 3000))
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    fit.signal(SIGKILL);
    fit.wait();
    often.push_back("--resume");
    const ProgramResult resumed = run_program(program, arguments(killed, 200, often));
    ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
    EXPECT_TRUE(model(first) == model(killed)) << network;
  }
}

TEST_F(GpuFitTest, DensePointsAreThoseOfTheCpu) {
  const fs::path sparse = folder_ / "sparse";
  write_fit_scene(sparse, {.images = 10, .width_px = 192, .height_px = 144, .points = 150});
  for (const char* device : {"cpu", "cuda"}) {
    const ProgramResult densify = run_program(program, {"densify", sparse.string(), "--out", (folder_ / device).string() + ".ply",
                                                        "--device", device});
    ASSERT_EQ(densify.exit_code, 0) << densify.output;
  }
  EXPECT_TRUE(file_contents(folder_ / "cpu.ply") == file_contents(folder_ / "cuda.ply"));
  const ProgramResult fit = run_program(program, {"fit", sparse.string(), "--out", (folder_ / "dense").string(), "--device", "cuda",
                                                  "--steps", "5", "--set", "crop.size_px=64", "--densify", "--no-report"});
  ASSERT_EQ(fit.exit_code, 0) << fit.output;
  EXPECT_TRUE(file_contents(folder_ / "cpu.ply") == file_contents(folder_ / "dense" / "dense.ply"));
}

}  // namespace
}  // namespace ptl::testing
