// Runs the program under test as a user would: as a process.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.h"

namespace ptl::testing {

struct ProgramResult {
  int exit_code = -1;  ///< −1: ended by a signal
  std::string output;  ///< stdout and stderr
  uint64_t peak_bytes = 0;  ///< most resident memory
};

/// A process that was started; wait() or kill() ends it. `file_limit_bytes`: writing more to a file fails, as on a full disk
/// (root may write to any folder, so that permissions stop nothing in tests).
class Program {
 public:
  Program(const std::string& path, const std::vector<std::string>& arguments, uint64_t file_limit_bytes = 0)
      : log_(folder_ / "log") {
    pid_ = ::fork();
    if (pid_ == 0) {
      const int log = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
      ::dup2(log, 1);
      ::dup2(log, 2);
      if (file_limit_bytes > 0) {
        const struct rlimit limit = {file_limit_bytes, file_limit_bytes};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        ::signal(SIGXFSZ, SIG_IGN);  // write() then fails with EFBIG
      }
      std::vector<char*> argv = {const_cast<char*>(path.c_str())};
      for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
      argv.push_back(nullptr);
      ::execv(path.c_str(), argv.data());
      ::_exit(127);
    }
  }
  pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }
  bool running() {
    if (!reaped_ && ::wait4(pid_, &status_, WNOHANG, &usage_) == pid_) reaped_ = true;
    return !reaped_;
  }
  ProgramResult wait() {
    if (!reaped_) ::wait4(pid_, &status_, 0, &usage_);
    reaped_ = true;
    return {WIFEXITED(status_) ? WEXITSTATUS(status_) : -1, file_contents(log_),
            static_cast<uint64_t>(usage_.ru_maxrss) * 1024};
  }

 private:
  TemporaryFolder folder_;
  std::filesystem::path log_;
  pid_t pid_ = -1;
  int status_ = 0;
  struct rusage usage_ = {};
  bool reaped_ = false;
};

inline ProgramResult run_program(const std::string& path, const std::vector<std::string>& arguments) {
  return Program(path, arguments).wait();
}

/// It ended with 1 and a message that holds all of the parts.
inline void expect_refused(const ProgramResult& result, const std::vector<std::string>& parts) {
  EXPECT_EQ(result.exit_code, 1) << result.output;
  for (const std::string& part : parts)
    EXPECT_NE(result.output.find(part), std::string::npos) << "lacks '" << part << "':\n" << result.output;
  EXPECT_EQ(result.output.find("internal error"), std::string::npos) << result.output;
}

}  // namespace ptl::testing
