// Commands as processes: what they say, how they end, and that they do not outlive us.
#include "research/child_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "research/data_fingerprint.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"

namespace ptl::research {
namespace {

using testing::file_contents;

ChildResult shell(
    const std::string& script, const std::filesystem::path& log, const std::filesystem::path& output = {},
    const std::function<int()>& each_moment = [] { return 0; }) {
  return run_child({"/bin/sh", "-c", script}, log, output, each_moment);
}

TEST(ChildProcess, SaysHowItEnded) {
  const testing::TemporaryFolder folder;
  const ChildResult good = shell("echo words; echo wrong >&2", folder / "log");
  EXPECT_TRUE(good.sound());
  EXPECT_GT(good.peak_bytes, 0u);
  EXPECT_EQ(file_contents(folder / "log"), "words\nwrong\n");
  const ChildResult bad = shell("echo more >&2; exit 3", folder / "log", folder / "output");
  EXPECT_FALSE(bad.sound());
  EXPECT_EQ(bad.text(), "exit status 3");
  EXPECT_EQ(file_contents(folder / "log"), "words\nwrong\nmore\n") << "the log goes on";
  EXPECT_EQ(file_contents(folder / "output"), "");
  const ChildResult killed = shell("kill -9 $$", folder / "log");
  EXPECT_EQ(killed.signal, SIGKILL);
  EXPECT_NE(killed.text().find("signal 9"), std::string::npos);
  EXPECT_EQ(run_child({"/nowhere/program"}, folder / "log", {}, [] { return 0; }).exit_status, 127);
  testing::expect_input_error([&] { shell("true", folder / "no/log"); }, {"no/log", "cannot be written"});
}

TEST(ChildProcess, GetsASignalOnce) {
  const testing::TemporaryFolder folder;
  const std::string told = (folder / "told").string(), ready = (folder / "ready").string();
  const ChildResult result =
      shell("trap 'echo told >> " + told + "; exit 5' TERM; : > " + ready + "; while :; do sleep 0.05; done",
            folder / "log", {}, [&] { return std::filesystem::exists(ready) ? SIGTERM : 0; });
  EXPECT_EQ(result.exit_status, 5);
  EXPECT_EQ(file_contents(folder / "told"), "told\n");
}

TEST(ChildProcess, DiesWithItsParent) {
  const testing::TemporaryFolder folder;
  const pid_t parent = ::fork();
  if (parent == 0) {
    shell("echo $$ > '" + (folder / "pid.part").string() + "'; mv '" + (folder / "pid.part").string() + "' '" +
              (folder / "pid").string() + "'; exec sleep 600",
          folder / "log");
    ::_exit(0);
  }
  for (int i = 0; i < 500 && !std::filesystem::exists(folder / "pid"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ASSERT_TRUE(std::filesystem::exists(folder / "pid"));
  const int child = std::stoi(file_contents(folder / "pid"));
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  const auto running = [&] {
    std::ifstream stream("/proc/" + std::to_string(child) + "/stat");
    std::string number, name, state;
    stream >> number >> name >> state;
    return !state.empty() && state != "Z" && state != "X";
  };
  for (int i = 0; i < 500 && running(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(running());
}

TEST(DataFingerprint, ChangesWithAnyByteAndName) {
  const testing::TemporaryFolder folder;
  const auto write = [&](const std::string& name, const std::string& text) {
    std::filesystem::create_directories((folder / "data" / name).parent_path());
    std::ofstream(folder / "data" / name) << text;
  };
  write("b.txt", "two");
  write("a/one.txt", "one");
  const std::string first = data_fingerprint(folder / "data");
  EXPECT_EQ(data_fingerprint(folder / "data"), first);
  std::filesystem::copy(folder / "data", folder / "copy", std::filesystem::copy_options::recursive);
  EXPECT_EQ(data_fingerprint(folder / "copy"), first) << "where it lies does not matter";
  write("b.txt", "twp");
  EXPECT_NE(data_fingerprint(folder / "data"), first);
  write("b.txt", "two");
  EXPECT_EQ(data_fingerprint(folder / "data"), first);
  std::filesystem::rename(folder / "data/b.txt", folder / "data/c.txt");
  EXPECT_NE(data_fingerprint(folder / "data"), first);
  // What one file ends with and the next begins with.
  write("c.txt", "ab");
  write("d.txt", "c");
  const std::string cut = data_fingerprint(folder / "data");
  write("c.txt", "a");
  write("d.txt", "bc");
  EXPECT_NE(data_fingerprint(folder / "data"), cut);
}

}  // namespace
}  // namespace ptl::research
