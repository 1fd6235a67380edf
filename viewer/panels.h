// The panels around the picture, with Dear ImGui. They read what there is to say and edit ViewerState; they never wait.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "viewer/edit_actions.h"
#include "viewer/fit_curves.h"
#include "viewer/path_export.h"
#include "viewer/pixel_rect.h"
#include "viewer/view_request.h"
#include "viewer/viewer_state.h"

namespace ptl {

/// A held-out photo beside its picture (viewer/held_out.h), as textures.
struct HeldOutShown {
  int64_t image = 0, step = 0;
  uint64_t generation = 0;
  double psnr_db = 0;
  unsigned photo = 0, rendering = 0;
  int width_px = 0, height_px = 0;
};

/// What panels say and cannot change.
struct ViewerInfo {
  struct Edits {
    uint64_t removed = 0, points = 0;
    bool exact = true, pending = false;
  };
  const ViewScene* scene = nullptr;  ///< null: nothing is loaded yet
  bool loading = false, rendering = false, moving = false, complete = false, follow = false;
  std::string error;   ///< of loading
  std::string notice;  ///< what was loaded is not there any more
  Edits edits;
  EditFocus focus;  ///< what the middle of the view shows
  PathExportStatus path_export;
  std::vector<HeldOutShown> held_out;           ///< in the images' order
  std::array<const Picture*, 2> pictures = {};  ///< the last ones of both halves; null: none
  int full_width_px = 0, full_height_px = 0;    ///< of the picture's place
  uint64_t points_drawn = 0;
  double frame_ms = 0, longest_frame_ms = 0;
  std::string driver;
  std::string transfer;  ///< how pictures come from a GPU; empty: they are rendered by the CPU
  const FitCurves* curves = nullptr;
  const std::map<int, unsigned>* small_photos = nullptr;  ///< textures by image
  std::string photo_note;                                 ///< which photo is shown, or why none
  float scale = 1;
};

/// Where things stand: panels have places of their own and never cover each other or the picture.
struct PanelLayout {
  PixelRect picture, left, right, timeline, status, held_out;
};
PanelLayout panel_layout(int width_px, int height_px, bool panels, bool timeline, bool held_out, float scale);

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
void draw_path_export(ViewerState& state, const ViewerInfo& info);
void draw_edit_panel(ViewerState& state, const ViewerInfo& info);
/// Boxes and the brush over the picture.
void draw_edit_overlay(const ViewerState& state, const ViewerInfo& info, const PixelRect& picture);
/// Before the window closes with edits that no file has.
void draw_leave_question(ViewerState& state, const ViewerInfo& info, const PanelLayout& layout);
void draw_held_out(ViewerState& state, const ViewerInfo& info);
/// What is wrong with the run that is shown, low in the picture.
void draw_notice(const ViewerInfo& info, const PixelRect& picture);
void draw_help(ViewerState& state, const ViewerInfo& info, const PanelLayout& layout);
/// Frusta, the pivot, the split's edge and its titles, over the picture.
void draw_overlay(const ViewerState& state, const ViewerInfo& info, const PixelRect& picture);

/// The heading of a part.
void panel_heading(const char* text, float scale);
/// A button whose place scripts can find by `name`.
bool named_button(ViewerState& state, const char* label, const char* name);
/// The same for the part that was drawn last.
void note_place(ViewerState& state, const char* name);
/// Words in a quieter colour, wrapped.
void quiet_text(const std::string& text);
/// A field for a line of words; `width` as ImGui::SetNextItemWidth, `hint` where it is empty.
void text_field(const char* label, std::string& value, float width, const char* hint = "");

}  // namespace ptl
