// What tests of the window share: a display of their own (Xvfb), a scene and a run that are made once, scripts.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "datasets/image_io.h"
#include "tests/support/fit_scene.h"
#include "tests/support/run_program.h"

namespace ptl::testing {

namespace fs = std::filesystem;
inline const std::string program = PTL_PROGRAM;

inline std::string path_of(const std::string& name) {
  std::istringstream path(std::getenv("PATH") ? std::getenv("PATH") : "");
  for (std::string folder; std::getline(path, folder, ':');)
    if (fs::exists(fs::path(folder) / name)) return (fs::path(folder) / name).string();
  return "";
}

/// Xvfb on a display of its own for all tests of a program; `ready` is false where it is not installed.
class Display : public ::testing::Environment {
 public:
  void SetUp() override {
    const std::string xvfb = path_of("Xvfb");
    if (xvfb.empty()) return;
    for (int number = 90 + static_cast<int>(::getpid() % 400), tries = 0; tries < 20; ++number, ++tries) {
      if (fs::exists("/tmp/.X11-unix/X" + std::to_string(number))) continue;
      name = ":" + std::to_string(number);
      server_ = std::make_unique<Program>(
          xvfb, std::vector<std::string>{name, "-screen", "0", "1600x1200x24", "-nolisten", "tcp"});
      for (int i = 0; i < 200 && server_->running(); ++i) {
        if (fs::exists("/tmp/.X11-unix/X" + std::to_string(number))) {
          ::setenv("DISPLAY", name.c_str(), 1);
          ::setenv("LIBGL_ALWAYS_SOFTWARE", "1", 1);
          ::unsetenv("WAYLAND_DISPLAY");
          ready = true;
          return;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(25));
      }
    }
  }
  void TearDown() override {
    if (server_ && server_->running()) {
      server_->signal(SIGTERM);
      server_->wait();
    }
  }
  bool ready = false;
  std::string name;

 private:
  std::unique_ptr<Program> server_;
};
inline Display* const display = static_cast<Display*>(::testing::AddGlobalTestEnvironment(new Display));

/// Each suite makes its own scene (10 photos of a wall) and run; at() is a place beside them.
class WindowTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    write_fit_scene(*folder_ / "scene", {.images = 10, .width_px = 192, .height_px = 144, .points = 20000});
    const ProgramResult fit = run_program(program, fit_arguments("run", "30"));
    ASSERT_EQ(fit.exit_code, 0) << fit.output;
  }
  static void TearDownTestSuite() { folder_.reset(); }
  void SetUp() override {
    if (!display->ready) GTEST_SKIP() << "Xvfb is not here (Debian: apt-get install xvfb)";
    ::setenv("XDG_CONFIG_HOME", (*folder_ / "config").c_str(), 1);
  }
  static std::vector<std::string> fit_arguments(const std::string& run, const std::string& steps,
                                                const std::string& checkpoint_seconds = "1") {
    return {"--threads",
            "1",
            "fit",
            at("scene").string(),
            "--out",
            at(run).string(),
            "--steps",
            steps,
            "--checkpoint-seconds",
            checkpoint_seconds,
            "--set",
            "crop.size_px=64",
            "--set",
            "environment.height=16",
            "--set",
            "environment.width=32",
            "--no-report",
            "--no-densify"};
  }
  static fs::path at(const std::string& name) { return *folder_ / name; }

  /// Acts out a script on the run; ends with quit.
  static ProgramResult act(const std::string& script, std::vector<std::string> more = {},
                           const std::string& what = "run") {
    write_contents(at("script.txt"), script + "\nquit\n");
    std::vector<std::string> arguments = {"--threads",       "1",        "view",
                                          at(what).string(), "--script", at("script.txt").string()};
    if (std::find(more.begin(), more.end(), "--size") == more.end()) more.insert(more.end(), {"--size", "1280x800"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(program, arguments);
  }
  /// The picture of the run from a photo's place, in the mode that `more` says.
  static StoredImage screenshot(const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"--threads", "1", "view", at("run").string(), "--view", "photo_004.png",
                                          "--screenshot", at("view.png").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProgramResult view = run_program(program, arguments);
    EXPECT_EQ(view.exit_code, 0) << view.output;
    return read_image(at("view.png"));
  }
  /// A model file of another format version (one digit, so that nothing moves).
  static std::string with_version(std::string model, char digit) {
    const std::string key = "\"format_version\":\"";
    const size_t place = model.find(key);
    EXPECT_NE(place, std::string::npos);
    if (place != std::string::npos) model[place + key.size()] = digit;
    return model;
  }
  static nlohmann::json state(const std::string& name) { return nlohmann::json::parse(file_contents(at(name))); }
  static Vec3<double> centre(const nlohmann::json& s) {
    Pose<double> pose;
    for (int row = 0; row < 3; ++row) {
      for (int column = 0; column < 3; ++column)
        pose.rotation[column][row] = s["camera_from_scene"][static_cast<size_t>(row)][static_cast<size_t>(column)];
      pose.translation[row] = s["camera_from_scene"][static_cast<size_t>(row)][3];
    }
    return camera_centre(pose);
  }
  static inline std::unique_ptr<TemporaryFolder> folder_;
};

}  // namespace ptl::testing
