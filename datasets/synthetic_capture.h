// Photographs of a synthetic scene: the path of the camera, its exposures, the photos themselves, and the points.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "datasets/image.h"
#include "datasets/scene.h"
#include "datasets/shutter.h"
#include "datasets/synthetic_light.h"
#include "kernels/camera.h"
#include "kernels/tone.h"

namespace ptl {

struct SyntheticOptions {
  uint64_t seed = 1;
  int photos = 48;
  int width_px = 480;
  int height_px = 320;
  int samples = 6;       ///< rays a pixel
  double density = 1.0;  ///< points per pixel of a photo that sees them, over the photos that are not held out
  int64_t points = 0;    ///< about how many points; 0: density decides
  double noise =
      0.0005;           ///< standard deviation of a point's position, as a share of its distance to the nearest camera
  double outliers = 0;  ///< share of points that are nowhere near a surface
  int sparse_points = 12000;  ///< about how many points with tracks
  double observation_noise_px = 0.25;
  CameraModel camera = CameraModel::pinhole;  ///< of the photos; not ocam, which COLMAP's files do not hold
  double distortion = 1;      ///< factor on the lens distortion
  double bracket_ev = 0;      ///< photos in turn darker by so many stops, as metered, and brighter
  double exif_error_ev = 0;   ///< standard deviation of what the EXIF of each photo is wrong by
  std::array<int, 3> color_of = {0, 1, 2};  ///< which of the place's channels red, green and blue show: other palettes
  std::array<double, 3> color_gain = {1, 1, 1};  ///< factors on the radiance of red, green and blue
  double rolling_shutter_px = 0;  ///< by how much points move while a photo is read out, on average over photos
  double motion_blur_px = 0;      ///< and by how much while a row is exposed
  double contrast = 1;        ///< power of the radiance, around 0.18
  bool exr_photos = false;    ///< photos are OpenEXR: linear radiance, untouched by exposure, white balance and the lens
  bool truth_of_all = false;  ///< linear radiance and depth of every photo, not only of the held-out ones
};

/// Refuses values out of range with an InputError that names the option.
void check(const SyntheticOptions& options);

/// A camera model by its name in camera_table(). InputError that begins with `what` and lists the names.
CameraModel camera_model_named(const std::string& name, const std::string& what);

/// Called with what is being done and how far it is.
using SyntheticProgress = std::function<void(const std::string& what, int done, int total)>;

/// Every 8th photo (0, 8, …) is held out (method section 9).
inline bool is_held_out(int image) {
  return image % 8 == 0;
}

struct SyntheticPhoto {
  Pose<double> camera_from_world;  ///< in the middle of readout and exposure
  PhotoMotion motion;              ///< none unless the options ask for it
  ToneParams<double> tone;  ///< exposure relative to reference_ev
  StoredImage pixels;       ///< 8 bits RGB, before JPEG
  Image linear;             ///< truth_of_all, exr_photos or held out: mean radiance of each pixel [height, width, 3]
  Image depth_m;  ///< the same: depth as the camera measures it (Projection::depth_m) at each pixel's centre in
                  ///< the middle of its exposure [height, width, 1]; 0: sky
};

struct SyntheticCapture {
  SyntheticOptions options;
  CameraParams<double> camera;
  double reference_ev = 12;  ///< mean EV of the photos that are not held out
  std::vector<SyntheticPhoto> photos;
  PointCloud cloud;  ///< world = scene coordinates
  std::vector<SparsePoint> sparse_points;
  std::vector<std::vector<Observation>> observations;  ///< per photo
};

CameraParams<double> synthetic_camera(const SyntheticOptions& options);

/// A closed path on two heights: neighbours see the scene from directions a few degrees apart.
std::vector<Pose<double>> synthetic_path(const SyntheticOptions& options, const synthetic::Float3& focus_m);

/// How the camera moves during one photo: points at `typical_depth_m` by about options.rolling_shutter_px pixels during
/// the readout, between half and one and a half times as much, and in the same direction by as many times
/// options.motion_blur_px during the exposure.
PhotoMotion synthetic_motion(const SyntheticOptions& options, const CameraParams<double>& camera,
                             double typical_depth_m, int image);

/// World ray through a pixel position of the photo.
synthetic::Ray synthetic_ray(const CameraParams<double>& camera, const Pose<double>& camera_from_world, double x_px,
                             double y_px);

/// All of it. The result depends on nothing but the options.
SyntheticCapture make_synthetic_capture(const SyntheticOptions& options, const SyntheticProgress& progress = {});

/// The part of make_synthetic_capture after the photos: fills cloud, sparse_points and observations.
void sample_synthetic_points(const synthetic::Tracer& tracer, const std::vector<std::vector<float>>& coarse_depth_m,
                             int coarse_width_px, int coarse_height_px, SyntheticCapture& capture);

}  // namespace ptl
