// How the viewer's camera moves: pure functions from a camera and an input to the next camera. No window, no clock.
// All positions are scene coordinates; drags are in pixels, x to the right and y down, as the mouse moved.
#pragma once

#include "datasets/view_camera.h"

namespace ptl {

/// Radians by which the camera turns for a drag over the whole height of the window.
inline constexpr double look_rad_per_height = 1.2;                      ///< looking around
inline constexpr double orbit_rad_per_height = 3.14159265358979323846;  ///< around a pivot
/// No motion looks nearer to straight up or down than this.
inline constexpr double least_pole_angle_rad = 0.02;
/// Motions by time take at most this long a step: after a stall the camera does not leap.
inline constexpr double longest_step_s = 0.1;

/// World directions of a camera.
Vec3<double> right_of(const Pose<double>& camera_from_world);
Vec3<double> down_of(const Pose<double>& camera_from_world);
Vec3<double> forward_of(const Pose<double>& camera_from_world);

/// The pose at `centre` that looks along `forward` without roll. Where `forward` is along `up`, any of the rolls.
Pose<double> pose_looking(const Vec3<double>& centre, const Vec3<double>& forward, const Vec3<double>& up);

/// Roll in radians: how far the camera is turned to the right about its forward axis against a level one.
double roll_rad(const Pose<double>& camera_from_world, const Vec3<double>& up);
/// The same centre and direction with this share of the roll left (0: level).
Pose<double> with_roll_share(const Pose<double>& camera_from_world, const Vec3<double>& up, double share);

/// What the keys and the mouse say, for one frame.
struct FlyInput {
  double right = 0;      ///< −1..1: D minus A, along the camera's x
  double up = 0;         ///< −1..1: E minus Q, along the scene's up
  double forward = 0;    ///< −1..1: W minus S, along the camera's z
  Vec2<double> look{0};  ///< drag / window height; to the right turns right, down looks down
};
/// Walks and looks around: turns about the scene's up and then about the camera's own level axis, so that a level
/// camera stays level (and a rolled one keeps its roll). `speed`: scene units a second.
ViewCamera fly(const ViewCamera& camera, const FlyInput& input, const Vec3<double>& up, double speed, double dt_s);

/// The speed for a number of wheel clicks; 0 clicks crosses the scene's extent in ten seconds.
double fly_speed(double scene_extent, double wheel_clicks);

/// Turns around a pivot with the pivot's pixel fixed. What is in front of the pivot follows the mouse: a drag to the
/// right moves the camera to the left around it, a drag down moves it up. About the scene's up and the camera's level
/// axis: level stays level, and the poles are not passed.
ViewCamera orbit(const ViewCamera& camera, const Vec3<double>& pivot, const Vec3<double>& up, const Vec2<double>& drag);
/// The same about the camera's own axes, over the poles; roll may come of it.
ViewCamera orbit_free(const ViewCamera& camera, const Vec3<double>& pivot, const Vec2<double>& drag);
/// The scene on a turntable: the camera circles the axis `up` through the pivot, counter-clockwise seen from above.
ViewCamera turntable(const ViewCamera& camera, const Vec3<double>& pivot, const Vec3<double>& up, double rad_per_s,
                     double dt_s);

/// Shifts the camera across its axis so that what lies at `depth_m` follows the mouse by `drag_px` in a picture of this
/// height and width (exact without distortion).
ViewCamera pan(const ViewCamera& camera, double depth_m, const Vec2<double>& drag_px, int width_px, int height_px);

/// Towards the pivot (clicks > 0) or away from it, whose pixel stays: each click takes a tenth of the distance, down to
/// `least_distance`.
ViewCamera dolly(const ViewCamera& camera, const Vec3<double>& pivot, double clicks, double least_distance);

/// A narrower (clicks > 0) or wider field of view; a lens gives way to a pinhole of its field of view.
ViewCamera zoom(const ViewCamera& camera, double clicks);

/// The same direction from where the whole box [low, high] is in the picture, as near as that goes; `margin`: share of
/// the half picture that stays empty.
ViewCamera frame_box(const ViewCamera& camera, const Vec3<double>& low, const Vec3<double>& high, int width_px,
                     int height_px, double margin = 0.05);

/// A smooth flight: begins and ends at rest, at its ends exactly the two cameras. A lens is only there at the ends.
struct CameraFlight {
  ViewCamera from, to;
  double duration_s = 0.6;

  ViewCamera at(double time_s) const;
  bool over(double time_s) const { return time_s >= duration_s; }
};

}  // namespace ptl
