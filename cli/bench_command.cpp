// pointillist bench PLAN.toml --out FOLDER: research runs from a plan, and their table.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "cli/commands.h"
#include "cli/interrupts.h"
#include "datasets/atomic_file.h"
#include "datasets/error.h"
#include "renderer/device_setup.h"
#include "research/bench.h"
#include "research/bench_table.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

struct Options {
  std::string plan, out, data;
  bool list = false, table_only = false, retry_failed = false;
  int only = 0;
  double stale_seconds = 120;
};

void print_list(const research::Plan& plan, const research::BenchFolder& bench,
                const research::Claim::Options& claims) {
  for (const research::PlannedRun& run : research::planned_runs(plan)) {
    const research::RunStatus status = research::run_status(plan, run, bench, claims);
    std::string note;
    if (status.holder)
      note = fmt::format(" (process {} on {}, since {})", status.holder->process, status.holder->host,
                         status.holder->since);
    if (status.outcome && !status.outcome->evaluations.empty())
      note = fmt::format(" {:.2f} dB", status.outcome->evaluations.front().mean.psnr_db);
    fmt::print("{:>4}  {:<8} {}{}\n", run.number, research::run_state_word(status.state),
               research::run_title(plan, run), note);
  }
}

/// The program itself, as each run starts it.
std::string this_program() {
  std::error_code error;
  const fs::path path = fs::read_symlink("/proc/self/exe", error);
  if (error) throw InputError("/proc/self/exe: this program's own path could not be read: {}", error.message());
  return path.string();
}

}  // namespace

void add_bench_command(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("bench", "research runs from a plan: fits what is missing, scores, and writes the table");
  command->add_option("PLAN", options->plan, "TOML file (docs/research.md)")->required();
  command->add_option("--out", options->out, "folder of the bench; several processes may share it")->required();
  command->add_option("--data", options->data, "where the plan's scene folders are (by default beside the plan)");
  command->add_flag("--list", options->list, "the runs with their numbers and states, and nothing else");
  command->add_option("--only", options->only, "the number of one run to make (for job arrays)")
      ->check(CLI::PositiveNumber);
  command->add_flag("--table", options->table_only, "only write the table of what is there");
  command->add_flag("--retry-failed", options->retry_failed, "make failed runs again, from the beginning");
  command
      ->add_option(
          "--stale-seconds", options->stale_seconds,
          "a process on another machine without a sign of life for so long is taken for dead, and its run taken over")
      ->check(CLI::Range(20.0, 1e6));
  command->callback([options, &app] {
    const research::Plan plan = research::read_plan(options->plan, options->data);
    const research::BenchFolder bench(options->out);
    research::BenchOptions how;
    how.claims.stale_seconds = options->stale_seconds;
    if (options->list) return print_list(plan, bench, how.claims);
    if (!options->table_only) {
      how.perform.program = this_program();
      how.perform.versions = version_table();
      if (const CLI::Option* threads = app.get_option("--threads"); threads->count() > 0)
        how.perform.shared = {"--threads", threads->as<std::string>()};
      how.perform.interrupted = interrupted;
      if (options->only > 0) how.only = options->only;
      how.retry_failed = options->retry_failed;
      how.say = [](const std::string& line) {
        fmt::print("{}\n", line);
        std::fflush(stdout);
      };
      how.after_each = [&] { research::write_bench_table(plan, bench); };
      catch_interrupts();
      const research::BenchSummary summary = research::carry_out(plan, bench, how);
      const research::Table table = research::write_bench_table(plan, bench);
      if (summary.interrupted)
        throw InputError("stopped: {} runs done, {} failed, {} left; the same command goes on", summary.done,
                         summary.failed, summary.left);
      if (options->only > 0) {
        if (summary.failed > 0) throw InputError("run {} failed; --retry-failed makes it again", options->only);
        if (summary.left > 0) throw InputError("run {} is another process's; nothing was done", options->only);
        return;
      }
      fmt::print("\n{}table: {}\n", research::table_text(table), (bench.path() / "table.html").string());
      if (summary.failed > 0)
        throw InputError(
            "{} of {} runs failed (the reasons are in the table and in each run's log.txt); --retry-failed makes them "
            "again",
            summary.failed, summary.done + summary.failed);
      return;
    }
    const research::Table table = research::write_bench_table(plan, bench);
    fmt::print("{}table: {}\n", research::table_text(table), (bench.path() / "table.html").string());
  });
}

}  // namespace ptl
