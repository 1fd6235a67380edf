// The panels around the picture, with Dear ImGui. They read what there is to say and edit ViewerState; they never wait.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "viewer/fit_curves.h"
#include "viewer/pixel_rect.h"
#include "viewer/view_request.h"
#include "viewer/viewer_state.h"

namespace ptl {

/// What panels say and cannot change.
struct ViewerInfo {
  const ViewScene* scene = nullptr;  ///< null: nothing is loaded yet
  bool loading = false, rendering = false, moving = false, complete = false, follow = false;
  std::string error;                            ///< of loading
  std::array<const Picture*, 2> pictures = {};  ///< the last ones of both halves; null: none
  int full_width_px = 0, full_height_px = 0;    ///< of the picture's place
  uint64_t points_drawn = 0;
  double frame_ms = 0, longest_frame_ms = 0;
  std::string driver;
  const FitCurves* curves = nullptr;
  const std::map<int, unsigned>* small_photos = nullptr;  ///< textures by image
  std::string photo_note;                                 ///< which photo is shown, or why none
  float scale = 1;
};

/// Where things stand: panels have places of their own and never cover each other or the picture.
struct PanelLayout {
  PixelRect picture, left, right, timeline, status;
};
PanelLayout panel_layout(int width_px, int height_px, bool panels, bool timeline, float scale);

/// Fonts and colours, once; `scale` of the display. False where no font was found: Dear ImGui's own is used.
bool set_panel_style(float scale);

void draw_panels(ViewerState& state, const ViewerInfo& info, const PanelLayout& layout);

// Its parts.
void draw_view_panel(ViewerState& state, const ViewerInfo& info);
void draw_light_panel(ViewerState& state, const ViewerInfo& info);
void draw_camera_panel(ViewerState& state, const ViewerInfo& info);
void draw_fit_panel(const ViewerInfo& info);
void draw_image_list(ViewerState& state, const ViewerInfo& info);
void draw_timeline(ViewerState& state, const ViewerInfo& info);
void draw_help(ViewerState& state, const ViewerInfo& info, const PanelLayout& layout);
/// Frusta, the pivot, the split's edge and its titles, over the picture.
void draw_overlay(const ViewerState& state, const ViewerInfo& info, const PixelRect& picture);

/// The heading of a part.
void panel_heading(const char* text, float scale);
/// Words in a quieter colour, wrapped.
void quiet_text(const std::string& text);

}  // namespace ptl
