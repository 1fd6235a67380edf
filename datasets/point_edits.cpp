#include "datasets/point_edits.h"

#include <cmath>

#include "datasets/atomic_file.h"
#include "datasets/error.h"
#include "datasets/json_place.h"
#include "kernels/camera.h"

namespace ptl {

using nlohmann::ordered_json;

namespace {

constexpr const char* format_name = "pointillist point edits";
constexpr double least_length = 1e-12, largest_length = 1e12;

bool finite(const Vec3<double>& v) {
  return std::isfinite(v.x) && std::isfinite(v.y) && std::isfinite(v.z);
}
bool length_fits(double length) {
  return length >= least_length && length <= largest_length;
}

const char* name_of(PointEdit::Kind kind) {
  switch (kind) {
    case PointEdit::Kind::keep_box:
      return "keep_box";
    case PointEdit::Kind::remove_box:
      return "remove_box";
    case PointEdit::Kind::remove_spheres:
      return "remove_spheres";
    case PointEdit::Kind::remove_cylinders:
      return "remove_cylinders";
  }
  return "";
}

ordered_json json_of(const PointEdit& edit, const Vec3<double>& origin_world) {
  ordered_json content;
  switch (edit.kind) {
    case PointEdit::Kind::keep_box:
    case PointEdit::Kind::remove_box: {
      content = {{"centre", json_of_vector(edit.box.centre + origin_world)},
                 {"half_size", json_of_vector(edit.box.half_size)}};
      const Mat3<double> axes = glm::transpose(edit.box.box_from_scene);
      if (axes != Mat3<double>(1))
        content["axes"] = {json_of_vector(axes[0]), json_of_vector(axes[1]), json_of_vector(axes[2])};
      break;
    }
    case PointEdit::Kind::remove_spheres:
      content = ordered_json::array();
      for (const EditSphere& sphere : edit.spheres)
        content.push_back({{"centre", json_of_vector(sphere.centre + origin_world)}, {"radius", sphere.radius}});
      break;
    case PointEdit::Kind::remove_cylinders:
      content = ordered_json::array();
      for (const EditCylinder& cylinder : edit.cylinders)
        content.push_back({{"from", json_of_vector(cylinder.from + origin_world)},
                           {"to", json_of_vector(cylinder.to + origin_world)},
                           {"radius", cylinder.radius}});
      break;
  }
  ordered_json entry = ordered_json::object();
  entry[name_of(edit.kind)] = std::move(content);
  return entry;
}

EditBox read_box(const JsonPlace& at, const Vec3<double>& origin_world) {
  at.only({"centre", "half_size", "axes"});
  EditBox box;
  box.centre = at.at("centre").vector() - origin_world;
  box.half_size = at.at("half_size").vector();
  if (const auto axes = at.find("axes")) {
    constexpr const char* expected = "3 unit vectors at right angles, right-handed";
    if (axes->size(expected) != 3) axes->refuse(expected);
    const auto rotation = as_rotation(
        Mat3<double>(axes->at(size_t{0}).vector(), axes->at(size_t{1}).vector(), axes->at(size_t{2}).vector()));
    if (!rotation) axes->refuse(expected);
    box.box_from_scene = glm::transpose(*rotation);
  }
  return box;
}

PointEdit read_edit(const JsonPlace& at, const Vec3<double>& origin_world) {
  using Kind = PointEdit::Kind;
  at.only({"keep_box", "remove_box", "remove_spheres", "remove_cylinders"});
  if (at.value().size() != 1) at.refuse("one of keep_box, remove_box, remove_spheres and remove_cylinders");
  PointEdit edit;
  for (const Kind kind : {Kind::keep_box, Kind::remove_box, Kind::remove_spheres, Kind::remove_cylinders})
    if (at.value().contains(name_of(kind))) edit.kind = kind;
  const JsonPlace content = at.at(name_of(edit.kind));
  if (edit.kind == Kind::keep_box || edit.kind == Kind::remove_box) {
    edit.box = read_box(content, origin_world);
    return edit;
  }
  for (size_t i = 0; i < content.size(); ++i) {
    const JsonPlace one = content.at(i);
    if (edit.kind == Kind::remove_spheres) {
      one.only({"centre", "radius"});
      edit.spheres.push_back({one.at("centre").vector() - origin_world, one.at("radius").number()});
    } else {
      one.only({"from", "to", "radius"});
      edit.cylinders.push_back(
          {one.at("from").vector() - origin_world, one.at("to").vector() - origin_world, one.at("radius").number()});
    }
  }
  return edit;
}

}  // namespace

void check_edits(const PointEdits& edits, const std::string& where) {
  for (size_t i = 0; i < edits.size(); ++i) {
    const PointEdit& edit = edits[i];
    const auto refuse = [&](const char* expected) {
      throw InputError("{}: edits[{}].{}: expected {}", where, i, name_of(edit.kind), expected);
    };
    const auto sizes = "radii and sizes between 1e-12 and 1e12";
    switch (edit.kind) {
      case PointEdit::Kind::keep_box:
      case PointEdit::Kind::remove_box:
        if (!finite(edit.box.centre)) refuse("a centre of finite numbers");
        for (int axis = 0; axis < 3; ++axis)
          if (!length_fits(edit.box.half_size[axis])) refuse(sizes);
        if (!as_rotation(edit.box.box_from_scene)) refuse("axes at right angles");
        break;
      case PointEdit::Kind::remove_spheres:
        if (edit.spheres.empty()) refuse("at least one sphere");
        for (const EditSphere& sphere : edit.spheres)
          if (!finite(sphere.centre) || !length_fits(sphere.radius)) refuse(sizes);
        break;
      case PointEdit::Kind::remove_cylinders:
        if (edit.cylinders.empty()) refuse("at least one cylinder");
        for (const EditCylinder& cylinder : edit.cylinders)
          if (!finite(cylinder.from) || !finite(cylinder.to) || !length_fits(cylinder.radius) ||
              !length_fits(glm::distance(cylinder.from, cylinder.to)))
            refuse("radii and lengths between 1e-12 and 1e12");
        break;
    }
  }
}

void write_point_edits(const PointEdits& edits, const Vec3<double>& origin_world, const std::filesystem::path& file) {
  check_edits(edits, file.string());
  ordered_json list = ordered_json::array();
  for (const PointEdit& edit : edits) list.push_back(json_of(edit, origin_world));
  const ordered_json document = {{"format", format_name}, {"version", 1}, {"edits", std::move(list)}};
  write_file_atomically(file, document.dump(1) + "\n");
}

PointEdits read_point_edits(const std::filesystem::path& file, const Vec3<double>& origin_world) {
  const nlohmann::json document = read_json_file(file);
  const JsonPlace root(document, file.string());
  root.expect_format(format_name);
  root.only({"format", "version", "edits"});
  const JsonPlace list = root.at("edits");
  PointEdits edits;
  for (size_t i = 0; i < list.size("a list of edits"); ++i) edits.push_back(read_edit(list.at(i), origin_world));
  check_edits(edits, file.string());
  return edits;
}

std::optional<EditCylinder> brush_cylinder(const CameraParams<double>& camera, const Pose<double>& camera_from_world,
                                           double x_px, double y_px, double radius_px, double near_m, double far_m) {
  Vec3<double> ray;
  if (!unproject_ray(camera, x_px, y_px, ray)) return std::nullopt;
  const Pose<double> world_from_camera = inverse(camera_from_world);
  const double middle_m = 0.5 * (near_m + far_m);
  return EditCylinder{world_from_camera * (ray * near_m), world_from_camera * (ray * far_m),
                      radius_px * middle_m / focal_length_px(camera)};
}

void PointEditHistory::add(PointEdit edit) {
  steps_.record(edits_);
  edits_.push_back(std::move(edit));
  ++version_;
}

void PointEditHistory::replace(size_t index, PointEdit edit) {
  steps_.record(edits_);
  edits_.at(index) = std::move(edit);
  ++version_;
}

void PointEditHistory::remove(size_t index) {
  if (index >= edits_.size()) return;
  steps_.record(edits_);
  edits_.erase(edits_.begin() + static_cast<std::ptrdiff_t>(index));
  ++version_;
}

bool PointEditHistory::undo() {
  std::optional<PointEdits> before = steps_.undo(edits_);
  if (!before) return false;
  edits_ = std::move(*before);
  ++version_;
  return true;
}

bool PointEditHistory::redo() {
  std::optional<PointEdits> after = steps_.redo(edits_);
  if (!after) return false;
  edits_ = std::move(*after);
  ++version_;
  return true;
}

}  // namespace ptl
