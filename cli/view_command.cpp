// pointillist view SCENE|RUN: the window.
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/scene_options.h"
#include "datasets/error.h"
#include "viewer/viewer.h"

namespace ptl {

namespace {

/// "1280x720"
void apply_size(const std::string& text, ViewerOptions& options) {
  if (text.empty()) return;
  char x = 0, rest = 0;
  if (std::sscanf(text.c_str(), "%d%c%d%c", &options.width, &x, &options.height, &rest) != 3 || x != 'x' ||
      options.width < 16 || options.height < 16 || options.width > 16384 || options.height > 16384)
    throw InputError("--size: expected WIDTHxHEIGHT in pixels, 16 to 16384, for example 1280x720, found '{}'", text);
}

}  // namespace

void add_view_command(CLI::App& app) {
  struct Asked {
    ViewerOptions viewer;
    std::string size;
  };
  auto asked = std::make_shared<Asked>();
  ViewerOptions& options = asked->viewer;
  CLI::App* command = app.add_subcommand("view", "walk through a scene or a fitted model in a window");
  command->add_option("SCENE|RUN|PLY", options.render.path, "a scene's folder, a cloud, the folder of a run, or a model file")
      ->required();
  command->add_option("--format", options.render.format, format_help);
  command->add_option("--points", options.render.points, "of a scene: PLY file with the cloud");
  command->add_option("--scene", options.render.scene_folder, "where the photos of a run are now");
  command->add_flag("--follow", options.render.follow, "beside a fit that goes on: show each new checkpoint");
  command->add_option("--view", options.view, "an image to begin at");
  command->add_option("--mode", options.mode,
                      "neural, points, photo, blend, error, depth, weight, layer, environment, support");
  command->add_option("--split", options.second_mode, "a second mode, for the right half");
  command->add_option("--layer", options.layer, "which layer mode layer shows");
  command->add_option("--size", asked->size, "WIDTHxHEIGHT of the window, or of the picture of --screenshot");
  command->add_option("--screenshot", options.screenshot,
                      "write this picture (.png, .jpg) of --view and --mode, and end");
  command->add_flag("--panels", options.screenshot_panels, "the whole window in --screenshot, not the picture alone");
  command->add_flag("!--forget", options.remember, "neither begin where the scene was left, nor remember it");
  command->add_option("--scale", options.scale, "size of text and panels: 2 is twice as large (by default the display's)")
      ->check(CLI::Range(0.5, 4.0));
  command->add_option("--edits", options.edits, "JSON file of points to leave out: boxes and brush strokes");
  command->add_option("--script", options.script, "act out a file of events");
  command->add_option("--device", options.render.device, "cpu or cuda");
  command->add_flag("!--plain-copy", options.render.share_gpu,
                    "pictures of a GPU take the way through the processor's memory, also where CUDA and OpenGL could share theirs");
  command->callback([asked, &app] {
    apply_size(asked->size, asked->viewer);
    if (const CLI::Option* threads = app.get_option_no_throw("--threads"); threads && threads->count() > 0)
      asked->viewer.render.threads = threads->as<int>();
    run_viewer(asked->viewer);
  });
}

}  // namespace ptl
