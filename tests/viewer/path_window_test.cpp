// A camera path in the window: recorded, saved, loaded, and its frames exported; against `render --path`, bit for bit.
#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "tests/viewer/window_fixture.h"

namespace ptl::testing {
namespace {

class PathWindowTest : public WindowTest {
 protected:
  /// Types into a field of the window.
  static std::string type(const std::string& field, const std::string& text) {
    return "push " + field + "\nkey control down\nkey a\nframes 2\nkey control up\ntext " + text +
           "\nkey enter\nframes 2\n";
  }
  /// Three key frames at places of images, `fps` frames a second.
  static std::string record(const std::string& fps) {
    return "settle\nkey right\nsettle\nkey k\nkey right\nsettle\nkey w down\nframes 5\nkey w up\nsettle\nkey k\n"
           "key right\nsettle\nkey k\nsettle\n" +
           type("fps", fps);
  }
  static std::map<std::string, std::string> files(const fs::path& folder) {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::directory_iterator(folder))
      all[entry.path().filename().string()] = file_contents(entry.path());
    return all;
  }
  static void expect_same_files(const std::string& a, const std::string& b) {
    const auto of_a = files(at(a)), of_b = files(at(b));
    ASSERT_EQ(of_a.size(), of_b.size());
    for (const auto& [name, contents] : of_a) {
      ASSERT_TRUE(of_b.count(name)) << name;
      EXPECT_TRUE(of_b.at(name) == contents) << name << " differs";
    }
  }
  static ProgramResult render(const std::string& path, const std::string& out, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"--threads",       "1",     "render",        at("run").string(), "--path",
                                          at(path).string(), "--out", at(out).string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(program, arguments);
  }
};

TEST_F(PathWindowTest, NerfstudiosPathsAreSavedAndLoaded) {
  // A scene that nerfstudio halved, turned a quarter about z and moved.
  write_contents(at("dataparser_transforms.json"),
                 R"({"transform": [[0, -1, 0, 0.5], [1, 0, 0, 0], [0, 0, 1, -1]], "scale": 0.5})");
  const std::string transform = type("path transform", at("dataparser_transforms.json").string());
  const ProgramResult recorded =
      act(record("4") + type("path file", at("nerfstudio.json").string()) + transform +
              "push save for nerfstudio\nframes 2\n" + type("path file", at("own.json").string()) + "push save\nframes 2",
          {"--forget", "--view", "photo_003.png"});
  ASSERT_EQ(recorded.exit_code, 0) << recorded.output;
  const nlohmann::json saved = nlohmann::json::parse(file_contents(at("nerfstudio.json")));
  EXPECT_EQ(saved["keyframes"].size(), 3u);
  EXPECT_EQ(saved["camera_path"].size(), 17u);

  // Loaded in another window it is the same path: saved as our own, its poses are the recorded ones.
  const ProgramResult loaded =
      act("settle\nkey l\nframes 2\n" + type("path file", at("nerfstudio.json").string()) + transform +
              "push load\nframes 2\n" + type("path file", at("back.json").string()) + "push save\nframes 2",
          {"--forget"});
  ASSERT_EQ(loaded.exit_code, 0) << loaded.output;
  const nlohmann::json own = nlohmann::json::parse(file_contents(at("own.json"))),
                       back = nlohmann::json::parse(file_contents(at("back.json")));
  ASSERT_EQ(back["key_frames"].size(), 3u);
  for (size_t k = 0; k < 3; ++k)
    for (size_t row = 0; row < 3; ++row)
      for (size_t column = 0; column < 4; ++column)
        EXPECT_NEAR(back["key_frames"][k]["camera_from_world"][row][column].get<double>(),
                    own["key_frames"][k]["camera_from_world"][row][column].get<double>(), 1e-9);
}

TEST_F(PathWindowTest, RecordedSavedLoadedAndExportedItIsThePictureOfRender) {
  const ProgramResult recorded = act(record("4") + type("path file", at("walk.json").string()) +
                                         "push save\nframes 2\n" + type("folder", at("exported").string()) +
                                         "push export\nexported\nframes 2\nstate " + at("a.json").string(),
                                     {"--forget", "--view", "photo_003.png"});
  ASSERT_EQ(recorded.exit_code, 0) << recorded.output;
  const nlohmann::json a = state("a.json");
  EXPECT_EQ(a["key_frames"], 3);
  EXPECT_EQ(a["export"]["done"], 17) << a["export"]["message"];
  // In another window: loaded from the file.
  const ProgramResult loaded = act("settle\nkey l\nframes 2\n" + type("path file", at("walk.json").string()) +
                                       "push load\nframes 2\n" + type("folder", at("exported_loaded").string()) +
                                       "push export\nexported\nframes 2\nstate " + at("b.json").string(),
                                   {"--forget"});
  ASSERT_EQ(loaded.exit_code, 0) << loaded.output;
  EXPECT_EQ(state("b.json")["key_frames"], 3);
  const ProgramResult rendered = render("walk.json", "rendered");
  ASSERT_EQ(rendered.exit_code, 0) << rendered.output;
  expect_same_files("exported", "rendered");
  expect_same_files("exported_loaded", "rendered");
  EXPECT_EQ(files(at("rendered")).size(), 18u);  // with the note
  // A path that moves: its pictures differ.
  const auto pictures = files(at("rendered"));
  EXPECT_NE(pictures.at("frame_000000.png"), pictures.at("frame_000016.png"));
  const nlohmann::json path = nlohmann::json::parse(file_contents(at("walk.json")));
  EXPECT_EQ(path["image"], "photo_004.png");  // whose light was shown at the first key frame
  EXPECT_EQ(path["fps"], 4);
}

TEST_F(PathWindowTest, KeyFramesHoldTheExposureThatIsShown) {
  const ProgramResult result =
      act("settle\nkey l\nkey right\nsettle\nkey k\nframes 2\npush key exposures\nframes 2\nkey right\nsettle\n"
          "key ]\nkey ]\nkey ]\nkey ]\nsettle\nkey k\nsettle\nstate " + at("a.json").string() + "\n" +
              type("fps", "4") + type("path file", at("light.json").string()) + "push save\nframes 2\n" +
              type("folder", at("light").string()) + "push export\nexported\nframes 2\nkey space\nsettle\nstate " +
              at("b.json").string(),
          {"--forget", "--view", "photo_003.png"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const nlohmann::json path = nlohmann::json::parse(file_contents(at("light.json")));
  ASSERT_EQ(path["key_frames"].size(), 2u);
  const double first_ev = path["key_frames"][0]["exposure_ev"], second_ev = path["key_frames"][1]["exposure_ev"];
  // Each is the exposure of the photo nearby as fitted, and these differ by less than that.
  EXPECT_NEAR(second_ev, first_ev - 1, 0.01) << "four quarters of a stop brighter";
  ASSERT_EQ(render("light.json", "light_rendered").exit_code, 0);
  expect_same_files("light", "light_rendered");
  const auto brightness = [&](const char* frame) {
    const Image image = to_float(read_image(at("light") / frame));
    double sum = 0;
    for (const float value : image.pixels) sum += static_cast<double>(value);
    return sum / static_cast<double>(image.pixels.size());
  };
  EXPECT_GT(brightness("frame_000008.png"), 1.1 * brightness("frame_000000.png"));
  // Played to its end the view has the last key frame's light.
  EXPECT_NEAR(state("b.json")["shown"][0]["exposure_ev"].get<double>(), second_ev, 1e-6);
}

TEST_F(PathWindowTest, ACancelledExportLeavesWholeFramesAndGoesOn) {
  const ProgramResult result = act(record("12") + type("path file", at("long.json").string()) +
                                       "push save\nframes 2\n" + type("folder", at("partly").string()) +
                                       "push export\nframes-done 3\npush cancel\nexported\nframes 2\nstate " +
                                       at("a.json").string() + "\nframes 2",
                                   {"--forget"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const nlohmann::json a = state("a.json");
  EXPECT_NE(a["export"]["message"].get<std::string>().find("Cancelled"), std::string::npos) << a["export"];
  const auto before = files(at("partly"));
  EXPECT_GE(before.size(), 4u);
  EXPECT_LT(before.size(), 45u);
  for (const auto& [name, contents] : before)
    EXPECT_TRUE(name == "frames.json" || (name.starts_with("frame_") && name.ends_with(".png"))) << name;
  // The window goes on with it, and so would 'render --resume': the note is the same.
  const ProgramResult on =
      act("settle\nkey l\nframes 2\n" + type("path file", at("long.json").string()) + "push load\nframes 2\n" +
              type("folder", at("partly").string()) + "push export\nexported\nframes 2\nstate " + at("b.json").string(),
          {"--forget"});
  ASSERT_EQ(on.exit_code, 0) << on.output;
  EXPECT_NE(state("b.json")["export"]["message"].get<std::string>().find("from before"), std::string::npos);
  const ProgramResult resumed = render("long.json", "partly", {"--resume"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
  EXPECT_NE(resumed.output.find("49 frames were there"), std::string::npos) << resumed.output;
  ASSERT_EQ(render("long.json", "whole").exit_code, 0);
  expect_same_files("partly", "whole");
}

TEST_F(PathWindowTest, TheViewGoesOnWhileFramesAreMade) {
  const ProgramResult result =
      act(record("30") + type("folder", at("beside").string()) + "push export\nframes-done 1\nstate " +
              at("a.json").string() + "\nkey left\nsettle\nstate " + at("b.json").string() + "\npush cancel\nexported",
          {"--forget"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const nlohmann::json a = state("a.json"), b = state("b.json");
  EXPECT_EQ(b["export"]["running"], true) << "the export ended before the view was sharp";
  EXPECT_EQ(b["shown"][0]["scale"], 1);
  EXPECT_NE(b["camera_from_scene"], a["camera_from_scene"]);
}

TEST_F(PathWindowTest, WhatCannotBeWrittenIsToldInTheWindow) {
  write_contents(at("a_file"), "not a folder");
  const char* path = std::getenv("PATH");
  const std::string kept = path ? path : "";
  ::setenv("PATH", "/nonexistent", 1);
  const ProgramResult result =
      act(record("4") + type("folder", at("a_file").string()) + "push export\nexported\nframes 2\nstate " +
              at("a.json").string() + "\n" + type("folder", at("videos").string()) +
              "push video\nframes 2\npush export\nexported\nframes 2\nstate " + at("b.json").string() +
              "\nkey left\nsettle\nstate " + at("c.json").string(),
          {"--forget"});
  ::setenv("PATH", kept.c_str(), 1);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const std::string a = state("a.json")["export"]["message"], b = state("b.json")["export"]["message"];
  EXPECT_NE(a.find("is a file; expected the name of a folder"), std::string::npos) << a;
  EXPECT_EQ(file_contents(at("a_file")), "not a folder");
  EXPECT_NE(b.find("ffmpeg is not on the PATH"), std::string::npos) << b;
  EXPECT_FALSE(fs::exists(at("videos")));
  EXPECT_EQ(state("c.json")["shown"][0]["scale"], 1);
}

TEST_F(PathWindowTest, AFailedWriteIsToldAndTheNextExportWorks) {
  write_contents(at("lost.txt"), record("30") + type("folder", at("lost").string()) +
                                     "push export\nframes-done 2\nstate " + at("begun.json").string() +
                                     "\nexported\nframes 2\nstate " + at("a.json").string() + "\n" + type("fps", "4") +
                                     type("folder", at("free").string()) + "push export\nexported\nframes 2\nstate " +
                                     at("b.json").string() + "\nquit\n");
  fs::remove(at("begun.json"));
  Program view(program, {"--threads", "1", "view", at("run").string(), "--script", at("lost.txt").string(), "--size",
                         "1280x800", "--forget"});
  while (view.running() && !fs::exists(at("begun.json"))) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  // A file takes the folder's place: the next frame has nowhere to go.
  fs::rename(at("lost"), at("moved"));
  write_contents(at("lost"), "a file");
  const ProgramResult result = view.wait();
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const std::string message = state("a.json")["export"]["message"];
  EXPECT_NE(message.find("lost"), std::string::npos) << message;
  EXPECT_EQ(message.find("Cancelled"), std::string::npos) << message;
  EXPECT_EQ(state("b.json")["export"]["done"], 17) << state("b.json")["export"];
}

TEST_F(PathWindowTest, ACancelledVideoLeavesNothing) {
  // A program that writes half of a video and never ends.
  const fs::path ffmpeg = at("bin/ffmpeg");
  write_contents(ffmpeg, "#!/bin/sh\nfor last; do :; done\necho half > \"$last\"\ntouch " + at("half").string() +
                             "\nexec sleep 600\n");
  ::chmod(ffmpeg.c_str(), 0755);
  const std::string kept = std::getenv("PATH");
  ::setenv("PATH", (ffmpeg.parent_path().string() + ":" + kept).c_str(), 1);
  const ProgramResult result =
      act(record("2") + type("folder", at("framed").string()) + "push video\nframes 2\n" +
              type("video file", at("cut.mp4").string()) + "push export\nfile " + at("half").string() +
              "\npush cancel\nexported\nframes 2\nstate " + at("a.json").string(),
          {"--forget"});
  ::setenv("PATH", kept.c_str(), 1);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(state("a.json")["export"]["message"].get<std::string>().find("Cancelled"), std::string::npos);
  EXPECT_EQ(files(at("framed")).size(), 10u);  // frames and note
  for (const auto& entry : fs::directory_iterator(at("")))
    EXPECT_FALSE(entry.path().filename().string().starts_with("cut")) << entry.path();
}

TEST_F(PathWindowTest, AVideoIsMadeWhereFfmpegIs) {
  if (path_of("ffmpeg").empty()) GTEST_SKIP() << "ffmpeg is not here (Debian: apt-get install ffmpeg)";
  const ProgramResult result = act(record("2") + type("path file", at("short.json").string()) +
                                       "push save\nframes 2\n" + type("folder", at("for_video").string()) +
                                       "push video\nframes 2\n" + type("video file", at("walk.mp4").string()) +
                                       "push export\nexported\nframes 2\nstate " + at("a.json").string(),
                                   {"--forget"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  ASSERT_TRUE(fs::exists(at("walk.mp4"))) << state("a.json")["export"]["message"];
  ASSERT_EQ(render("short.json", "for_video_2", {"--video", at("walk_2.mp4").string()}).exit_code, 0);
  EXPECT_EQ(fs::file_size(at("walk.mp4")), fs::file_size(at("walk_2.mp4")));
}

}  // namespace
}  // namespace ptl::testing
