#include "datasets/synthetic_capture.h"

#include <algorithm>
#include <cmath>

#include "datasets/error.h"
#include "datasets/synthetic_place.h"

namespace ptl {

using synthetic::Float3;
using synthetic::Ray;

void check(const SyntheticOptions& o) {
  const auto need = [](bool good, const char* option, const char* range, double found) {
    if (!good) throw InputError("{}: expected {}, found {}", option, range, found);
  };
  need(o.photos >= 2 && o.photos <= 10000, "--photos", "2 to 10000", o.photos);
  need(o.width_px >= 16 && o.width_px <= 8192, "--width", "16 to 8192 pixels", o.width_px);
  need(o.height_px >= 16 && o.height_px <= 8192, "--height", "16 to 8192 pixels", o.height_px);
  need(o.samples >= 1 && o.samples <= 4096, "--samples", "1 to 4096", o.samples);
  need(o.density > 0 && o.density <= 100, "--density", "more than 0 and at most 100 points a pixel", o.density);
  need(o.points >= 0 && o.points <= 500000000, "--points", "0 to 500000000", static_cast<double>(o.points));
  need(o.noise >= 0 && o.noise <= 0.1, "--noise", "0 to 0.1", o.noise);
  need(o.outliers >= 0 && o.outliers <= 0.9, "--outliers", "0 to 0.9", o.outliers);
  for (const int channel : o.color_of) need(channel >= 0 && channel <= 2, "color_of", "channels 0 to 2", channel);
  for (const double gain : o.color_gain) need(gain > 0 && gain <= 16, "color_gain", "more than 0 and at most 16", gain);
  need(o.bracket_ev >= 0 && o.bracket_ev <= 4, "--brackets", "0 to 4 stops", o.bracket_ev);
  need(o.contrast >= 0.25 && o.contrast <= 4, "--contrast", "0.25 to 4", o.contrast);
  need(o.exif_error_ev >= 0 && o.exif_error_ev <= 3, "--exif-error", "0 to 3 stops", o.exif_error_ev);
  const double most_px = std::min(o.width_px, o.height_px) / 8.0;
  for (const auto& [option, motion_px] :
       {std::pair("--rolling-shutter", o.rolling_shutter_px), std::pair("--motion-blur", o.motion_blur_px)})
    need(motion_px >= 0 && motion_px <= most_px, option, "0 to an eighth of the photos' shorter side in pixels",
         motion_px);
  if (o.camera == CameraModel::ocam)
    throw InputError("--camera ocam: synthetic scenes are written as COLMAP models, which do not have it; choose another");
  need(o.distortion >= -3 && o.distortion <= 2, "--distortion", "-3 to 2", o.distortion);
}

CameraModel camera_model_named(const std::string& name, const std::string& what) {
  std::string names;
  for (int32_t id = 0; is_camera_model(id); ++id) {
    const char* const known = camera_table(static_cast<CameraModel>(id)).name;
    if (name == known) return static_cast<CameraModel>(id);
    if (!names.empty()) names += ", ";
    names += known;
  }
  throw InputError("{}: expected one of {}, found '{}'", what, names, name);
}

namespace {

constexpr double pi = 3.14159265358979323846;

/// Every model's focal lengths so that a direction `angle_rad` off the axis lands on the photo's side; centres a little off the
/// middle.
void set_plane(double angle_rad, CameraParams<double>& camera) {
  double* const v = camera.value;
  v[PinholeModel::fx] = v[PinholeModel::fy] = 1;
  camera.valid_radius = 1e30;
  const double radius = project(camera, Vec3<double>(std::sin(angle_rad), 0, std::cos(angle_rad))).x_px;
  v[PinholeModel::fx] = 0.5 * camera.width_px / radius;
  v[PinholeModel::fy] = v[PinholeModel::fx] * 1.002;
  v[PinholeModel::cx] = 0.5 * camera.width_px + 0.006 * camera.width_px;
  v[PinholeModel::cy] = 0.5 * camera.height_px - 0.004 * camera.width_px;
}

/// Lenses of their kind: their first parameters after the plane's five, and half of their horizontal angle.
struct SyntheticLens {
  std::vector<double> distortion;
  double half_angle_rad;
};
SyntheticLens synthetic_lens(CameraModel model, double amount) {
  constexpr double degree = pi / 180;
  switch (model) {
    case CameraModel::fisheye: return {{0.03 * amount, -0.008 * amount, 0.0008 * amount, -0.0006 * amount, 0.001 * amount}, 62 * degree};
    case CameraModel::rad_tan_thin_prism_fisheye: return {{0.03 * amount, -0.008 * amount, 0.001 * amount, 0, 0, 0, 0.0008 * amount, -0.0006 * amount, 0.0005 * amount}, 62 * degree};
    case CameraModel::fov: return {{std::max(0.05, 0.9 * amount)}, 52 * degree};
    case CameraModel::division: return {{-0.25 * amount}, 45 * degree};
    case CameraModel::eucm: return {{0.6, 1 + 0.1 * amount}, 60 * degree};
    default: return {{}, 34 * degree};
  }
}

}  // namespace

CameraParams<double> synthetic_camera(const SyntheticOptions& options) {
  CameraParams<double> camera;
  camera.model = options.camera;
  camera.width_px = options.width_px;
  camera.height_px = options.height_px;
  if (camera.model != CameraModel::equirectangular && camera.model != CameraModel::pinhole) {
    const SyntheticLens lens = synthetic_lens(camera.model, options.distortion);
    std::copy(lens.distortion.begin(), lens.distortion.end(), camera.value + PinholeModel::skew + 1);
    set_plane(lens.half_angle_rad, camera);
  }
  if (camera.model == CameraModel::pinhole) {
    const double w = options.width_px, focal = 0.5 * w / std::tan(34 * pi / 180);
    camera.value[PinholeModel::fx] = focal;
    camera.value[PinholeModel::fy] = focal * 1.002;
    camera.value[PinholeModel::cx] = 0.5 * w + 0.006 * w;
    camera.value[PinholeModel::cy] = 0.5 * options.height_px - 0.004 * w;
    camera.value[PinholeModel::k1] = -0.10 * options.distortion;
    camera.value[PinholeModel::k2] = 0.03 * options.distortion;
    camera.value[PinholeModel::p1] = 0.0008 * options.distortion;
    camera.value[PinholeModel::p2] = -0.0006 * options.distortion;
  }
  update_valid_radius(camera);
  return camera;
}

std::vector<Pose<double>> synthetic_path(const SyntheticOptions& options, const Float3& focus_m) {
  std::vector<Pose<double>> path;
  const double phase = 2 * pi * draw_unit(options.seed, DrawPurpose::synthetic, 31);
  for (int i = 0; i < options.photos; ++i) {
    const double loop = 2 * pi * (i + 0.5) / options.photos;  // left to right below, right to left above
    const double angle = 56 * pi / 180 * (std::fabs(std::fmod(loop / pi + 1, 2.0) - 1) * 2 - 1);
    const double lift = 0.5 - 0.5 * std::tanh(2.5 * std::sin(loop));
    const double radius = 2.75 + 0.15 * std::sin(3 * loop + phase);
    const Vec3<double> focus(focus_m);
    const Vec3<double> centre(focus.x + radius * std::sin(angle), focus.y - radius * std::cos(angle),
                              1.12 + 0.62 * lift + 0.06 * std::sin(5 * loop + phase));
    const Vec3<double> target(focus.x + 0.25 * std::sin(2 * loop + phase), focus.y + 0.45,
                              0.86 + 0.05 * std::cos(3 * loop + phase));
    const Vec3<double> forward = glm::normalize(target - centre);
    const Vec3<double> right = glm::normalize(glm::cross(forward, Vec3<double>(0.02 * std::sin(4 * loop), 0, 1)));
    const Vec3<double> down = glm::cross(forward, right);
    Pose<double> pose;
    for (int k = 0; k < 3; ++k) pose.rotation[k] = Vec3<double>(right[k], down[k], forward[k]);
    pose.translation = -(pose.rotation * centre);
    path.push_back(pose);
  }
  return path;
}

Ray synthetic_ray(const CameraParams<double>& camera, const Pose<double>& camera_from_world, double x_px, double y_px) {
  Vec3<double> direction;
  unproject_ray(camera, x_px, y_px, direction);
  Ray ray;
  ray.origin = Float3(camera_centre(camera_from_world));
  ray.direction = Float3(glm::normalize(glm::transpose(camera_from_world.rotation) * direction));
  return ray;
}

SyntheticCapture make_synthetic_capture(const SyntheticOptions& options, const SyntheticProgress& progress) {
  const SyntheticPlace place(options, progress);
  SyntheticCapture capture;
  capture.options = options;
  capture.camera = place.camera();
  for (int i = 0; i < options.photos; ++i) {
    if (progress) progress("taking photos", i, options.photos);
    const auto at = static_cast<size_t>(i);
    capture.photos.push_back(place.photograph(place.camera(), place.path()[at], place.tones()[at],
                                              static_cast<uint64_t>(i), options.truth_of_all || options.exr_photos || is_held_out(i),
                                              place.motions()[at]));
  }
  if (progress) progress("sampling points", 0, 1);
  const CoarseDepths& coarse = place.coarse();
  sample_synthetic_points(place.tracer(), coarse.depth_m, coarse.width_px, coarse.height_px, capture);
  return capture;
}

}  // namespace ptl
