// Everything that a user of the viewer can change, in one plain struct: panels and keys edit it, the frame reads it.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "datasets/camera_path.h"
#include "datasets/undo_stack.h"
#include "viewer/camera_motion.h"
#include "viewer/frusta.h"
#include "viewer/point_editing.h"
#include "viewer/view_request.h"
#include "viewer/view_scene.h"

namespace ptl {

enum class MotionStyle { fly, orbit };

struct ViewerState {
  // What is shown.
  ViewMode mode = ViewMode::points, second_mode = ViewMode::points;
  bool split = false;
  double split_at = 0.5;  ///< of the picture's width
  int layer = 0;
  std::array<int, 3> channels = {0, 1, 2};
  double photo_opacity = 0.5;  ///< of the blend
  bool frusta = true, frusta_photos = true;

  // The camera.
  ViewCamera camera, first_camera;  ///< now; where reset goes
  Vec3<double> up{0, -1, 0};
  Vec3<double> pivot{0};
  MotionStyle style = MotionStyle::fly;
  bool turntable = false;
  double speed_clicks = 0;
  double extent = 1;                   ///< of the scene: the diagonal of its box
  double frustum_depth = 0.025;        ///< of the cameras' photos (viewer/frusta.h)
  std::vector<Frustum> camera_frusta;  ///< of the scene's images
  std::optional<CameraFlight> flight;
  double flight_s = 0;  ///< since it began
  UndoStack<ViewCamera> jumps;

  // Light.
  ViewLight light;
  bool light_of_nearest = true;  ///< the image's: of the nearest one, else of light.image

  // The image whose place the camera has taken; −1: none.
  int standing_in = -1;
  int nearest = -1;
  int selected = -1;

  // Camera path.
  CameraPath path;
  UndoStack<CameraPath> path_steps;
  int selected_key = -1;
  bool playing = false;
  double path_time_s = 0;
  double next_key_s = 2;  ///< from the last key frame to one that is appended
  bool path_exposures = false;           ///< key frames hold the exposure that is shown
  double shown_exposure_ev = 0;          ///< of the last picture
  std::optional<PathFrame> shown_frame;  ///< of the path; it holds while the camera stays there
  std::string path_file = "path.json", path_message;
  std::string path_transform;  ///< nerfstudio's dataparser_transforms.json; empty: paths are in the dataset's coordinates
  std::string export_folder = "frames", export_video_file = "path.mp4";
  bool export_video = false;
  bool export_start = false, export_cancel = false;  ///< asked for in this frame

  // Edits of points.
  PointEditing editing;
  std::optional<ViewMode> mode_before_edits;

  // Panels.
  bool panels = true, help = false, timeline = false;
  bool held_out = true;                                 ///< the strip of held-out pictures, while following
  std::map<std::string, std::array<double, 2>> places;  ///< middles of some buttons and fields, for scripts
  std::string search;
  double frames_per_s = 15;  ///< wanted of pictures while the view moves
  bool quit = false;
  bool screenshot = false;
};

/// Takes another path in place of the one that is edited (no step for undo).
void set_path(ViewerState& state, CameraPath path);
/// The camera stands at a frame of the path.
void show_frame(ViewerState& state, const PathFrame& frame);
/// A key frame of what is shown: camera and, where the path has them, exposure.
PathFrame key_of_view(const ViewerState& state);
/// The light of the next picture. Where a frame of the path is shown, it is the light that its picture gets: that of
/// the path's image, with the frame's exposure.
ViewLight light_of_view(const ViewerState& state, const ViewScene& scene);
/// Leaves a step for undo and flies there.
void fly_to(ViewerState& state, const ViewCamera& camera);
/// Takes an image's place, with its lens.
void fly_to_image(ViewerState& state, const ViewScene& scene, int image);
/// All of the scene in the picture.
void frame_all(ViewerState& state, const ViewScene& scene, int width_px, int height_px);
void undo_jump(ViewerState& state);
/// The next image in the list's order, or the one before.
void step_image(ViewerState& state, const ViewScene& scene, int direction);

/// Appends a key frame of the view as it stands. The first one says whose tone mapping the path's pictures get: that of
/// the image whose light is shown.
void add_key_here(ViewerState& state, const ViewScene& scene);

/// For a scene that was just opened: up, extent, first view. Another load of the same run changes none of it.
void begin_view(ViewerState& state, const ViewScene& scene);
/// The image that stands and looks most like a camera; −1 without images.
int nearest_image(const ViewScene& scene, const Pose<double>& camera_from_world, double extent);
/// The image whose pose and lens a camera has exactly; −1: none.
int image_stood_in(const ViewScene& scene, const ViewCamera& camera);
/// The cameras as they are drawn; for each load, since a fit may move them.
void make_frusta(ViewerState& state, const ViewScene& scene);

}  // namespace ptl
