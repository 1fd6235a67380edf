#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <cctype>

#include "viewer/panels.h"

namespace ptl {

namespace {

bool contains_word(const std::string& name, const std::string& word) {
  return std::search(name.begin(), name.end(), word.begin(), word.end(),
                     [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); }) != name.end();
}

ImTextureID texture_id(unsigned name) {
  return reinterpret_cast<ImTextureID>(static_cast<intptr_t>(name));
}

}  // namespace

void draw_image_list(ViewerState& state, const ViewerInfo& info) {
  panel_heading("Cameras", info.scale);
  if (!info.scene) return;
  text_field("##search", state.search, -1, "search");
  if (!info.scene->photos_missing.empty()) quiet_text("Photos are not there: " + info.scene->photos_missing);
  std::vector<int> rows;
  for (size_t i = 0; i < info.scene->images.size(); ++i)
    if (state.search.empty() || contains_word(info.scene->images[i].name, state.search))
      rows.push_back(static_cast<int>(i));
  ImGui::BeginChild("list", {0, 0});
  const float side = 42 * info.scale;
  ImGuiListClipper clipper;
  clipper.Begin(static_cast<int>(rows.size()), side + 4 * info.scale);
  while (clipper.Step())
    for (int row = clipper.DisplayStart; row < clipper.DisplayEnd; ++row) {
      const int i = rows[static_cast<size_t>(row)];
      const ViewImage& image = info.scene->images[static_cast<size_t>(i)];
      ImGui::PushID(i);
      const ImVec2 at = ImGui::GetCursorScreenPos();
      if (ImGui::Selectable("##image", state.standing_in == i, 0, {0, side})) fly_to_image(state, *info.scene, i);
      if (ImGui::IsItemHovered())
        ImGui::SetTooltip("%s%s", image.name.c_str(), image.held_out ? " (held out: no fit has seen it)" : "");
      ImDrawList* list = ImGui::GetWindowDrawList();
      const float aspect = static_cast<float>(image.camera.width_px) / static_cast<float>(image.camera.height_px);
      const float width = aspect >= 1 ? side * 1.3f : side * aspect, height = std::min(side, width / aspect);
      const float top = at.y + (side - height) / 2;
      const auto photo = info.small_photos ? info.small_photos->find(i) : std::map<int, unsigned>::const_iterator{};
      if (info.small_photos && photo != info.small_photos->end())
        list->AddImageRounded(texture_id(photo->second), {at.x, top}, {at.x + width, top + height}, {0, 0}, {1, 1},
                              IM_COL32_WHITE, 3 * info.scale);
      else
        list->AddRectFilled({at.x, top}, {at.x + width, top + height}, IM_COL32(52, 54, 58, 255), 3 * info.scale);
      const float text_x = at.x + side * 1.3f + 8 * info.scale;
      // The end of a name tells images apart.
      std::string name = image.name;
      const float room = at.x + ImGui::GetContentRegionAvail().x - text_x;
      while (name.size() > 4 && ImGui::CalcTextSize(name.c_str()).x > room)
        name = "..." + name.substr(std::min<size_t>(name.size(), name.starts_with("...") ? 4 : 1));
      list->AddText({text_x, at.y + 3 * info.scale}, ImGui::GetColorU32(ImGuiCol_Text), name.c_str());
      std::string under = image.held_out ? "held out" : "";
      if (image.psnr_db) under = fmt::format("held out, {:.2f} dB", *image.psnr_db);
      if (i == state.nearest) under += under.empty() ? "nearest" : ", nearest";
      list->AddText({text_x, at.y + 3 * info.scale + ImGui::GetTextLineHeight() + 1},
                    ImGui::GetColorU32(i == state.nearest ? ImGuiCol_CheckMark : ImGuiCol_TextDisabled), under.c_str());
      ImGui::PopID();
    }
  ImGui::EndChild();
}

void draw_overlay(const ViewerState& state, const ViewerInfo& info, const PixelRect& picture) {
  ImDrawList* list = ImGui::GetBackgroundDrawList();
  const ImVec2 low{static_cast<float>(picture.x), static_cast<float>(picture.y)};
  const ImVec2 high{low.x + static_cast<float>(picture.width), low.y + static_cast<float>(picture.height)};
  list->PushClipRect(low, high);
  const CameraParams<double> lens = view_params(state.camera, picture.width, picture.height);
  const double nearest = 1e-4 * state.extent;
  const auto place = [&](const Vec3<double>& x_scene, ImVec2& pixel) {
    const Vec3<double> x = state.camera.camera_from_world * x_scene;
    const Projection<double> p = project(lens, x);
    pixel = {low.x + static_cast<float>(p.x_px), low.y + static_cast<float>(p.y_px)};
    return p.valid && x.z > nearest;
  };
  if (info.scene && state.frusta) {
    for (size_t i = 0; i < info.scene->images.size(); ++i) {
      const auto index = static_cast<int>(i);
      const ViewImage& image = info.scene->images[i];
      const Frustum& frustum = state.camera_frusta[i];
      // One that the view stands in, or nearly, would lie over all of the picture.
      if (glm::distance(frustum.apex, camera_centre(state.camera.camera_from_world)) < 1.5 * state.frustum_depth)
        continue;
      ImVec2 apex, corner[4];
      bool seen = place(frustum.apex, apex);
      for (size_t c = 0; c < 4; ++c) seen = place(frustum.corners[c], corner[c]) && seen;
      if (!seen) continue;
      const bool chosen = index == state.selected;
      const ImU32 color = chosen           ? IM_COL32(255, 200, 90, 255)
                          : image.held_out ? IM_COL32(240, 130, 200, 190)
                                           : IM_COL32(150, 205, 255, 170);
      const auto photo = info.small_photos ? info.small_photos->find(index) : std::map<int, unsigned>::const_iterator{};
      if (state.frusta_photos && info.small_photos && photo != info.small_photos->end())
        list->AddImageQuad(texture_id(photo->second), corner[0], corner[1], corner[2], corner[3], {0, 0}, {1, 0},
                           {1, 1}, {0, 1}, IM_COL32(255, 255, 255, 215));
      const float thick = chosen ? 2.5f * info.scale : 1.2f * info.scale;
      for (const ImVec2& c : corner) list->AddLine(apex, c, color, 0.8f * thick);
      list->AddQuad(corner[0], corner[1], corner[2], corner[3], color, thick);
    }
  }
  if (info.scene && state.style == MotionStyle::orbit) {
    ImVec2 at;
    if (place(state.pivot, at)) {
      list->AddCircle(at, 6 * info.scale, IM_COL32(255, 200, 90, 220), 0, 1.5f * info.scale);
      list->AddCircleFilled(at, 1.5f * info.scale, IM_COL32(255, 200, 90, 255));
    }
  }
  const auto title = [&](const char* text, float x, bool to_the_left) {
    const ImVec2 size = ImGui::CalcTextSize(text);
    const float pad = 7 * info.scale, x0 = to_the_left ? x - size.x - 2 * pad : x;
    const float y0 = low.y + 10 * info.scale;
    list->AddRectFilled({x0, y0}, {x0 + size.x + 2 * pad, y0 + size.y + pad}, IM_COL32(18, 19, 22, 190),
                        4 * info.scale);
    list->AddText({x0 + pad, y0 + pad / 2}, IM_COL32(235, 236, 238, 255), text);
  };
  if (state.split) {
    const float x = low.x + static_cast<float>(std::lround(state.split_at * picture.width));
    list->AddLine({x, low.y}, {x, high.y}, IM_COL32(240, 240, 240, 230), 2 * info.scale);
    const float y = (low.y + high.y) / 2, grip = 12 * info.scale;
    list->AddCircleFilled({x, y}, grip, IM_COL32(240, 240, 240, 230));
    const float a = 4 * info.scale;
    list->AddTriangleFilled({x - a / 2, y - a}, {x - a / 2, y + a}, {x - 2 * a, y}, IM_COL32(40, 42, 46, 255));
    list->AddTriangleFilled({x + a / 2, y - a}, {x + a / 2, y + a}, {x + 2 * a, y}, IM_COL32(40, 42, 46, 255));
    title(view_mode_info(state.mode).title, x - 10 * info.scale, true);
    title(view_mode_info(state.second_mode).title, x + 10 * info.scale, false);
  }
  for (size_t half = 0; half < (state.split ? 2u : 1u); ++half) {
    const Picture* shown = info.pictures[half];
    if (!shown || shown->message.empty()) continue;
    const float middle = state.split ? (half == 0 ? static_cast<float>(state.split_at) / 2
                                                  : (1 + static_cast<float>(state.split_at)) / 2)
                                     : 0.5f;
    const float wrap = static_cast<float>(picture.width) * (state.split ? 0.4f : 0.6f);
    const ImVec2 size = ImGui::CalcTextSize(shown->message.c_str(), nullptr, false, wrap);
    const ImVec2 at{low.x + middle * static_cast<float>(picture.width) - size.x / 2, (low.y + high.y - size.y) / 2};
    list->AddRectFilled({at.x - 14, at.y - 10}, {at.x + size.x + 14, at.y + size.y + 10}, IM_COL32(18, 19, 22, 200), 6);
    list->AddText(nullptr, 0, at, IM_COL32(235, 236, 238, 255), shown->message.c_str(), nullptr, wrap);
  }
  list->PopClipRect();
}

}  // namespace ptl
