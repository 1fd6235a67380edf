#include "viewer/camera_motion.h"

#include <algorithm>
#include <cmath>
#include <glm/gtc/constants.hpp>

#include "datasets/rotation_path.h"

namespace ptl {

namespace {

using Vec = Vec3<double>;

Mat3<double> turn(const Vec& axis, double angle_rad) {
  return exp(Tangent<double>{Vec(0), axis * angle_rad}).rotation;
}

/// Thousands of small turns would add up their rounding.
Mat3<double> orthonormal(const Mat3<double>& rotation) {
  return rotation_from_quaternion(quaternion_from_rotation(rotation));
}

/// The camera moved as a rigid body of the world: world_turn about the point `about`.
Pose<double> turned(const Pose<double>& camera_from_world, const Mat3<double>& world_turn, const Vec& about) {
  const Vec about_camera = camera_from_world * about;
  Pose<double> pose;
  pose.rotation = orthonormal(camera_from_world.rotation * glm::transpose(world_turn));
  pose.translation = about_camera - pose.rotation * about;  // the point's place in the camera stays
  return pose;
}

/// The level axis to the right of a camera: across `up`; its own x where it looks along `up`.
Vec level_right(const Pose<double>& camera_from_world, const Vec& up) {
  const Vec across = glm::cross(forward_of(camera_from_world), up);
  return glm::length(across) > 1e-9 ? glm::normalize(across) : right_of(camera_from_world);
}

/// The part of a turn about the level axis (positive: looks up) that keeps away from the poles.
double allowed_pitch(const Pose<double>& camera_from_world, const Vec& up, double pitch_rad) {
  const Vec forward = forward_of(camera_from_world);
  const double to_up = std::atan2(glm::length(glm::cross(forward, up)), glm::dot(forward, up));
  const double wanted = std::clamp(to_up - pitch_rad, least_pole_angle_rad, glm::pi<double>() - least_pole_angle_rad);
  // A camera that is beyond the limit already (a photo of the floor) may only come back.
  const double moved = to_up - wanted;
  return moved * pitch_rad < 0 ? 0 : moved;
}

}  // namespace

Vec right_of(const Pose<double>& pose) {
  return glm::transpose(pose.rotation)[0];
}
Vec down_of(const Pose<double>& pose) {
  return glm::transpose(pose.rotation)[1];
}
Vec forward_of(const Pose<double>& pose) {
  return glm::transpose(pose.rotation)[2];
}

Pose<double> pose_looking(const Vec& centre, const Vec& forward, const Vec& up) {
  const Vec z = glm::normalize(forward);
  Vec x = glm::cross(z, up);
  if (glm::length(x) < 1e-9 * glm::length(up)) x = glm::cross(z, std::abs(z.x) < 0.9 ? Vec(1, 0, 0) : Vec(0, 1, 0));
  x = glm::normalize(x);
  const Vec y = glm::cross(z, x);
  Pose<double> pose;
  pose.rotation = glm::transpose(Mat3<double>(x, y, z));
  pose.translation = -(pose.rotation * centre);
  return pose;
}

double roll_rad(const Pose<double>& pose, const Vec& up) {
  const Vec level = level_right(pose, up);
  return std::atan2(glm::dot(level, -down_of(pose)), glm::dot(level, right_of(pose))) + 0.0;
}

Pose<double> with_roll_share(const Pose<double>& pose, const Vec& up, double share) {
  const double roll = roll_rad(pose, up);
  return turned(pose, turn(forward_of(pose), -(1 - share) * roll), camera_centre(pose));
}

ViewCamera fly(const ViewCamera& camera, const FlyInput& input, const Vec& up, double speed, double dt_s) {
  ViewCamera next = camera;
  Pose<double>& pose = next.camera_from_world;
  if (input.look.x != 0)  // to the right: about the scene's down
    pose = turned(pose, turn(-up, input.look.x * look_rad_per_height), camera_centre(pose));
  if (input.look.y != 0) {
    const double pitch = allowed_pitch(pose, up, -input.look.y * look_rad_per_height);
    pose = turned(pose, turn(level_right(pose, up), pitch), camera_centre(pose));
  }
  Vec way = input.right * right_of(pose) + input.up * up + input.forward * forward_of(pose);
  const double length = glm::length(way);
  if (length > 1) way /= length;  // two keys are no faster than one
  if (length > 0) pose.translation -= pose.rotation * (way * (speed * std::clamp(dt_s, 0.0, longest_step_s)));
  return next;
}

double fly_speed(double scene_extent, double wheel_clicks) {
  return 0.1 * scene_extent * std::pow(1.2, wheel_clicks);
}

ViewCamera orbit(const ViewCamera& camera, const Vec& pivot, const Vec& up, const Vec2<double>& drag) {
  ViewCamera next = camera;
  Pose<double>& pose = next.camera_from_world;
  if (drag.x != 0) pose = turned(pose, turn(up, -drag.x * orbit_rad_per_height), pivot);
  if (drag.y != 0) {
    const double pitch = allowed_pitch(pose, up, -drag.y * orbit_rad_per_height);
    pose = turned(pose, turn(level_right(pose, up), pitch), pivot);
  }
  return next;
}

ViewCamera orbit_free(const ViewCamera& camera, const Vec& pivot, const Vec2<double>& drag) {
  ViewCamera next = camera;
  Pose<double>& pose = next.camera_from_world;
  const Vec axis = drag.x * down_of(pose) - drag.y * right_of(pose);
  pose = turned(pose, turn(axis, orbit_rad_per_height), pivot);
  return next;
}

ViewCamera turntable(const ViewCamera& camera, const Vec& pivot, const Vec& up, double rad_per_s, double dt_s) {
  ViewCamera next = camera;
  next.camera_from_world =
      turned(camera.camera_from_world, turn(up, rad_per_s * std::clamp(dt_s, 0.0, longest_step_s)), pivot);
  return next;
}

ViewCamera pan(const ViewCamera& camera, double depth_m, const Vec2<double>& drag_px, int width_px, int height_px) {
  const CameraParams<double> lens = view_params(camera, width_px, height_px);
  const bool pinhole = lens.model == CameraModel::pinhole;
  const double fx = pinhole ? lens.value[PinholeModel::fx] : focal_length_px(lens);
  const double fy = pinhole ? lens.value[PinholeModel::fy] : fx;
  ViewCamera next = camera;
  next.camera_from_world.translation += depth_m * Vec(drag_px.x / fx, drag_px.y / fy, 0);
  return next;
}

ViewCamera dolly(const ViewCamera& camera, const Vec& pivot, double clicks, double least_distance) {
  ViewCamera next = camera;
  Pose<double>& pose = next.camera_from_world;
  const Vec centre = camera_centre(pose), away = centre - pivot;
  const double distance = glm::length(away);
  const double wanted = std::max(distance * std::pow(0.9, clicks), std::min(distance, least_distance));
  if (distance > 0) pose.translation = -(pose.rotation * (pivot + away * (wanted / distance)));
  return next;
}

ViewCamera zoom(const ViewCamera& camera, double clicks) {
  ViewCamera next = camera;
  const double half_height = std::tan(vertical_fov_deg(camera) * glm::pi<double>() / 360) * std::pow(0.9, clicks);
  next.vertical_fov_deg = std::clamp(std::atan(half_height) * 360 / glm::pi<double>(), least_fov_deg, largest_fov_deg);
  next.lens.reset();
  return next;
}

ViewCamera frame_box(const ViewCamera& camera, const Vec& low, const Vec& high, int width_px, int height_px,
                     double margin) {
  using P = PinholeModel;
  const CameraParams<double> lens = view_params(camera, width_px, height_px);
  // Slopes of the nearest edges on each axis; the centre may be off the middle.
  const double* a = lens.value;
  const bool pinhole = lens.model == CameraModel::pinhole;
  // A wide lens sees more than a frustum: half of what its focal length says, and 45 degrees at most.
  const auto wide = [&](int side_px) { return std::tan(std::min(glm::pi<double>() / 4, 0.5 * side_px / focal_length_px(lens))); };
  const double x_slope = (1 - margin) * (pinhole ? std::min(a[P::cx], width_px - a[P::cx]) / a[P::fx] : wide(width_px));
  const double y_slope = (1 - margin) * (pinhole ? std::min(a[P::cy], height_px - a[P::cy]) / a[P::fy] : wide(height_px));
  const Vec middle = 0.5 * (low + high), half = 0.5 * (high - low);
  const Mat3<double>& rotation = camera.camera_from_world.rotation;
  double distance = 0;
  for (int corner = 0; corner < 8; ++corner) {
    const Vec sign(corner & 1 ? 1 : -1, corner & 2 ? 1 : -1, corner & 4 ? 1 : -1);
    const Vec at = rotation * (sign * half);
    distance = std::max({distance, std::abs(at.x) / x_slope - at.z, std::abs(at.y) / y_slope - at.z});
  }
  if (distance == 0) distance = 1;  // a box without size: any place in front of it
  ViewCamera next = camera;
  next.camera_from_world.translation = Vec(0, 0, distance) - rotation * middle;
  return next;
}

ViewCamera CameraFlight::at(double time_s) const {
  if (time_s <= 0) return from;
  if (time_s >= duration_s) return to;
  const double t = time_s / duration_s, s = t * t * t * (10 - 15 * t + 6 * t * t);  // no speed, no jerk at the ends
  ViewCamera view;
  view.camera_from_world = pose_between(from.camera_from_world, to.camera_from_world, s);
  const double from_fov = ptl::vertical_fov_deg(from), to_fov = ptl::vertical_fov_deg(to);
  view.vertical_fov_deg = from_fov * std::pow(to_fov / from_fov, s);
  return view;
}

}  // namespace ptl
