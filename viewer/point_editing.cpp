#include "viewer/point_editing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/camera.h"
#include "viewer/edit_filter.h"

namespace ptl {

namespace {

constexpr double handle_reach_px = 10;
constexpr double wheel_factor = 1.15;
constexpr double largest_jump = 2;  // of a surface's depth between two dabs, in what the brush reaches

bool is_box(const PointEdit& edit) {
  return edit.kind == PointEdit::Kind::keep_box || edit.kind == PointEdit::Kind::remove_box;
}

}  // namespace

PointEdits PointEditing::shown() const {
  PointEdits list = history_.edits();
  if (changed_box_ && selected() >= 0) list[static_cast<size_t>(selected_)].box = *changed_box_;
  if (painting_ && !stroke_.cylinders.empty()) list.push_back(stroke_);
  return list;
}

bool PointEditing::unsaved() const {
  return history_.edits() != saved_;
}

int PointEditing::selected() const {
  const bool there = selected_ >= 0 && static_cast<size_t>(selected_) < history_.edits().size() &&
                     is_box(history_.edits()[static_cast<size_t>(selected_)]);
  return there ? selected_ : -1;
}

void PointEditing::select(int index) {
  release();
  selected_ = index;
  if (selected() < 0) return;
  tool = history_.edits()[static_cast<size_t>(index)].kind == PointEdit::Kind::keep_box ? EditTool::keep_box
                                                                                        : EditTool::remove_box;
}

const EditBox* PointEditing::selected_box() const {
  if (selected() < 0) return nullptr;
  return changed_box_ ? &*changed_box_ : &history_.edits()[static_cast<size_t>(selected_)].box;
}

void PointEditing::add_box(PointEdit::Kind kind, const EditBox& box) {
  release();
  PointEdit edit;
  edit.kind = kind;
  edit.box = box;
  history_.add(std::move(edit));
  select(static_cast<int>(history_.edits().size()) - 1);
}

void PointEditing::remove(size_t index) {
  release();
  history_.remove(index);
  if (selected_ == static_cast<int>(index))
    selected_ = -1;
  else if (selected_ > static_cast<int>(index))
    --selected_;
}

bool PointEditing::undo() {
  release();
  return history_.undo();
}

bool PointEditing::redo() {
  release();
  return history_.redo();
}

void PointEditing::change_box(const EditBox& box) {
  if (selected() < 0) return;
  changed_box_ = box;
  ++changes_;
}

void PointEditing::end_change() {
  if (changed_box_ && selected() >= 0) {
    PointEdit edit = history_.edits()[static_cast<size_t>(selected_)];
    edit.box = *changed_box_;
    history_.replace(static_cast<size_t>(selected_), std::move(edit));
  }
  changed_box_.reset();
}

int PointEditing::handle_at(const EditView& view, const Vec2<double>& pixel) const {
  const EditBox* box = selected_box();
  return box && tool != EditTool::brush ? pick_handle(*box, view, pixel, handle_reach_px) : -1;
}

bool PointEditing::press(const EditView& view, const Vec2<double>& pixel, const StrokeDepths& depths,
                         double least_side) {
  release();
  view_ = view;
  press_px_ = last_px_ = pixel;
  if (tool == EditTool::brush) {
    painting_ = true;
    stroke_ = {};
    stroke_.kind = PointEdit::Kind::remove_cylinders;
    depths_ = depths;
    last_depth_m_.reset();
    dab(view, pixel);
    return true;
  }
  if (const int handle = handle_at(view, pixel); handle >= 0) {
    dragged_ = handle;
    box_at_press_ = *selected_box();
    least_side_ = least_side;
    return true;
  }
  // Another box, by its middle.
  for (size_t i = 0; i < history_.edits().size(); ++i) {
    if (!is_box(history_.edits()[i]) || static_cast<int>(i) == selected()) continue;
    const Projection<double> at = project(view.camera, view.camera_from_scene * history_.edits()[i].box.centre);
    if (!at.valid || std::hypot(at.x_px - pixel.x, at.y_px - pixel.y) > handle_reach_px) continue;
    select(static_cast<int>(i));
    return true;
  }
  return false;
}

bool PointEditing::move(const EditView& view, const Vec2<double>& pixel) {
  if (!active()) return false;
  if (view != view_) {  // the depths and the place of the press are those of another view
    release();
    return false;
  }
  if (painting_) {
    for (const Vec2<double>& place : dab_places(last_px_, pixel, brush.radius_px)) {
      dab(view, place);
      last_px_ = place;
    }
    return true;
  }
  if (const auto box = drag_handle(box_at_press_, dragged_, view, press_px_, pixel, least_side_)) change_box(*box);
  return true;
}

void PointEditing::release() {
  dragged_ = -1;
  end_change();
  if (!painting_) return;
  painting_ = false;
  depths_ = {};
  if (!stroke_.cylinders.empty()) history_.add(std::move(stroke_));
  stroke_ = {};
}

void PointEditing::wheel(double clicks) {
  brush.radius_px = std::clamp(brush.radius_px * std::pow(wheel_factor, clicks), least_brush_px, largest_brush_px);
}

std::optional<double> PointEditing::depth_at(const EditView& view, const Vec2<double>& pixel) const {
  if (!depths_.depth_m) return std::nullopt;
  const double scale_x = static_cast<double>(depths_.depth_m->width) / view.camera.width_px;
  const double scale_y = static_cast<double>(depths_.depth_m->height) / view.camera.height_px;
  return nearest_depth(*depths_.depth_m, pixel.x * scale_x, pixel.y * scale_y, brush.radius_px * scale_x);
}

void PointEditing::dab(const EditView& view, const Vec2<double>& pixel) {
  if (brush.depth == BrushDepth::everything) {
    if (!depths_.cloud) return;
    const auto range = depths_under_brush(*depths_.cloud, view, pixel, brush.radius_px);
    if (!range) return;
    const std::vector<EditCylinder> dabs = through_dab(brush, view, pixel, *range);
    stroke_.cylinders.insert(stroke_.cylinders.end(), dabs.begin(), dabs.end());
  } else {
    std::optional<double> depth_m = depth_at(view, pixel);
    // Beyond the edge of what the stroke began on, it goes on at its depth and takes nothing of what comes into sight.
    if (brush.depth == BrushDepth::surface && last_depth_m_ &&
        !(depth_m && std::abs(*depth_m - *last_depth_m_) <= largest_jump * brush_reach_m(brush, view, *last_depth_m_)))
      depth_m = last_depth_m_;
    if (!depth_m) return;  // where nothing is under the brush there is nothing to remove
    last_depth_m_ = depth_m;
    const auto dab = surface_dab(brush, view, pixel, *depth_m);
    if (!dab) return;
    stroke_.cylinders.push_back(*dab);
  }
  ++changes_;
}

void PointEditing::load(const std::string& from, const Vec3<double>& origin_world) {
  PointEdits read = read_point_edits(from, origin_world);
  release();
  changes_ += history_.version() + 1;  // a new history counts from 0 again
  saved_ = read;
  history_ = PointEditHistory(std::move(read));
  selected_ = -1;
  file = list_file_ = from;
}

void PointEditing::save(const Vec3<double>& origin_world) {
  release();
  write_point_edits(history_.edits(), origin_world, file);
  saved_ = history_.edits();
  list_file_ = file;
}

std::string edit_title(const PointEdit& edit) {
  const auto size = [&] {
    return fmt::format("{:.3g} x {:.3g} x {:.3g}", 2 * edit.box.half_size.x, 2 * edit.box.half_size.y,
                       2 * edit.box.half_size.z);
  };
  switch (edit.kind) {
    case PointEdit::Kind::keep_box:
      return "crop box " + size();
    case PointEdit::Kind::remove_box:
      return "remove box " + size();
    case PointEdit::Kind::remove_spheres:
      return fmt::format("stroke, {} spheres", edit.spheres.size());
    case PointEdit::Kind::remove_cylinders:
      return fmt::format("stroke, {} dab{}", edit.cylinders.size(), edit.cylinders.size() == 1 ? "" : "s");
  }
  return "";
}

std::string shell_word(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-+:=@%").find(c) != std::string_view::npos;
  });
  if (plain) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

}  // namespace ptl
