// Boxes and the brush's circle over the picture.
#include <imgui.h>

#include <cmath>

#include "kernels/camera.h"
#include "viewer/panels.h"

namespace ptl {

namespace {

using Vec = Vec3<double>;

constexpr int line_parts = 16;  // a straight edge is a curve in a lens with distortion

class Overlay {
 public:
  Overlay(ImDrawList* list, const EditView& view, const PixelRect& picture, double nearest, float scale)
      : list_(list), view_(view), picture_(picture), nearest_(nearest), scale_(scale) {}

  void line(Vec a, Vec b, ImU32 color, float width) const {
    a = view_.camera_from_scene * a;
    b = view_.camera_from_scene * b;
    if (a.z < nearest_ && b.z < nearest_) return;
    if (a.z < nearest_) a = b + (a - b) * ((b.z - nearest_) / (b.z - a.z));
    if (b.z < nearest_) b = a + (b - a) * ((a.z - nearest_) / (a.z - b.z));
    for (int part = 0; part < line_parts; ++part) {
      ImVec2 from, to;
      if (place(a + (b - a) * (part / static_cast<double>(line_parts)), from) &&
          place(a + (b - a) * ((part + 1) / static_cast<double>(line_parts)), to))
        list_->AddLine(from, to, color, width * scale_);
    }
  }

  void handle(const Vec& at, ImU32 color, float radius, bool lit) const {
    const Vec x = view_.camera_from_scene * at;
    ImVec2 pixel;
    if (x.z < nearest_ || !place(x, pixel)) return;
    if (lit) radius *= 1.5f;
    list_->AddCircleFilled(pixel, radius * scale_, IM_COL32(18, 19, 22, 230));
    list_->AddCircleFilled(pixel, (radius - 1.5f) * scale_, color);
  }

 private:
  bool place(const Vec& x_camera, ImVec2& pixel) const {
    const Projection<double> p = project(view_.camera, x_camera);
    pixel = {static_cast<float>(picture_.x + p.x_px), static_cast<float>(picture_.y + p.y_px)};
    return p.valid;
  }

  ImDrawList* list_;
  const EditView& view_;
  const PixelRect& picture_;
  double nearest_;
  float scale_;
};

void draw_box(const Overlay& overlay, const EditBox& box, const Vec& eye, bool keep, bool selected) {
  const std::array<Vec, 8> corners = box_corners(box);
  const auto faces_eye = [&](int face) { return glm::dot(eye - box_handle(box, face), face_normal(box, face)) > 0; };
  for (int axis = 0; axis < 3; ++axis) {
    const int second = (axis + 1) % 3, third = (axis + 2) % 3;
    for (int side = 0; side < 4; ++side) {
      const int second_side = side & 1, third_side = side >> 1;
      const int corner = second_side << second | third_side << third;
      // An edge of no face that looks this way lies behind the box.
      const bool near = faces_eye(2 * second + second_side) || faces_eye(2 * third + third_side);
      const int alpha = selected ? (near ? 255 : 110) : (near ? 150 : 60);
      overlay.line(corners[static_cast<size_t>(corner)], corners[static_cast<size_t>(corner | 1 << axis)],
                   keep ? IM_COL32(110, 230, 140, alpha) : IM_COL32(255, 110, 100, alpha), selected ? 2.0f : 1.3f);
    }
  }
}

}  // namespace

void draw_edit_overlay(const ViewerState& state, const ViewerInfo& info, const PixelRect& picture) {
  const PointEditing& editing = state.editing;
  if (!editing.on || !info.scene) return;
  const EditView view{view_params(state.camera, picture.width, picture.height), state.camera.camera_from_world};
  const ImVec2 low{static_cast<float>(picture.x), static_cast<float>(picture.y)};
  const ImVec2 high{low.x + static_cast<float>(picture.width), low.y + static_cast<float>(picture.height)};
  ImDrawList* list = ImGui::GetBackgroundDrawList();
  list->PushClipRect(low, high);
  const Overlay overlay(list, view, picture, 1e-4 * state.extent, info.scale);
  const Vec eye = camera_centre(state.camera.camera_from_world);
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  const bool over_picture = picture.contains(mouse.x, mouse.y) && !ImGui::GetIO().WantCaptureMouse;
  const Vec2<double> pixel(mouse.x - picture.x, mouse.y - picture.y);

  const PointEdits edits = editing.shown();
  for (size_t i = 0; i < edits.size(); ++i) {
    const bool keep = edits[i].kind == PointEdit::Kind::keep_box;
    if (!keep && edits[i].kind != PointEdit::Kind::remove_box) continue;
    const bool selected = static_cast<int>(i) == editing.selected() && editing.tool != EditTool::brush;
    draw_box(overlay, edits[i].box, eye, keep, selected);
    if (editing.tool != EditTool::brush && !selected)
      overlay.handle(edits[i].box.centre, keep ? IM_COL32(110, 230, 140, 200) : IM_COL32(255, 110, 100, 200), 5, false);
  }
  if (const EditBox* box = editing.selected_box(); box && editing.tool != EditTool::brush) {
    const int lit = over_picture ? editing.handle_at(view, pixel) : -1;
    for (int handle = 0; handle < box_handles; ++handle)
      if (can_drag(*box, handle, view))
        overlay.handle(box_handle(*box, handle),
                       handle == centre_handle ? IM_COL32(255, 200, 90, 255) : IM_COL32(240, 242, 245, 255), 6,
                       handle == lit);
  }
  if (editing.tool == EditTool::brush && over_picture) {
    const auto radius = static_cast<float>(editing.brush.radius_px);
    list->AddCircle(mouse, radius, IM_COL32(18, 19, 22, 160), 0, 3.5f * info.scale);
    list->AddCircle(mouse, radius, editing.active() ? IM_COL32(255, 110, 100, 255) : IM_COL32(255, 225, 200, 255), 0,
                    1.5f * info.scale);
  }
  list->PopClipRect();
}

}  // namespace ptl
