#include "viewer/edit_actions.h"

#include <fmt/format.h>

#include <filesystem>

#include "kernels/camera.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

/// Runs `act`; says what went wrong, or what it returns.
template <class Act>
void told(PointEditing& editing, Act&& act) {
  try {
    editing.message = act();
    editing.message_is_error = false;
  } catch (const std::exception& error) {
    editing.message = error.what();
    editing.message_is_error = true;
  }
}

/// True when this was asked for just before; else it is asked.
bool asked_twice(PointEditing& editing, const std::string& question) {
  if (editing.message == question) return true;
  editing.message = question;
  editing.message_is_error = true;
  return false;
}

}  // namespace

void set_editing(ViewerState& state, bool on) {
  PointEditing& editing = state.editing;
  if (on == editing.on) return;
  editing.release();
  editing.on = on;
  if (on) {
    state.panels = true;
    state.mode_before_edits.reset();
    if (state.mode == ViewMode::points || (state.split && state.second_mode == ViewMode::points)) return;
    state.mode_before_edits = state.mode;
    state.mode = ViewMode::points;
  } else if (state.mode_before_edits) {
    if (state.mode == ViewMode::points) state.mode = *state.mode_before_edits;
    state.mode_before_edits.reset();
  }
}

void add_edit_box(ViewerState& state, const ViewScene& scene, PointEdit::Kind kind, const EditFocus& focus) {
  if (!scene.cloud) return;
  if (kind == PointEdit::Kind::keep_box && !scene.cloud->vertices.empty()) {
    state.editing.add_box(kind, box_around(*scene.cloud, state.up));
    return;
  }
  const Vec3<double> eye = camera_centre(state.camera.camera_from_world);
  const std::optional<Vec3<double>> seen = focus ? focus() : std::nullopt;
  const Vec3<double> middle = seen.value_or(eye + forward_of(state.camera.camera_from_world) * (0.2 * state.extent));
  constexpr double share_of_distance = 0.08;  // a box that is neither the whole picture nor a speck
  state.editing.add_box(kind, upright_box(middle, share_of_distance * glm::distance(eye, middle), state.up));
}

void choose_edit_tool(ViewerState& state, const ViewScene& scene, EditTool tool, const EditFocus& focus) {
  PointEditing& editing = state.editing;
  editing.release();
  editing.tool = tool;
  if (tool == EditTool::brush) return;
  const PointEdit::Kind kind = tool == EditTool::keep_box ? PointEdit::Kind::keep_box : PointEdit::Kind::remove_box;
  for (size_t i = editing.edits().size(); i-- > 0;)
    if (editing.edits()[i].kind == kind) {
      if (editing.selected() < 0 || editing.edits()[static_cast<size_t>(editing.selected())].kind != kind)
        editing.select(static_cast<int>(i));
      return;
    }
  add_edit_box(state, scene, kind, focus);
}

std::string default_edits_file(const ViewScene& scene) {
  const std::string name = fs::path(scene.path).filename().string();
  return (name.empty() ? std::string("scene") : name) + ".edits.json";
}

void save_edits(PointEditing& editing, const ViewScene& scene) {
  std::error_code ignored;
  if (editing.file != editing.list_file() && fs::exists(editing.file, ignored) &&
      !asked_twice(editing, fmt::format("{} is there already. Save again to write over it.", editing.file)))
    return;
  told(editing, [&] {
    editing.save(scene.origin_world);
    return fmt::format("Saved {} edit{}.", editing.edits().size(), editing.edits().size() == 1 ? "" : "s");
  });
}

void load_edits(PointEditing& editing, const ViewScene& scene) {
  if (editing.unsaved() &&
      !asked_twice(editing, "The edits here are not saved. Load again to drop them; undo will not bring them back."))
    return;
  told(editing, [&] {
    editing.load(editing.file, scene.origin_world);
    return fmt::format("Loaded {} edit{}.", editing.edits().size(), editing.edits().size() == 1 ? "" : "s");
  });
}

std::string edits_command(const PointEditing& editing, const ViewScene& scene) {
  const std::string& folder = scene.scene_folder.empty() ? scene.path : scene.scene_folder;
  return fmt::format("pointillist fit {} --edits {}", shell_word(folder), shell_word(editing.file));
}

}  // namespace ptl
