#include "viewer/edit_box.h"

#include <algorithm>
#include <cmath>

#include "datasets/json_place.h"
#include "kernels/camera.h"

namespace ptl {

namespace {

using Vec = Vec3<double>;

struct Ray {
  Vec from, direction;  ///< a unit vector
};

std::optional<Ray> ray_of(const EditView& view, const Vec2<double>& pixel) {
  Vec ray;
  if (!unproject_ray(view.camera, pixel.x, pixel.y, ray)) return std::nullopt;
  return Ray{camera_centre(view.camera_from_scene),
             glm::normalize(glm::transpose(view.camera_from_scene.rotation) * ray)};
}

/// The place on the line from `at` along the unit vector `along` that is nearest to the ray; nothing where the ray runs
/// along the line or away from it.
std::optional<double> along_line(const Ray& ray, const Vec& at, const Vec& along) {
  constexpr double least_sine = 0.05;
  const double cosine = glm::dot(along, ray.direction), sine_squared = 1 - cosine * cosine;
  if (sine_squared < least_sine * least_sine) return std::nullopt;
  const Vec w = at - ray.from;
  const double t = (cosine * glm::dot(ray.direction, w) - glm::dot(along, w)) / sine_squared;
  if (glm::dot(w + t * along, ray.direction) <= 0) return std::nullopt;
  return t;
}

Mat3<double> turn_about(const Vec& axis, double angle_rad) {
  return exp(Tangent<double>{Vec(0), axis * angle_rad}).rotation;
}

}  // namespace

Vec box_axis(const EditBox& box, int axis) {
  return glm::transpose(box.box_from_scene)[axis];
}

Vec face_normal(const EditBox& box, int face) {
  return box_axis(box, face / 2) * (face % 2 == 1 ? 1.0 : -1.0);
}

Vec box_handle(const EditBox& box, int handle) {
  return handle < box_faces ? box.centre + face_normal(box, handle) * box.half_size[handle / 2] : box.centre;
}

std::array<Vec, 8> box_corners(const EditBox& box) {
  std::array<Vec, 8> corners;
  for (int i = 0; i < 8; ++i) {
    corners[static_cast<size_t>(i)] = box.centre;
    for (int axis = 0; axis < 3; ++axis)
      corners[static_cast<size_t>(i)] += box_axis(box, axis) * box.half_size[axis] * ((i >> axis & 1) ? 1.0 : -1.0);
  }
  return corners;
}

bool can_drag(const EditBox& box, int handle, const EditView& view) {
  if (handle >= box_faces) return true;
  constexpr double largest_cosine = 0.97;  // 14 degrees
  const Vec way = box_handle(box, handle) - camera_centre(view.camera_from_scene);
  const double distance = glm::length(way);
  return distance > 0 && std::abs(glm::dot(way, face_normal(box, handle))) < largest_cosine * distance;
}

int pick_handle(const EditBox& box, const EditView& view, const Vec2<double>& pixel, double reach_px) {
  int best = -1;
  double best_px = reach_px;
  for (int handle = 0; handle < box_handles; ++handle) {
    const Projection<double> at = project(view.camera, view.camera_from_scene * box_handle(box, handle));
    if (!at.valid || !can_drag(box, handle, view)) continue;
    const double distance_px = std::hypot(at.x_px - pixel.x, at.y_px - pixel.y);
    if (distance_px <= best_px) {
      best_px = distance_px;
      best = handle;
    }
  }
  return best;
}

std::optional<EditBox> drag_handle(const EditBox& at_press, int handle, const EditView& view,
                                   const Vec2<double>& press_px, const Vec2<double>& now_px, double least_side) {
  const std::optional<Ray> from = ray_of(view, press_px), to = ray_of(view, now_px);
  if (!from || !to) return std::nullopt;
  EditBox box = at_press;
  if (handle == centre_handle) {
    const double depth = (view.camera_from_scene * box.centre).z;
    const Vec forward = glm::transpose(view.camera_from_scene.rotation)[2];
    const double cosine_from = glm::dot(forward, from->direction), cosine_to = glm::dot(forward, to->direction);
    if (!(depth > 0 && cosine_from > 0 && cosine_to > 0)) return std::nullopt;
    box.centre += to->direction * (depth / cosine_to) - from->direction * (depth / cosine_from);
    return box;
  }
  const Vec normal = face_normal(at_press, handle), at = box_handle(at_press, handle);
  const std::optional<double> begin = along_line(*from, at, normal), now = along_line(*to, at, normal);
  if (!begin || !now) return std::nullopt;
  const int axis = handle / 2;
  const double half = std::max(at_press.half_size[axis] + (*now - *begin) / 2, least_side / 2);
  box.centre += normal * (half - at_press.half_size[axis]);
  box.half_size[axis] = half;
  return box;
}

Mat3<double> upright_box_from_scene(const Vec& up) {
  int level = 0;
  for (int axis = 1; axis < 3; ++axis)
    if (std::abs(up[axis]) < std::abs(up[level]) - 1e-9) level = axis;
  Vec first(0);
  first[level] = 1;
  first = glm::normalize(first - up * glm::dot(first, up));
  return glm::transpose(Mat3<double>(first, glm::cross(up, first), up));
}

double turn_rad(const EditBox& box, const Vec& up) {
  const Mat3<double> level = upright_box_from_scene(up);
  // Of the box's first axis; of its second one where that stands upright itself.
  for (const int axis : {0, 1}) {
    const Vec across = level * box_axis(box, axis);
    if (std::hypot(across.x, across.y) > 0.1) return std::atan2(across.y, across.x);
  }
  return 0;
}

EditBox turned_to(const EditBox& box, const Vec& up, double to_rad) {
  EditBox turned = box;
  const Mat3<double> turn = turn_about(up, to_rad - turn_rad(box, up));
  turned.box_from_scene = box.box_from_scene * glm::transpose(turn);
  // Many small turns must not add up to something that is no rotation.
  if (const auto rotation = as_rotation(turned.box_from_scene)) turned.box_from_scene = *rotation;
  return turned;
}

EditBox upright_box(const Vec& centre, double half_size, const Vec& up) {
  return {centre, Vec(half_size), upright_box_from_scene(up)};
}

EditBox box_around(const DrawnCloud& cloud, const Vec& up) {
  EditBox box = upright_box(Vec(0), 1, up);
  const size_t stride = std::max<size_t>(1, cloud.vertices.size() / 50000);
  Vec middle(0);
  for (int axis = 0; axis < 3; ++axis) {
    const Vec along = box_axis(box, axis);
    std::vector<double> places;
    for (size_t i = 0; i < cloud.vertices.size(); i += stride) {
      const CloudVertex& v = cloud.vertices[i];
      places.push_back(glm::dot(along, Vec(v.x, v.y, v.z)));
    }
    const size_t cut = places.size() / 100, top = places.size() - 1 - cut;
    std::nth_element(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(cut), places.end());
    const double low = places[cut];
    std::nth_element(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(top), places.end());
    const double high = places[top];
    middle += along * (0.5 * (low + high));
    box.half_size[axis] = 0.5 * (high - low);
  }
  const double longest = std::max({box.half_size.x, box.half_size.y, box.half_size.z, 1e-9});
  for (int axis = 0; axis < 3; ++axis) box.half_size[axis] = 1.02 * std::max(box.half_size[axis], 0.01 * longest);
  box.centre = middle;
  return box;
}

}  // namespace ptl
