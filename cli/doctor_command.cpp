// pointillist doctor SCENE: what is wrong with a scene, before hours are spent on a fit.
#include <fmt/format.h>

#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/step_progress.h"
#include "datasets/atomic_file.h"
#include "datasets/error.h"
#include "doctor/describe.h"
#include "doctor/examine.h"
#include "doctor/page.h"
#include "renderer/preset_outlook.h"

namespace ptl {

namespace {

struct Options {
  std::string scene, page;
  LoadOptions load;
  doctor::ExamineOptions examine;
  bool json = false;
};

/// What each preset needs on this machine, and how long it takes: a few steps of each are rehearsed, which decodes photos.
std::vector<doctor::PresetNeed> preset_needs(const Scene& scene, const Options& options) {
  if (options.examine.quick || scene.cloud.size() == 0 || scene.images.empty()) return {};
  constexpr uint64_t image_cache_bytes = 2048ull << 20;  // fit's --image-cache when nothing is said
  SceneConfig config;
  config.split = options.examine.split;
  config.points = options.load.points_file.string();
  std::vector<doctor::PresetNeed> needs;
  for (const char* preset : {"quick", "standard", "paper"}) {
    doctor::PresetNeed need;
    need.preset = preset;
    try {
      const PresetOutlook outlook = preset_outlook(scene, preset, config, image_cache_bytes);
      need.memory = fmt::format("{:.1f} GiB", static_cast<double>(outlook.memory.peak()) / (1ull << 30));
      need.time = rough_duration(outlook.seconds);
      need.remark = fmt::format("{} steps of {}{}", outlook.steps, outlook.step_seconds < 1 ? fmt::format("{:.0f} ms", 1000 * outlook.step_seconds)
                                                                                            : fmt::format("{:.0f} s", outlook.step_seconds),
                                outlook.densifies ? ", less what making dense points takes of the time" : "");
    } catch (const InputError& error) {
      need.memory = need.time = "unknown";
      need.remark = error.what();
    }
    needs.push_back(std::move(need));
  }
  return needs;
}

}  // namespace

void add_doctor_command(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("doctor",
                                         "what is wrong with a scene and what to do, before a fit; ends with 0 where "
                                         "a fit is advisable, 1 where not, 2 where the scene cannot be read");
  command->add_option("SCENE", options->scene, "folder of a scene, or the file that describes it")->required();
  command->add_option("--out", options->page, "an HTML page with pictures");
  command->add_flag("--json", options->json, "JSON instead of a table");
  command->add_flag("--quick", options->examine.quick, "only what needs no photo's pixels");
  command->add_option("--format", options->load.format, "which of several a folder is (docs/formats.md)");
  command->add_option("--points", options->load.points_file, "PLY file with the cloud");
  command->add_option("--images", options->load.image_folder, "folder of the photos");
  command->add_option("--masks", options->load.mask_folder, "folder of the masks");
  command->add_option("--split", options->examine.split,
                      "which photos a fit would hold out: every8, none, dataset, or a file");
  command->callback([options] {
    doctor::OpenedScene opened = doctor::open_scene_to_examine(options->scene, options->load, options->examine);
    std::vector<doctor::PresetNeed> needs = preset_needs(opened.scene, *options);
    doctor::Examination examination;
    {
      StepProgress progress;
      examination = doctor::examine(std::move(opened), options->examine, std::move(needs),
                                    [&](const char* step, int done, int total) { progress.show(step, done, total); });
    }
    if (!options->page.empty())
      doctor::or_cannot_examine([&] { write_file_atomically(options->page, doctor::page_html(examination)); });
    fmt::print("{}", options->json ? describe_json(examination) + "\n" : describe_text(examination));
    constexpr int not_advisable = 1;
    if (!examination.diagnosis.fit_is_advisable()) throw CLI::RuntimeError(not_advisable);
  });
}

}  // namespace ptl
