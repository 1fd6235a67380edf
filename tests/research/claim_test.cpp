// Who works on what: a living process keeps its claim, a dead one loses it.
#include "research/claim.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "datasets/error.h"
#include "research/machine.h"
#include "tests/support/temporary_folder.h"

namespace ptl::research {
namespace {

class ClaimTest : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return folder_ / "claim"; }
  void write_other(const std::string& host, long long process, double age_s) const {
    std::ofstream(file()) << nlohmann::json{
        {"host", host}, {"process", process}, {"process_start", "1"}, {"since", "then"}, {"token", "t"}};
    struct timespec times[2];
    ::clock_gettime(CLOCK_REALTIME, &times[0]);
    times[0].tv_sec -= static_cast<time_t>(age_s);
    times[1] = times[0];
    ASSERT_EQ(::utimensat(AT_FDCWD, file().c_str(), times, 0), 0);
  }
  testing::TemporaryFolder folder_;
  Claim::Options options_{60, 0};
};

TEST_F(ClaimTest, IsOnesUntilItIsGivenUp) {
  {
    std::optional<Claim> mine = Claim::take(file(), options_);
    ASSERT_TRUE(mine.has_value());
    EXPECT_FALSE(mine->taken_over().has_value());
    EXPECT_FALSE(Claim::take(file(), options_).has_value());
    ASSERT_TRUE(living_holder(file(), options_).has_value());
    EXPECT_EQ(living_holder(file(), options_)->process, ::getpid());
    EXPECT_TRUE(mine->beat());
  }
  EXPECT_FALSE(std::filesystem::exists(file()));
  EXPECT_TRUE(Claim::take(file(), options_).has_value());
}

TEST_F(ClaimTest, OfADeadProcessIsTakenOver) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  write_other(this_machine().host, child, 0);
  EXPECT_FALSE(living_holder(file(), options_).has_value());
  const std::optional<Claim> mine = Claim::take(file(), options_);
  ASSERT_TRUE(mine.has_value());
  ASSERT_TRUE(mine->taken_over().has_value());
  EXPECT_EQ(mine->taken_over()->process, child);
}

// The number is in use again, by another process than the claim's.
TEST_F(ClaimTest, OfANumberThatIsUsedAgainIsTakenOver) {
  write_other(this_machine().host, ::getpid(), 0);
  EXPECT_TRUE(Claim::take(file(), options_).has_value());
}

TEST_F(ClaimTest, OfAnotherMachineHoldsWhileItIsFresh) {
  write_other("elsewhere", 1, 30);
  EXPECT_FALSE(Claim::take(file(), options_).has_value());
  write_other("elsewhere", 1, 90);
  EXPECT_TRUE(Claim::take(file(), options_).has_value());
}

TEST_F(ClaimTest, ThatCannotBeReadHoldsWhileItIsFresh) {
  std::ofstream(file()) << "{ half";
  EXPECT_FALSE(Claim::take(file(), options_).has_value());
}

TEST_F(ClaimTest, BeatKeepsItFreshAndTellsThatItIsLost) {
  std::optional<Claim> mine = Claim::take(file(), options_);
  ASSERT_TRUE(mine.has_value());
  struct timespec times[2] = {{1000000000, 0}, {1000000000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, file().c_str(), times, 0), 0);
  EXPECT_TRUE(mine->beat());
  struct stat now = {};
  ASSERT_EQ(::stat(file().c_str(), &now), 0);
  EXPECT_GT(now.st_mtim.tv_sec, 1700000000);
  write_other("elsewhere", 1, 0);
  EXPECT_FALSE(mine->beat());
  mine.reset();
  EXPECT_TRUE(std::filesystem::exists(file())) << "a lost claim is not removed";
}

TEST_F(ClaimTest, OneOfManyThreadsGetsIt) {
  std::atomic<int> got{0};
  std::vector<std::optional<Claim>> claims(8);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      std::optional<Claim> claim = Claim::take(file(), options_);
      got += claim.has_value();
      if (claim) claims[i].emplace(std::move(*claim));
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(got, 1);
}

TEST_F(ClaimTest, NeedsAFolderThatCanBeWritten) {
  EXPECT_THROW(Claim::take(folder_ / "none" / "claim", options_), InputError);
}

}  // namespace
}  // namespace ptl::research
