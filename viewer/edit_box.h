// Boxes of edits in a view: where their handles are, and what dragging one does. Pure functions; scene coordinates.
#pragma once

#include <array>
#include <optional>

#include "datasets/point_edits.h"
#include "kernels/camera_params.h"
#include "viewer/drawn_cloud.h"

namespace ptl {

/// A view that edits are made in: x and y of pixels are the picture's.
struct EditView {
  CameraParams<double> camera;
  Pose<double> camera_from_scene;
  bool operator==(const EditView&) const = default;
};

/// Handles of a box: its faces, 2 · axis + (1: the side where the axis points to), then its centre.
inline constexpr int box_faces = 6, centre_handle = 6, box_handles = 7;

/// A unit vector: axis 0, 1 or 2 of the box.
Vec3<double> box_axis(const EditBox& box, int axis);
/// Outwards from a face.
Vec3<double> face_normal(const EditBox& box, int face);
/// The middle of a face, or the centre.
Vec3<double> box_handle(const EditBox& box, int handle);
/// Corner i: at the high side of axis k where bit k of i is set.
std::array<Vec3<double>, 8> box_corners(const EditBox& box);

/// Whether a drag across the view can move this handle: not a face whose normal points at the viewer or away.
bool can_drag(const EditBox& box, int handle, const EditView& view);
/// The handle within `reach_px` of a pixel, the nearest; −1: none.
int pick_handle(const EditBox& box, const EditView& view, const Vec2<double>& pixel, double reach_px);

/// The box after a drag of one of its handles from one pixel to another. A face moves along its normal under the mouse
/// and the opposite one stays, `least_side` apart at least; the centre moves across the view with all of the box.
/// Nothing where the mouse is at no place that the handle could have.
std::optional<EditBox> drag_handle(const EditBox& at_press, int handle, const EditView& view,
                                   const Vec2<double>& press_px, const Vec2<double>& now_px, double least_side);

/// Axes of boxes as users want them: the last one is `up`, the first is as much along one of the scene's as can be.
Mat3<double> upright_box_from_scene(const Vec3<double>& up);
/// The angle by which a box is turned about `up` against such axes, −π..π; and a box turned to an angle.
double turn_rad(const EditBox& box, const Vec3<double>& up);
EditBox turned_to(const EditBox& box, const Vec3<double>& up, double turn_rad);

/// A cube with such axes.
EditBox upright_box(const Vec3<double>& centre, double half_size, const Vec3<double>& up);
/// An upright box around all but the outermost points of a cloud, 1 % on each side of an axis, and a little room. At
/// least one point.
EditBox box_around(const DrawnCloud& cloud, const Vec3<double>& up);

}  // namespace ptl
