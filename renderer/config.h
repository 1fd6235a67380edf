// The configuration of a fit: everything that decides its result. One visit per struct feeds the command line, TOML files,
// reports and the check of --resume.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/holes.h"
#include "kernels/structure_grad.h"
#include "renderer/losses.h"
#include "renderer/network.h"
#include "renderer/optimizer.h"
#include "renderer/schedule.h"

namespace ptl {

inline std::vector<std::string> enum_names(NetworkKind*) { return {"unet", "light"}; }

/// How descriptors begin (method section 5).
enum class DescriptorInit {
  uniform,  ///< uniform in (0, 1); ln 0.5 with log descriptors (ADOP)
  color,    ///< the point's own colour in the first three channels, the rest uniform; behind them its mean over the cloud
  color_only,  ///< the same with zeros in the rest: what pretrained networks know
};
inline std::vector<std::string> enum_names(DescriptorInit*) { return {"uniform", "color", "color_only"}; }

inline std::vector<std::string> enum_names(HoleFill*) { return {"background", "coarser"}; }

/// Which photos and points are used.
struct SceneConfig {
  std::string format;          ///< of the scene (datasets/scene_formats.h); empty: recognised by its contents
  std::string points;          ///< PLY file; empty: points.ply in the folder, else the sparse points
  std::string edits;           ///< JSON file of points to leave out (datasets/point_edits.h); empty: none
  std::string images;          ///< folder of the photos; empty: images
  std::string masks;           ///< folder of the masks; empty: masks where it is there
  std::string split = "every8";
  double image_scale = 1.0;
  int max_size_px = 0;

  template <class V>
  void visit(V&& v) {
    v("format", format, "", "which of several a folder is: colmap, transforms, bundler, openmvg, metashape, adop, scannet; empty: as its contents say");
    v("points", points, "", "PLY file with the cloud; empty: points.ply in the scene's folder, else its sparse points");
    v("edits", edits, "", "JSON file of points to leave out: boxes and brush strokes, as the viewer saves them");
    v("images", images, "", "folder of the photos; empty: images");
    v("masks", masks, "", "folder of the masks; empty: masks where it is there");
    v("split", split, "", "held-out photos: every8, none, dataset (as the dataset says), or a file that lists them");
    v("image_scale", image_scale, "used size / stored size", "photos are reduced with an area filter");
    v("max_size_px", max_size_px, "px", "longer side of the largest photo; 0: as stored");
  }
};

/// When a fit makes dense points from its training photos.
enum class DenseMode {
  automatic,  ///< where the scene's own points are too sparse for the photos, unless the user named a cloud
  on,
  off,
};
inline std::vector<std::string> enum_names(DenseMode*) { return {"auto", "on", "off"}; }

/// Dense points (docs/dense.md).
struct DenseSettings {
  DenseMode mode = DenseMode::automatic;
  int64_t max_points = 2000000;
  int stereo_size_px = 0;
  bool fill = true;
  bool strict_split = false;

  template <class V>
  void visit(V&& v) {
    v("mode", mode, "", "auto: dense points are made where the scene's own are too sparse for the photos; on; off");
    v("max_points", max_points, "points", "the most dense points");
    v("stereo_size_px", stereo_size_px, "px", "longer side at which photos are matched; 0: by their number and the fit's length");
    v("fill", fill, "", "points in untextured areas as well");
    v("strict_split", strict_split, "", "leave out sparse points that fewer than two training photos saw");
  }
};

/// Rasteriser and scene model (method sections 1 to 4 and 10).
struct RasterSettings {
  int layers = 0;
  int channels = 8;
  double footprint_threshold = 0.6;
  double depth_tolerance = 0.01;
  double dropout = 0.25;
  bool cull_backfaces = false;
  bool coverage_channel = false;
  bool log_descriptors = false;
  DescriptorInit descriptor_init = DescriptorInit::color;
  HoleFill holes = HoleFill::coarser;
  int densify = 1;
  bool remove_isolated = true;

  template <class V>
  void visit(V&& v) {
    v("layers", layers, "", "layers of the pyramid; 0: chosen from the cloud and the photos (method section 5)");
    v("channels", channels, "", "descriptor channels of a point, 1 to 16");
    v("footprint_threshold", footprint_threshold, "px", "tau: smallest footprint that is drawn on a layer (method section 1)");
    v("depth_tolerance", depth_tolerance, "1", "alpha of the fuzzy depth test (method section 3)");
    v("dropout", dropout, "probability", "share of the points that a training render leaves out of the blend (method section 3)");
    v("cull_backfaces", cull_backfaces, "", "leave out points whose normal faces away");
    v("coverage_channel", coverage_channel, "", "give the network another channel: 1 where a point was drawn");
    v("log_descriptors", log_descriptors, "", "descriptors are logarithms (HDR scenes)");
    v("descriptor_init", descriptor_init, "", "uniform (ADOP); color: the point's own colour in the first channels, the rest uniform; color_only: the rest zero");
    v("holes", holes, "", "pixels without a point show the next coarser layer (coarser), or the background (ADOP)");
    v("densify", densify, "copies", "each point becomes this many, jittered in its tangent plane (method section 10)");
    v("remove_isolated", remove_isolated, "", "leave out points far from all others (method section 10)");
  }
};

struct EnvironmentConfig {
  bool enabled = true;
  int height = 512;
  int width = 1024;

  template <class V>
  void visit(V&& v) {
    v("enabled", enabled, "", "environment map behind the points; false: one background descriptor");
    v("height", height, "texels", "latitude");
    v("width", width, "texels", "longitude");
  }
};

struct NetworkSettings {
  NetworkKind kind = NetworkKind::light;
  int feature_factor = 4;
  int light_channels = 16;
  std::string init = "auto";
  double lock = 0;

  template <class V>
  void visit(V&& v) {
    v("init", init, "", "builtin (weights that come with the program), random, auto (builtin where it fits), or a file of weights (pretrain)");
    v("lock", lock, "share of the budget", "weights that were trained before (builtin, file) stay as they are at first: cheaper steps");
    v("kind", kind, "", "unet (ADOP's), or light (a decoder, for machines without a GPU)");
    v("feature_factor", feature_factor, "", "unet: filters are this times (4, 8, 16, 32, 32, ...)");
    v("light_channels", light_channels, "", "light: filters of each block");
  }
};

/// What a step looks at (method section 9).
struct CropConfig {
  int size_px = 256;
  int images_per_step = 1;
  int crops_per_image = 1;
  double zoom_low = 0.4;
  double zoom_high = 1.2;

  template <class V>
  void visit(V&& v) {
    v("size_px", size_px, "px", "side of a training crop");
    v("images_per_step", images_per_step, "", "photos of a step");
    v("crops_per_image", crops_per_image, "", "crops of each of them");
    v("zoom_low", zoom_low, "1", "smallest zoom of a crop");
    v("zoom_high", zoom_high, "1", "largest zoom of a crop");
  }
};

/// Points that come and go while a model is fitted (docs/growing.md).
struct GrowConfig {
  bool enabled = true;
  bool dense = false;
  int events = 3;
  double begin = 0.15;
  double end = 0.6;
  int64_t points_per_event = 250000;
  int64_t max_points = 3000000;
  int photos = 16;
  int side_px = 512;
  bool drop = true;
  double drop_gain = 0.2;
  double drop_share = 0.05;

  template <class V>
  void visit(V&& v) {
    v("enabled", enabled, "", "points are added where several training photos stay wrong, and harmful ones dropped");
    v("dense", dense, "", "dense clouds grow too, not only those whose points are too sparse for the photos");
    v("events", events, "", "how often");
    v("begin", begin, "share of the budget", "before the first event");
    v("end", end, "share of the budget", "before the last event");
    v("points_per_event", points_per_event, "points", "the most that one event adds");
    v("max_points", max_points, "points", "no event adds points beyond this number");
    v("photos", photos, "", "training photos that an event looks at");
    v("side_px", side_px, "px", "longer side at which it does");
    v("drop", drop, "", "drop points that make the pictures worse");
    v("drop_gain", drop_gain, "share", "dropped: without the point, the error at its pixels falls by this share of itself");
    v("drop_share", drop_share, "share", "of the points, the most that one event drops");
  }
};

inline std::vector<std::string> enum_names(StructurePoints*) { return {"ghosts", "drawn"}; }
inline std::vector<std::string> enum_names(NeighbourRule*) { return {"tested", "override"}; }

/// Points, poses and cameras that are fitted too (docs/structure.md).
struct StructureSettings {
  StructurePoints points = StructurePoints::ghosts;
  NeighbourRule neighbours = NeighbourRule::tested;
  bool even_pose_steps = true;
  double lock = 0.1;
  double motion_blur_lock = 0.3;
  double max_pose_shift = 0.1;
  double max_point_shift = 0.02;

  template <class V>
  void visit(V&& v) {
    v("points", points, "", "which points tell how structure should move: ghosts (left out by dropout), or drawn (method section 8)");
    v("neighbours", neighbours, "", "what a point does to its neighbours' pixels: tested, or override (ADOP's shipped configurations)");
    v("even_pose_steps", even_pose_steps, "", "a pose steps along six directions that each move its photo equally far; false: translation and rotation as they are (ADOP)");
    v("lock", lock, "share of the budget", "points, poses, intrinsics, distortion and rolling shutter stay as they are at first");
    v("motion_blur_lock", motion_blur_lock, "share of the budget", "before motion blur is looked for and fitted: it takes a model that shows something");
    v("max_pose_shift", max_pose_shift, "median depths; radians", "farthest that a camera's centre moves and turns from where it was given, and in one photo");
    v("max_point_shift", max_point_shift, "median depths", "farthest that a point moves from where it began");
  }
};

/// Learning rates by group (method section 9).
struct GroupSettings {
  GroupConfig network, descriptors, background, environment, exposure, white_balance, response, vignette;
  GroupConfig points, poses, intrinsics, distortion, rolling_shutter, motion_blur;

  GroupSettings();

  /// Each of them, in this order.
  std::vector<GroupConfig*> all() {
    return {&network,  &descriptors, &background, &environment, &exposure,   &white_balance,
            &response, &vignette,    &points,     &poses,       &intrinsics, &distortion,
            &rolling_shutter, &motion_blur};
  }

  template <class V>
  void visit(V&& v) {
    v.group("network", network, "weights of the neural renderer");
    v.group("descriptors", descriptors, "descriptors of the points");
    v.group("background", background, "descriptor of the background");
    v.group("environment", environment, "environment map");
    v.group("exposure", exposure, "exposure of each image");
    v.group("white_balance", white_balance, "white balance of each image");
    v.group("response", response, "response curve of each camera");
    v.group("vignette", vignette, "vignette of each camera");
    v.group("points", points, "positions of the points; rate in median depths");
    v.group("poses", poses, "pose of each image; rate in radians, or what moves the photo as far");
    v.group("intrinsics", intrinsics, "focal lengths and centres of each camera; rate in longer sides of the photo");
    v.group("distortion", distortion, "distortion of each camera");
    v.group("rolling_shutter", rolling_shutter, "motion of the camera while each photo's rows are read out; rate as of poses");
    v.group("motion_blur", motion_blur, "motion of the camera while each photo is exposed; rate as of poses");
  }
};

struct FitConfig {
  std::string preset = "quick";
  int64_t seed = 0;
  int64_t steps = 0;
  int64_t epochs = 0;
  double minutes = 0;
  bool first_light = false;
  double photometric_lock = 0.1;
  std::string vgg_weights;
  SceneConfig scene;
  DenseSettings dense;
  RasterSettings raster;
  EnvironmentConfig environment;
  NetworkSettings network;
  CropConfig crop;
  GrowConfig grow;
  StructureSettings structure;
  LossConfig loss;
  ScheduleConfig schedule;
  GroupSettings groups;

  template <class V>
  void visit(V&& v) {
    v("preset", preset, "", "where the values came from: quick, standard or paper");
    v("seed", seed, "", "of all randomness");
    v("steps", steps, "steps", "length of the fit; 0: from epochs or minutes");
    v("epochs", epochs, "epochs", "length of the fit when steps is 0: each training photo once an epoch; 0: from minutes");
    v("minutes", minutes, "minutes", "length of the fit when steps and epochs are 0: a budget of steps is estimated from it");
    v("first_light", first_light, "", "true: exposure, white balance, vignette and response begin as the training photos' common points say; false: as EXIF says, without vignette");
    v("photometric_lock", photometric_lock, "share of the budget", "exposure, white balance, response and vignette stay as they are at first");
    v("vgg_weights", vgg_weights, "", "safetensors file with VGG19's weights for loss.w_vgg");
    v.group("scene", scene, "photos and points");
    v.group("dense", dense, "dense points from the training photos");
    v.group("raster", raster, "points and their pyramid");
    v.group("environment", environment, "what is behind the points");
    v.group("network", network, "the neural renderer");
    v.group("crop", crop, "what a step looks at");
    v.group("grow", grow, "points that come and go during the fit");
    v.group("structure", structure, "points, poses and cameras that are fitted too");
    v.group("loss", loss, "");
    v.group("schedule", schedule, "learning rate over the fit");
    v.group("groups", groups, "parameters that are fitted together");
  }

  /// InputError that names the key and its range.
  void check() const;
};

/// What preset_config's values become for HDR photos: their files are in one scale, so exposure, white balance and the
/// response stay as they are (method section 6).
void fix_light(FitConfig& config);

/// "quick", "standard" or "paper" (docs/presets.md has the measurements); anything else is an InputError.
FitConfig preset_config(const std::string& name);

}  // namespace ptl
