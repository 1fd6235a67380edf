#include <imgui.h>

#include <filesystem>

#include "viewer/panels.h"

namespace ptl {

bool set_panel_style(float scale) {
  ImGuiIO& io = ImGui::GetIO();
  io.IniFilename = nullptr;  // places are fixed; what is remembered is in viewer/saved_state.h
  ImGuiStyle& style = ImGui::GetStyle();
  ImGui::StyleColorsDark(&style);
  style.WindowRounding = 0;
  style.WindowBorderSize = 0;
  style.FrameRounding = 4;
  style.GrabRounding = 4;
  style.ScrollbarRounding = 6;
  style.ScrollbarSize = 10;
  style.WindowPadding = {12, 10};
  style.FramePadding = {8, 4};
  style.ItemSpacing = {8, 6};
  style.PopupRounding = 4;
  const auto set = [&](ImGuiCol_ which, float r, float g, float b, float a = 1) { style.Colors[which] = {r, g, b, a}; };
  set(ImGuiCol_WindowBg, 0.125f, 0.129f, 0.141f);
  set(ImGuiCol_PopupBg, 0.15f, 0.155f, 0.17f);
  set(ImGuiCol_Text, 0.90f, 0.91f, 0.92f);
  set(ImGuiCol_TextDisabled, 0.60f, 0.62f, 0.65f);
  set(ImGuiCol_FrameBg, 0.20f, 0.21f, 0.23f);
  set(ImGuiCol_FrameBgHovered, 0.25f, 0.27f, 0.30f);
  set(ImGuiCol_FrameBgActive, 0.28f, 0.31f, 0.35f);
  set(ImGuiCol_Button, 0.22f, 0.24f, 0.27f);
  set(ImGuiCol_ButtonHovered, 0.29f, 0.33f, 0.38f);
  set(ImGuiCol_ButtonActive, 0.20f, 0.42f, 0.62f);
  set(ImGuiCol_Header, 0.18f, 0.36f, 0.53f);
  set(ImGuiCol_HeaderHovered, 0.26f, 0.30f, 0.35f);
  set(ImGuiCol_HeaderActive, 0.20f, 0.42f, 0.62f);
  set(ImGuiCol_SliderGrab, 0.36f, 0.62f, 0.85f);
  set(ImGuiCol_SliderGrabActive, 0.46f, 0.72f, 0.95f);
  set(ImGuiCol_CheckMark, 0.46f, 0.72f, 0.95f);
  set(ImGuiCol_Separator, 0.26f, 0.27f, 0.29f);
  set(ImGuiCol_PlotHistogram, 0.20f, 0.42f, 0.62f);
  set(ImGuiCol_PlotLines, 0.46f, 0.72f, 0.95f);
  style.ScaleAllSizes(scale);

  io.Fonts->Clear();
  const float size_px = std::round(15.5f * scale);
  for (const char* font :
       {"/usr/share/fonts/truetype/roboto/unhinted/RobotoTTF/Roboto-Regular.ttf",
        "/usr/share/fonts/truetype/roboto/hinted/Roboto-Regular.ttf",
        "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
        "/usr/share/fonts/truetype/open-sans/OpenSans-Regular.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
        "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf"}) {
    std::error_code ignored;
    if (!std::filesystem::exists(font, ignored)) continue;
    static const ImWchar ranges[] = {0x20, 0xFF, 0x2010, 0x2027, 0x2190, 0x2193, 0x2212, 0x2212, 0xD7, 0xD7, 0};
    if (io.Fonts->AddFontFromFileTTF(font, size_px, nullptr, ranges)) return true;
  }
  ImFontConfig config;
  config.SizePixels = std::round(13 * scale);
  io.Fonts->AddFontDefault(&config);
  return false;
}

PanelLayout panel_layout(int width_px, int height_px, bool panels, bool timeline, bool held_out, float scale) {
  const auto px = [&](float points) { return static_cast<int>(std::lround(points * scale)); };
  PanelLayout layout;
  const int status = px(28);
  int bottom = height_px - status;
  layout.status = {0, bottom, width_px, status};
  // In small windows the picture comes first.
  const bool left = panels && width_px > px(560), right = panels && width_px > px(900);
  const int left_width = left ? px(290) : 0, right_width = right ? px(250) : 0;
  if (timeline && height_px > px(360)) {
    bottom -= px(158);
    layout.timeline = {left_width, bottom, width_px - left_width - right_width, px(158)};
  }
  if (held_out && bottom > px(420)) {
    bottom -= px(164);
    layout.held_out = {left_width, bottom, width_px - left_width - right_width, px(164)};
  }
  const int side = height_px - status;
  layout.left = {0, 0, left_width, side};
  layout.right = {width_px - right_width, 0, right_width, side};
  layout.picture = {left_width, 0, std::max(16, width_px - left_width - right_width), std::max(16, bottom)};
  return layout;
}

void panel_heading(const char* text, float scale) {
  ImGui::Dummy({0, 2 * scale});
  ImGui::TextColored({0.56f, 0.78f, 0.96f, 1}, "%s", text);
  ImGui::Separator();
}

void quiet_text(const std::string& text) {
  ImGui::PushStyleColor(ImGuiCol_Text, ImGui::GetStyle().Colors[ImGuiCol_TextDisabled]);
  ImGui::PushTextWrapPos(0);
  ImGui::TextUnformatted(text.c_str());
  ImGui::PopTextWrapPos();
  ImGui::PopStyleColor();
}

bool named_button(ViewerState& state, const char* label, const char* name) {
  const bool pushed = ImGui::Button(label);
  note_place(state, name);
  return pushed;
}

void note_place(ViewerState& state, const char* name) {
  const ImVec2 low = ImGui::GetItemRectMin(), high = ImGui::GetItemRectMax();
  state.places[name] = {(static_cast<double>(low.x) + static_cast<double>(high.x)) / 2,
                        (static_cast<double>(low.y) + static_cast<double>(high.y)) / 2};
}

void text_field(const char* label, std::string& value, float width, const char* hint) {
  char text[512] = "";
  value.copy(text, sizeof text - 1);
  ImGui::SetNextItemWidth(width);
  if (ImGui::InputTextWithHint(label, hint, text, sizeof text)) value = text;
}

}  // namespace ptl
