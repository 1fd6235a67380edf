#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <cmath>

#include "viewer/panels.h"

namespace ptl {

namespace {

void draw_histogram(const Histogram& histogram, float scale) {
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x, height = 64 * scale;
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddRectFilled(at, {at.x + width, at.y + height}, IM_COL32(28, 29, 32, 255), 4);
  uint32_t most = 1;
  // The two ends hold what is clipped; they would flatten the rest.
  for (const auto& channel : histogram.count)
    for (size_t bin = 1; bin + 1 < channel.size(); ++bin) most = std::max(most, channel[bin]);
  constexpr ImU32 colors[3] = {IM_COL32(230, 90, 80, 120), IM_COL32(100, 200, 110, 120), IM_COL32(90, 140, 240, 130)};
  for (size_t c = 0; c < 3; ++c) {
    const size_t bins = histogram.count[c].size();
    const float step = width / static_cast<float>(bins);
    for (size_t bin = 0; bin < bins; ++bin) {
      const float share =
          std::min(1.0f, std::sqrt(static_cast<float>(histogram.count[c][bin]) / static_cast<float>(most)));
      list->AddRectFilled({at.x + step * static_cast<float>(bin), at.y + height * (1 - share)},
                          {at.x + step * static_cast<float>(bin + 1), at.y + height}, colors[c]);
    }
  }
  constexpr double worth_a_mark = 0.002;
  const float mark = 9 * scale;
  if (histogram.clipped_low > worth_a_mark)
    list->AddTriangleFilled(at, {at.x + mark, at.y}, {at.x, at.y + mark}, IM_COL32(90, 140, 240, 255));
  if (histogram.clipped_high > worth_a_mark)
    list->AddTriangleFilled({at.x + width, at.y}, {at.x + width, at.y + mark}, {at.x + width - mark, at.y},
                            IM_COL32(245, 110, 90, 255));
  ImGui::Dummy({width, height});
  quiet_text(fmt::format("clipped: dark {:.1f} %, bright {:.1f} %", 100 * histogram.clipped_low,
                         100 * histogram.clipped_high));
}

}  // namespace

void draw_light_panel(ViewerState& state, const ViewerInfo& info) {
  if (!info.scene || !info.scene->has_model) return;
  panel_heading("Light", info.scale);
  ViewLight& light = state.light;
  int choice = light.automatic ? 2 : light.by_hand ? 1 : 0;
  ImGui::RadioButton("photo's", &choice, 0);
  ImGui::SameLine();
  ImGui::RadioButton("by hand", &choice, 1);
  ImGui::SameLine();
  ImGui::RadioButton("automatic", &choice, 2);
  const Picture* picture = info.pictures[0];
  if (choice == 1 && !light.by_hand && picture) {  // go on from what is seen
    light.exposure_ev = picture->exposure_ev + light.brighter_stops;
    std::copy_n(picture->white_balance, 2, light.white_balance);
  }
  light.automatic = choice == 2;
  light.by_hand = choice == 1;
  if (choice == 0) {
    ImGui::Checkbox("of the nearest photo", &state.light_of_nearest);
    if (const auto image = static_cast<size_t>(light.image); image < info.scene->images.size())
      quiet_text(info.scene->images[image].name);
  }
  if (choice == 1) {
    auto ev = static_cast<float>(light.exposure_ev);
    if (ImGui::SliderFloat("EV", &ev, -8, 8, "%.2f")) light.exposure_ev = ev;
    float gains[2] = {static_cast<float>(light.white_balance[0]), static_cast<float>(light.white_balance[1])};
    if (ImGui::SliderFloat2("red, blue", gains, 0.4f, 2.5f, "%.2f", ImGuiSliderFlags_Logarithmic))
      for (int i = 0; i < 2; ++i) light.white_balance[i] = gains[i];
  }
  auto stops = static_cast<float>(light.brighter_stops);
  if (ImGui::SliderFloat("stops", &stops, -4, 4, "%+.2f")) light.brighter_stops = stops;
  if (ImGui::IsItemHovered()) ImGui::SetTooltip("Brighter or darker than that ([ and ]).");
  ImGui::Checkbox("vignette", &light.vignette);
  ImGui::SameLine();
  ImGui::Checkbox("response", &light.response);
  if (picture) {
    quiet_text(fmt::format("used: EV {:+.2f}, red {:.2f}, blue {:.2f}", picture->exposure_ev, picture->white_balance[0],
                           picture->white_balance[1]));
    draw_histogram(picture->histogram, info.scale);
  }
}

}  // namespace ptl
