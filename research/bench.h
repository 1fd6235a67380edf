// A plan carried out: what is missing is run, what another process runs is left to it, and its table is kept up to
// date.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "research/perform.h"

namespace ptl::research {

enum class RunState { missing, stopped, running, failed, done };
const char* run_state_word(RunState state);

struct RunStatus {
  RunState state = RunState::missing;
  std::optional<ClaimHolder> holder;  ///< of a running one
  std::optional<Outcome> outcome;     ///< of a done or failed one
};

/// Throws InputError when there is an outcome of something else than the plan says now.
RunStatus run_status(const Plan& plan, const PlannedRun& run, const BenchFolder& bench, const Claim::Options& claims);

struct BenchOptions {
  PerformOptions perform;
  Claim::Options claims;
  std::optional<int>
      only;  ///< the number of the one run to make; nothing: all, and those of processes that die meanwhile
  bool retry_failed = false;                    ///< make failed ones again, from the beginning
  std::function<void(const std::string&)> say;  ///< a line of progress
  std::function<void()> after_each;             ///< there is another outcome
};

struct BenchSummary {
  int done = 0, failed = 0, left = 0;
  bool interrupted = false;
};

/// Returns when every run has an outcome (of `only`: that one, unless another process has it), or on an interrupt.
/// Throws InputError for a plan that does not fit what the folder holds, before anything is run.
BenchSummary carry_out(const Plan& plan, const BenchFolder& bench, const BenchOptions& options);

}  // namespace ptl::research
