// The timeline's row for a path's frames and video: where they go, how far they are.
#include <fmt/format.h>
#include <imgui.h>

#include <cmath>
#include <cstdlib>

#include "viewer/panels.h"

namespace ptl {

namespace {

/// A field for a whole number that is 0, and shows `hint`, when nothing is said.
bool number_field(const char* label, int& value, const std::string& hint, float width) {
  char text[16] = "";
  if (value > 0) fmt::format_to_n(text, sizeof text - 1, "{}", value);
  ImGui::SetNextItemWidth(width);
  if (!ImGui::InputTextWithHint(label, hint.c_str(), text, sizeof text, ImGuiInputTextFlags_CharsDecimal)) return false;
  value = std::clamp(std::atoi(text), 0, 16384);
  return true;
}

/// What the pictures measure where the path says nothing: as its image (renderer/path_pictures.h).
const CameraParams<double>* usual_camera(const ViewerState& state, const ViewScene& scene) {
  for (const ViewImage& image : scene.images)
    if (image.name == state.path.image) return &image.camera;
  return scene.images.empty() ? nullptr : &scene.images.front().camera;
}

void size_fields(ViewerState& state, const ViewScene& scene, float scale) {
  const CameraParams<double>* usual = usual_camera(state, scene);
  const double aspect = usual ? static_cast<double>(usual->width_px) / usual->height_px : 1.5;
  CameraPath& path = state.path;
  const int width = usual ? usual->width_px : 0, height = usual ? usual->height_px : 0;
  // A path says both or none.
  if (number_field("##width", path.width_px, std::to_string(width), 52 * scale) &&
      (path.height_px == 0 || path.width_px == 0))
    path.height_px = path.width_px > 0 ? std::max(1, static_cast<int>(std::lround(path.width_px / aspect))) : 0;
  note_place(state, "width");
  if (ImGui::IsItemHovered()) ImGui::SetTooltip("Width of the pictures; kept in the path.");
  ImGui::SameLine(0, 4 * scale);
  ImGui::TextUnformatted("x");
  ImGui::SameLine(0, 4 * scale);
  if (number_field("##height", path.height_px, std::to_string(height), 52 * scale) &&
      (path.height_px == 0 || path.width_px == 0))
    path.width_px = path.height_px > 0 ? std::max(1, static_cast<int>(std::lround(path.height_px * aspect))) : 0;
  note_place(state, "height");
  if (ImGui::IsItemHovered()) ImGui::SetTooltip("Height of the pictures; kept in the path.");
  ImGui::SameLine();
  auto rate = static_cast<float>(path.frames_per_s);
  ImGui::SetNextItemWidth(46 * scale);
  if (ImGui::InputFloat("fps", &rate, 0, 0, "%.4g") && rate >= 1e-3f && rate <= 1000)
    path.frames_per_s = static_cast<double>(rate);
  note_place(state, "fps");
}

void progress(ViewerState& state, const PathExportStatus& status, float scale) {
  if (named_button(state, "cancel", "cancel")) state.export_cancel = true;
  ImGui::SameLine();
  const bool video = status.stage == PathExportStatus::Stage::video;
  const float share =
      status.frames > 0 ? static_cast<float>(status.frames_done) / static_cast<float>(status.frames) : 0;
  const std::string words = video                ? "making the video"
                            : status.frames == 0 ? "beginning"
                                                 : fmt::format("frame {} of {}", status.frames_done, status.frames);
  ImGui::ProgressBar(share, {std::max(80 * scale, ImGui::GetContentRegionAvail().x), 0}, words.c_str());
}

}  // namespace

void draw_path_export(ViewerState& state, const ViewerInfo& info) {
  if (!info.scene) return;
  if (info.path_export.running()) {
    progress(state, info.path_export, info.scale);
    return;
  }
  size_fields(state, *info.scene, info.scale);
  ImGui::SameLine();
  text_field("##folder", state.export_folder, 120 * info.scale);
  note_place(state, "folder");
  if (ImGui::IsItemHovered()) ImGui::SetTooltip("Folder of the frames: frame_000000.png and on.");
  ImGui::SameLine();
  ImGui::Checkbox("video", &state.export_video);
  note_place(state, "video");
  if (state.export_video) {
    ImGui::SameLine();
    text_field("##video", state.export_video_file, 100 * info.scale);
    note_place(state, "video file");
  }
  ImGui::SameLine();
  if (named_button(state, "export", "export")) {
    state.path_message.clear();
    state.export_start = true;
  }
  if (ImGui::IsItemHovered())
    ImGui::SetTooltip(
        "All frames as PNG files, and a video of them by ffmpeg: the pictures of 'pointillist render --path'.\n"
        "The view goes on meanwhile. Frames of the same export that are there already are kept.");
}

}  // namespace ptl
