// Points of a synthetic scene as photogrammetry would find them: on what the photos see, equally dense in the photos.
#include <algorithm>
#include <cmath>

#include "datasets/synthetic_capture.h"

namespace ptl {

using synthetic::Float3;
using synthetic::Ray;

namespace {

double draw_normal(uint64_t seed, uint64_t purpose, uint64_t id, uint64_t which) {
  const double u = draw_unit(seed, DrawPurpose::synthetic, purpose, id, 2 * which);
  const double v = draw_unit(seed, DrawPurpose::synthetic, purpose, id, 2 * which + 1);
  return normal_of(u, v);
}

struct Sample {
  Vec3<double> position{0};  ///< true
  Float3 normal{0};
  uint64_t key = 0;                                ///< names the draws of this point
  std::vector<std::pair<int, Vec2<double>>> seen;  ///< photo, true pixel position
};

/// Where a photo sees the position as it moves, if nothing lies between.
bool sees(const synthetic::Tracer& tracer, const SyntheticCapture& capture, int image, const Vec3<double>& position,
          Vec2<double>& pixel) {
  const SyntheticPhoto& photo = capture.photos[static_cast<size_t>(image)];
  const Projection<double> p = project_in_motion(capture.camera, photo.camera_from_world, photo.motion, position);
  if (!p.valid || p.x_px < 0 || p.y_px < 0 || p.x_px >= capture.camera.width_px || p.y_px >= capture.camera.height_px)
    return false;
  pixel = {p.x_px, p.y_px};
  const Pose<double> pose = pose_at_row(photo.camera_from_world, photo.motion, p.y_px, capture.camera.height_px);
  const Vec3<double> centre = camera_centre(pose), offset = position - centre;
  const double distance = glm::length(offset);
  Ray ray;
  ray.origin = Float3(centre);
  ray.direction = Float3(offset / distance);
  return !tracer.blocked(ray, static_cast<float>(distance * (1 - 1e-4) - 5e-4));
}

}  // namespace

void sample_synthetic_points(const synthetic::Tracer& tracer, const std::vector<std::vector<float>>& coarse_depth_m,
                             int coarse_width_px, int coarse_height_px, SyntheticCapture& capture) {
  const SyntheticOptions& options = capture.options;
  const CameraParams<double> coarse = scale_camera(capture.camera, coarse_width_px, coarse_height_px);
  // How many training photos see what each coarse pixel shows, on every second pixel.
  const int columns = (coarse_width_px + 1) / 2, rows = (coarse_height_px + 1) / 2;
  const size_t coarse_width = static_cast<size_t>(coarse_width_px), column_count = static_cast<size_t>(columns);
  std::vector<std::vector<uint16_t>> seen_by(capture.photos.size());
  double expected_pixels = 0;
  const double pixels_per_cell =
      static_cast<double>(options.width_px) * options.height_px / (static_cast<double>(columns) * rows);
  for (int i = 0; i < options.photos; ++i) {
    if (is_held_out(i)) continue;
    std::vector<uint16_t>& counts = seen_by[static_cast<size_t>(i)];
    counts.assign(column_count * static_cast<size_t>(rows), 0);
    const Pose<double>& pose = capture.photos[static_cast<size_t>(i)].camera_from_world;
#pragma omp parallel for schedule(dynamic, 8)
    for (int row = 0; row < rows; ++row)
      for (int column = 0; column < columns; ++column) {
        const int x = 2 * column, y = 2 * row;
        const double depth = static_cast<double>(
            coarse_depth_m[static_cast<size_t>(i)][static_cast<size_t>(y) * coarse_width + static_cast<size_t>(x)]);
        if (depth <= 0) continue;
        Vec3<double> direction;
        unproject_ray(coarse, x + 0.5, y + 0.5, direction);
        const Vec3<double> position =
            glm::transpose(pose.rotation) * (direction * depth - pose.translation);
        uint16_t count = 0;
        for (int k = 0; k < options.photos; ++k) {
          if (is_held_out(k)) continue;
          const Projection<double> p =
              project(coarse, capture.photos[static_cast<size_t>(k)].camera_from_world * position);
          if (!p.valid || p.x_px < 0 || p.y_px < 0 || p.x_px >= coarse_width_px || p.y_px >= coarse_height_px) continue;
          const size_t at = static_cast<size_t>(p.y_px) * coarse_width + static_cast<size_t>(p.x_px);
          const double there = static_cast<double>(coarse_depth_m[static_cast<size_t>(k)][at]);
          if (there > 0 && std::fabs(there - p.depth_m) < 0.02 * p.depth_m) ++count;
        }
        counts[static_cast<size_t>(row) * column_count + static_cast<size_t>(column)] = count;
      }
    for (const uint16_t count : counts)
      if (count > 0) expected_pixels += pixels_per_cell / count;
  }
  const double density =
      options.points > 0 ? static_cast<double>(options.points) / std::max(1.0, expected_pixels) : options.density;

  // Each training photo proposes points at random places of its pixels; what n photos see gets 1/n of them from each.
  std::vector<Sample> samples;
  for (int i = 0; i < options.photos; ++i) {
    if (is_held_out(i)) continue;
    const SyntheticPhoto& photo = capture.photos[static_cast<size_t>(i)];
    std::vector<std::vector<Sample>> by_row(static_cast<size_t>(options.height_px));
#pragma omp parallel for schedule(dynamic, 4)
    for (int y = 0; y < options.height_px; ++y)
      for (int x = 0; x < options.width_px; ++x) {
        const int column =
            std::min(columns - 1, static_cast<int>(static_cast<int64_t>(x) * columns / options.width_px));
        const int row = std::min(rows - 1, static_cast<int>(static_cast<int64_t>(y) * rows / options.height_px));
        const int count = std::max<int>(
            2, seen_by[static_cast<size_t>(i)][static_cast<size_t>(row) * column_count + static_cast<size_t>(column)]);
        const uint64_t pixel = draw_bits(options.seed, DrawPurpose::synthetic, 50, static_cast<uint64_t>(i),
                                         static_cast<uint64_t>(y), static_cast<uint64_t>(x));
        const double wanted = density / count;
        const int whole =
            static_cast<int>(wanted) +
            (draw_unit(pixel, DrawPurpose::synthetic, 51) < static_cast<float>(wanted - std::floor(wanted)) ? 1 : 0);
        for (int n = 0; n < whole; ++n) {
          Sample sample;
          sample.key = mix64(pixel + static_cast<uint64_t>(n));
          const double x_px = x + static_cast<double>(draw_unit(sample.key, DrawPurpose::synthetic, 52));
          const double y_px = y + static_cast<double>(draw_unit(sample.key, DrawPurpose::synthetic, 53));
          const Ray ray = synthetic_ray(
              capture.camera, pose_at_row(photo.camera_from_world, photo.motion, y_px, options.height_px), x_px, y_px);
          const synthetic::Hit hit = tracer.closest(ray);
          if (hit.primitive < 0) continue;
          const synthetic::SurfacePoint surface = tracer.surface(ray, hit);
          sample.position = Vec3<double>(surface.position);
          sample.normal = surface.normal;
          int training = 0;
          for (int k = 0; k < options.photos; ++k) {
            Vec2<double> at(0);
            if (!sees(tracer, capture, k, sample.position, at)) continue;
            sample.seen.emplace_back(k, at);
            training += is_held_out(k) ? 0 : 1;
          }
          if (training >= 2) by_row[static_cast<size_t>(y)].push_back(std::move(sample));
        }
      }
    for (auto& row : by_row) std::move(row.begin(), row.end(), std::back_inserter(samples));
  }

  capture.observations.assign(capture.photos.size(), {});
  const double sparse_share =
      static_cast<double>(options.sparse_points) / std::max<double>(1, static_cast<double>(samples.size()));
  Vec3<double> low(1e30), high(-1e30);
  for (const Sample& sample : samples) {
    double nearest = 1e30;
    Vec3<double> color(0);
    int colors = 0;
    for (const auto& [image, at] : sample.seen) {
      const SyntheticPhoto& photo = capture.photos[static_cast<size_t>(image)];
      nearest = std::min(nearest, glm::length(photo.camera_from_world * sample.position));
      if (is_held_out(image)) continue;  // a held-out photo gives nothing away
      const size_t base =
          (static_cast<size_t>(at.y) * static_cast<size_t>(options.width_px) + static_cast<size_t>(at.x)) * 3;
      for (size_t c = 0; c < 3; ++c) color[static_cast<int>(c)] += photo.pixels.values8[base + c];
      ++colors;
    }
    Vec3<double> position = sample.position;
    for (int axis = 0; axis < 3; ++axis)
      position[axis] += options.noise * nearest * draw_normal(sample.key, 54, 0, static_cast<uint64_t>(axis));
    std::array<uint8_t, 3> mean{};
    for (size_t c = 0; c < 3; ++c)
      mean[c] = static_cast<uint8_t>(std::clamp(color[static_cast<int>(c)] / std::max(1, colors) + 0.5, 0.0, 255.0));
    capture.cloud.position.emplace_back(position);
    capture.cloud.color.push_back(mean);
    capture.cloud.normal.push_back(sample.normal);
    if (nearest < 8) low = glm::min(low, position), high = glm::max(high, position);
    if (sample.seen.size() < 3 || static_cast<double>(draw_unit(sample.key, DrawPurpose::synthetic, 55)) > sparse_share)
      continue;
    SparsePoint sparse;
    sparse.id = capture.sparse_points.size() + 1;
    sparse.position = position;
    sparse.color = mean;
    for (const auto& seen : sample.seen) {
      const auto image = seen.first;
      const auto& at = seen.second;
      const auto moved = [&](double value, int which, int limit) {
        const double noisy =
            value + options.observation_noise_px *
                        draw_normal(sample.key, 56, static_cast<uint64_t>(image), static_cast<uint64_t>(which));
        return std::clamp(noisy, 0.0, static_cast<double>(limit) - 1e-6);
      };
      Observation observation{moved(at.x, 0, options.width_px), moved(at.y, 1, options.height_px), sparse.id};
      const Projection<double> p =
          project(capture.camera, capture.photos[static_cast<size_t>(image)].camera_from_world * position);
      sparse.reprojection_error_px +=
          std::hypot(p.x_px - observation.x_px, p.y_px - observation.y_px) / static_cast<double>(sample.seen.size());
      std::vector<Observation>& list = capture.observations[static_cast<size_t>(image)];
      sparse.track.emplace_back(static_cast<uint32_t>(image + 1), static_cast<uint32_t>(list.size()));
      list.push_back(observation);
    }
    capture.sparse_points.push_back(std::move(sparse));
  }
  const size_t outliers =
      static_cast<size_t>(options.outliers / (1 - options.outliers) * static_cast<double>(samples.size()));
  for (size_t i = 0; i < outliers; ++i) {
    const auto unit = [&](uint64_t which) {
      return static_cast<double>(draw_unit(options.seed, DrawPurpose::synthetic, 57, i, which));
    };
    capture.cloud.position.emplace_back(low + (high - low) * Vec3<double>(unit(0), unit(1), unit(2)));
    capture.cloud.color.push_back({static_cast<uint8_t>(255 * unit(3)), static_cast<uint8_t>(255 * unit(4)),
                                   static_cast<uint8_t>(255 * unit(5))});
    capture.cloud.normal.emplace_back(
        glm::normalize(Float3(Vec3<double>(unit(6), unit(7), unit(8)) - 0.5) + Float3(1e-6f)));
  }
}

}  // namespace ptl
