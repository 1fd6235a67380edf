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

/// --points and --network of what is shown without a fit.
inline void add_unfitted_options(CLI::App& command, std::string& points, std::string& network) {
  command.add_option("--points", points, "of a scene: PLY file with the cloud");
  command.add_option("--network", network, "of a scene or cloud: the built-in light or unet")->capture_default_str();
}

inline UnfittedOptions unfitted_options(const std::string& points, const std::string& network) {
  UnfittedOptions options;
  options.scene.points = points;
  options.network = parse_word<NetworkKind>("--network", network);
  return options;
}

/// What people are told of it.
inline std::string unfitted_note(const Shown& shown) {
  const SceneModel& model = shown.run.model;
  return fmt::format("{}: not fitted; {} points through the built-in {} network of {} layers{}", shown.run.model_path.string(),
                     model.points.size(), network_kind_name(model.network->config().kind), model.layers,
                     shown.photos_missing.empty() ? "" : "; " + shown.photos_missing);
}

}  // namespace ptl
