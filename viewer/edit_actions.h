// What the panel and the keys of editing do beyond the list itself: the mode, new boxes where the view looks, files.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "viewer/viewer_state.h"

namespace ptl {

/// Where the view looks, scene coordinates, as far as its picture knows. Asked only when it is needed: it may wait for
/// OpenGL.
using EditFocus = std::function<std::optional<Vec3<double>>()>;

/// Begins or ends editing. While it goes on, points are shown: only there what is removed goes.
void set_editing(ViewerState& state, bool on);
/// Takes up a tool; the box tools choose the last box of their kind, or make the first one.
void choose_edit_tool(ViewerState& state, const ViewScene& scene, EditTool tool, const EditFocus& focus);
/// A step of undo. To keep: around the cloud; to remove: a small one around the focus, or in the middle of the view
/// where nothing is.
void add_edit_box(ViewerState& state, const ViewScene& scene, PointEdit::Kind kind, const EditFocus& focus);

/// In the working folder; never in the scene's own.
std::string default_edits_file(const ViewScene& scene);
/// To and from the file that the panel names; says in `message` what came of it. Asked twice before it writes over a
/// file that this list does not come from, or drops edits that no file has.
void save_edits(PointEditing& editing, const ViewScene& scene);
void load_edits(PointEditing& editing, const ViewScene& scene);

/// The command line that fits without the removed points.
std::string edits_command(const PointEditing& editing, const ViewScene& scene);

}  // namespace ptl
