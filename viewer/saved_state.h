// What is remembered of a scene from one time to the next, in the user's configuration folder.
#pragma once

#include <filesystem>

#include "viewer/viewer_state.h"

namespace ptl {

/// $XDG_CONFIG_HOME/pointillist/views (or ~/.config/…), one file a scene, named after its folder.
std::filesystem::path saved_state_file(const std::string& scene_path);

/// Camera, mode, panels. What cannot be written is not worth a message.
void save_state(const ViewerState& state, const std::filesystem::path& file);
/// False, and nothing changed, where there is no file or it is not one of ours.
bool load_state(ViewerState& state, const ViewScene& scene, const std::filesystem::path& file);

}  // namespace ptl
