// The program in a real window under Xvfb, with software OpenGL: what it shows, how it moves, what it says when it
// cannot.
#include <gtest/gtest.h>
#include <unistd.h>

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
namespace {

namespace fs = std::filesystem;
const std::string program = PTL_PROGRAM;

std::string path_of(const std::string& name) {
  std::istringstream path(std::getenv("PATH") ? std::getenv("PATH") : "");
  for (std::string folder; std::getline(path, folder, ':');)
    if (fs::exists(fs::path(folder) / name)) return (fs::path(folder) / name).string();
  return "";
}

/// Xvfb on a display of its own for all tests of this program.
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
Display* const display = static_cast<Display*>(::testing::AddGlobalTestEnvironment(new Display));

class WindowTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    write_fit_scene(*folder_ / "scene", {.images = 10, .width_px = 192, .height_px = 144, .points = 20000});
    const ProgramResult fit =
        run_program(program, {"--threads", "1", "fit", (*folder_ / "scene").string(), "--out",
                              (*folder_ / "run").string(), "--steps", "30", "--set", "crop.size_px=64", "--set",
                              "environment.height=16", "--set", "environment.width=32", "--no-report", "--no-densify"});
    ASSERT_EQ(fit.exit_code, 0) << fit.output;
  }
  static void TearDownTestSuite() { folder_.reset(); }
  void SetUp() override {
    if (!display->ready) GTEST_SKIP() << "Xvfb is not here (Debian: apt-get install xvfb)";
    ::setenv("XDG_CONFIG_HOME", (*folder_ / "config").c_str(), 1);
  }
  static fs::path at(const std::string& name) { return *folder_ / name; }

  /// Acts out a script on the run; ends with quit.
  static ProgramResult act(const std::string& script, std::vector<std::string> more = {},
                           const std::string& what = "run") {
    write_contents(at("script.txt"), script + "\nquit\n");
    std::vector<std::string> arguments = {
        "--threads", "1", "view", at(what).string(), "--script", at("script.txt").string(), "--size", "1280x800"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(program, arguments);
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
  static std::unique_ptr<TemporaryFolder> folder_;
};
std::unique_ptr<TemporaryFolder> WindowTest::folder_;

TEST_F(WindowTest, ScreenshotsAreThePicturesOfRender) {
  for (const char* kind : {"neural", "depth", "weight", "environment", "support"}) {
    const ProgramResult render =
        run_program(program, {"--threads", "1", "render", at("run").string(), "--view", "photo_004.png", "--kind", kind,
                              "--out", at("render.png").string()});
    ASSERT_EQ(render.exit_code, 0) << render.output;
    const ProgramResult view =
        run_program(program, {"--threads", "1", "view", at("run").string(), "--view", "photo_004.png", "--mode", kind,
                              "--screenshot", at("view.png").string()});
    ASSERT_EQ(view.exit_code, 0) << view.output;
    const StoredImage expected = read_image(at("render.png")), found = read_image(at("view.png"));
    ASSERT_EQ(found.width, 192) << kind;
    ASSERT_EQ(found.height, 144) << kind;
    EXPECT_EQ(found.values8, expected.values8) << kind;
  }
}

TEST_F(WindowTest, PointsAreDrawnWhereTheCameraModelPutsThem) {
  const ProgramResult view =
      run_program(program, {"--threads", "1", "view", at("run").string(), "--view", "photo_004.png", "--mode", "points",
                            "--screenshot", at("points.png").string()});
  ASSERT_EQ(view.exit_code, 0) << view.output;
  // Points carry the wall's colours, and there are enough of them to cover it: nearly the photo.
  const StoredImage photo = read_image(at("scene/images/photo_004.png")), points = read_image(at("points.png"));
  ASSERT_EQ(points.values8.size(), photo.values8.size());
  size_t near = 0;
  for (size_t i = 0; i < photo.values8.size(); ++i) near += std::abs(points.values8[i] - photo.values8[i]) < 24;
  EXPECT_GT(static_cast<double>(near) / static_cast<double>(photo.values8.size()), 0.95);
}

TEST_F(WindowTest, KeysAndMouseMoveTheCamera) {
  const ProgramResult result = act(
      "settle\nstate " + at("a.json").string() + "\nkey w down\nframes 20\nkey w up\nsettle\nstate " +
          at("b.json").string() + "\ndrag 500 300 600 300\nsettle\nstate " + at("c.json").string() +
          "\nkey o\ndrag 600 300 500 350\nsettle\nstate " + at("d.json").string() + "\nscroll 2\nsettle\nstate " +
          at("e.json").string() + "\nkey r\nsettle\nstate " + at("f.json").string() +
          "\nkey backspace\nsettle\nstate " + at("g.json").string() + "\nkey f\nsettle\nstate " + at("h.json").string(),
      {"--view", "photo_004.png", "--forget"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const nlohmann::json a = state("a.json"), b = state("b.json"), c = state("c.json"), d = state("d.json"),
                       e = state("e.json"), f = state("f.json"), g = state("g.json"), h = state("h.json");
  EXPECT_EQ(a["standing_in"], 4);
  EXPECT_EQ(a["shown"][0]["scale"], 1);
  EXPECT_GT(centre(b).z, centre(a).z + 0.01);  // forwards
  EXPECT_NEAR(centre(b).x, centre(a).x, 1e-9);
  EXPECT_NEAR(glm::distance(centre(c), centre(b)), 0, 1e-9);  // looked around on the spot
  EXPECT_NE(c["camera_from_scene"], b["camera_from_scene"]);
  EXPECT_EQ(d["style"], "orbit");
  const Vec3<double> pivot(d["pivot"][0], d["pivot"][1], d["pivot"][2]);
  EXPECT_NEAR(glm::distance(centre(d), pivot), glm::distance(centre(c), pivot), 1e-6);
  EXPECT_GT(glm::distance(centre(d), centre(c)), 0.01);
  EXPECT_NEAR(glm::distance(centre(e), pivot), 0.81 * glm::distance(centre(d), pivot), 1e-6);  // two clicks nearer
  EXPECT_NEAR(glm::distance(centre(g), centre(e)), 0, 1e-9);                                   // reset, undone
  EXPECT_GT(glm::distance(centre(f), centre(e)), 0.01);
  EXPECT_LT(centre(h).z, 4);
  EXPECT_LT(h["longest_frame_ms"].get<double>(), 500) << "far beyond what a window may stall";
}

TEST_F(WindowTest, ModesSplitResizeAndACameraClicked) {
  const ProgramResult result = act("key f\nsettle\nstate " + at("a.json").string(), {"--forget"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  // A camera whose frustum no other one covers: the nearest one.
  const nlohmann::json a = state("a.json");
  ASSERT_FALSE(a["cameras"].empty());
  nlohmann::json nearest = a["cameras"][0];
  for (const nlohmann::json& camera : a["cameras"])
    if (camera["depth"] < nearest["depth"]) nearest = camera;
  const ProgramResult clicked =
      act("key f\nsettle\nmove " + nearest["x"].dump() + " " + nearest["y"].dump() +
              "\nframes 2\nclick left\nframes 3\nsettle\nstate " + at("b.json").string() +
              "\nkey 2\nkey x\nsettle\nscreenshot " + at("window.png").string() + " panels\nframes 2\nstate " +
              at("c.json").string() + "\nresize 800 500\nframes 10\nsettle\nstate " + at("d.json").string(),
          {"--forget"});
  ASSERT_EQ(clicked.exit_code, 0) << clicked.output;
  EXPECT_EQ(state("b.json")["standing_in"], nearest["image"]);
  EXPECT_EQ(state("c.json")["mode"], "points");
  EXPECT_EQ(state("c.json")["split"], true);
  EXPECT_EQ(read_image_size(at("window.png")).width_px, 1280);
  EXPECT_EQ(state("d.json")["window"], nlohmann::json({800, 500}));
}

TEST_F(WindowTest, APathIsRecordedSavedAndRendered) {
  const ProgramResult result =
      act("settle\nkey k\nkey right\nsettle\nkey k\nsettle\nstate " + at("a.json").string(), {"--forget"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(state("a.json")["key_frames"], 2);
}

TEST_F(WindowTest, ASceneIsLeftAndFoundAgain) {
  ASSERT_EQ(act("key right\nsettle\nkey 6\nsettle\nstate " + at("a.json").string()).exit_code, 0);
  ASSERT_EQ(act("settle\nstate " + at("b.json").string()).exit_code, 0);
  EXPECT_EQ(state("b.json")["mode"], "depth");
  EXPECT_EQ(state("b.json")["camera_from_scene"], state("a.json")["camera_from_scene"]);
}

TEST_F(WindowTest, FollowsAFitThatGoesOn) {
  Program fit(program, {"--threads", "1", "fit", at("scene").string(), "--out", at("growing").string(), "--steps",
                        "400", "--checkpoint-seconds", "1", "--set", "crop.size_px=64", "--set",
                        "environment.height=16", "--set", "environment.width=32", "--no-report", "--no-densify"});
  const ProgramResult view = act("generation 1\nkey right\nsettle\nstate " + at("a.json").string() +
                                     "\ngeneration 3\nsettle\nstate " + at("b.json").string(),
                                 {"--follow", "--forget"}, "growing");
  const ProgramResult ended = fit.wait();
  ASSERT_EQ(view.exit_code, 0) << view.output;
  EXPECT_EQ(ended.exit_code, 0) << ended.output;
  EXPECT_EQ(state("b.json")["camera_from_scene"], state("a.json")["camera_from_scene"]);
}

TEST_F(WindowTest, WithoutADisplayOrOpenGLItSaysSo) {
  ::setenv("DISPLAY", "", 1);
  const ProgramResult none = run_program(program, {"view", at("run").string()});
  ::setenv("DISPLAY", display->name.c_str(), 1);
  EXPECT_EQ(none.exit_code, 1) << none.output;
  EXPECT_NE(none.output.find("DISPLAY is not set"), std::string::npos) << none.output;
  ::setenv("MESA_GL_VERSION_OVERRIDE", "2.1", 1);
  const ProgramResult old = run_program(program, {"view", at("run").string()});
  ::unsetenv("MESA_GL_VERSION_OVERRIDE");
  EXPECT_EQ(old.exit_code, 1) << old.output;
  EXPECT_NE(old.output.find("needs OpenGL 3.3"), std::string::npos) << old.output;
}

TEST_F(WindowTest, WrongNamesAreToldWithTheRightOnes) {
  const ProgramResult mode = run_program(program, {"view", at("run").string(), "--mode", "neurall"});
  EXPECT_EQ(mode.exit_code, 1);
  EXPECT_NE(mode.output.find("expected one of neural, points"), std::string::npos) << mode.output;
  const ProgramResult image =
      run_program(program, {"view", at("run").string(), "--view", "no.png", "--screenshot", at("x.png").string()});
  EXPECT_EQ(image.exit_code, 1);
  EXPECT_NE(image.output.find("'no.png' is not one of the 10 images"), std::string::npos) << image.output;
  const ProgramResult model =
      run_program(program, {"view", at("scene").string(), "--mode", "depth", "--screenshot", at("x.png").string()});
  EXPECT_EQ(model.exit_code, 1);
  EXPECT_NE(model.output.find("without a model"), std::string::npos) << model.output;
}

}  // namespace
}  // namespace ptl::testing
