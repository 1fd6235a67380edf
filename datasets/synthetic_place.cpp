#include "datasets/synthetic_place.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "datasets/quantile.h"

namespace ptl {

using synthetic::Float3;
using synthetic::Ray;

namespace {

const SyntheticOptions& checked(const SyntheticOptions& options, const SyntheticProgress& progress) {
  check(options);
  if (progress) progress("building the scene", 0, 1);
  return options;
}

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

/// Exposures as an automatic camera chooses them, smooth along the path, within ±1 EV, and bracketed where that is
/// asked for; white balance the same way. In the gauge of method section 6: mean EV of the training photos 0, white
/// balance of the first training photo 1.
std::vector<ToneParams<double>> metered_tones(const SyntheticOptions& options,
                                              const std::vector<double>& log_luminance) {
  const int count = options.photos;
  std::vector<double> ev(static_cast<size_t>(count));
  double mean = 0;
  int training = 0;
  const double phase = 2 * std::numbers::pi * draw_unit(options.seed, DrawPurpose::synthetic, 30);
  for (int i = 0; i < count; ++i) {
    double sum = 0;
    for (int k = -2; k <= 2; ++k) sum += log_luminance[static_cast<size_t>(((i + k) % count + count) % count)];
    ev[static_cast<size_t>(i)] = 0.8 * sum / 5 + 0.45 * std::sin(2 * std::numbers::pi * i / count * 2 + phase);
    if (is_held_out(i) && count > 1) continue;
    mean += ev[static_cast<size_t>(i)];
    ++training;
  }
  mean /= std::max(1, training);
  for (double& value : ev) value = std::clamp(value - mean, -1.0, 1.0);
  for (int i = 0; i < count; ++i) ev[static_cast<size_t>(i)] += options.bracket_ev * (i % 3 - 1);
  double rest = 0;
  for (int i = 0; i < count; ++i)
    if (!is_held_out(i)) rest += ev[static_cast<size_t>(i)] / std::max(1, training);
  const auto red = [&](int i) { return 1 + 0.05 * std::sin(2 * std::numbers::pi * i / count + phase); };
  const auto blue = [&](int i) { return 1 + 0.06 * std::cos(2 * std::numbers::pi * i / count + 1.7 * phase); };
  std::vector<ToneParams<double>> tones(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    ToneParams<double>& tone = tones[static_cast<size_t>(i)];
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
  return tones;
}

constexpr double contrast_pivot = 0.18;

/// When sample `s` of a pixel is taken: each in a part of its own of the exposure. Which part the first one has differs
/// between pixels, so that no part goes with a place in the pixel.
double exposure_time(uint64_t pixel, int s, int samples) {
  const auto sample = static_cast<uint64_t>(s), parts = static_cast<uint64_t>(samples);
  const uint64_t part = (draw_bits(pixel, DrawPurpose::synthetic, 41) % parts + sample) % parts;
  const double within = draw_unit(pixel, DrawPurpose::synthetic, 42, sample);
  return (static_cast<double>(part) + within) / samples - 0.5;
}

float luminance(const Float3& c) {
  return 0.2126f * c.x + 0.7152f * c.y + 0.0722f * c.z;
}

}  // namespace

SyntheticPlace::SyntheticPlace(const SyntheticOptions& options, const SyntheticProgress& progress)
    : options_(checked(options, progress)),
      camera_(synthetic_camera(options)),
      scene_(synthetic::make_terrace(options.seed)),
      tracer_(scene_),
      path_(synthetic_path(options, scene_.focus_m)),
      light_(make_light(progress)) {
  // Light meter: mean logarithm of a coarse grid of pixels.
  std::vector<double> log_luminance(path_.size());
  const int64_t photo_count = options_.photos;
#pragma omp parallel for schedule(dynamic, 1)
  for (int64_t i = 0; i < photo_count; ++i) {
    double sum = 0;
    for (int y = 0; y < 24; ++y)
      for (int x = 0; x < 36; ++x) {
        const Ray ray = synthetic_ray(camera_, path_[static_cast<size_t>(i)], (x + 0.5) / 36 * options_.width_px,
                                      (y + 0.5) / 24 * options_.height_px);
        sum += std::log2(
            1e-3 + static_cast<double>(luminance(light_.radiance(ray, static_cast<uint64_t>(y * 36 + x), 0.02f))));
      }
    log_luminance[static_cast<size_t>(i)] = sum / (24 * 36);
  }
  tones_ = metered_tones(options_, log_luminance);
  double mean = 0;
  for (const double value : log_luminance) mean += value / static_cast<double>(log_luminance.size());
  radiance_scale_ = std::exp2(std::log2(0.17) - mean);
  set_motions();
}

void SyntheticPlace::set_motions() {
  motions_.resize(path_.size());
  if (options_.rolling_shutter_px == 0 && options_.motion_blur_px == 0) return;
  std::vector<double> depths_m;
  for (const std::vector<float>& photo : coarse_.depth_m)
    for (const float depth_m : photo)
      if (depth_m > 0) depths_m.push_back(static_cast<double>(depth_m));
  const double typical_depth_m = depths_m.empty() ? 1 : quantile(std::move(depths_m), 0.5);
  for (size_t i = 0; i < motions_.size(); ++i)
    motions_[i] = synthetic_motion(options_, camera_, typical_depth_m, static_cast<int>(i));
}

/// Coarse depth maps first: where light must be known, what is seen by how many photos.
synthetic::Lighting SyntheticPlace::make_light(const SyntheticProgress& progress) {
  coarse_.width_px = std::min(options_.width_px, 480);
  coarse_.height_px = std::max(1, options_.height_px * coarse_.width_px / options_.width_px);
  const CameraParams<double> coarse = scale_camera(camera_, coarse_.width_px, coarse_.height_px);
  coarse_.depth_m.resize(path_.size());
  std::vector<synthetic::SurfacePoint> seeds;
  for (size_t i = 0; i < path_.size(); ++i) {
    if (progress) progress("looking around", static_cast<int>(i), options_.photos);
    std::vector<float>& depth_m = coarse_.depth_m[i];
    depth_m.assign(static_cast<size_t>(coarse_.width_px) * static_cast<size_t>(coarse_.height_px), 0.0f);
    std::vector<synthetic::SurfacePoint> found(depth_m.size());
#pragma omp parallel for schedule(dynamic, 8)
    for (int y = 0; y < coarse_.height_px; ++y)
      for (int x = 0; x < coarse_.width_px; ++x) {
        const Ray ray = synthetic_ray(coarse, path_[i], x + 0.5, y + 0.5);
        const synthetic::Hit hit = tracer_.closest(ray);
        if (hit.primitive < 0) continue;
        const size_t k = static_cast<size_t>(y) * static_cast<size_t>(coarse_.width_px) + static_cast<size_t>(x);
        found[k] = tracer_.surface(ray, hit);
        depth_m[k] = static_cast<float>(project(coarse, path_[i] * Vec3<double>(found[k].position)).depth_m);
      }
    for (size_t k = 0; k < found.size(); ++k)
      if (depth_m[k] > 0) seeds.push_back(found[k]);
  }
  if (progress) progress("lighting the scene", 0, 1);
  return {tracer_, seeds, {}, options_.seed};
}

SyntheticPhoto SyntheticPlace::photograph(const CameraParams<double>& camera, const Pose<double>& camera_from_world,
                                          const ToneParams<double>& tone, uint64_t draw, bool with_truth,
                                          const PhotoMotion& motion) const {
  SyntheticPhoto photo;
  photo.camera_from_world = camera_from_world;
  photo.motion = motion;
  photo.tone = tone;
  const int width = camera.width_px, height = camera.height_px;
  photo.pixels.width = width;
  photo.pixels.height = height;
  photo.pixels.channels = 3;
  photo.pixels.values8.resize(static_cast<size_t>(width) * static_cast<size_t>(height) * 3);
  if (with_truth) photo.linear = Image(width, height, 3), photo.depth_m = Image(width, height, 1);
  const float pixel_rad = static_cast<float>(1 / focal_length_px(camera));
  const Tangent<double>& exposed = motion.exposure_motion;
  const bool blurred = exposed.translation != Vec3<double>(0) || exposed.rotation != Vec3<double>(0);
#pragma omp parallel for schedule(dynamic, 4)
  for (int y = 0; y < height; ++y) {
    const Pose<double> row_from_world = pose_at_row(camera_from_world, motion, y + 0.5, height);
    for (int x = 0; x < width; ++x) {
      const uint64_t pixel = draw_bits(options_.seed, DrawPurpose::synthetic, 40, draw, static_cast<uint64_t>(y),
                                       static_cast<uint64_t>(x));
      const double turn_x = static_cast<double>(pixel >> 44) / 1048576.0,
                   turn_y = static_cast<double>((pixel >> 20) & 0xfffff) / 1048576.0;
      Vec3<double> sum(0);
      for (int s = 0; s < options_.samples; ++s) {
        // Roberts' R2 sequence, shifted per pixel: even cover of the pixel's square.
        const double dx = turn_x + 0.7548776662466927 * s, dy = turn_y + 0.5698402909980532 * s;
        const Pose<double> pose =
            blurred ? pose_at_row(camera_from_world, motion, y + 0.5, height, exposure_time(pixel, s, options_.samples))
                    : row_from_world;
        const Ray ray = synthetic_ray(camera, pose, x + dx - std::floor(dx), y + dy - std::floor(dy));
        sum += Vec3<double>(light_.radiance(ray, mix64(pixel + static_cast<uint64_t>(s)), pixel_rad));
      }
      Vec3<double> radiance;
      for (int c = 0; c < 3; ++c)
        radiance[c] = sum[options_.color_of[static_cast<size_t>(c)]] * options_.color_gain[static_cast<size_t>(c)] *
                      (radiance_scale_ / options_.samples);
      if (options_.contrast != 1)
        for (int c = 0; c < 3; ++c)
          radiance[c] = contrast_pivot * std::pow(std::max(radiance[c], 0.0) / contrast_pivot, options_.contrast);
      const Vec2<double> position = vignette_position(Vec2<double>(x + 0.5, y + 0.5), width, height);
      const Vec3<double> value = tone_map(tone, position, ToneMode::evaluation, radiance);
      const size_t base = (static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)) * 3;
      for (size_t c = 0; c < 3; ++c)
        photo.pixels.values8[base + c] =
            static_cast<uint8_t>(std::clamp(value[static_cast<int>(c)], 0.0, 1.0) * 255 + 0.5);
      if (!with_truth) continue;
      for (int c = 0; c < 3; ++c) photo.linear.at(x, y, c) = static_cast<float>(radiance[c]);
      const Ray centre = synthetic_ray(camera, row_from_world, x + 0.5, y + 0.5);
      const synthetic::Hit hit = tracer_.closest(centre);
      if (hit.primitive >= 0)
        photo.depth_m.at(x, y, 0) = static_cast<float>(
            project(camera, row_from_world * Vec3<double>(centre.origin + hit.distance * centre.direction)).depth_m);
    }
  }
  return photo;
}

}  // namespace ptl
