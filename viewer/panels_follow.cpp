// What the window says of a run that goes on, or goes away, beneath it: held-out pictures, and notices.
#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <cmath>

#include "viewer/panels.h"

namespace ptl {

namespace {

ImTextureID texture_id(unsigned name) {
  return reinterpret_cast<ImTextureID>(static_cast<intptr_t>(name));
}

const HeldOutShown& newest(const std::vector<HeldOutShown>& pictures) {
  return *std::max_element(pictures.begin(), pictures.end(),
                           [](const HeldOutShown& a, const HeldOutShown& b) { return a.generation < b.generation; });
}

std::string headline(const std::vector<HeldOutShown>& pictures) {
  double sum = 0;
  for (const HeldOutShown& one : pictures) sum += one.psnr_db;
  const HeldOutShown& latest = newest(pictures);
  std::string text = "Held out: photo and picture";
  text += latest.step > 0 ? fmt::format(", step {}", latest.step) : ", fit ended";
  text += fmt::format("; mean {:.2f} dB at this reduced size (eval scores whole photos)",
                      sum / static_cast<double>(pictures.size()));
  return text;
}

}  // namespace

void draw_held_out(ViewerState& state, const ViewerInfo& info) {
  if (info.held_out.empty()) {
    quiet_text(info.scene && info.scene->photos ? "Held-out pictures come when nothing else is being rendered."
                                                : "No held-out pictures: the photos are not there.");
    return;
  }
  quiet_text(headline(info.held_out));
  ImGui::BeginChild("strip", {0, 0}, false, ImGuiWindowFlags_HorizontalScrollbar);
  const uint64_t generation = newest(info.held_out).generation;
  // The captions and the scroll bar stand below.
  const float height = std::max(24.0f, ImGui::GetContentRegionAvail().y - ImGui::GetTextLineHeight() - 16 * info.scale);
  const float gap = 2 * info.scale;
  for (const HeldOutShown& one : info.held_out) {
    const float width = height * static_cast<float>(one.width_px) / static_cast<float>(std::max(1, one.height_px));
    ImGui::PushID(static_cast<int>(one.image));
    ImGui::BeginGroup();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    if (ImGui::InvisibleButton("pair", {2 * width + gap, height}) && info.scene)
      fly_to_image(state, *info.scene, static_cast<int>(one.image));
    const std::string& name = info.scene->images[static_cast<size_t>(one.image)].name;
    if (ImGui::IsItemHovered()) ImGui::SetTooltip("%s\nphoto, picture; click to go there", name.c_str());
    ImDrawList* list = ImGui::GetWindowDrawList();
    list->AddImage(texture_id(one.photo), at, {at.x + width, at.y + height});
    list->AddImage(texture_id(one.rendering), {at.x + width + gap, at.y}, {at.x + 2 * width + gap, at.y + height});
    // A step behind: the next picture of it is on its way.
    const std::string caption = fmt::format("{:.2f} dB", one.psnr_db);
    if (one.generation < generation)
      ImGui::TextDisabled("%s (step %lld)", caption.c_str(), static_cast<long long>(one.step));
    else
      ImGui::TextUnformatted(caption.c_str());
    ImGui::EndGroup();
    ImGui::PopID();
    ImGui::SameLine(0, 12 * info.scale);
  }
  ImGui::EndChild();
}

void draw_notice(const ViewerInfo& info, const PixelRect& picture) {
  const std::string& text = !info.notice.empty() ? info.notice : info.error;
  if (text.empty()) return;
  ImDrawList* list = ImGui::GetBackgroundDrawList();
  const float pad = 10 * info.scale, margin = 12 * info.scale;
  const float wrap = std::max(40.0f, static_cast<float>(picture.width) - 2 * (pad + margin));
  const ImVec2 size = ImGui::CalcTextSize(text.c_str(), nullptr, false, wrap);
  const ImVec2 at{static_cast<float>(picture.x) + (static_cast<float>(picture.width) - size.x) / 2,
                  static_cast<float>(picture.y + picture.height) - size.y - pad - margin};
  list->AddRectFilled({at.x - pad, at.y - pad / 2}, {at.x + size.x + pad, at.y + size.y + pad / 2},
                      IM_COL32(70, 44, 16, 235), 5 * info.scale);
  list->AddText(nullptr, 0, at, IM_COL32(255, 214, 150, 255), text.c_str(), nullptr, wrap);
}

}  // namespace ptl
