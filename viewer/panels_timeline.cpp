#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <cmath>

#include "datasets/camera_path_file.h"
#include "datasets/camera_path_json.h"
#include "datasets/camera_path_nerfstudio.h"
#include "datasets/path_curve.h"
#include "viewer/panels.h"

namespace ptl {

namespace {

/// Changes the path by `edit` with a step for undo; what the path refuses is told.
template <class Edit>
void change(ViewerState& state, Edit&& edit) {
  CameraPath before = state.path;
  try {
    edit(state.path);
    state.path_steps.record(std::move(before));
    state.path_message.clear();
  } catch (const std::exception& error) {
    state.path = std::move(before);
    state.path_message = error.what();
  }
}

void save(ViewerState& state, const ViewerInfo& info) {
  try {
    write_camera_path(state.path, info.scene->origin_world, state.path_file);
    state.path_message = fmt::format("Saved. Pictures of it: pointillist render {} --path {} --out FOLDER", info.scene->path,
                                     state.path_file);
  } catch (const std::exception& error) {
    state.path_message = error.what();
  }
}

void save_for_nerfstudio(ViewerState& state, const ViewerInfo& info) {
  try {
    CameraPath path = state.path;
    if (path.width_px == 0 || path.height_px == 0) path.width_px = 1920, path.height_px = 1080;
    const NerfstudioTransform transform =
        state.path_transform.empty() ? NerfstudioTransform{} : read_nerfstudio_transform(state.path_transform);
    state.path_message = "Saved for nerfstudio.";
    for (const std::string& lost : write_nerfstudio_path(path, info.scene->origin_world, state.path_file, transform))
      state.path_message += " " + lost;
  } catch (const std::exception& error) {
    state.path_message = error.what();
  }
}

void load(ViewerState& state, const ViewerInfo& info) {
  std::vector<std::string> remarks;
  change(state, [&](CameraPath&) {
    OpenedPath opened = open_path(state.path_file, info.scene->origin_world, state.path_transform);
    set_path(state, std::move(opened.path));
    remarks = std::move(opened.remarks);
    state.path_time_s = 0;
    state.selected_key = -1;
  });
  for (const std::string& remark : remarks) state.path_message += remark + " ";
}

void files(ViewerState& state, const ViewerInfo& info) {
  text_field("##file", state.path_file, 180 * info.scale);
  note_place(state, "path file");
  ImGui::SameLine();
  const bool can_save = !state.path.keys.empty() && info.scene;
  if (named_button(state, "save", "save") && can_save) save(state, info);
  ImGui::SameLine();
  if (named_button(state, "load", "load") && info.scene) load(state, info);
  ImGui::SameLine();
  if (named_button(state, "save for nerfstudio", "save for nerfstudio") && can_save) save_for_nerfstudio(state, info);
  ImGui::SameLine();
  text_field("##transform", state.path_transform, 150 * info.scale, "nerfstudio's transform");
  note_place(state, "path transform");
  if (ImGui::IsItemHovered())
    ImGui::SetTooltip("dataparser_transforms.json of a nerfstudio run, for its paths: it moves and scales scenes");
}

}  // namespace

void draw_timeline(ViewerState& state, const ViewerInfo& info) {
  CameraPath& path = state.path;
  const double duration_s = path.duration_s();
  if (ImGui::Button("key here (K)") && info.scene) add_key_here(state, *info.scene);
  ImGui::SameLine();
  const bool chosen = state.selected_key >= 0 && state.selected_key < static_cast<int>(path.keys.size());
  if (ImGui::Button("replace") && chosen)
    change(state, [&](CameraPath& p) {
      replace_key(p, static_cast<size_t>(state.selected_key), key_of_view(state));
    });
  ImGui::SameLine();
  if (ImGui::Button("delete") && chosen) {
    change(state, [&](CameraPath& p) { delete_key(p, static_cast<size_t>(state.selected_key)); });
    state.selected_key = -1;
  }
  ImGui::SameLine();
  if (ImGui::Button(state.playing ? "stop" : "play (Space)") && path.keys.size() > 1) {
    state.playing = !state.playing;
    if (state.path_time_s >= duration_s) state.path_time_s = 0;
  }
  ImGui::SameLine();
  if (ImGui::Button("undo"))
    if (const auto before = state.path_steps.undo(path)) set_path(state, *before);
  ImGui::SameLine();
  if (ImGui::Button("redo"))
    if (const auto after = state.path_steps.redo(path)) set_path(state, *after);
  ImGui::SameLine();
  if (ImGui::Button("even speed") && path.keys.size() > 1)
    change(state, [](CameraPath& p) { retime_to_constant_speed(p); });
  ImGui::SameLine();
  if (ImGui::Button("close loop") && path.keys.size() > 1 && !path.loop)
    change(state, [&](CameraPath& p) { close_loop(p, state.next_key_s); });
  ImGui::SameLine();
  const bool toggled = ImGui::Checkbox("exposure", &state.path_exposures);
  note_place(state, "key exposures");
  if (ImGui::IsItemHovered()) ImGui::SetTooltip("key frames hold the exposure that is shown (the panel Light, [ and ])");
  if (toggled)
    change(state, [&](CameraPath& p) {
      set_exposures(p, state.path_exposures ? std::optional(state.shown_exposure_ev) : std::nullopt);
    });
  ImGui::SameLine();
  auto seconds = static_cast<float>(duration_s);
  ImGui::SetNextItemWidth(70 * info.scale);
  if (ImGui::InputFloat("s", &seconds, 0, 0, "%.1f", ImGuiInputTextFlags_EnterReturnsTrue) && seconds > 0.1f &&
      path.keys.size() > 1)
    change(state, [&](CameraPath& p) { set_duration(p, seconds); });

  // The line itself: a key frame is chosen by a click, the time by a click or a drag elsewhere.
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x, height = 26 * info.scale, margin = 8 * info.scale;
  ImGui::InvisibleButton("line", {width, height});
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddRectFilled(at, {at.x + width, at.y + height}, IM_COL32(28, 29, 32, 255), 4);
  const auto x_of = [&](double time_s) {
    return at.x + margin + static_cast<float>(duration_s > 0 ? time_s / duration_s : 0) * (width - 2 * margin);
  };
  const float middle = at.y + height / 2, size = 6 * info.scale;
  if (path.keys.empty())
    list->AddText({at.x + margin, at.y + 5 * info.scale}, ImGui::GetColorU32(ImGuiCol_TextDisabled),
                  "Fly somewhere and press K; then on to the next place.");
  const double first_s = path.keys.empty() ? 0 : path.keys.front().time_s;
  const float mouse_x = ImGui::GetIO().MousePos.x;
  int under_mouse = -1;
  for (size_t i = 0; i < path.keys.size(); ++i)
    if (std::abs(x_of(path.keys[i].time_s - first_s) - mouse_x) < size) under_mouse = static_cast<int>(i);
  if (ImGui::IsItemClicked() && under_mouse >= 0) {
    state.selected_key = under_mouse;
    state.path_time_s = path.keys[static_cast<size_t>(under_mouse)].time_s - first_s;
    show_frame(state, path.keys[static_cast<size_t>(under_mouse)]);
  } else if (ImGui::IsItemActive() && path.keys.size() > 1 && under_mouse < 0) {
    state.path_time_s = std::clamp((mouse_x - at.x - margin) / (width - 2 * margin), 0.0f, 1.0f) * duration_s;
    show_frame(state, PathCurve(path).at(first_s + state.path_time_s));
  }
  for (size_t i = 0; i < path.keys.size(); ++i) {
    const float x = x_of(path.keys[i].time_s - first_s);
    const ImU32 color =
        static_cast<int>(i) == state.selected_key ? IM_COL32(255, 200, 90, 255) : IM_COL32(150, 205, 255, 255);
    list->AddQuadFilled({x, middle - size}, {x + size, middle}, {x, middle + size}, {x - size, middle}, color);
  }
  if (path.keys.size() > 1) {
    const float x = x_of(state.path_time_s);
    list->AddLine({x, at.y}, {x, at.y + height}, IM_COL32(240, 240, 240, 230), 1.5f * info.scale);
  }
  draw_path_export(state, info);
  files(state, info);
  ImGui::SameLine();
  quiet_text(!state.path_message.empty() ? state.path_message
             : !info.path_export.message.empty()
                 ? info.path_export.message
                 : fmt::format("{} key frames, {:.1f} s", path.keys.size(), duration_s));
}

}  // namespace ptl
