// pointillist compare RUN RUN …: runs beside each other.
#include <fmt/format.h>

#include <memory>

#include "cli/commands.h"
#include "datasets/atomic_file.h"
#include "datasets/error.h"
#include "renderer/compare.h"
#include "renderer/run_folder.h"

namespace ptl {
namespace fs = std::filesystem;

void add_compare_command(CLI::App& app) {
  struct Options {
    std::vector<std::string> runs;
    std::string page;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("compare", "runs beside each other, ranked where that means something");
  command->add_option("RUN", options->runs, "folders of runs, or files that 'eval --json' wrote")->required();
  command->add_option("--html", options->page, "also write a page");
  command->callback([options] {
    std::vector<EvalResult> results;
    for (const std::string& run : options->runs) {
      const fs::path path = fs::is_directory(run) ? RunFolder{run}.eval() : fs::path(run);
      if (!fs::exists(path))
        throw InputError("{}: no such file; expected a run that was evaluated, or the output of 'pointillist eval --json'",
                         path.string());
      results.push_back(read_eval_result(path));
    }
    const Comparison comparison = compare_runs(results);
    fmt::print("{}", comparison_text(comparison));
    if (!options->page.empty()) {
      write_file_atomically(options->page, comparison_html(comparison));
      fmt::print("page: {}\n", options->page);
    }
    if (!comparison.can_rank()) throw InputError("compare: these runs cannot be ranked (the reasons are above)");
  });
}

}  // namespace ptl
