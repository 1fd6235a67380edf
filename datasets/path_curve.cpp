#include "datasets/path_curve.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ptl {

namespace {

using Vec = Vec3<double>;

/// Value and derivative (per u) of the cubic with these ends and slopes (per u), u in 0..1.
template <class T>
T hermite(const T& a, const T& b, const T& a_slope, const T& b_slope, double u) {
  const double v = 1 - u;
  return a * (v * v * (1 + 2 * u)) + b * (u * u * (1 + 2 * v)) + a_slope * (u * v * v) - b_slope * (u * u * v);
}
template <class T>
T hermite_derivative(const T& a, const T& b, const T& a_slope, const T& b_slope, double u) {
  return (b - a) * (6 * u * (1 - u)) + a_slope * ((1 - u) * (1 - 3 * u)) + b_slope * (u * (3 * u - 2));
}

/// Slopes at the knots of a Catmull-Rom spline, from the widths of its parts and the mean slopes over them. Its ends
/// bend no further (second derivative 0); a loop has none.
template <class T>
std::vector<T> smooth_slopes(const std::vector<double>& width, const std::vector<T>& mean, bool loop) {
  const size_t parts = width.size();
  std::vector<T> slopes(parts + 1);
  const auto between = [&](size_t before, size_t after) {
    return (mean[before] * width[after] + mean[after] * width[before]) / (width[before] + width[after]);
  };
  for (size_t i = 1; i < parts; ++i) slopes[i] = between(i - 1, i);
  if (parts == 1) {
    slopes[0] = slopes[1] = mean[0];
  } else if (loop) {
    slopes[0] = slopes[parts] = between(parts - 1, 0);
  } else {
    slopes[0] = (mean[0] * 3.0 - slopes[1]) / 2.0;
    slopes[parts] = (mean[parts - 1] * 3.0 - slopes[parts - 1]) / 2.0;
  }
  return slopes;
}

/// Slopes of a monotone cubic: weighted harmonic means, 0 where the direction changes.
std::vector<double> monotone_slopes(const std::vector<double>& width, const std::vector<double>& mean, bool loop) {
  const size_t parts = width.size();
  std::vector<double> slopes(parts + 1);
  const auto between = [&](size_t before, size_t after) {
    if (mean[before] * mean[after] <= 0) return 0.0;
    const double a = 2 * width[after] + width[before], b = width[after] + 2 * width[before];
    return (a + b) / (a / mean[before] + b / mean[after]);
  };
  for (size_t i = 1; i < parts; ++i) slopes[i] = between(i - 1, i);
  slopes[0] = loop ? between(parts - 1, 0) : mean[0];
  slopes[parts] = loop ? slopes[0] : mean[parts - 1];
  return slopes;
}

double log_focal_of(double fov_deg) {
  return -std::log(std::tan(fov_deg * std::numbers::pi / 360));
}
double fov_deg_of(double log_focal) {
  return std::atan(std::exp(-log_focal)) * 360 / std::numbers::pi;
}

}  // namespace

PathCurve::PathCurve(const CameraPath& path) : keys_(path.keys), knots_(path.keys.size()) {
  const size_t count = keys_.size(), parts = count - 1;
  for (size_t i = 0; i < count; ++i) {
    knots_[i].centre = camera_centre(keys_[i].camera_from_world);
    knots_[i].rotation = quaternion_from_rotation(glm::transpose(keys_[i].camera_from_world.rotation));
    knots_[i].log_focal = log_focal_of(keys_[i].vertical_fov_deg);
  }
  if (parts == 0) return;
  // Square roots of the ways; a turn on the spot counts by its angle, and a rest a little, so that knots stay apart.
  double all_length = 0, all_angle = 0;
  std::vector<double> angles, chords;
  for (size_t i = 0; i < parts; ++i) {
    angles.push_back(angle_rad(i));
    chords.push_back(glm::distance(knots_[i].centre, knots_[i + 1].centre));
    all_angle += angles[i];
    all_length += chords[i];
  }
  constexpr double rest = 1e-6, turn_weight = 0.1;
  std::vector<double> width, seconds, knot_speed, focal_rate, exposure_rate;
  std::vector<Vec> velocity, turn;
  for (size_t i = 0; i < parts; ++i) {
    const double way = all_length > 0 ? chords[i] / all_length : 0;
    const double turn_share = all_angle > 0 ? angles[i] / all_angle : 0;
    width.push_back(std::sqrt(way + turn_weight * turn_share + rest));
    seconds.push_back(keys_[i + 1].time_s - keys_[i].time_s);
    knots_[i + 1].knot = knots_[i].knot + width[i];
    velocity.push_back((knots_[i + 1].centre - knots_[i].centre) / width[i]);
    turn.push_back(rotation_to(knots_[i].rotation, knots_[i + 1].rotation) / width[i]);
    knot_speed.push_back(width[i] / seconds[i]);
    focal_rate.push_back((knots_[i + 1].log_focal - knots_[i].log_focal) / seconds[i]);
    exposure_rate.push_back((keys_[i + 1].exposure_ev.value_or(0) - keys_[i].exposure_ev.value_or(0)) / seconds[i]);
  }
  const std::vector<Vec> centre_slopes = smooth_slopes(width, velocity, path.loop),
                         rotation_slopes = smooth_slopes(width, turn, path.loop);
  const std::vector<double> speeds = monotone_slopes(seconds, knot_speed, path.loop),
                            focals = monotone_slopes(seconds, focal_rate, path.loop),
                            exposures = monotone_slopes(seconds, exposure_rate, path.loop);
  for (size_t i = 0; i < count; ++i) {
    // At a rest nothing moves at all.
    const auto rests = [&](size_t part) { return chords[part] == 0 && angles[part] == 0; };
    const bool ends_loop = path.loop && (i == 0 || i == parts);
    const bool still =
        (i > 0 && rests(i - 1)) || (i < parts && rests(i)) || (ends_loop && (rests(0) || rests(parts - 1)));
    knots_[i].centre_slope = still ? Vec(0) : centre_slopes[i];
    knots_[i].rotation_slope = still ? Vec(0) : rotation_slopes[i];
    knots_[i].knot_speed = speeds[i];
    knots_[i].log_focal_slope = focals[i];
    knots_[i].exposure_slope = exposures[i];
  }
}

PathFrame PathCurve::at(double time_s) const {
  if (!(time_s > keys_.front().time_s)) return keys_.front();
  if (time_s >= keys_.back().time_s) return keys_.back();
  const auto next = std::upper_bound(keys_.begin(), keys_.end(), time_s,
                                     [](double t, const PathFrame& key) { return t < key.time_s; });
  const auto part = static_cast<size_t>(next - keys_.begin()) - 1;
  const PathFrame &from = keys_[part], &to = keys_[part + 1];
  if (time_s == from.time_s) return from;
  const Knot &a = knots_[part], &b = knots_[part + 1];
  const double seconds = to.time_s - from.time_s, w = (time_s - from.time_s) / seconds;
  const double width = b.knot - a.knot;
  const double way = hermite(0.0, width, a.knot_speed * seconds, b.knot_speed * seconds, w);
  const double u = std::clamp(way / width, 0.0, 1.0);

  PathFrame frame;
  frame.time_s = time_s;
  const Quaternion rotation =
      rotation_hermite(a.rotation, b.rotation, a.rotation_slope * width, b.rotation_slope * width, u);
  const Vec centre = hermite(a.centre, b.centre, a.centre_slope * width, b.centre_slope * width, u);
  frame.camera_from_world.rotation = glm::transpose(rotation_from_quaternion(rotation));
  frame.camera_from_world.translation = -(frame.camera_from_world.rotation * centre);
  frame.vertical_fov_deg =
      fov_deg_of(hermite(a.log_focal, b.log_focal, a.log_focal_slope * seconds, b.log_focal_slope * seconds, w));
  if (from.exposure_ev)
    frame.exposure_ev =
        hermite(*from.exposure_ev, *to.exposure_ev, a.exposure_slope * seconds, b.exposure_slope * seconds, w);
  return frame;
}

Vec PathCurve::centre_slope_at(size_t part, double u) const {
  const Knot &a = knots_[part], &b = knots_[part + 1];
  const double width = b.knot - a.knot;
  return hermite_derivative(a.centre, b.centre, a.centre_slope * width, b.centre_slope * width, u);
}

double PathCurve::length(size_t part) const {
  // Gauss's rule with two points on 64 pieces: exact for cubics, so the error falls with the fourth power.
  constexpr int pieces = 64;
  const double offset = 0.5 / std::sqrt(3.0);
  double sum = 0;
  for (int i = 0; i < pieces; ++i)
    for (const double side : {-offset, offset})
      sum += glm::length(centre_slope_at(part, (i + 0.5 + side) / pieces)) / (2 * pieces);
  return sum;
}

double PathCurve::angle_rad(size_t part) const {
  return glm::length(rotation_to(knots_[part].rotation, knots_[part + 1].rotation));
}

}  // namespace ptl
