// Runs beside each other. Figures are ranked only when they mean the same: same scene, split, protocol, sizes and images.
#pragma once

#include <string>
#include <vector>

#include "renderer/eval_result.h"

namespace ptl {

struct Comparison {
  std::vector<EvalResult> runs;          ///< as given
  /// Why these runs cannot be ranked, one sentence each, naming what differs and each run's value. Empty: they can.
  std::vector<std::string> obstacles;
  /// Indices of runs by falling mean PSNR (equal ones by SSIM, then as given); as given when they cannot be ranked.
  std::vector<int> order;
  /// Settings that are not the same in all runs: key and the value of each run ("–" where it has none).
  struct SettingRow {
    std::string key;
    std::vector<std::string> values;
  };
  std::vector<SettingRow> differing_settings;

  bool can_rank() const { return obstacles.empty(); }
};

/// Throws InputError for fewer than two runs.
Comparison compare_runs(const std::vector<EvalResult>& runs);

/// A table for the terminal: protocol, figures, differing settings; and what stands against a ranking.
std::string comparison_text(const Comparison& comparison);

/// The same as one self-contained HTML page, with a table per image.
std::string comparison_html(const Comparison& comparison);

}  // namespace ptl
