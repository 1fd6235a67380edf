// The panel of edits: tools, what they removed, the list, its file.
#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <cmath>

#include "viewer/panels.h"

namespace ptl {

namespace {

constexpr double degrees = 180 / 3.14159265358979323846;
const ImVec4 warning{1.0f, 0.72f, 0.35f, 1};

std::string with_commas(uint64_t count) {
  const std::string digits = std::to_string(count);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

/// A step of undo ends when the user lets go of a slider or a field.
void end_with_item(PointEditing& editing) {
  if (ImGui::IsItemDeactivatedAfterEdit()) editing.end_change();
}

void box_fields(ViewerState& state, const ViewerInfo& info) {
  PointEditing& editing = state.editing;
  const EditBox* shown = editing.selected_box();
  if (!shown) {
    quiet_text("No box is chosen: click one's middle, or its line in the list.");
    return;
  }
  EditBox box = *shown;
  const Vec3<double> origin = info.scene->origin_world;
  const double least = 1e-4 * state.extent;
  const auto speed = static_cast<float>(2e-3 * state.extent);
  double centre[3] = {box.centre.x + origin.x, box.centre.y + origin.y, box.centre.z + origin.z};
  double size[3] = {2 * box.half_size.x, 2 * box.half_size.y, 2 * box.half_size.z};
  const float width = ImGui::GetContentRegionAvail().x;
  ImGui::TextDisabled("centre, world coordinates");
  ImGui::SetNextItemWidth(width);
  if (ImGui::DragScalarN("##centre", ImGuiDataType_Double, centre, 3, speed, nullptr, nullptr, "%.4g")) {
    box.centre = Vec3<double>(centre[0], centre[1], centre[2]) - origin;
    editing.change_box(box);
  }
  end_with_item(editing);
  ImGui::TextDisabled("size, the last one upwards");
  ImGui::SetNextItemWidth(width);
  if (ImGui::DragScalarN("##size", ImGuiDataType_Double, size, 3, speed, &least, nullptr, "%.4g")) {
    for (int axis = 0; axis < 3; ++axis) box.half_size[axis] = std::max(size[axis], least) / 2;
    editing.change_box(box);
  }
  end_with_item(editing);
  auto turn = static_cast<float>(degrees * turn_rad(box, state.up));
  ImGui::SetNextItemWidth(width - 50 * info.scale);
  if (ImGui::SliderFloat("turn", &turn, -180, 180, "%.1f°"))
    editing.change_box(turned_to(box, state.up, static_cast<double>(turn) / degrees));
  end_with_item(editing);
  note_place(state, "edits turn");
}

void brush_fields(ViewerState& state, const ViewerInfo& info) {
  Brush& brush = state.editing.brush;
  const float width = ImGui::GetContentRegionAvail().x;
  auto radius = static_cast<float>(brush.radius_px);
  ImGui::SetNextItemWidth(width - 62 * info.scale);
  if (ImGui::SliderFloat("radius", &radius, static_cast<float>(least_brush_px), static_cast<float>(largest_brush_px),
                         "%.0f px", ImGuiSliderFlags_Logarithmic | ImGuiSliderFlags_AlwaysClamp))
    brush.radius_px = static_cast<double>(radius);
  const auto choice = [&](const char* label, const char* name, BrushDepth depth, const char* explanation) {
    if (ImGui::RadioButton(label, brush.depth == depth)) brush.depth = depth;
    note_place(state, name);
    if (ImGui::IsItemHovered()) ImGui::SetTooltip("%s", explanation);
  };
  choice("what it begins on", "edits surface", BrushDepth::surface,
         "Follows the surface under the cursor where the stroke begins, as far as it goes on.\nWhat lies behind it or "
         "before it stays.");
  choice("whatever is under it", "edits any", BrushDepth::any,
         "Around the point under the cursor, wherever the cursor goes, as the view was when the stroke began.");
  choice("through everything", "edits everything", BrushDepth::everything, "All that the circle covers, near and far.");
  if (brush.depth == BrushDepth::everything) return;
  auto thickness = static_cast<float>(brush.thickness);
  ImGui::SetNextItemWidth(width - 62 * info.scale);
  if (ImGui::SliderFloat("depth", &thickness, 0.1f, 20, "%.2g radii",
                         ImGuiSliderFlags_Logarithmic | ImGuiSliderFlags_AlwaysClamp))
    brush.thickness = static_cast<double>(thickness);
  if (ImGui::IsItemHovered()) ImGui::SetTooltip("How far it reaches before and behind that point.");
}

void tools(ViewerState& state, const ViewerInfo& info) {
  PointEditing& editing = state.editing;
  // The words' widths, and what is left shared among them.
  constexpr const char* labels[] = {"crop box", "remove box", "brush"};
  float room = ImGui::GetContentRegionAvail().x - 2 * ImGui::GetStyle().ItemSpacing.x;
  for (const char* label : labels) room -= ImGui::CalcTextSize(label).x;
  const auto tool = [&](const char* label, const char* name, EditTool which, const char* explanation) {
    const bool active = editing.tool == which;
    if (active) ImGui::PushStyleColor(ImGuiCol_Button, ImGui::GetStyle().Colors[ImGuiCol_ButtonActive]);
    ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2{2 * info.scale, 4 * info.scale});
    const bool pushed = ImGui::Button(label, {ImGui::CalcTextSize(label).x + room / 3, 0});
    ImGui::PopStyleVar();
    note_place(state, name);
    if (active) ImGui::PopStyleColor();
    if (ImGui::IsItemHovered()) ImGui::SetTooltip("%s", explanation);
    return pushed;
  };
  if (tool(labels[0], "edits keep", EditTool::keep_box, "Keeps what is inside of it; several ones add up."))
    choose_edit_tool(state, *info.scene, EditTool::keep_box, info.focus);
  ImGui::SameLine();
  if (tool(labels[1], "edits remove", EditTool::remove_box, "Removes what is inside of it."))
    choose_edit_tool(state, *info.scene, EditTool::remove_box, info.focus);
  ImGui::SameLine();
  if (tool(labels[2], "edits brush", EditTool::brush, "Removes what is under a stroke of the mouse."))
    choose_edit_tool(state, *info.scene, EditTool::brush, info.focus);
  if (editing.tool == EditTool::brush) {
    brush_fields(state, info);
    quiet_text("Left drag removes, wheel: radius. Middle drag or Alt turns the view.");
    return;
  }
  box_fields(state, info);
  if (named_button(state, "one more", "edits more"))
    add_edit_box(state, *info.scene,
                 editing.tool == EditTool::keep_box ? PointEdit::Kind::keep_box : PointEdit::Kind::remove_box,
                 info.focus);
  quiet_text("Drag a face or the middle; elsewhere the mouse moves the camera. F shows all of the scene.");
}

void removed_points(ViewerState& state, const ViewerInfo& info) {
  ImGui::Separator();
  const ViewerInfo::Edits& edits = info.edits;
  const double share =
      edits.points > 0 ? 100 * static_cast<double>(edits.removed) / static_cast<double>(edits.points) : 0;
  ImGui::Text("%s%s points removed%s", edits.exact ? "" : "about ", with_commas(edits.removed).c_str(),
              edits.pending ? " ..." : "");
  ImGui::TextDisabled("%.3g %% of %s", share, with_commas(edits.points).c_str());
  ImGui::Checkbox("show what is removed", &state.editing.show_removed);
  note_place(state, "edits show");
}

void list_of_edits(ViewerState& state, const ViewerInfo& info) {
  PointEditing& editing = state.editing;
  ImGui::Separator();
  if (named_button(state, "undo", "edits undo")) editing.undo();
  if (ImGui::IsItemHovered()) ImGui::SetTooltip("Ctrl+Z");
  ImGui::SameLine();
  if (named_button(state, "redo", "edits redo")) editing.redo();
  if (ImGui::IsItemHovered()) ImGui::SetTooltip("Ctrl+Shift+Z, Ctrl+Y");
  const PointEdits& edits = editing.edits();
  ImGui::SameLine();
  ImGui::TextDisabled("%zu edit%s", edits.size(), edits.size() == 1 ? "" : "s");
  const float line = ImGui::GetTextLineHeightWithSpacing();
  // All that is below it has room on a small window too.
  const float room = ImGui::GetContentRegionAvail().y - 215 * info.scale;
  const float height =
      std::clamp(line * (static_cast<float>(edits.size()) + 0.5f), line * 1.5f, std::max(line * 3, room));
  ImGui::BeginChild("edits", {0, height});
  int removed = -1;
  const float cross = 22 * info.scale;
  for (size_t i = 0; i < edits.size(); ++i) {
    ImGui::PushID(static_cast<int>(i));
    const float width = ImGui::GetContentRegionAvail().x - cross - 4 * info.scale;
    if (ImGui::Selectable(edit_title(edits[i]).c_str(), static_cast<int>(i) == editing.selected(), 0, {width, 0}))
      editing.select(static_cast<int>(i));
    ImGui::SameLine();
    if (ImGui::SmallButton("×")) removed = static_cast<int>(i);
    if (ImGui::IsItemHovered()) ImGui::SetTooltip("Takes this edit back.");
    note_place(state, fmt::format("edits delete {}", i).c_str());
    ImGui::PopID();
  }
  ImGui::EndChild();
  if (removed >= 0) editing.remove(static_cast<size_t>(removed));
}

void file_of_edits(ViewerState& state, const ViewerInfo& info) {
  PointEditing& editing = state.editing;
  ImGui::Separator();
  text_field("##edits file", editing.file, -1);
  note_place(state, "edits file");
  if (named_button(state, "save", "edits save")) save_edits(editing, *info.scene);
  if (ImGui::IsItemHovered()) ImGui::SetTooltip("Ctrl+S");
  ImGui::SameLine();
  if (named_button(state, "load", "edits load")) load_edits(editing, *info.scene);
  if (editing.unsaved()) {
    ImGui::SameLine();
    ImGui::TextColored(warning, "not saved");
  }
  if (!editing.message.empty()) {
    if (editing.message_is_error) {
      ImGui::PushStyleColor(ImGuiCol_Text, warning);
      ImGui::TextWrapped("%s", editing.message.c_str());
      ImGui::PopStyleColor();
    } else {
      quiet_text(editing.message);
    }
  }
  if (editing.edits().empty()) return;
  const std::string command = edits_command(editing, *info.scene);
  quiet_text("Your own files stay as they are. A fit with the edits, once saved:");
  ImGui::TextWrapped("%s", command.c_str());
  if (ImGui::SmallButton("copy")) ImGui::SetClipboardText(command.c_str());
}

}  // namespace

void draw_edit_panel(ViewerState& state, const ViewerInfo& info) {
  panel_heading("Edit points (B)", info.scale);
  if (!info.scene) return;
  tools(state, info);
  removed_points(state, info);
  list_of_edits(state, info);
  file_of_edits(state, info);
}

void draw_leave_question(ViewerState& state, const ViewerInfo& info, const PanelLayout& layout) {
  PointEditing& editing = state.editing;
  if (!editing.asks_to_leave || !info.scene) return;
  const PixelRect& p = layout.picture;
  ImGui::SetNextWindowPos({static_cast<float>(p.x) + static_cast<float>(p.width) / 2,
                           static_cast<float>(p.y) + static_cast<float>(p.height) / 2},
                          ImGuiCond_Always, {0.5f, 0.5f});
  ImGui::SetNextWindowSize({430 * info.scale, 0});
  ImGui::PushStyleVar(ImGuiStyleVar_WindowRounding, 8 * info.scale);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2{20 * info.scale, 16 * info.scale});
  ImGui::Begin("leave", nullptr,
               ImGuiWindowFlags_NoTitleBar | ImGuiWindowFlags_NoResize | ImGuiWindowFlags_NoMove |
                   ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_AlwaysAutoResize);
  ImGui::TextWrapped("The edits of points are not saved.");
  ImGui::TextDisabled("%s", editing.file.c_str());
  if (named_button(state, "save and close", "leave save")) {
    save_edits(editing, *info.scene);
    state.quit = !editing.unsaved();
    editing.asks_to_leave = false;  // what the file refused is told in the panel
  }
  ImGui::SameLine();
  if (named_button(state, "close without", "leave without")) state.quit = true;
  ImGui::SameLine();
  if (named_button(state, "stay", "leave stay")) editing.asks_to_leave = false;
  ImGui::End();
  ImGui::PopStyleVar(2);
}

}  // namespace ptl
