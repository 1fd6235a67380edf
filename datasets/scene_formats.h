// Which formats of scenes there are, and which of them a folder or file is in, as its contents say.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/scene_draft.h"

namespace ptl {

struct SceneFormat {
  const char* name;      ///< the word of LoadOptions::format
  const char* expected;  ///< what it looks like, for people
  /// The files (or model folders) of this format in a folder, best first, or the path itself where it is such a file.
  std::vector<std::filesystem::path> (*find)(const std::filesystem::path& folder_or_file);
  SceneDraft (*read)(const SceneFiles& files);
};

/// All of them: a new format is one more line in scene_formats.cpp.
const std::vector<SceneFormat>& scene_formats();

struct FoundScene {
  const SceneFormat* format = nullptr;
  std::filesystem::path file;
};

/// Everything that the folder or file could be.
std::vector<FoundScene> detect_scene(const std::filesystem::path& folder_or_file);

/// The one thing that it is, or of that format where one is named. InputError: no such folder, nothing in it (the
/// message lists what was looked for), several (it lists them and says how to choose), and a format that there is not.
FoundScene choose_scene(const std::filesystem::path& folder_or_file, const std::string& format = "");

}  // namespace ptl
