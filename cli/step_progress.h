// Progress of work in named steps: one line that is overwritten on a terminal, a line a step elsewhere.
#pragma once

#include <chrono>
#include <string>

namespace ptl {

class StepProgress {
 public:
  StepProgress();
  ~StepProgress();  ///< clears the terminal's line
  StepProgress(const StepProgress&) = delete;
  StepProgress& operator=(const StepProgress&) = delete;

  /// `done` of `total` parts of `step`; without numbers where there is only one.
  void show(const std::string& step, int done, int total);

 private:
  bool terminal_, shown_ = false;
  std::chrono::steady_clock::time_point start_;
  std::string last_;
};

}  // namespace ptl
