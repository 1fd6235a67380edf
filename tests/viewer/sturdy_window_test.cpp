// What happens around a window: sizes, scales, minimised, a run that goes away, models that cannot be read.
#include <fmt/format.h>

#include <array>

#include "tests/viewer/window_fixture.h"

#ifdef PTL_X11
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#endif

namespace ptl::testing {
namespace {

class SturdyWindowTest : public WindowTest {};

TEST_F(SturdyWindowTest, ARunThatVanishesLeavesItsPictures) {
  fs::copy(at("run"), at("leaving"));
  write_contents(at("gone.txt"), "settle\nscreenshot " + at("before.png").string() + "\nframes 3\nstate " +
                                     at("a.json").string() + "\nnotice\nframes 2\nscreenshot " +
                                     at("after.png").string() + "\nframes 2\nkey right\nsettle\nstate " +
                                     at("b.json").string() + "\nscreenshot " + at("window.png").string() +
                                     " panels\nframes 2\nkey k\nframes 2\npush export\nexported\nframes 2\nstate " +
                                     at("c.json").string() + "\nquit\n");
  fs::remove(at("a.json"));
  Program view(program, {"--threads", "1", "view", at("leaving").string(), "--script", at("gone.txt").string(),
                         "--size", "1280x800", "--forget"});
  while (view.running() && !fs::exists(at("a.json"))) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  fs::remove_all(at("leaving"));
  const ProgramResult result = view.wait();
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const nlohmann::json a = state("a.json"), b = state("b.json"), c = state("c.json");
  EXPECT_EQ(a["notice"], "");
  EXPECT_NE(b["notice"].get<std::string>().find("is not there any more"), std::string::npos) << b["notice"];
  EXPECT_EQ(file_contents(at("before.png")), file_contents(at("after.png")));
  EXPECT_EQ(b["shown"][0]["scale"], 1);
  EXPECT_NE(b["camera_from_scene"], a["camera_from_scene"]);
  EXPECT_NE(c["export"]["message"].get<std::string>().find("not there any more"), std::string::npos) << c["export"];
}

TEST_F(SturdyWindowTest, AModelOfANewerVersionIsRefusedAtTheStart) {
  write_contents(at("newer.safetensors"), with_version(file_contents(at("run/model.safetensors")), '9'));
  const ProgramResult result = run_program(program, {"view", at("newer.safetensors").string()});
  expect_refused(result, {"newer.safetensors", "made by a newer program", "update pointillist"});
  write_contents(at("cut.safetensors"), file_contents(at("run/model.safetensors")).substr(0, 5000));
  expect_refused(run_program(program, {"view", at("cut.safetensors").string()}), {"cut.safetensors"});
}

TEST_F(SturdyWindowTest, AnySizeOfWindow) {
  std::string script = "settle\nkey l\n";
  const std::vector<std::array<int, 2>> sizes = {{320, 240}, {90, 60}, {16, 900}, {900, 16}, {2800, 1900}, {1280, 800}};
  const auto name = [](size_t i, const char* ending) { return fmt::format("size_{}.{}", i, ending); };
  for (size_t i = 0; i < sizes.size(); ++i)
    script += fmt::format("resize {} {}\nframes 10\nsettle\nstate {}\nscreenshot {} panels\nframes 2\n", sizes[i][0],
                          sizes[i][1], at(name(i, "json")).string(), at(name(i, "png")).string());
  const ProgramResult result = act(script, {"--forget", "--mode", "depth", "--split", "points"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const nlohmann::json s = state(name(i, "json"));
    EXPECT_EQ(s["window"], nlohmann::json({sizes[i][0], sizes[i][1]}));
    const ImageSize size = read_image_size(at(name(i, "png")));
    EXPECT_EQ(size.width_px, sizes[i][0]);
    EXPECT_EQ(size.height_px, sizes[i][1]);
    EXPECT_EQ(s["shown"][0]["width"], s["picture"][2]);
    EXPECT_EQ(s["shown"][0]["height"], s["picture"][3]);
  }
}

TEST_F(SturdyWindowTest, AScaledWindowIsTheSameTwiceAsLarge) {
  // Odd sizes are as they fall; these are even at both scales.
  ASSERT_EQ(act("settle\nkey l\nframes 2\nsettle\nstate " + at("one.json").string(), {"--forget"}).exit_code, 0);
  const ProgramResult twice = act("settle\nkey l\nframes 2\nsettle\nstate " + at("two.json").string() +
                                      "\nscreenshot " + at("two.png").string() + " panels\nframes 2",
                                  {"--forget", "--scale", "2", "--size", "2560x1600"});
  ASSERT_EQ(twice.exit_code, 0) << twice.output;
  const nlohmann::json one = state("one.json"), two = state("two.json");
  for (size_t i = 0; i < 4; ++i)
    EXPECT_EQ(two["picture"][i].get<int>(), 2 * one["picture"][i].get<int>()) << "side " << i;
  const ProgramResult wrong = run_program(program, {"view", at("run").string(), "--scale", "9"});
  EXPECT_NE(wrong.exit_code, 0);
  EXPECT_NE(wrong.output.find("--scale: Value 9 not in range"), std::string::npos) << wrong.output;
}

#ifdef PTL_X11
/// What a window manager does: it keeps WM_STATE of the windows (ICCCM 4.1.3.1).
void set_wm_state(const std::string& title, long state) {
  ::Display* server = ::XOpenDisplay(nullptr);
  ASSERT_TRUE(server);
  ::Window root = 0, parent = 0, found = 0, *children = nullptr;
  unsigned count = 0;
  ::XQueryTree(server, DefaultRootWindow(server), &root, &parent, &children, &count);
  for (unsigned i = 0; i < count; ++i) {
    char* name = nullptr;
    if (::XFetchName(server, children[i], &name) && name && title == name) found = children[i];
    if (name) ::XFree(name);
  }
  if (children) ::XFree(children);
  ASSERT_NE(found, 0u) << "no window is called " << title;
  const Atom atom = ::XInternAtom(server, "WM_STATE", False);
  const long data[2] = {state, 0};
  ::XChangeProperty(server, found, atom, atom, 32, PropModeReplace, reinterpret_cast<const unsigned char*>(data), 2);
  ::XCloseDisplay(server);
}

TEST_F(SturdyWindowTest, AMinimisedWindowRestsAndComesBack) {
  write_contents(at("small.txt"), "settle\nstate " + at("a.json").string() + "\nfile " + at("minimised").string() +
                                      "\nwait 0.5\nstate " + at("b.json").string() + "\nwait 2\nstate " +
                                      at("c.json").string() + "\nfile " + at("restored").string() +
                                      "\nframes 3\nkey right\nsettle\nframes 2\nstate " + at("d.json").string() +
                                      "\nquit\n");
  fs::remove(at("a.json"));
  fs::remove(at("c.json"));
  Program view(program, {"--threads", "1", "view", at("run").string(), "--script", at("small.txt").string(), "--size",
                         "1280x800", "--forget"});
  while (view.running() && !fs::exists(at("a.json"))) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  set_wm_state("pointillist - run", IconicState);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  write_contents(at("minimised"), "");
  while (view.running() && !fs::exists(at("c.json"))) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  set_wm_state("pointillist - run", NormalState);
  write_contents(at("restored"), "");
  const ProgramResult result = view.wait();
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const nlohmann::json a = state("a.json"), b = state("b.json"), c = state("c.json"), d = state("d.json");
  EXPECT_EQ(c["frames"], b["frames"]) << "a window that is not seen was drawn";
  EXPECT_LT(c["turns"].get<int>() - b["turns"].get<int>(), 60) << "of its loop in two seconds: it is busy";
  EXPECT_NE(d["camera_from_scene"], a["camera_from_scene"]);
  EXPECT_EQ(d["shown"][0]["scale"], 1);
  EXPECT_GT(d["frames"], c["frames"]);
}
#endif

}  // namespace
}  // namespace ptl::testing
