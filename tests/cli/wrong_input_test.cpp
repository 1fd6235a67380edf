// What users get wrong: each a message that names the place and the remedy, exit status 1, and nothing half written.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "tests/support/fit_scene.h"
#include "tests/support/run_program.h"

namespace ptl::testing {
namespace {

namespace fs = std::filesystem;
const std::string program = PTL_PROGRAM;

class WrongInputTest : public ::testing::Test {
 protected:
  void SetUp() override {
    FitSceneOptions small;
    small.points = 400;
    write_fit_scene(scene(), small);
    model_ = read_colmap_model(scene() / "sparse" / "0");
  }
  fs::path scene() const { return folder_ / "scene"; }
  fs::path run() const { return folder_ / "run"; }

  ProgramResult fit(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"fit", scene().string(), "--out", run().string(), "--steps", "10", "--set",
                                          "crop.size_px=64", "--set", "environment.height=16", "--set",
                                          "environment.width=32", "--no-report", "--no-densify"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(program, arguments);
  }

  void expect_refused(const ProgramResult& result, const std::vector<std::string>& parts) {
    testing::expect_refused(result, parts);
    EXPECT_FALSE(fs::exists(run() / "model.safetensors"));
  }

  /// The good model with one change.
  void rewrite_model(const std::function<void(ColmapModel&)>& change) {
    ColmapModel model = model_;
    change(model);
    write_colmap_model(model, scene() / "sparse" / "0", ColmapFormat::binary);
  }

  TemporaryFolder folder_;
  ColmapModel model_;
};

TEST_F(WrongInputTest, NoSuchFolder) {
  expect_refused(run_program(program, {"fit", (folder_ / "nowhere").string(), "--out", run().string()}), {"nowhere"});
  expect_refused(run_program(program, {"info", (folder_ / "nowhere").string()}), {"nowhere"});
  expect_refused(run_program(program, {"eval", (folder_ / "nowhere").string()}), {"no such run"});
}

TEST_F(WrongInputTest, DamagedModelFiles) {
  const fs::path images = scene() / "sparse" / "0" / "images.bin";
  const std::string good = file_contents(images);
  write_contents(images, good.substr(0, good.size() / 2));
  expect_refused(fit(), {"images.bin"});
  write_contents(images, good + "extra");
  expect_refused(fit(), {"images.bin"});
  std::string wild = good;
  for (int i = 0; i < 8; ++i) wild[static_cast<size_t>(i)] = '\x7f';
  write_contents(images, wild);
  expect_refused(fit(), {"images.bin"});
  write_contents(images, "garbage");
  expect_refused(fit(), {"images.bin"});
  write_contents(images, good);
  for (const char* name : {"cameras.bin", "points3D.bin"}) {
    const fs::path file = scene() / "sparse" / "0" / name;
    const std::string whole = file_contents(file);
    for (const std::string& damaged : {whole.substr(0, whole.size() - 3), whole + "extra", std::string("garbage"),
                                       std::string(8, '\x7f') + whole.substr(8)}) {
      write_contents(file, damaged);
      expect_refused(fit(), {name});
    }
    write_contents(file, whole);
  }
}

TEST_F(WrongInputTest, Photos) {
  const fs::path photo = scene() / "images" / "photo_004.png";
  const std::string good = file_contents(photo);
  fs::remove(photo);
  expect_refused(fit(), {"photo_004.png", "missing"});
  write_png(photo, Image(40, 30, 3, 0.5f));
  expect_refused(fit(), {"photo_004.png", "40", "96"});
  write_contents(photo, good.substr(0, good.size() / 2));
  expect_refused(fit(), {"photo_004.png"});
}

/// Headers are read at the start, pixels when they are needed: the message is the same.
TEST_F(WrongInputTest, CorruptJpeg) {
  const fs::path photo = scene() / "images" / "photo_004.jpg";
  write_jpeg(photo, read_image(scene() / "images" / "photo_004.png"), 90);
  rewrite_model([](ColmapModel& model) { model.images[4].name = "photo_004.jpg"; });
  const std::string good = file_contents(photo);
  write_contents(photo, good.substr(0, good.size() / 2));
  expect_refused(fit(), {"photo_004.jpg", "damaged or truncated JPEG"});
  fs::remove_all(run());
  write_contents(photo, good.substr(0, 12) + std::string(200, 'x'));
  expect_refused(fit(), {"photo_004.jpg"});
}

/// Not wrong: the same picture at 16 bits.
TEST_F(WrongInputTest, SixteenBitPhotosAreWelcome) {
  const fs::path photo = scene() / "images" / "photo_004.png";
  write_png(photo, to_float(read_image(photo)), 16);
  EXPECT_EQ(read_image_info(photo).bits, 16);
  const ProgramResult result = fit();
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

TEST_F(WrongInputTest, Points) {
  rewrite_model([](ColmapModel& model) { model.points[3].position.y = std::numeric_limits<double>::infinity(); });
  expect_refused(fit(), {"points3D.bin"});
  rewrite_model([](ColmapModel& model) { model.points[3].position.x = std::numeric_limits<double>::quiet_NaN(); });
  expect_refused(fit(), {"points3D.bin"});
  rewrite_model([](ColmapModel& model) { model.points.clear(); });
  expect_refused(fit(), {"point"});
}

TEST_F(WrongInputTest, EveryPointBehindEveryCamera) {
  rewrite_model([](ColmapModel& model) {
    for (SparsePoint& point : model.points) point.position.z = -4;
  });
  expect_refused(fit(), {"behind"});
}

TEST_F(WrongInputTest, Images) {
  rewrite_model([](ColmapModel& model) { model.images[1].name = model.images[0].name; });
  expect_refused(fit(), {"photo_000.png"});
  rewrite_model([](ColmapModel& model) { model.images[1].name = "../outside.png"; });
  expect_refused(fit(), {".."});
  rewrite_model([](ColmapModel& model) { model.images.resize(1); });
  expect_refused(fit(), {"image"});
}

TEST_F(WrongInputTest, OutputFolder) {
  write_contents(folder_ / "file", "in the way");
  const ProgramResult result = run_program(program, {"fit", scene().string(), "--out", (folder_ / "file" / "run").string(),
                                                     "--steps", "2", "--set", "crop.size_px=64"});
  expect_refused(result, {"file/run"});
  EXPECT_EQ(file_contents(folder_ / "file"), "in the way");
  for (const fs::path& path : {folder_ / "file" / "scene", folder_ / "file"}) {
    const ProgramResult synth = run_program(program, {"synth", "--out", path.string()});
    EXPECT_EQ(synth.exit_code, 1) << synth.output;
    EXPECT_NE(synth.output.find((folder_ / "file").string()), std::string::npos) << synth.output;
  }
}

/// The checkpoint and the model are larger than 64 KiB; config and metrics are not.
TEST_F(WrongInputTest, FullDisk) {
  Program full(program, {"fit", scene().string(), "--out", run().string(), "--steps", "10", "--set", "crop.size_px=64",
                         "--no-report", "--no-densify"}, 64 << 10);
  expect_refused(full.wait(), {"safetensors", "disk full"});
  for (const auto& entry : fs::directory_iterator(run()))
    EXPECT_EQ(entry.path().filename().string().find(".part"), std::string::npos) << entry.path();
  // With room again, it goes on.
  const ProgramResult again = fit({"--resume", "--set", "environment.height=512", "--set", "environment.width=1024"});
  EXPECT_EQ(again.exit_code, 0) << again.output;
  const fs::path picture = folder_ / "view.png";
  Program render(program, {"render", run().string(), "--view", "photo_001.png", "--width", "960", "--out", picture.string()},
                 4 << 10);
  const ProgramResult result = render.wait();
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_NE(result.output.find("view.png"), std::string::npos) << result.output;
  EXPECT_FALSE(fs::exists(picture));
}

TEST_F(WrongInputTest, ConfigurationAndDevice) {
  write_contents(folder_ / "wrong.toml", "[raster]\nlayerz = 4\n");
  expect_refused(fit({"--config", (folder_ / "wrong.toml").string()}), {"wrong.toml", "layerz", "layers"});
  EXPECT_FALSE(fs::exists(run()));
  expect_refused(fit({"--set", "raster.channels=17"}), {"raster.channels", "17"});
  expect_refused(fit({"--preset", "slow"}), {"slow", "quick"});
  ::setenv("CUDA_VISIBLE_DEVICES", "", 1);  // a machine without a GPU, wherever the test runs
  expect_refused(fit({"--device", "cuda"}), {"--device cuda", "--device cpu"});
  const std::string cloud = (folder_ / "dense.ply").string();
  expect_refused(run_program(program, {"densify", scene().string(), "--out", cloud, "--device", "cuda"}),
                 {"--device cuda", "--device cpu"});
  ::unsetenv("CUDA_VISIBLE_DEVICES");
  expect_refused(fit({"--device", "tpu"}), {"tpu"});
  expect_refused(run_program(program, {"densify", scene().string(), "--out", cloud, "--device", "tpu"}), {"tpu"});
  EXPECT_FALSE(fs::exists(cloud));
  expect_refused(fit({"--resume"}), {"no run to resume"});
  expect_refused(fit({"--split", (folder_ / "nothing").string()}), {"nothing"});
  expect_refused(fit({"--points", (folder_ / "no.ply").string()}), {"no.ply"});
}

TEST_F(WrongInputTest, ModelFilesFromStrangers) {
  fs::create_directories(folder_ / "other");
  const fs::path model = folder_ / "other" / "model.safetensors";
  std::string wild(16, '\xff');
  write_contents(model, wild);
  expect_refused(run_program(program, {"render", model.string(), "--view", "a", "--out", (folder_ / "o.png").string()}),
                 {"model.safetensors"});
  const std::string header = R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  std::string file(8, '\0');
  file[0] = static_cast<char>(header.size());
  write_contents(model, file + header + std::string(4, '\0'));
  expect_refused(run_program(program, {"render", model.string(), "--view", "a", "--out", (folder_ / "o.png").string()}),
                 {"not a pointillist model"});
  EXPECT_FALSE(fs::exists(folder_ / "o.png"));
}

}  // namespace
}  // namespace ptl::testing
