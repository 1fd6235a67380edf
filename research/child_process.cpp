#include "research/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "datasets/error.h"

namespace ptl::research {

namespace {

class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags)
      : number_(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644)) {
    if (number_ < 0) throw InputError("{}: cannot be written: {}", path.string(), std::strerror(errno));
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { ::close(number_); }
  int number() const { return number_; }

 private:
  int number_;
};

}  // namespace

std::string ChildResult::text() const {
  return signal ? fmt::format("signal {} ({})", signal, ::strsignal(signal))
                : fmt::format("exit status {}", exit_status);
}

ChildResult run_child(const std::vector<std::string>& command, const std::filesystem::path& log,
                      const std::filesystem::path& output, const std::function<int()>& each_moment) {
  const Descriptor log_file(log, O_APPEND);
  const Descriptor output_file(output.empty() ? log : output, output.empty() ? O_APPEND : O_TRUNC);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = ::fork();
  if (child < 0) throw InputError("{}: could not be started: {}", command.front(), std::strerror(errno));
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);  // the parent died before that
    ::dup2(output_file.number(), 1);
    ::dup2(log_file.number(), 2);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  ChildResult result;
  int status = 0;
  struct rusage usage = {};
  for (bool told = false; ::wait4(child, &status, WNOHANG, &usage) == 0;) {
    const int number = told ? 0 : each_moment();
    if (number != 0) {
      ::kill(child, number);
      told = true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.peak_bytes = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
  if (WIFSIGNALED(status))
    result.signal = WTERMSIG(status);
  else
    result.exit_status = WEXITSTATUS(status);
  return result;
}

}  // namespace ptl::research
