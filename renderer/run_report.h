// From a fitted model to eval.json and report.html.
#pragma once

#include "renderer/evaluate.h"
#include "renderer/fit.h"
#include "renderer/run_folder.h"

namespace ptl {

/// Scores the held-out photos with the default protocol, writes eval.json and, when asked, report.html.
EvalResult evaluate_and_report(const SceneModel& model, ImageCache& photos, const RunFolder& run,
                               const FitOutcome& outcome, bool write_page, const EvaluateOptions& options = {});

}  // namespace ptl
