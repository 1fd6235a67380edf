#include "research/perform.h"

#include <fmt/format.h>
#include <signal.h>

#include <chrono>
#include <deque>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "datasets/atomic_file.h"
#include "datasets/error.h"
#include "research/child_process.h"
#include "research/data_fingerprint.h"
#include "research/toml_reader.h"

namespace ptl::research {
namespace fs = std::filesystem;

namespace {

constexpr size_t shown_lines = 20;

/// A run's account over all of its starts.
struct Progress {
  std::string started;
  double seconds = 0, busy_cores = 0;
  int starts = 0;
  uint64_t peak_bytes = 0;
  bool fitted = false;

  static Progress read(const fs::path& path) {
    Progress progress;
    std::ifstream stream(path);
    const auto json = nlohmann::json::parse(stream, nullptr, false);
    if (!json.is_object()) return progress;
    progress.started = json.value("started", "");
    progress.seconds = json.value("seconds", 0.0);
    progress.busy_cores = json.value("busy_cores", 0.0);
    progress.starts = json.value("starts", 0);
    progress.peak_bytes = json.value("peak_bytes", uint64_t{0});
    progress.fitted = json.value("fitted", false);
    return progress;
  }
  void write(const fs::path& path) const {
    const nlohmann::ordered_json json = {{"started", started}, {"seconds", seconds},       {"busy_cores", busy_cores},
                                         {"starts", starts},   {"peak_bytes", peak_bytes}, {"fitted", fitted}};
    write_file_atomically(path, json.dump(1) + "\n");
  }
};

std::vector<std::string> last_lines(const fs::path& log) {
  std::deque<std::string> lines;
  std::ifstream stream(log);
  for (std::string line; std::getline(stream, line);) {
    // A progress line that overwrites itself: its last state.
    if (const size_t back = line.rfind('\r'); back != std::string::npos) line.erase(0, back + 1);
    lines.push_back(line);
    if (lines.size() > shown_lines) lines.pop_front();
  }
  return {lines.begin(), lines.end()};
}

std::vector<std::string> whole_command(const PerformOptions& options, const std::vector<std::string>& words) {
  std::vector<std::string> command = {options.program};
  command.insert(command.end(), words.begin(), words.end());
  command.insert(command.end(), options.shared.begin(), options.shared.end());
  return command;
}

/// Starts commands, keeps the claim fresh meanwhile, and passes an interrupt on.
class Runner {
 public:
  Runner(const PerformOptions& options, Claim& claim) : options_(options), claim_(claim) {}

  ChildResult run(const std::vector<std::string>& words, const fs::path& log, const fs::path& output = {}) {
    {
      std::ofstream stream(log, std::ios::app);
      stream << "\n" << timestamp() << " pointillist";
      for (const std::string& word : words) stream << " " << word;
      stream << "\n";
    }
    return run_child(whole_command(options_, words), log, output, [&] {
      if (!claim_.beat()) lost_ = true;
      if (lost_) return SIGKILL;
      if (options_.interrupted && options_.interrupted()) interrupted_ = true;
      return interrupted_ ? SIGTERM : 0;
    });
  }
  bool lost() const { return lost_; }
  bool interrupted() const { return interrupted_; }

 private:
  const PerformOptions& options_;
  Claim& claim_;
  bool lost_ = false, interrupted_ = false;
};

}  // namespace

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

std::vector<std::string> deciding_words(const Plan& plan, const PlannedRun& run) {
  const PlanScene& scene = plan.scenes[run.scene];
  std::vector<std::string> words = fit_arguments(plan, run, {"scene", scene.dense ? "points" : ""}, "run");
  const auto add = [&](const std::vector<std::string>& more) { words.insert(words.end(), more.begin(), more.end()); };
  if (scene.synth_seed) add(synth_arguments(scene, "scene"));
  if (scene.dense) add(densify_arguments(scene, "scene", "points"));
  for (const PlanProtocol& protocol : plan.protocols) add(eval_arguments(protocol, "run"));
  if (plan.flicker) add({"--flicker"});
  return words;
}

std::map<std::string, std::string> data_of(const Plan& plan, const PlannedRun& run, const SceneFiles& files) {
  std::map<std::string, std::string> data = {{"scene", data_fingerprint(files.folder)}};
  if (!files.points.empty()) data["dense points"] = data_fingerprint(files.points);
  for (const auto* options : {&plan.scenes[run.scene].options, &plan.variants[run.variant].options})
    for (const std::string& word : *options) {
      std::error_code error;
      if (word.find_first_of("/.") != std::string::npos && fs::is_regular_file(word, error))
        data[fs::path(word).filename().string()] = data_fingerprint(word);
    }
  return data;
}

namespace {

/// A command whose product is there once for all runs. `recipe`: its words without folders, kept beside the product.
bool make_once(const fs::path& product, const std::vector<std::string>& words, const std::vector<std::string>& recipe,
               const PerformOptions& options, const Claim::Options& claims) {
  const fs::path made = product.string() + ".made.json", log = product.string() + ".log";
  const std::string wanted = nlohmann::json(recipe).dump() + "\n";
  fs::create_directories(product.parent_path());
  const auto is_made = [&] {
    if (!is_there(made) || !is_there(product)) return false;
    if (read_text_file(made, "how it was made") == wanted) return true;
    throw InputError(
        "{}: was made by other options than the plan's now; give the scene another name in the plan, or choose another "
        "--out",
        product.string());
  };
  while (!is_made()) {
    if (options.interrupted && options.interrupted()) return false;
    std::optional<Claim> claim = Claim::take(product.string() + ".claim", claims);
    if (!claim) {  // another process makes it
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      continue;
    }
    if (is_made()) break;
    Runner runner(options, *claim);
    const ChildResult result = runner.run(words, log);
    if (runner.lost()) continue;
    if (runner.interrupted()) return false;
    if (!result.sound() || !is_there(product)) {
      std::string said;
      for (const std::string& line : last_lines(log)) said += "\n  " + line;
      throw InputError("{}: could not be made by 'pointillist {}' ({}):{}", product.string(), words.front(),
                       result.text(), said);
    }
    write_file_atomically(made, wanted);
  }
  return true;
}

}  // namespace

bool make_scene_files(const PlanScene& scene, const BenchFolder& bench, const PerformOptions& options,
                      const Claim::Options& claims) {
  const SceneFiles files = bench.files(scene);
  if (scene.synth_seed &&
      !make_once(files.folder, synth_arguments(scene, files.folder), synth_arguments(scene, "scene"), options, claims))
    return false;
  if (!scene.dense) return true;
  std::vector<std::string> recipe = densify_arguments(scene, "scene", "points");
  if (scene.synth_seed) {
    const std::vector<std::string> made = synth_arguments(scene, "scene");
    recipe.insert(recipe.end(), made.begin(), made.end());
  } else {
    recipe.push_back(data_fingerprint(files.folder));  // photos that changed since make other points
  }
  return make_once(files.points, densify_arguments(scene, files.folder, files.points), recipe, options, claims);
}

RunEnd perform(const Plan& plan, const PlannedRun& run, const BenchFolder& bench, const PerformOptions& options,
               Claim& claim) {
  const RunFiles files{bench.run(plan, run)};
  const SceneFiles scene = bench.files(plan.scenes[run.scene]);
  Progress progress = Progress::read(files.progress());
  if (progress.starts == 0) {
    progress.started = timestamp();
    progress.busy_cores = busy_cores(1);
  }
  ++progress.starts;
  progress.write(files.progress());

  Outcome outcome;
  outcome.scene = plan.scenes[run.scene].name;
  outcome.variant = plan.variants[run.variant].name;
  outcome.budget = plan.budgets[run.budget].name();
  outcome.seed = run.seed;
  outcome.fit_command = fit_arguments(plan, run, scene, files.fit());
  outcome.deciding = deciding_words(plan, run);
  outcome.versions = options.versions;
  outcome.machine = this_machine();
  outcome.data = data_of(plan, run, scene);

  Runner runner(options, claim);
  const auto failed = [&](const char* command, const ChildResult& result, const std::string& more = {}) {
    outcome.failure = OutcomeFailure{command, result.text() + more, last_lines(files.log())};
  };
  if (!progress.fitted) {
    std::vector<std::string> words = outcome.fit_command;
    const bool begun = is_there(files.fit() / "config.toml") || is_there(files.fit() / "checkpoint.safetensors") ||
                       is_there(files.fit() / "model.safetensors");
    if (begun) words.push_back("--resume");
    const ChildResult result = runner.run(words, files.log());
    if (runner.lost()) return RunEnd::lost;
    progress.seconds += result.seconds;
    progress.peak_bytes = std::max(progress.peak_bytes, result.peak_bytes);
    progress.fitted = result.sound() && is_there(files.fit() / "model.safetensors");
    progress.write(files.progress());
    if (!progress.fitted && runner.interrupted()) return RunEnd::interrupted;
    if (!progress.fitted) failed("fit", result, result.sound() ? ", but there is no model: it was stopped" : "");
  }
  for (size_t i = 0; i < plan.protocols.size() && !outcome.failure; ++i) {
    const fs::path scores = files.folder / fmt::format("eval_{}.json", i);
    std::vector<std::string> words = eval_arguments(plan.protocols[i], files.fit());
    if (i == 0 && plan.pictures > 0)
      words.insert(words.end(),
                   {"--pictures", files.pictures().string(), "--most-pictures", std::to_string(plan.pictures)});
    if (i == 0 && plan.flicker) words.push_back("--flicker");
    const ChildResult result = runner.run(words, files.log(), scores);
    if (runner.lost()) return RunEnd::lost;
    if (runner.interrupted()) return RunEnd::interrupted;
    if (!result.sound()) {
      failed("eval", result);
      break;
    }
    outcome.evaluations.push_back(read_eval_result(scores));
    outcome.evaluations.back().scene = outcome.scene;
  }
  outcome.started = progress.started;
  outcome.ended = timestamp();
  outcome.seconds = progress.seconds;
  outcome.starts = progress.starts;
  outcome.peak_bytes = progress.peak_bytes;
  outcome.busy_cores = progress.busy_cores;
  if (!claim.beat()) return RunEnd::lost;
  write_outcome(files.outcome(), outcome);
  return RunEnd::finished;
}

}  // namespace ptl::research
