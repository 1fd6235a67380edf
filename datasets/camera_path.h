// A camera path: key frames along a timeline, what edits them, and the frames between them (datasets/path_curve.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "datasets/view_camera.h"
#include "kernels/se3.h"

namespace ptl {

/// A key frame, and a frame between key frames: what a picture needs besides its size.
struct PathFrame {
  double time_s = 0;
  Pose<double> camera_from_world;  ///< scene coordinates; in files world coordinates
  double vertical_fov_deg = 60;
  std::optional<double>
      exposure_ev;  ///< relative to the scene's mean exposure, larger is darker; nothing: the image's own
};

struct CameraPath {
  std::vector<PathFrame> keys;  ///< by strictly rising time; all with an exposure, or none
  bool loop = false;  ///< the last key frame is the first one again, and the motion goes on there without a kink
  double frames_per_s = 30;
  int width_px = 0, height_px = 0;  ///< of the pictures; 0: not said
  std::string image;                ///< of the dataset: whose tone mapping the pictures get; empty: not said
  bool lens_of_image = false;       ///< the image's camera with its distortion instead of the fields of view

  double duration_s() const { return keys.empty() ? 0 : keys.back().time_s - keys.front().time_s; }
};

/// InputError, which begins with `where` and names the key frame, for a path that is not as described above: no key
/// frames, times that do not rise, numbers that are not finite or out of range, a loop of fewer than three key frames
/// or whose ends differ.
void check_path(const CameraPath& path, const std::string& where);

/// Frames at a rate: the first at the first key frame's time, then one every 1/frames_per_s seconds up to the last key
/// frame's time, which only has a frame where it falls on one. A loop leaves out its last frame where that is its
/// first.
std::vector<PathFrame> sample_path(const CameraPath& path, double frames_per_s);

// Edits. Each leaves a path that check_path() takes, if it took it before. Where an end of a loop changes so that the
// ends no longer agree, the path is no loop any more.

/// Puts a key frame where its time says; one at the same time (within a millisecond) is replaced. Returns its index.
size_t insert_key(CameraPath& path, const PathFrame& key);
/// Puts it at the end, this long after the last.
size_t append_key(CameraPath& path, PathFrame key, double seconds_after);
/// Replaces pose, field of view and exposure; the time stays. In a loop both ends change together.
void replace_key(CameraPath& path, size_t index, const PathFrame& key);
/// Gives a key frame another time; it may pass others. Returns its new index.
size_t move_key(CameraPath& path, size_t index, double time_s);
void delete_key(CameraPath& path, size_t index);
/// Appends the first key frame again and makes a loop of it. At least two key frames.
void close_loop(CameraPath& path, double seconds_after);
/// Gives all key frames this exposure, or none.
void set_exposures(CameraPath& path, std::optional<double> exposure_ev);
/// The same shape and rhythm in another time.
void set_duration(CameraPath& path, double duration_s);
/// Shares the time out among the parts between key frames by their lengths, so that each is passed at the same mean
/// speed (turns on the spot, by their angle, only where the path goes nowhere at all). Parts of no length keep their
/// duration.
void retime_to_constant_speed(CameraPath& path);

}  // namespace ptl
