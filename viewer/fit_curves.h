// The curves of a fit, read from its metrics.jsonl while the fit appends to it: whole lines only, a bounded part at a
// time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace ptl {

class FitCurves {
 public:
  explicit FitCurves(std::filesystem::path file) : file_(std::move(file)) {}

  /// Reads on; false when there was nothing new. A file that became shorter (a fit that was begun again) is read anew.
  bool poll();

  const std::vector<float>& loss() const { return loss_; }        ///< means over equal numbers of steps, at most 512
  const std::vector<float>& psnr_db() const { return psnr_db_; }  ///< of the held-out checks
  int64_t step() const { return step_; }
  int64_t points() const { return points_; }

 private:
  std::filesystem::path file_;
  uint64_t read_bytes_ = 0;
  std::vector<float> loss_, psnr_db_;
  double bin_sum_ = 0;
  int64_t bin_steps_ = 1, in_bin_ = 0, step_ = 0, points_ = 0;
};

}  // namespace ptl
