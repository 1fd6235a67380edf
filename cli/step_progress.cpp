#include "cli/step_progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace ptl {

StepProgress::StepProgress() : terminal_(::isatty(STDERR_FILENO) != 0), start_(std::chrono::steady_clock::now()) {}

StepProgress::~StepProgress() {
  if (terminal_ && shown_) std::fputs("\r\033[K", stderr);
}

void StepProgress::show(const std::string& step, int done, int total) {
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  if (terminal_)
    fmt::print(stderr, "\r\033[K{:5.0f} s  {}{}", seconds, step, total > 1 ? fmt::format(" {}/{}", done, total) : "");
  else if (step != last_)
    fmt::print(stderr, "{:5.0f} s  {}\n", seconds, step);
  std::fflush(stderr);
  last_ = step;
  shown_ = true;
}

}  // namespace ptl
