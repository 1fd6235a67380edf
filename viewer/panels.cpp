#include "viewer/panels.h"

#include <fmt/format.h>
#include <imgui.h>

#include <cmath>

#include "renderer/picture_colors.h"

namespace ptl {

namespace {

constexpr ImGuiWindowFlags fixed = ImGuiWindowFlags_NoTitleBar | ImGuiWindowFlags_NoResize | ImGuiWindowFlags_NoMove |
                                   ImGuiWindowFlags_NoCollapse | ImGuiWindowFlags_NoBringToFrontOnFocus |
                                   ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoNav;

bool begin_at(const char* name, const PixelRect& rect, ImGuiWindowFlags more = 0) {
  ImGui::SetNextWindowPos({static_cast<float>(rect.x), static_cast<float>(rect.y)});
  ImGui::SetNextWindowSize({static_cast<float>(rect.width), static_cast<float>(rect.height)});
  return ImGui::Begin(name, nullptr, fixed | more);
}

bool available(const ViewModeInfo& mode, const ViewScene* scene) {
  if (!scene) return false;
  return (!mode.needs_model || scene->has_model) && (!mode.needs_photos || scene->photos);
}

void mode_choice(const char* label, ViewMode& mode, const ViewScene* scene) {
  if (!ImGui::BeginCombo(label, view_mode_info(mode).title)) return;
  for (const ViewModeInfo& info : view_modes()) {
    if (!available(info, scene)) continue;
    if (ImGui::Selectable(info.title, info.mode == mode)) mode = info.mode;
  }
  ImGui::EndCombo();
}

void swatch(const Rgb& color) {
  const float side = ImGui::GetTextLineHeight();
  const ImVec2 at = ImGui::GetCursorScreenPos();
  ImGui::GetWindowDrawList()->AddRectFilled(at, {at.x + side, at.y + side},
                                            ImGui::ColorConvertFloat4ToU32({color[0], color[1], color[2], 1}), 2);
  ImGui::Dummy({side, side});
  ImGui::SameLine();
}

/// A ramp from the left to the right with words under its ends.
void ramp_legend(const char* low, const char* high) {
  const float width = ImGui::GetContentRegionAvail().x, height = ImGui::GetTextLineHeight() * 0.6f;
  const ImVec2 at = ImGui::GetCursorScreenPos();
  constexpr int steps = 48;
  for (int i = 0; i < steps; ++i) {
    const Rgb c = ramp_color((static_cast<float>(i) + 0.5f) / steps);
    ImGui::GetWindowDrawList()->AddRectFilled({at.x + width * static_cast<float>(i) / steps, at.y},
                                              {at.x + width * static_cast<float>(i + 1) / steps, at.y + height},
                                              ImGui::ColorConvertFloat4ToU32({c[0], c[1], c[2], 1}));
  }
  ImGui::Dummy({width, height});
  quiet_text(low);
  ImGui::SameLine(width - ImGui::CalcTextSize(high).x);
  ImGui::TextDisabled("%s", high);
}

void legend(const ViewerState& state, const ViewerInfo& info) {
  const auto shown = [&](ViewMode mode) { return state.mode == mode || (state.split && state.second_mode == mode); };
  if (shown(ViewMode::weight)) ramp_legend("no point", fmt::format("{} or more", most_points_shown).c_str());
  if (shown(ViewMode::error))
    ramp_legend("equal", fmt::format("off by {:.0f} % or more", 100 * largest_error_shown).c_str());
  if (shown(ViewMode::support) && info.scene && info.scene->has_model) {
    for (int layer = 0; layer < info.scene->layers; ++layer) {
      if (layer % 2 == 1) ImGui::SameLine(ImGui::GetContentRegionAvail().x * 0.5f);
      swatch(support_color(layer, info.scene->layers));
      ImGui::Text(layer == 0 ? "layer 0, finest" : "layer %d", layer);
    }
    swatch(support_color(-1, info.scene->layers));
    ImGui::TextUnformatted("no point: guessed");
  }
}

std::string resolution_note(const Picture& picture, const ViewerInfo& info) {
  std::string text = fmt::format("{} x {}", picture.camera.width_px, picture.camera.height_px);
  if (picture.scale < 1) text += fmt::format(" ({:.0f} %)", 100 * picture.scale);
  text += fmt::format("  {:.0f} ms", picture.milliseconds);
  if (info.scene && info.scene->has_model)
    text += fmt::format("  {}network {} on {}", info.scene->fitted ? "" : "not fitted: built-in ", info.scene->network,
                        info.scene->device);
  if (!info.transfer.empty()) text += ", " + info.transfer;
  return text;
}

void draw_status(const ViewerState& state, const ViewerInfo& info, const PanelLayout& layout) {
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2{12 * info.scale, 5 * info.scale});
  ImGui::PushStyleColor(ImGuiCol_WindowBg, ImVec4{0.10f, 0.103f, 0.112f, 1});
  begin_at("status", layout.status, ImGuiWindowFlags_NoScrollbar);
  std::string text = view_mode_info(state.mode).title;
  if (!info.error.empty() && !info.scene) {
    text = info.error;
  } else if (!info.scene) {
    text = "opening ...";
  } else if (view_mode_info(state.mode).rendered) {
    if (info.pictures[0]) {
      text += "  " + resolution_note(*info.pictures[0], info);
      if (!info.complete && info.rendering) text += info.moving ? "" : "  sharpening ...";
    } else {
      text += "  rendering ...";
    }
  } else if (state.mode == ViewMode::points) {
    text += fmt::format("  {:.2f} of {:.2f} million points drawn", static_cast<double>(info.points_drawn) * 1e-6,
                        static_cast<double>(info.scene->cloud ? info.scene->cloud->total : 0) * 1e-6);
  } else {
    text += "  " + info.photo_note;
  }
  if (info.scene && (info.loading || info.scene->coarse)) text += info.scene->coarse ? "  more points ..." : "  loading a newer model ...";
  ImGui::TextUnformatted(text.c_str());
  const std::string right =
      fmt::format("window {:.0f} ms, longest {:.0f} ms   H: help", info.frame_ms, info.longest_frame_ms);
  const float width = ImGui::CalcTextSize(right.c_str()).x,
              at = static_cast<float>(layout.status.width) - width - 12 * info.scale;
  if (at > ImGui::CalcTextSize(text.c_str()).x + 30 * info.scale) {
    ImGui::SameLine(at);
    ImGui::TextDisabled("%s", right.c_str());
  }
  ImGui::End();
  ImGui::PopStyleColor();
  ImGui::PopStyleVar();
}

}  // namespace

void draw_view_panel(ViewerState& state, const ViewerInfo& info) {
  panel_heading("View", info.scale);
  for (const ViewModeInfo& mode : view_modes()) {
    const bool can = available(mode, info.scene);
    if (!can) ImGui::PushStyleColor(ImGuiCol_Text, ImGui::GetStyle().Colors[ImGuiCol_TextDisabled]);
    const std::string label = fmt::format("{}   {}", mode.key, mode.title);
    if (ImGui::Selectable(label.c_str(), state.mode == mode.mode) && can) state.mode = mode.mode;
    if (!can) ImGui::PopStyleColor();
    if (ImGui::IsItemHovered())
      ImGui::SetTooltip("%s%s", mode.explanation,
                        can                                                          ? ""
                        : mode.needs_model && !(info.scene && info.scene->has_model) ? " Needs a run."
                                                                                     : " The photos are not there.");
  }
  quiet_text(view_mode_info(state.mode).explanation);
  legend(state, info);
  if ((state.mode == ViewMode::layer || (state.split && state.second_mode == ViewMode::layer)) && info.scene) {
    ImGui::SliderInt("layer", &state.layer, 0, std::max(0, info.scene->layers - 1));
    ImGui::SliderInt3("channels", state.channels.data(), 0, std::max(0, info.scene->channels - 1));
  }
  if (state.mode == ViewMode::blend || (state.split && state.second_mode == ViewMode::blend)) {
    auto opacity = static_cast<float>(100 * state.photo_opacity);
    if (ImGui::SliderFloat("photo", &opacity, 0, 100, "%.0f %%")) state.photo_opacity = opacity / 100;
  }
  ImGui::Checkbox("split (X)", &state.split);
  if (state.split) {
    ImGui::SameLine();
    ImGui::SetNextItemWidth(-1);
    mode_choice("##second", state.second_mode, info.scene);
  }
  bool editing = state.editing.on;
  if (ImGui::Checkbox("edit points (B)", &editing)) set_editing(state, editing);
  note_place(state, "edit points");
  if (ImGui::IsItemHovered())
    ImGui::SetTooltip("Crop box and brush for points that a fit should not see. Your files stay as they are.");
  ImGui::Checkbox("cameras (C)", &state.frusta);
  ImGui::SameLine();
  ImGui::Checkbox("with photos", &state.frusta_photos);
}

void draw_camera_panel(ViewerState& state, const ViewerInfo& info) {
  panel_heading("Camera", info.scale);
  int style = static_cast<int>(state.style);
  ImGui::RadioButton("fly", &style, 0);
  ImGui::SameLine();
  ImGui::RadioButton("orbit (O)", &style, 1);
  ImGui::SameLine();
  ImGui::Checkbox("turn (T)", &state.turntable);
  state.style = static_cast<MotionStyle>(style);
  auto fov = static_cast<float>(vertical_fov_deg(state.camera));
  ImGui::SetNextItemWidth(-90 * info.scale);
  if (ImGui::SliderFloat("field", &fov, 10, 120, state.camera.lens ? "%.1f° (lens)" : "%.1f°")) {
    state.camera.vertical_fov_deg = fov;
    state.camera.lens.reset();
  }
  auto speed = static_cast<float>(fly_speed(state.extent, state.speed_clicks));
  const float slow = static_cast<float>(fly_speed(state.extent, -25)),
              fast = static_cast<float>(fly_speed(state.extent, 25));
  ImGui::SetNextItemWidth(-90 * info.scale);
  if (ImGui::SliderFloat("speed", &speed, slow, fast, "%.3g a second", ImGuiSliderFlags_Logarithmic))
    state.speed_clicks = std::log(static_cast<double>(speed) / fly_speed(state.extent, 0)) / std::log(1.2);
  auto rate = static_cast<float>(state.frames_per_s);
  ImGui::SetNextItemWidth(-90 * info.scale);
  if (ImGui::SliderFloat("pictures", &rate, 2, 60, "%.0f a second")) state.frames_per_s = rate;
  if (ImGui::IsItemHovered()) ImGui::SetTooltip("While the view moves, pictures are as sharp as this rate allows.");
  if (ImGui::Button("all (F)") && info.scene) frame_all(state, *info.scene, info.full_width_px, info.full_height_px);
  ImGui::SameLine();
  if (ImGui::Button("reset (R)")) fly_to(state, state.first_camera);
  ImGui::SameLine();
  if (ImGui::Button("back")) undo_jump(state);
  if (ImGui::IsItemHovered()) ImGui::SetTooltip("To where the camera was before the last jump (Backspace, Ctrl+Z).");
  if (ImGui::Button("up: this view's")) state.up = -down_of(state.camera.camera_from_world);
  ImGui::SameLine();
  if (ImGui::Button("flip")) state.up = -state.up;
}

void draw_fit_panel(const ViewerInfo& info) {
  if (!info.curves || (info.curves->loss().empty() && info.curves->psnr_db().empty())) return;
  panel_heading("Fit", info.scale);
  const ViewScene* scene = info.scene;
  std::string text = fmt::format("step {}", info.curves->step());
  if (scene && scene->step_budget > 0) text += fmt::format(" of {}; shown: step {}", scene->step_budget, scene->step);
  ImGui::TextUnformatted(text.c_str());
  const ImVec2 size{ImGui::GetContentRegionAvail().x, 46 * info.scale};
  const auto plot = [&](const char* id, const std::vector<float>& values, const std::string& words) {
    if (values.size() < 2) return;
    ImGui::PlotLines(id, values.data(), static_cast<int>(values.size()), 0, nullptr, FLT_MAX, FLT_MAX, size);
    quiet_text(words);
  };
  plot("##loss", info.curves->loss(),
       info.curves->loss().empty() ? "" : fmt::format("loss {:.4f}", info.curves->loss().back()));
  plot("##psnr", info.curves->psnr_db(),
       info.curves->psnr_db().empty() ? "" : fmt::format("held-out check {:.2f} dB", info.curves->psnr_db().back()));
}

void draw_help(ViewerState& state, const ViewerInfo& info, const PanelLayout& layout) {
  if (!state.help) return;
  static constexpr const char* keys[][2] = {
      {"1 ... 9, 0", "what is shown; with Shift: the right half"},
      {"W A S D, Q E", "fly; Shift: faster; wheel: speed"},
      {"left drag", "look around, or orbit around the pivot"},
      {"right drag", "shift"},
      {"double click", "orbit around the point under the mouse"},
      {"wheel", "orbit: nearer, farther;  Ctrl: field of view"},
      {"click a camera", "fly there;  left, right arrow: step through them"},
      {"O   T", "fly or orbit;  turntable"},
      {"F   R", "all of the scene;  first view"},
      {"Backspace", "undo a jump of the camera"},
      {"X   C", "split view;  cameras"},
      {"[   ]", "darker, brighter"},
      {"K   L   Space", "key frame here;  timeline, export;  play the path"},
      {"B", "edit points: crop box, remove box, brush"},
      {"   Ctrl+Z  Ctrl+Y", "   undo, redo;  Ctrl+S: save the list;  Delete: the box"},
      {"F12", "screenshot"},
      {"Tab   H", "panels;  this help"},
  };
  const float width = 470 * info.scale;
  const PixelRect& p = layout.picture;
  ImGui::SetNextWindowPos({static_cast<float>(p.x) + static_cast<float>(p.width) / 2,
                           static_cast<float>(p.y) + static_cast<float>(p.height) / 2},
                          ImGuiCond_Always, {0.5f, 0.5f});
  ImGui::SetNextWindowSize({width, 0});
  ImGui::SetNextWindowBgAlpha(0.97f);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowRounding, 8 * info.scale);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2{20 * info.scale, 16 * info.scale});
  ImGui::Begin("help", nullptr, (fixed & ~ImGuiWindowFlags_NoBringToFrontOnFocus) | ImGuiWindowFlags_AlwaysAutoResize);
  ImGui::TextColored({0.56f, 0.78f, 0.96f, 1}, "Keys and mouse");
  ImGui::Separator();
  for (const auto& [key, what] : keys) {
    ImGui::TextUnformatted(key);
    ImGui::SameLine(130 * info.scale);
    ImGui::TextDisabled("%s", what);
  }
  ImGui::End();
  ImGui::PopStyleVar(2);
}

void draw_panels(ViewerState& state, const ViewerInfo& info, const PanelLayout& layout) {
  draw_overlay(state, info, layout.picture);
  draw_edit_overlay(state, info, layout.picture);
  if (info.scene) draw_notice(info, layout.picture);
  if (layout.left.width > 0) {
    begin_at("left", layout.left);
    if (info.scene) {
      ImGui::TextUnformatted(info.scene->name.c_str());
      if (info.scene->cloud)
        quiet_text(fmt::format("{} images, {:.2f} million points", info.scene->images.size(),
                               static_cast<double>(info.scene->cloud->total) * 1e-6));
    }
    // A window too narrow for both sides: what is being done comes first.
    if (state.editing.on && layout.right.width == 0) draw_edit_panel(state, info);
    draw_view_panel(state, info);
    draw_camera_panel(state, info);
    draw_light_panel(state, info);
    draw_fit_panel(info);
    if (info.follow) ImGui::Checkbox("held-out pictures", &state.held_out);
    ImGui::End();
  }
  if (layout.held_out.width > 0) {
    begin_at("held out", layout.held_out, ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoScrollWithMouse);
    draw_held_out(state, info);
    ImGui::End();
  }
  if (layout.right.width > 0) {
    begin_at("right", layout.right);
    if (state.editing.on)
      draw_edit_panel(state, info);
    else
      draw_image_list(state, info);
    ImGui::End();
  }
  if (layout.timeline.width > 0) {
    begin_at("timeline", layout.timeline);
    draw_timeline(state, info);
    ImGui::End();
  }
  draw_status(state, info, layout);
  draw_help(state, info, layout);
  draw_leave_question(state, info, layout);
}

}  // namespace ptl
