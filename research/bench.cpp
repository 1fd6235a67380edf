#include "research/bench.h"

#include <fmt/format.h>

#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "datasets/error.h"
#include "renderer/report_html.h"

namespace ptl::research {
namespace fs = std::filesystem;

namespace {

/// What is still to come, from runs of the same length that have ended, or from the clock's budget.
double seconds_left(const Plan& plan, const std::vector<PlannedRun>& left,
                    const std::map<size_t, std::vector<double>>& took) {
  double sum = 0;
  for (const PlannedRun& run : left) {
    const auto found = took.find(run.budget);
    if (found == took.end()) {
      sum += 60 * plan.budgets[run.budget].minutes;
      continue;
    }
    double mean = 0;
    for (const double seconds : found->second) mean += seconds / static_cast<double>(found->second.size());
    sum += mean;
  }
  return sum;
}

struct Counts {
  int done = 0, failed = 0, running = 0;
  std::vector<PlannedRun> left;
};

}  // namespace

const char* run_state_word(RunState state) {
  static constexpr const char* words[] = {"missing", "stopped", "running", "failed", "done"};
  return words[static_cast<size_t>(state)];
}

RunStatus run_status(const Plan& plan, const PlannedRun& run, const BenchFolder& bench, const Claim::Options& claims) {
  const RunFiles files{bench.run(plan, run)};
  RunStatus status;
  if (is_there(files.outcome())) {
    status.outcome = read_outcome(files.outcome());
    if (status.outcome->deciding != deciding_words(plan, run))
      throw InputError(
          "{}: this run was made by other options than the plan's now; give the variant (or scene) another name in "
          "the plan, choose another --out, or remove the run's folder",
          files.folder.string());
    status.state = status.outcome->failure ? RunState::failed : RunState::done;
    return status;
  }
  if (!is_there(files.folder)) return status;
  status.holder = living_holder(files.claim(), claims);
  status.state = status.holder ? RunState::running : is_there(files.progress()) ? RunState::stopped : RunState::missing;
  return status;
}

BenchSummary carry_out(const Plan& plan, const BenchFolder& bench, const BenchOptions& options) {
  std::vector<PlannedRun> runs = planned_runs(plan);
  const size_t all = runs.size();
  if (options.only) {
    if (*options.only < 1 || *options.only > static_cast<int>(all))
      throw InputError("--only {}: the plan has runs 1 to {} (--list)", *options.only, all);
    runs = {runs[static_cast<size_t>(*options.only - 1)]};
  }
  std::error_code error;
  fs::create_directories(bench.path(), error);
  if (error)
    throw InputError("{}: could not be made: {}; choose another --out", bench.path().string(), error.message());

  const auto interrupted = [&] { return options.perform.interrupted && options.perform.interrupted(); };
  std::map<size_t, std::vector<double>> took;  // seconds of runs, by their budget
  std::set<int> retried;
  std::set<size_t> ready;  // scenes whose files are there
  BenchSummary summary;
  const auto count = [&] {
    Counts counts;
    took.clear();
    for (const PlannedRun& run : runs) {
      const RunStatus status = run_status(plan, run, bench, options.claims);
      if (status.outcome) took[run.budget].push_back(status.outcome->seconds);
      if (status.state == RunState::done)
        ++counts.done;
      else if (status.state == RunState::failed && !(options.retry_failed && !retried.count(run.number)))
        ++counts.failed;
      else
        counts.left.push_back(run);
      counts.running += status.state == RunState::running;
    }
    return counts;
  };

  for (bool waiting = false;;) {
    const Counts before = count();
    summary = {before.done, before.failed, static_cast<int>(before.left.size()), interrupted()};
    if (before.left.empty() || summary.interrupted) return summary;
    bool took_one = false;
    for (const PlannedRun& run : before.left) {
      if (interrupted()) break;
      if (!ready.count(run.scene) && !make_scene_files(plan.scenes[run.scene], bench, options.perform, options.claims))
        break;
      ready.insert(run.scene);
      const RunFiles files{bench.run(plan, run)};
      fs::create_directories(files.folder, error);
      if (error) throw InputError("{}: could not be made: {}", files.folder.string(), error.message());
      std::optional<Claim> claim = Claim::take(files.claim(), options.claims);
      if (!claim) continue;
      const RunStatus status = run_status(plan, run, bench, options.claims);
      if (status.state == RunState::done) continue;  // another process was faster
      if (status.state == RunState::failed) {
        if (!options.retry_failed || !retried.insert(run.number).second) continue;
        for (const fs::path& old : {files.outcome(), files.progress(), files.log(), files.fit()})
          fs::remove_all(old, error);
      }
      took_one = true;
      waiting = false;
      const Counts now = count();
      const double left_s = seconds_left(plan, now.left, took);
      options.say(fmt::format("[{}/{}] {}{}; {} done, {} failed, {} left{}", run.number, all, run_title(plan, run),
                              claim->taken_over()                 ? " (goes on after a process that ended)"
                              : status.state == RunState::stopped ? " (goes on)"
                                                                  : "",
                              now.done, now.failed, now.left.size(),
                              left_s > 0 ? fmt::format(", about {} for them", html::duration_text(left_s)) : ""));
      const RunEnd end = perform(plan, run, bench, options.perform, *claim);
      if (end == RunEnd::lost)
        options.say(
            fmt::format("[{}/{}] was silent for too long: another process took this run over", run.number, all));
      if (end != RunEnd::finished) continue;
      const Outcome outcome = read_outcome(files.outcome());
      if (outcome.failure)
        options.say(fmt::format("[{}/{}] failed: {}: {}; see {}", run.number, all, outcome.failure->command,
                                outcome.failure->how, files.log().string()));
      else
        for (const EvalResult& result : outcome.evaluations)
          options.say(fmt::format("[{}/{}] {:.2f} dB, SSIM {:.3f} (exposure {}, pose {})", run.number, all,
                                  result.mean.psnr_db, result.mean.ssim, result.protocol.exposure,
                                  result.protocol.pose));
      if (options.after_each) options.after_each();
    }
    if (took_one || interrupted()) continue;
    if (options.only) return summary;
    if (!waiting)
      options.say(fmt::format("{} runs are other processes'; waiting for them (one that dies is taken over)",
                              before.left.size()));
    waiting = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
}

}  // namespace ptl::research
