#include "datasets/synthetic_capture.h"

#include <algorithm>
#include <cmath>

#include "datasets/error.h"

namespace ptl {

using synthetic::Float3;
using synthetic::Ray;

namespace {

constexpr double pi = 3.14159265358979323846;

/// A response like film: steeper in the middle than x^(1/2.2), slightly different for each colour.
void set_film_response(double (&response)[3][response_samples]) {
  for (int c = 0; c < 3; ++c)
    for (int j = 0; j < response_samples; ++j) {
      const double x = static_cast<double>(j) / (response_samples - 1);
      const double gamma = std::pow(x, 1 / (2.2 - 0.08 * (c - 1)));
      const double curved = gamma * gamma * (3 - 2 * gamma);
      response[c][j] = 0.78 * gamma + 0.22 * curved;
    }
}

/// Exposures as an automatic camera chooses them, smooth along the path, within ±1 EV, and bracketed where that is asked for;
/// white balance the same way. In the gauge of method section 6: mean EV of the training photos 0, white balance of the first training photo 1.
void set_tones(const std::vector<double>& log_luminance, SyntheticCapture& capture) {
  const int count = capture.options.photos;
  std::vector<double> ev(static_cast<size_t>(count));
  double mean = 0;
  int training = 0;
  const double phase = 2 * pi * draw_unit(capture.options.seed, DrawPurpose::synthetic, 30);
  for (int i = 0; i < count; ++i) {
    double sum = 0;
    for (int k = -2; k <= 2; ++k) sum += log_luminance[static_cast<size_t>(((i + k) % count + count) % count)];
    ev[static_cast<size_t>(i)] = 0.8 * sum / 5 + 0.45 * std::sin(2 * pi * i / count * 2 + phase);
    if (is_held_out(i) && count > 1) continue;
    mean += ev[static_cast<size_t>(i)];
    ++training;
  }
  mean /= std::max(1, training);
  for (double& value : ev) value = std::clamp(value - mean, -1.0, 1.0);
  for (int i = 0; i < count; ++i) ev[static_cast<size_t>(i)] += capture.options.bracket_ev * (i % 3 - 1);
  double rest = 0;
  for (int i = 0; i < count; ++i)
    if (!is_held_out(i)) rest += ev[static_cast<size_t>(i)] / std::max(1, training);
  const auto red = [&](int i) { return 1 + 0.05 * std::sin(2 * pi * i / count + phase); };
  const auto blue = [&](int i) { return 1 + 0.06 * std::cos(2 * pi * i / count + 1.7 * phase); };
  for (int i = 0; i < count; ++i) {
    ToneParams<double>& tone = capture.photos[static_cast<size_t>(i)].tone;
    tone.exposure_ev = ev[static_cast<size_t>(i)] - rest;
    tone.white_balance[0] = red(i) / red(1);
    tone.white_balance[1] = blue(i) / blue(1);
    tone.vignette[0] = -0.09;
    tone.vignette[1] = -0.012;
    tone.vignette[2] = 0.001;
    tone.vignette[3] = 0.03;
    tone.vignette[4] = -0.02;
    set_film_response(tone.response);
  }
}

float luminance(const Float3& c) {
  return 0.2126f * c.x + 0.7152f * c.y + 0.0722f * c.z;
}

void render_photo(const synthetic::Tracer& tracer, const synthetic::Lighting& light, int index, double radiance_scale,
                  SyntheticCapture& capture) {
  const SyntheticOptions& options = capture.options;
  SyntheticPhoto& photo = capture.photos[static_cast<size_t>(index)];
  const int width = options.width_px, height = options.height_px;
  const bool keep = options.truth_of_all || is_held_out(index);
  photo.pixels.width = width;
  photo.pixels.height = height;
  photo.pixels.channels = 3;
  photo.pixels.values8.resize(static_cast<size_t>(width) * static_cast<size_t>(height) * 3);
  if (keep) photo.linear = Image(width, height, 3), photo.depth_m = Image(width, height, 1);
  const float pixel_rad = static_cast<float>(1 / focal_length_px(capture.camera));
#pragma omp parallel for schedule(dynamic, 4)
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const uint64_t pixel = draw_bits(options.seed, DrawPurpose::synthetic, 40, static_cast<uint64_t>(index),
                                       static_cast<uint64_t>(y), static_cast<uint64_t>(x));
      const double turn_x = static_cast<double>(pixel >> 44) / 1048576.0,
                   turn_y = static_cast<double>((pixel >> 20) & 0xfffff) / 1048576.0;
      Vec3<double> sum(0);
      for (int s = 0; s < options.samples; ++s) {
        // Roberts' R2 sequence, shifted per pixel: even cover of the pixel's square.
        const double dx = turn_x + 0.7548776662466927 * s, dy = turn_y + 0.5698402909980532 * s;
        const Ray ray =
            synthetic_ray(capture.camera, photo.camera_from_world, x + dx - std::floor(dx), y + dy - std::floor(dy));
        sum += Vec3<double>(light.radiance(ray, mix64(pixel + static_cast<uint64_t>(s)), pixel_rad));
      }
      Vec3<double> radiance;
      for (int c = 0; c < 3; ++c)
        radiance[c] = sum[options.color_of[static_cast<size_t>(c)]] * options.color_gain[static_cast<size_t>(c)] *
                      (radiance_scale / options.samples);
      const Vec2<double> position = vignette_position(Vec2<double>(x + 0.5, y + 0.5), width, height);
      const Vec3<double> value = tone_map(photo.tone, position, ToneMode::evaluation, radiance);
      const size_t base = (static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)) * 3;
      for (size_t c = 0; c < 3; ++c)
        photo.pixels.values8[base + c] =
            static_cast<uint8_t>(std::clamp(value[static_cast<int>(c)], 0.0, 1.0) * 255 + 0.5);
      if (!keep) continue;
      for (int c = 0; c < 3; ++c) photo.linear.at(x, y, c) = static_cast<float>(radiance[c]);
      const Ray centre = synthetic_ray(capture.camera, photo.camera_from_world, x + 0.5, y + 0.5);
      const synthetic::Hit hit = tracer.closest(centre);
      if (hit.primitive >= 0)
        photo.depth_m.at(x, y, 0) = static_cast<float>(
            project(capture.camera, photo.camera_from_world * Vec3<double>(centre.origin + hit.distance * centre.direction)).depth_m);
    }
}

}  // namespace

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
  need(o.exif_error_ev >= 0 && o.exif_error_ev <= 3, "--exif-error", "0 to 3 stops", o.exif_error_ev);
  if (o.camera == CameraModel::ocam)
    throw InputError("--camera ocam: synthetic scenes are written as COLMAP models, which do not have it; choose another");
  need(o.distortion >= -3 && o.distortion <= 2, "--distortion", "-3 to 2", o.distortion);
}

namespace {

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
  check(options);
  const auto report = [&](const char* what, int done, int total) {
    if (progress) progress(what, done, total);
  };
  SyntheticCapture capture;
  capture.options = options;
  capture.camera = synthetic_camera(options);
  report("building the scene", 0, 1);
  const synthetic::SyntheticScene scene = synthetic::make_terrace(options.seed);
  const synthetic::Tracer tracer(scene);
  const std::vector<Pose<double>> path = synthetic_path(options, scene.focus_m);
  capture.photos.resize(path.size());
  for (size_t i = 0; i < path.size(); ++i) capture.photos[i].camera_from_world = path[i];

  // Coarse depth maps: where light must be known, what is seen by how many photos.
  const int coarse_width = std::min(options.width_px, 480);
  const int coarse_height = std::max(1, options.height_px * coarse_width / options.width_px);
  const CameraParams<double> coarse = scale_camera(capture.camera, coarse_width, coarse_height);
  std::vector<std::vector<float>> depth(path.size());
  std::vector<synthetic::SurfacePoint> seeds;
  for (size_t i = 0; i < path.size(); ++i) {
    report("looking around", static_cast<int>(i), options.photos);
    depth[i].assign(static_cast<size_t>(coarse_width) * static_cast<size_t>(coarse_height), 0.0f);
    std::vector<synthetic::SurfacePoint> found(depth[i].size());
#pragma omp parallel for schedule(dynamic, 8)
    for (int y = 0; y < coarse_height; ++y)
      for (int x = 0; x < coarse_width; ++x) {
        const Ray ray = synthetic_ray(coarse, path[i], x + 0.5, y + 0.5);
        const synthetic::Hit hit = tracer.closest(ray);
        if (hit.primitive < 0) continue;
        const size_t k = static_cast<size_t>(y) * static_cast<size_t>(coarse_width) + static_cast<size_t>(x);
        found[k] = tracer.surface(ray, hit);
        depth[i][k] = static_cast<float>(project(coarse, path[i] * Vec3<double>(found[k].position)).depth_m);
      }
    for (size_t k = 0; k < found.size(); ++k)
      if (depth[i][k] > 0) seeds.push_back(found[k]);
  }
  report("lighting the scene", 0, 1);
  const synthetic::Lighting light(tracer, seeds, {}, options.seed);
  seeds.clear();
  seeds.shrink_to_fit();

  // Light meter: mean logarithm of a coarse grid of pixels.
  std::vector<double> log_luminance(path.size());
  const int64_t photo_count = options.photos;
#pragma omp parallel for schedule(dynamic, 1)
  for (int64_t i = 0; i < photo_count; ++i) {
    double sum = 0;
    for (int y = 0; y < 24; ++y)
      for (int x = 0; x < 36; ++x) {
        const Ray ray = synthetic_ray(capture.camera, path[static_cast<size_t>(i)], (x + 0.5) / 36 * options.width_px,
                                      (y + 0.5) / 24 * options.height_px);
        sum += std::log2(1e-3 +
                         static_cast<double>(luminance(light.radiance(ray, static_cast<uint64_t>(y * 36 + x), 0.02f))));
      }
    log_luminance[static_cast<size_t>(i)] = sum / (24 * 36);
  }
  set_tones(log_luminance, capture);
  double mean = 0;
  for (const double value : log_luminance) mean += value / static_cast<double>(log_luminance.size());
  const double radiance_scale = std::exp2(std::log2(0.17) - mean);  // a medium grey at the mean exposure

  for (int i = 0; i < options.photos; ++i) {
    report("taking photos", i, options.photos);
    render_photo(tracer, light, i, radiance_scale, capture);
  }
  report("sampling points", 0, 1);
  sample_synthetic_points(tracer, depth, coarse_width, coarse_height, capture);
  return capture;
}

}  // namespace ptl
