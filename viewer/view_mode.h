// What the viewer can show: names, keys and a line of explanation for each.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

namespace ptl {

enum class ViewMode {
  neural,
  points,
  photo,
  blend,
  error,
  depth,
  weight,
  layer,
  environment,
  support,
};
inline constexpr int view_mode_count = 10;

struct ViewModeInfo {
  ViewMode mode;
  const char* name;         ///< as options and scripts say it
  const char* title;        ///< as the menu says it
  char key;                 ///< '1'..'9', '0'
  const char* explanation;  ///< one line
  bool rendered;            ///< by the render thread; else drawn by the window
  bool needs_model;
  bool needs_photos;
};

/// All modes, in the order of the menu.
std::span<const ViewModeInfo> view_modes();
const ViewModeInfo& view_mode_info(ViewMode mode);
/// Nothing for a word that is no mode.
std::optional<ViewMode> view_mode_of(std::string_view name);

}  // namespace ptl
