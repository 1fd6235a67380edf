// Options and steps that several commands share: words of the command line; opening scenes and runs.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "datasets/error.h"
#include "renderer/unfitted_model.h"

namespace ptl {

/// An enum by its word; InputError that lists the words.
template <class Enum>
Enum parse_word(const std::string& option, const std::string& word) {
  const std::vector<std::string> names = enum_names(static_cast<Enum*>(nullptr));
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] == word) return static_cast<Enum>(i);
  std::string listed;
  for (const std::string& name : names) listed += (listed.empty() ? "" : ", ") + name;
  throw InputError("{}: expected one of {}, found '{}'", option, listed, word);
}

inline constexpr const char* format_help =
    "which of several a folder is: colmap, transforms, bundler, openmvg, metashape, adop, scannet (docs/formats.md)";
inline constexpr const char* split_help = "every8, none, dataset (as the dataset says), or a file that lists the held-out photos";

/// How a scene is read; `target` has SceneConfig's members format, images, masks, split, image_scale and max_size_px.
template <class Target>
void add_reading_options(CLI::App& command, Target& target) {
  command.add_option("--format", target.format, format_help);
  command.add_option("--images", target.images, "folder of the photos");
  command.add_option("--masks", target.masks, "folder of the masks");
  command.add_option("--split", target.split, split_help);
  command.add_option("--image-scale", target.image_scale, "used size / stored size");
  command.add_option("--max-size", target.max_size_px, "longer side of the largest photo in pixels");
}

/// Options of what is shown without a fit.
struct UnfittedArguments {
  SceneConfig scene;
  std::string network = "light";

  void add_to(CLI::App& command) {
    command.add_option("--format", scene.format, format_help);
    command.add_option("--points", scene.points, "of a scene: PLY file with the cloud");
    command.add_option("--network", network, "of a scene or cloud: the built-in light or unet")->capture_default_str();
  }
  UnfittedOptions options() const {
    UnfittedOptions result;
    result.scene = scene;
    result.network = parse_word<NetworkKind>("--network", network);
    return result;
  }
};

/// What people are told of it.
inline std::string unfitted_note(const Shown& shown) {
  const SceneModel& model = shown.run.model;
  return fmt::format("{}: not fitted; {} points through the built-in {} network of {} layers{}", shown.run.model_path.string(),
                     model.points.size(), network_kind_name(model.network->config().kind), model.layers,
                     shown.photos_missing.empty() ? "" : "; " + shown.photos_missing);
}

}  // namespace ptl
