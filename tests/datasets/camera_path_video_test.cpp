// Folders of frames, and videos of them: with a stand-in for ffmpeg that shows what it was asked, and with the real one
// where it is installed.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "datasets/frame_folder.h"
#include "datasets/image_io.h"
#include "datasets/video.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"

namespace ptl {
namespace {

namespace fs = std::filesystem;
using testing::expect_input_error;
using testing::file_contents;
using testing::write_contents;

class Frames : public ::testing::Test {
 protected:
  void TearDown() override { ::setenv("PATH", path_.c_str(), 1); }
  /// A script as the only ffmpeg there is.
  void stand_in(const std::string& script) {
    write_contents(folder_ / "bin" / "ffmpeg", "#!/bin/sh\n" + script);
    ::chmod((folder_ / "bin" / "ffmpeg").c_str(), 0755);
    ::setenv("PATH", ((folder_ / "bin").string() + ":/bin:/usr/bin").c_str(), 1);
  }
  fs::path out() const { return folder_ / "50% of it"; }

  testing::TemporaryFolder folder_;
  std::string path_ = std::getenv("PATH");
  FrameSet set_{"abc", 5, 25, 33, 17};
};

void write_frame(const FrameFolder& frames, size_t i) {
  Image image(33, 17, 3);
  for (int y = 0; y < 17; ++y)
    for (int x = 0; x < 33; ++x) image.at(x, y, 0) = static_cast<float>(i) / 5;
  write_png(frames.picture(i), image);
}

TEST_F(Frames, GoOnWhereTheyWereAndNeverMix) {
  const FrameFolder frames(out(), set_, false);
  EXPECT_EQ(frames.picture(3).filename(), "frame_000003.png");
  write_frame(frames, 3);
  EXPECT_TRUE(frames.has(3));
  EXPECT_FALSE(frames.has(2));
  expect_input_error([&] { FrameFolder(out(), set_, false); },
                     {"50% of it", "frames in this folder already", "--resume"});
  EXPECT_TRUE(FrameFolder(out(), set_, true).has(3));
  FrameSet other = set_;
  other.fingerprint = "abd";
  expect_input_error([&] { FrameFolder(out(), other, true); }, {"another path, model, size"});
  expect_input_error([&] { FrameFolder(folder_ / "new", set_, true); }, {"no frames to resume"});
  fs::remove(out() / "frames.json");
  expect_input_error([&] { FrameFolder(out(), set_, false); }, {"frames in this folder already; choose another"});
  write_contents(folder_ / "file", "");
  expect_input_error([&] { FrameFolder(folder_ / "file", set_, false); }, {"is a file"});
}

TEST_F(Frames, FfmpegIsAskedForTheRightThingAndLeavesNothingBehind) {
  const FrameFolder frames(out(), set_, false);
  stand_in("for a; do echo \"$a\"; last=\"$a\"; done > " + (folder_ / "asked").string() + "\necho video > \"$last\"\n");
  EXPECT_TRUE(write_video(frames, folder_ / "made" / "path.mp4"));
  EXPECT_EQ(file_contents(folder_ / "made" / "path.mp4"), "video\n");
  const std::string asked = file_contents(folder_ / "asked");
  for (const char* part : {"-framerate\n25\n", "50%% of it/frame_%06d.png\n", "-frames:v\n5\n", "yuv420p"})
    EXPECT_NE(asked.find(part), std::string::npos) << part << " is missing in\n" << asked;
  stand_in("echo no such encoder >&2\nexit 3\n");
  expect_input_error([&] { write_video(frames, folder_ / "made" / "other.mp4"); },
                     {"other.mp4", "no such encoder", "50% of it"});
  stand_in("exec sleep 60\n");
  EXPECT_FALSE(write_video(frames, folder_ / "made" / "stopped.mp4", [] { return false; }));
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder_ / "made")) ++files;
  EXPECT_EQ(files, 1u);
  ::setenv("PATH", folder_.path().c_str(), 1);
  expect_input_error([&] { write_video(frames, folder_ / "a.mp4"); },
                     {"ffmpeg is not on the PATH", "apt-get install ffmpeg"});
  expect_input_error([&] { write_video(frames, folder_ / "a.avi"); }, {"video:", ".mp4", "a.avi"});
}

TEST_F(Frames, TheRealFfmpegMakesAVideo) {
  try {
    find_ffmpeg();
  } catch (const InputError& none) {
    GTEST_SKIP() << none.what();
  }
  const FrameFolder frames(out(), set_, false);
  for (size_t i = 0; i < 5; ++i) write_frame(frames, i);
  for (const char* name : {"v.mp4", "v.webm"}) {
    EXPECT_TRUE(write_video(frames, folder_ / name));
    EXPECT_GT(fs::file_size(folder_ / name), 500u);
  }
  EXPECT_EQ(file_contents(folder_ / "v.mp4").substr(4, 4), "ftyp");
}

}  // namespace
}  // namespace ptl
