#include "viewer/view_mode.h"

namespace ptl {

std::span<const ViewModeInfo> view_modes() {
  using enum ViewMode;
  static constexpr ViewModeInfo modes[view_mode_count] = {
      {neural, "neural", "Neural picture", '1', "The model's picture: points, network, tone mapper.", true, true,
       false},
      {points, "points", "Points", '2', "The cloud itself, each point in its own colour.", false, false, false},
      {photo, "photo", "Nearest photo", '3', "The photo whose camera stands and looks most like this view.", false,
       false, true},
      {blend, "blend", "Photo over picture", '4', "The nearest photo laid half transparent over the neural picture.",
       true, true, true},
      {error, "error", "Error", '5', "Difference from the photo that the camera stands in; dark is right.", true, true,
       true},
      {depth, "depth", "Depth", '6', "Distance of the nearest point; near is bright, black has no point.", true, true,
       false},
      {weight, "weight", "Points per pixel", '7', "How many points each pixel of the finest layer has.", true, true,
       false},
      {layer, "layer", "Pyramid layer", '8', "Three channels of one layer, as the network sees it.", true, true, false},
      {environment, "environment", "Environment", '9', "What the network makes of the background alone.", true, true,
       false},
      {support, "support", "Support", '0', "Finest layer with a point here: green is known, magenta is guessed.", true,
       true, false},
  };
  return modes;
}

const ViewModeInfo& view_mode_info(ViewMode mode) {
  return view_modes()[static_cast<size_t>(mode)];
}

std::optional<ViewMode> view_mode_of(std::string_view name) {
  for (const ViewModeInfo& info : view_modes())
    if (name == info.name) return info.mode;
  return std::nullopt;
}

}  // namespace ptl
