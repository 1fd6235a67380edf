#include "research/bench_table.h"

#include <algorithm>

#include "datasets/atomic_file.h"
#include "research/bench.h"

namespace ptl::research {
namespace fs = std::filesystem;

namespace {

/// Of each scene the photos that its first finished run left, beside every variant's picture: the plan's last length of
/// fits, first seed.
std::vector<TablePicture> find_pictures(const Plan& plan, const std::vector<PlannedRun>& done,
                                        const BenchFolder& bench) {
  std::vector<TablePicture> pictures;
  for (size_t scene = 0; scene < plan.scenes.size(); ++scene) {
    std::vector<TablePicture> of_scene;
    for (const PlannedRun& run : done) {
      if (run.scene != scene || run.seed != plan.seeds.front() || run.budget + 1 != plan.budgets.size()) continue;
      const RunFiles files{bench.run(plan, run)};
      std::error_code error;
      std::vector<fs::path> names;
      for (auto entry = fs::recursive_directory_iterator(files.pictures() / "renderings", error);
           !error && entry != fs::recursive_directory_iterator(); entry.increment(error))
        if (entry->is_regular_file(error))
          names.push_back(entry->path().lexically_relative(files.pictures() / "renderings"));
      std::sort(names.begin(), names.end());
      for (const fs::path& name : names) {
        auto picture = std::find_if(of_scene.begin(), of_scene.end(),
                                    [&](const TablePicture& each) { return each.name == name.string(); });
        if (picture == of_scene.end()) {
          of_scene.push_back({plan.scenes[scene].name, name.string(), files.pictures() / "photos" / name, {}});
          picture = std::prev(of_scene.end());
          picture->renderings.resize(plan.variants.size());
        }
        picture->renderings[run.variant] = files.pictures() / "renderings" / name;
      }
    }
    pictures.insert(pictures.end(), of_scene.begin(), of_scene.end());
  }
  return pictures;
}

}  // namespace

Table write_bench_table(const Plan& plan, const BenchFolder& bench) {
  std::vector<Outcome> outcomes;
  std::vector<PlannedRun> done;
  for (const PlannedRun& run : planned_runs(plan)) {
    RunStatus status = run_status(plan, run, bench, {});
    if (!status.outcome) continue;
    if (!status.outcome->failure) done.push_back(run);
    outcomes.push_back(std::move(*status.outcome));
  }
  const std::vector<PublishedFigure> published =
      plan.published.empty() ? std::vector<PublishedFigure>{} : read_published(plan.published);
  const Table table = make_table(plan, outcomes, published);
  write_file_atomically(bench.path() / "table.html", table_page(table, find_pictures(plan, done, bench)));
  write_file_atomically(bench.path() / "table.csv", table_csv(table));
  write_file_atomically(bench.path() / "table.tex", table_latex(table));
  write_file_atomically(bench.path() / "table.json", table_json(table));
  return table;
}

}  // namespace ptl::research
