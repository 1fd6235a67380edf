// pointillist report RUN: the page of a run, made again.
#include <fmt/format.h>

#include <memory>

#include "cli/commands.h"
#include "cli/scene_options.h"
#include "renderer/run_report.h"

namespace ptl {

void add_report_command(CLI::App& app) {
  struct Options {
    std::string run, scene, lpips;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("report", "score a run again and write its report.html");
  command->add_option("RUN", options->run, "folder of a run")->required();
  command->add_option("--scene", options->scene, "where the photos are now");
  command->add_option("--lpips", options->lpips, "safetensors file with LPIPS weights");
  command->callback([options] {
    const OpenedRun run = open_run(options->run);
    const auto photos = open_photos(run.model, options->scene);
    EvaluateOptions evaluation;
    if (!options->lpips.empty()) evaluation.lpips = std::make_shared<Lpips>(options->lpips);
    FitOutcome outcome;
    for (const nlohmann::json& line : read_metrics(run.folder.metrics())) {
      outcome.steps = std::max(outcome.steps, line.value("step", int64_t{0}));
      outcome.seconds = std::max(outcome.seconds, line.value("seconds", 0.0));
    }
    const EvalResult result = evaluate_and_report(run.model, *photos, run.folder, outcome, true, evaluation);
    fmt::print("held-out PSNR: {:.2f} dB  SSIM: {:.3f}\nreport: {}\n", result.mean.psnr_db, result.mean.ssim,
               run.folder.report().string());
  });
}

}  // namespace ptl
