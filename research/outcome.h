// What became of a planned run, with everything that says how its figures came about. One JSON file beside the run.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "renderer/eval_result.h"
#include "research/machine.h"

namespace ptl::research {

struct OutcomeFailure {
  std::string command;                  ///< "fit", "eval", "synth"
  std::string how;                      ///< "exit status 1", "signal 9 (Killed)"
  std::vector<std::string> last_lines;  ///< of what the command said
};

struct Outcome {
  std::string scene, variant, budget;  ///< the plan's names
  uint64_t seed = 0;
  std::optional<OutcomeFailure> failure;  ///< nothing: it ended well
  std::vector<EvalResult> evaluations;    ///< one a protocol, in the plan's order

  std::vector<std::string> fit_command;                       ///< as it was begun, without the program's path
  std::vector<std::string> deciding;                          ///< what decides the figures (perform.h: deciding_words)
  std::vector<std::pair<std::string, std::string>> versions;  ///< program, LibTorch, commit, …
  std::map<std::string, std::string> data;  ///< name → fingerprint: "scene", and files that options name
  Machine machine;
  std::string started, ended;  ///< UTC
  double seconds = 0;          ///< of the fit's processes, wall clock; with those of earlier starts
  int starts = 0;              ///< 1: in one go
  uint64_t peak_bytes = 0;     ///< most resident memory of the fit
  double busy_cores = 0;       ///< by other programs, just before it began

  /// Others worked on the machine: figures by the clock are those of a slower machine.
  bool disturbed() const { return machine.cores > 0 && busy_cores > 0.25 * machine.cores; }
};

void write_outcome(const std::filesystem::path& path, const Outcome& outcome);
/// Throws InputError that names the file when it is not what write_outcome wrote.
Outcome read_outcome(const std::filesystem::path& path);

}  // namespace ptl::research
