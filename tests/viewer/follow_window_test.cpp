// view --follow beside a real fit: each checkpoint is picked up, the camera stays, held-out pictures come.
#include "tests/viewer/window_fixture.h"

namespace ptl::testing {
namespace {

class FollowWindowTest : public WindowTest {
 protected:
  static bool wait_for_file(const std::string& name, Program& program_running) {
    while (!fs::exists(at(name))) {
      if (!program_running.running()) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
  }
  /// A viewer that acts out a script on a run while this program does other things.
  static std::unique_ptr<Program> follow(const std::string& run, const std::string& script) {
    for (const char* of_another_test : {"a.json", "b.json", "c.json", "go.json"}) fs::remove(at(of_another_test));
    write_contents(at("follow.txt"), script + "\nquit\n");
    return std::make_unique<Program>(
        program, std::vector<std::string>{"--threads", "1", "view", at(run).string(), "--script",
                                          at("follow.txt").string(), "--size", "1280x800", "--follow", "--forget"});
  }
};

TEST_F(FollowWindowTest, AFitThatGoesOnIsPickedUpWithItsHeldOutPictures) {
  // Points: held-out pictures come at once, since nothing else is rendered.
  Program fit(program, fit_arguments("growing", "800", "3"));
  const auto view =
      follow("growing", "generation 1\nkey 2\nkey right\nsettle\nheld-out 1\nstate " + at("a.json").string() +
                            "\ngeneration 2\nsettle\nheld-out 1\nstate " + at("b.json").string() + "\nfile " +
                            at("ended").string() + "\nsource model.safetensors\nsettle\nheld-out 2\nframes 2\nstate " +
                            at("c.json").string() + "\nscreenshot " + at("follow.png").string() + " panels\nframes 2");
  const ProgramResult ended = fit.wait();
  EXPECT_EQ(ended.exit_code, 0) << ended.output;
  write_contents(at("ended"), "");
  const ProgramResult shown = view->wait();
  ASSERT_EQ(shown.exit_code, 0) << shown.output;
  const nlohmann::json a = state("a.json"), b = state("b.json"), c = state("c.json");
  EXPECT_EQ(b["camera_from_scene"], a["camera_from_scene"]);
  EXPECT_EQ(c["camera_from_scene"], a["camera_from_scene"]);
  EXPECT_GE(c["generations"], 3);
  ASSERT_EQ(c["held_out"].size(), 2u);
  EXPECT_EQ(c["held_out"][0]["image"], 0);
  EXPECT_EQ(c["held_out"][1]["image"], 8);
  EXPECT_EQ(c["error"], "");
  EXPECT_EQ(c["notice"], "");
  // These photos are small enough to be shown at their own size: the score is that of eval.
  const ProgramResult eval = run_program(program, {"--threads", "1", "eval", at("growing").string(), "--json"});
  ASSERT_EQ(eval.exit_code, 0) << eval.output;
  const nlohmann::json scores = nlohmann::json::parse(eval.output);
  ASSERT_EQ(scores["images"].size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(c["held_out"][i]["size"], nlohmann::json({192, 144}));
    EXPECT_NEAR(c["held_out"][i]["psnr_db"].get<double>(), scores["images"][i]["psnr"].get<double>(), 1e-4);
  }
  // The fit was not disturbed, and what it has learned is seen.
  EXPECT_GT(c["held_out"][0]["psnr_db"].get<double>(), a["held_out"][0]["psnr_db"].get<double>());
}

TEST_F(FollowWindowTest, ARunThatVanishesAndComesBack) {
  fs::copy(at("run"), at("leaving"));
  const auto view =
      follow("leaving", "settle\nheld-out 2\nstate " + at("go.json").string() + "\nnotice\nkey right\nsettle\nstate " +
                            at("a.json").string() + "\nfile " + at("back").string() +
                            "\ngeneration 2\nsettle\nframes 2\nstate " + at("b.json").string());
  ASSERT_TRUE(wait_for_file("go.json", *view)) << view->wait().output;
  fs::rename(at("leaving"), at("elsewhere"));
  ASSERT_TRUE(wait_for_file("a.json", *view)) << view->wait().output;
  fs::copy(at("elsewhere"), at("leaving"));  // another file, so it is read again
  write_contents(at("back"), "");
  const ProgramResult result = view->wait();
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const nlohmann::json a = state("a.json"), b = state("b.json");
  EXPECT_NE(a["notice"].get<std::string>().find("is not there any more"), std::string::npos) << a["notice"];
  EXPECT_EQ(a["shown"][0]["scale"], 1);  // rendered after the folder went
  EXPECT_NE(a["camera_from_scene"], state("go.json")["camera_from_scene"]);
  EXPECT_EQ(a["held_out"].size(), 2u);
  EXPECT_EQ(b["notice"], "");
}

TEST_F(FollowWindowTest, AModelOfANewerVersionIsToldAndTheOldOneStays) {
  fs::copy(at("run"), at("newer"));
  const auto view = follow("newer", "settle\nstate " + at("go.json").string() + "\nnotice\nkey right\nsettle\nstate " +
                                        at("a.json").string() + "\nfile " + at("mended").string() +
                                        "\ngeneration 2\nsettle\nframes 2\nstate " + at("b.json").string());
  ASSERT_TRUE(wait_for_file("go.json", *view)) << view->wait().output;
  const std::string good = file_contents(at("newer/model.safetensors"));
  write_contents(at("newer/other"), with_version(good, '9'));
  fs::rename(at("newer/other"), at("newer/model.safetensors"));
  fs::last_write_time(at("newer/model.safetensors"), fs::file_time_type::clock::now() + std::chrono::seconds(5));
  ASSERT_TRUE(wait_for_file("a.json", *view)) << view->wait().output;
  write_contents(at("newer/other"), good);
  fs::rename(at("newer/other"), at("newer/model.safetensors"));
  fs::last_write_time(at("newer/model.safetensors"), fs::file_time_type::clock::now() + std::chrono::seconds(10));
  write_contents(at("mended"), "");
  const ProgramResult result = view->wait();
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const nlohmann::json a = state("a.json"), b = state("b.json");
  EXPECT_NE(a["error"].get<std::string>().find("made by a newer program"), std::string::npos) << a["error"];
  EXPECT_EQ(a["generations"], 1);
  EXPECT_EQ(a["shown"][0]["scale"], 1);
  EXPECT_EQ(b["error"], "");
  EXPECT_EQ(b["generations"], 2);
}

}  // namespace
}  // namespace ptl::testing
