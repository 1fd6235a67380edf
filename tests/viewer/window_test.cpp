// The program in a real window under Xvfb, with software OpenGL: what it shows, how it moves, what it says when it
// cannot.
#include "datasets/ply.h"
#include "datasets/scene_loader.h"
#include "tests/viewer/window_fixture.h"

namespace ptl::testing {
namespace {

TEST_F(WindowTest, ScreenshotsAreThePicturesOfRender) {
  for (const char* kind : {"neural", "depth", "weight", "environment", "support"}) {
    const ProgramResult render =
        run_program(program, {"--threads", "1", "render", at("run").string(), "--view", "photo_004.png", "--kind", kind,
                              "--out", at("render.png").string()});
    ASSERT_EQ(render.exit_code, 0) << render.output;
    const StoredImage found = screenshot({"--mode", kind}), expected = read_image(at("render.png"));
    ASSERT_EQ(found.width, 192) << kind;
    ASSERT_EQ(found.height, 144) << kind;
    EXPECT_EQ(found.values8, expected.values8) << kind;
  }
}

uint8_t value(const StoredImage& image, int x, int y, int channel) {
  return image.values8[3 * (static_cast<size_t>(y) * static_cast<size_t>(image.width) + static_cast<size_t>(x)) +
                       static_cast<size_t>(channel)];
}

TEST_F(WindowTest, AScreenshotOfALayerIsItsPicture) {
  for (const int layer : {0, 1, 3}) {
    const std::string number = std::to_string(layer);
    const ProgramResult render =
        run_program(program, {"--threads", "1", "render", at("run").string(), "--view", "photo_004.png", "--layer",
                              number, "--out", at("layer.png").string()});
    ASSERT_EQ(render.exit_code, 0) << render.output;
    const StoredImage found = screenshot({"--mode", "layer", "--layer", number}), expected = read_image(at("layer.png"));
    ASSERT_EQ(found.width, 192);
    ASSERT_EQ(found.height, 144);
    // The window shows a layer at the view's size: each of its pixels covers a square.
    ASSERT_GE(expected.width << layer, found.width);
    size_t other = 0;
    for (int y = 0; y < found.height; ++y)
      for (int x = 0; x < found.width; ++x)
        for (int c = 0; c < 3; ++c) other += value(found, x, y, c) != value(expected, x >> layer, y >> layer, c);
    EXPECT_EQ(other, 0u) << "layer " << layer;
  }
}

TEST_F(WindowTest, PhotoBlendAndErrorAreOfThePhoto) {
  const StoredImage photo = read_image(at("scene") / "images" / "photo_004.png"), neural = screenshot({"--mode", "neural"});
  const StoredImage shown = screenshot({"--mode", "photo"}), blend = screenshot({"--mode", "blend"}),
                    error = screenshot({"--mode", "error"});
  ASSERT_EQ(shown.value_count(), photo.value_count()) << "the view has the photo's size";
  EXPECT_EQ(shown.values8, photo.values8);
  // Blended: between the two, at the same share everywhere (as far as 8 bits tell).
  double along = 0, square = 0;
  for (size_t i = 0; i < photo.values8.size(); ++i) {
    const double whole = photo.values8[i] - neural.values8[i];
    along += (blend.values8[i] - neural.values8[i]) * whole;
    square += whole * whole;
  }
  const double share = along / square;
  EXPECT_GT(share, 0.2);
  EXPECT_LT(share, 0.8);
  for (size_t i = 0; i < photo.values8.size(); ++i)
    ASSERT_NEAR(blend.values8[i], neural.values8[i] + share * (photo.values8[i] - neural.values8[i]), 1.6) << i;
  // The error is bright where the picture differs.
  double low = 0, high = 0;
  int low_count = 0, high_count = 0;
  for (int y = 0; y < photo.height; ++y)
    for (int x = 0; x < photo.width; ++x) {
      int difference = 0, brightness = 0;
      for (int c = 0; c < 3; ++c) {
        difference += std::abs(value(photo, x, y, c) - value(neural, x, y, c));
        brightness += value(error, x, y, c);
      }
      (difference < 12 ? low : high) += brightness;
      ++(difference < 12 ? low_count : high_count);
    }
  ASSERT_GT(low_count, 50);
  ASSERT_GT(high_count, 50);
  EXPECT_GT(high / high_count, 1.2 * low / low_count);
}

TEST_F(WindowTest, ASplitShowsAModeOnEachSide) {
  const std::string modes[] = {"neural", "points", "depth"};
  const StoredImage alone[] = {screenshot({"--mode", modes[0]}), screenshot({"--mode", modes[1]}), screenshot({"--mode", modes[2]})};
  for (const auto& [left, right] : {std::pair(0, 1), std::pair(1, 0), std::pair(0, 2), std::pair(2, 1)}) {
    const StoredImage split = screenshot({"--mode", modes[left], "--split", modes[right]});
    ASSERT_EQ(split.value_count(), alone[left].value_count());
    const int middle = split.width / 2, edge = 2;
    size_t other = 0;
    for (int y = 0; y < split.height; ++y)
      for (int x = 0; x < split.width; ++x) {
        if (std::abs(x - middle) <= edge) continue;
        for (int c = 0; c < 3; ++c) other += value(split, x, y, c) != value(alone[x < middle ? left : right], x, y, c);
      }
    EXPECT_EQ(other, 0u) << modes[left] << " | " << modes[right];
  }
}

TEST_F(WindowTest, PointsAreDrawnWhereTheCameraModelPutsThem) {
  // Points carry the wall's colours, and there are enough of them to cover it: nearly the photo.
  const StoredImage photo = read_image(at("scene/images/photo_004.png")), points = screenshot({"--mode", "points"});
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

TEST_F(WindowTest, RealEventsOfTheDisplayArrive) {
  const std::string xdotool = path_of("xdotool");
  if (xdotool.empty()) GTEST_SKIP() << "xdotool is not here (Debian: apt-get install xdotool)";
  write_contents(at("real.txt"), "settle\nstate " + at("a.json").string() + "\nwait 4\nsettle\nstate " +
                                     at("b.json").string() + "\nquit\n");
  fs::remove(at("a.json"));
  Program view(program, {"--threads", "1", "view", at("run").string(), "--script", at("real.txt").string(), "--size",
                         "1280x800", "--view", "photo_004.png", "--mode", "points", "--forget"});
  while (view.running() && !fs::exists(at("a.json"))) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  run_program(xdotool, {"mousemove", "600", "300", "keydown", "w", "sleep", "0.6", "keyup", "w", "mousedown", "1",
                        "mousemove", "700", "300", "mouseup", "1", "key", "6"});
  const ProgramResult result = view.wait();
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const nlohmann::json a = state("a.json"), b = state("b.json");
  EXPECT_GT(centre(b).z, centre(a).z + 0.01);
  EXPECT_NE(a["camera_from_scene"][0][0], b["camera_from_scene"][0][0]);  // turned
  EXPECT_EQ(b["mode"], "depth");
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

TEST_F(WindowTest, ASceneIsLeftAndFoundAgain) {
  ASSERT_EQ(act("key right\nsettle\nkey 6\nsettle\nstate " + at("a.json").string()).exit_code, 0);
  ASSERT_EQ(act("settle\nstate " + at("b.json").string()).exit_code, 0);
  EXPECT_EQ(state("b.json")["mode"], "depth");
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
}

/// A scene and a lone cloud, through the built-in network: what `render` makes of them, from all of their points.
TEST_F(WindowTest, ScenesAndCloudsAreShownWithoutAFit) {
  write_fit_scene(at("large"), {.images = 10, .width_px = 192, .height_px = 144, .points = 150000});
  fs::create_directories(at("alone"));
  const Scene scene = load_scene(at("large"));
  write_ply(at("alone/cloud.ply"), scene.cloud, scene.origin_world);
  struct Case {
    std::string path, view;
  };
  for (const Case& c : {Case{"scene", "photo_003.png"}, Case{"large", "photo_003.png"}, Case{"alone/cloud.ply", "overview"}}) {
    const std::string path = at(c.path).string();
    const ProgramResult view = run_program(
        program, {"--threads", "1", "view", path, "--view", c.view, "--screenshot", at("view.png").string()});
    ASSERT_EQ(view.exit_code, 0) << view.output;
    const ProgramResult render = run_program(
        program, {"--threads", "1", "render", path, "--view", c.view, "--out", at("render.png").string()});
    ASSERT_EQ(render.exit_code, 0) << render.output;
    EXPECT_NE(render.output.find("not fitted"), std::string::npos) << render.output;
    const StoredImage expected = read_image(at("render.png")), found = read_image(at("view.png"));
    EXPECT_EQ(found.width, expected.width) << path;
    EXPECT_EQ(found.values8, expected.values8) << path;
  }
}

}  // namespace
}  // namespace ptl::testing
