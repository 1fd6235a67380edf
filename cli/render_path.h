// render --path with a camera path: its frames, numbered, and a video of them.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/scene_options.h"
#include "renderer/path_pictures.h"

namespace ptl {

struct PathOptions {
  std::string image, video, transform;
  double frames_per_s = 0;
  bool resume = false;
};
void add_path_options(CLI::App& command, PathOptions& options);

/// InputError where one of them was given: what is rendered is `instead`.
void refuse_path_options(const PathOptions& options, const char* instead);

/// Renders what is missing of the path's frames into the folder `out`. `asked_*`: 0: as the path says. `development`:
/// what else decides the pixels, as words: kind of picture, exposure; frames of another development are not gone on
/// with. `render_one`: writes one picture.
void render_path(const OpenedRun& opened, const std::string& file, const std::string& out, const PathOptions& options,
                 int asked_width_px, int asked_height_px, const std::string& development,
                 const std::function<void(const PathPicture&, const std::filesystem::path&)>& render_one);

}  // namespace ptl
