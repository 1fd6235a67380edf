#include "datasets/camera_path.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "datasets/error.h"
#include "datasets/path_curve.h"

namespace ptl {

namespace {

constexpr double least_gap_s = 1e-3;

bool same_view(const PathFrame& a, const PathFrame& b) {
  // Files of other programs give poses in a few digits.
  const Mat3<double> between = a.camera_from_world.rotation * glm::transpose(b.camera_from_world.rotation);
  const Vec3<double> at = camera_centre(a.camera_from_world), shift = at - camera_centre(b.camera_from_world);
  return rotation_angle(between) < 1e-6 && glm::length(shift) <= 1e-9 * (1 + glm::length(at)) &&
         std::abs(a.vertical_fov_deg - b.vertical_fov_deg) < 1e-6 &&
         std::abs(a.exposure_ev.value_or(0) - b.exposure_ev.value_or(0)) < 1e-9;
}

void keep_loop(CameraPath& path) {
  path.loop = path.loop && path.keys.size() >= 3 && same_view(path.keys.front(), path.keys.back());
}

void check_key(const PathFrame& key, const std::string& where) {
  const auto refuse = [&](const char* what, const char* expected, double found) {
    throw InputError("{}: {}: expected {}, found {}", where, what, expected, found);
  };
  if (!std::isfinite(key.time_s) || std::abs(key.time_s) > 1e6)
    refuse("time_s", "a number of seconds up to 1e6", key.time_s);
  if (!(key.vertical_fov_deg >= least_fov_deg && key.vertical_fov_deg <= largest_fov_deg))
    refuse("vertical_fov_deg", "1 to 170 degrees", key.vertical_fov_deg);
  if (key.exposure_ev && !(std::abs(*key.exposure_ev) <= 100))
    refuse("exposure_ev", "stops between -100 and 100", *key.exposure_ev);
  const Mat3<double>& r = key.camera_from_world.rotation;
  const Mat3<double> deviation = r * glm::transpose(r) - Mat3<double>(1.0);
  for (int column = 0; column < 3; ++column)
    if (!(glm::length(deviation[column]) < 1e-6) || !(glm::determinant(r) > 0))
      throw InputError(
          "{}: camera_from_world: expected a rotation and a translation, found a matrix that is no rotation", where);
  for (int axis = 0; axis < 3; ++axis)
    if (!std::isfinite(key.camera_from_world.translation[axis]))
      refuse("camera_from_world", "finite numbers", key.camera_from_world.translation[axis]);
}

}  // namespace

void check_path(const CameraPath& path, const std::string& where) {
  if (path.keys.empty()) throw InputError("{}: the path has no key frames; expected at least one", where);
  if (!(path.frames_per_s > 0 && path.frames_per_s <= 1000))
    throw InputError("{}: fps: expected a number above 0 and up to 1000, found {}", where, path.frames_per_s);
  for (size_t i = 0; i < path.keys.size(); ++i) {
    const std::string here = fmt::format("{}: key frame {}", where, i);
    check_key(path.keys[i], here);
    if (i > 0 && !(path.keys[i].time_s > path.keys[i - 1].time_s))
      throw InputError("{}: time_s: expected more than the {} s of the one before, found {} s", here,
                       path.keys[i - 1].time_s, path.keys[i].time_s);
    if (path.keys[i].exposure_ev.has_value() != path.keys.front().exposure_ev.has_value())
      throw InputError("{}: exposure_ev: expected in all key frames or in none, found {} in the first and {} here",
                       here, path.keys.front().exposure_ev ? "one" : "none", path.keys[i].exposure_ev ? "one" : "none");
  }
  if (path.loop && path.keys.size() < 3)
    throw InputError("{}: loop: expected at least 3 key frames, found {}", where, path.keys.size());
  if (path.loop && !same_view(path.keys.front(), path.keys.back()))
    throw InputError("{}: loop: expected a last key frame with the view of the first, found another one", where);
  if (path.lens_of_image && path.image.empty())
    throw InputError("{}: lens_of_image: expected an image too, whose camera is meant, found none", where);
}

std::vector<PathFrame> sample_path(const CameraPath& path, double frames_per_s) {
  check_path(path, "path");
  if (!(frames_per_s > 0 && frames_per_s <= 1000))
    throw InputError("frames per second: expected a number above 0 and up to 1000, found {}", frames_per_s);
  const double steps = path.duration_s() * frames_per_s;
  constexpr double most = 1e6, rounding = 1e-6;
  if (steps > most)
    throw InputError("path: {:.0f} s at {} frames per second are more than the {:.0f} frames that can be made",
                     path.duration_s(), frames_per_s, most);
  auto count = static_cast<int64_t>(std::floor(steps + rounding)) + 1;
  if (path.loop && std::abs(static_cast<double>(count - 1) - steps) <= rounding) --count;
  const PathCurve curve(path);
  std::vector<PathFrame> frames;
  for (int64_t i = 0; i < count; ++i)
    frames.push_back(curve.at(path.keys.front().time_s + static_cast<double>(i) / frames_per_s));
  return frames;
}

size_t insert_key(CameraPath& path, const PathFrame& key) {
  const auto at = std::lower_bound(path.keys.begin(), path.keys.end(), key.time_s - least_gap_s,
                                   [](const PathFrame& k, double time_s) { return k.time_s < time_s; });
  const auto index = static_cast<size_t>(at - path.keys.begin());
  PathFrame placed = key;
  // The others decide whether there are exposures.
  if (!path.keys.empty() && path.keys.front().exposure_ev.has_value() != placed.exposure_ev.has_value()) {
    if (placed.exposure_ev)
      placed.exposure_ev.reset();
    else
      placed.exposure_ev = PathCurve(path).at(placed.time_s).exposure_ev;
  }
  if (at != path.keys.end() && std::abs(at->time_s - key.time_s) < least_gap_s) {
    replace_key(path, index, placed);
    return index;
  }
  path.keys.insert(at, placed);
  keep_loop(path);
  return index;
}

size_t append_key(CameraPath& path, PathFrame key, double seconds_after) {
  key.time_s = path.keys.empty() ? 0 : path.keys.back().time_s + std::max(seconds_after, 2 * least_gap_s);
  return insert_key(path, key);
}

void replace_key(CameraPath& path, size_t index, const PathFrame& key) {
  const auto put = [&](PathFrame& place) {
    const PathFrame before = place;
    place = key;
    place.time_s = before.time_s;
    if (place.exposure_ev.has_value() != before.exposure_ev.has_value()) place.exposure_ev = before.exposure_ev;
  };
  put(path.keys.at(index));
  if (path.loop && index == 0) put(path.keys.back());
  if (path.loop && index + 1 == path.keys.size()) put(path.keys.front());
}

size_t move_key(CameraPath& path, size_t index, double time_s) {
  PathFrame key = path.keys.at(index);
  path.keys.erase(path.keys.begin() + static_cast<std::ptrdiff_t>(index));
  // Not on top of another: beside it, on the side that it comes from.
  const bool later = time_s >= key.time_s;
  for (size_t i = 0; i < path.keys.size(); ++i) {
    const double other = path.keys[later ? path.keys.size() - 1 - i : i].time_s;
    if (std::abs(other - time_s) < 2 * least_gap_s) time_s = other + (later ? -2 : 2) * least_gap_s;
  }
  key.time_s = time_s;
  const auto at = std::upper_bound(path.keys.begin(), path.keys.end(), time_s,
                                   [](double t, const PathFrame& k) { return t < k.time_s; });
  const auto moved = static_cast<size_t>(at - path.keys.begin());
  path.keys.insert(at, key);
  keep_loop(path);
  return moved;
}

void delete_key(CameraPath& path, size_t index) {
  if (index >= path.keys.size()) throw InputError("path: there is no key frame {}", index);
  path.keys.erase(path.keys.begin() + static_cast<std::ptrdiff_t>(index));
  keep_loop(path);
}

void close_loop(CameraPath& path, double seconds_after) {
  if (path.keys.size() < 2) throw InputError("path: a loop needs at least two key frames, found {}", path.keys.size());
  if (path.loop) return;
  append_key(path, path.keys.front(), seconds_after);
  path.loop = true;
}

void set_exposures(CameraPath& path, std::optional<double> exposure_ev) {
  for (PathFrame& key : path.keys) key.exposure_ev = exposure_ev;
}

void set_duration(CameraPath& path, double duration_s) {
  if (!(duration_s > 0 && duration_s <= 1e5))
    throw InputError("path: duration: expected above 0 and up to 1e5 seconds, found {}", duration_s);
  if (path.keys.size() < 2) return;
  const double start = path.keys.front().time_s, scale = duration_s / path.duration_s();
  for (PathFrame& key : path.keys) key.time_s = start + (key.time_s - start) * scale;
}

void retime_to_constant_speed(CameraPath& path) {
  if (path.keys.size() < 3) return;
  const PathCurve curve(path);
  std::vector<double> lengths, durations;
  for (size_t i = 0; i + 1 < path.keys.size(); ++i) {
    lengths.push_back(curve.length(i));
    durations.push_back(path.keys[i + 1].time_s - path.keys[i].time_s);
  }
  double total = std::accumulate(lengths.begin(), lengths.end(), 0.0);
  if (total == 0) {  // it goes nowhere: by angles
    for (size_t i = 0; i < lengths.size(); ++i) lengths[i] = curve.angle_rad(i);
    total = std::accumulate(lengths.begin(), lengths.end(), 0.0);
  }
  const auto moves = [&](size_t i) { return lengths[i] > 1e-6 * total; };
  double moving_s = 0, moving_length = 0;
  for (size_t i = 0; i < lengths.size(); ++i)
    if (moves(i)) {
      moving_s += durations[i];
      moving_length += lengths[i];
    }
  for (size_t i = 0; i < lengths.size(); ++i)
    path.keys[i + 1].time_s =
        path.keys[i].time_s + (moves(i) ? std::max(moving_s * lengths[i] / moving_length, least_gap_s) : durations[i]);
}

}  // namespace ptl
