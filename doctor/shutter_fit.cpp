#include "doctor/shutter_fit.h"

#include <algorithm>
#include <cmath>

#include "datasets/shutter.h"
#include "doctor/statistics.h"
#include "kernels/camera.h"

namespace ptl::doctor {

namespace {

constexpr size_t pose_unknowns = 6, all_unknowns = 12;  // a pose's tangent, then the motion's
constexpr int weightings = 3;
constexpr double median_length = 1.1774;  // of a vector of two normal numbers of deviation 1
constexpr double far_deviations = 2.4;    // where Cauchy's weight is a half
constexpr double most_lengths = 4;        // in medians: no residual counts for longer than that in a score

using Unknowns = std::array<double, all_unknowns>;
using Observations = std::vector<MovingObservation>;
using ReadoutTime = double MovingObservation::*;

/// How far a pose and `time` of a motion move the pixel of an observation.
Vec2<double> moved_px(const MovingObservation& o, double time, const Unknowns& unknowns) {
  Vec2<double> moved(0);
  for (size_t axis = 0; axis < 2; ++axis)
    for (size_t k = 0; k < pose_unknowns; ++k)
      moved[static_cast<int>(axis)] += o.gradient[axis][k] * (unknowns[k] + time * unknowns[pose_unknowns + k]);
  return moved;
}

double length_left_px(const MovingObservation& o, double time, const Unknowns& unknowns) {
  return glm::length(o.residual_px - moved_px(o, time, unknowns));
}

/// Solves A x = b of the first `size` unknowns by Cholesky's factors. A: symmetric, positive definite, its lower half
/// given.
Unknowns solve(std::array<Unknowns, all_unknowns> a, Unknowns b, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      for (size_t k = 0; k < j; ++k) a[i][j] -= a[i][k] * a[j][k];
      a[i][j] = i == j ? std::sqrt(a[i][i]) : a[i][j] / a[j][j];
    }
    for (size_t k = 0; k < i; ++k) b[i] -= a[i][k] * b[k];
    b[i] /= a[i][i];
  }
  for (size_t i = size; i-- > 0;) {
    for (size_t k = i + 1; k < size; ++k) b[i] -= a[k][i] * b[k];
    b[i] /= a[i][i];
  }
  return b;
}

/// The first `size` unknowns, the others 0, fitted to every `step`-th observation from `first`. What the observations
/// say nothing of is held near 0 by the prior.
Unknowns fit(const Observations& all, size_t first, size_t step, ReadoutTime time, size_t size, double prior_px) {
  Unknowns unknowns{};
  for (int round = 0; round < weightings; ++round) {
    std::vector<double> lengths_px;
    for (size_t i = first; i < all.size(); i += step)
      lengths_px.push_back(length_left_px(all[i], all[i].*time, unknowns));
    const double deviation_px = std::max(1e-3, quantile(lengths_px, 0.5) / median_length);
    std::array<Unknowns, all_unknowns> a{};
    Unknowns b{};
    for (size_t k = 0; k < size; ++k) a[k][k] = deviation_px * deviation_px / (prior_px * prior_px);
    for (size_t i = first, n = 0; i < all.size(); i += step, ++n) {
      const double far = lengths_px[n] / (far_deviations * deviation_px), weight = 1 / (1 + far * far);
      for (size_t axis = 0; axis < 2; ++axis) {
        Unknowns row;
        for (size_t k = 0; k < pose_unknowns; ++k) {
          row[k] = all[i].gradient[axis][k];
          row[pose_unknowns + k] = all[i].*time * row[k];
        }
        for (size_t k = 0; k < size; ++k) {
          b[k] += weight * row[k] * all[i].residual_px[static_cast<int>(axis)];
          for (size_t j = 0; j <= k; ++j) a[k][j] += weight * row[k] * row[j];
        }
      }
    }
    unknowns = solve(a, b, size);
  }
  return unknowns;
}

/// What is left of each observation's residual by the unknowns fitted to the half that it is not in.
std::vector<double> lengths_held_out_px(const Observations& all, ReadoutTime time, size_t size, double prior_px) {
  std::vector<double> lengths_px(all.size());
  for (size_t half = 0; half < 2; ++half) {
    const Unknowns unknowns = fit(all, 1 - half, 2, time, size, prior_px);
    for (size_t i = half; i < all.size(); i += 2) lengths_px[i] = length_left_px(all[i], all[i].*time, unknowns);
  }
  return lengths_px;
}

double sum_of_squares(const std::vector<double>& lengths_px, double most_px) {
  double sum = 0;
  for (const double length_px : lengths_px) sum += std::pow(std::min(length_px, most_px), 2);
  return sum;
}

}  // namespace

std::vector<MovingObservation> moving_observations(const Evidence& evidence, size_t image, size_t most) {
  const SceneImage& photo = evidence.scene.images[image];
  const CameraParams<double>& camera = evidence.scene.camera_of(photo).params;
  const std::vector<Sighting>& list = evidence.sightings.by_image[image];
  std::vector<double> depths_m;
  for (const Sighting& s : list)
    if (s.projected) depths_m.push_back(static_cast<double>(s.depth_m));
  const double radians = 1 / focal_length_px(camera),
               depths = known_median(depths_m) * radians;  // what moves points by a pixel
  const auto pixel = [&](float x, float y) {
    return Vec2<double>(static_cast<double>(x) * camera.width_px, static_cast<double>(y) * camera.height_px);
  };
  Observations result;
  for (size_t i = 0; i < list.size(); i += 1 + list.size() / most) {
    const Sighting& s = list[i];
    if (!s.projected) continue;
    const Vec3<double> x_camera = photo.camera_from_world * evidence.sightings.position[s.point];
    const std::array<Tangent<double>, 2> gradients = pixel_gradients(camera, x_camera);
    const Vec2<double> seen_px = pixel(s.seen_x, s.seen_y);
    MovingObservation o;
    o.row_time = readout_time(seen_px.y, camera.height_px);
    o.column_time = readout_time(seen_px.x, camera.width_px);
    o.residual_px = seen_px - pixel(s.x, s.y);
    for (size_t axis = 0; axis < 2; ++axis)
      for (int k = 0; k < 3; ++k) {
        o.gradient[axis][static_cast<size_t>(k)] = depths * gradients[axis].translation[k];
        o.gradient[axis][static_cast<size_t>(3 + k)] = radians * gradients[axis].rotation[k];
      }
    result.push_back(o);
  }
  return result;
}

ReadoutFit fit_readout(const Observations& observations, double prior_px) {
  const ReadoutTime rows = &MovingObservation::row_time, columns = &MovingObservation::column_time;
  const std::vector<double> still_px = lengths_held_out_px(observations, rows, pose_unknowns, prior_px);
  const double most_px = most_lengths * quantile(still_px, 0.5), still = sum_of_squares(still_px, most_px);
  const auto gain = [&](ReadoutTime time) {
    const double moving = sum_of_squares(lengths_held_out_px(observations, time, all_unknowns, prior_px), most_px);
    return still > 0 ? 1 - moving / still : 0;
  };
  ReadoutFit result{{}, gain(rows), gain(columns)};
  const Unknowns unknowns = fit(observations, 0, 1, rows, all_unknowns, prior_px);
  std::copy(unknowns.begin() + pose_unknowns, unknowns.end(), result.motion.begin());
  return result;
}

double motion_length_px(const Observations& observations, const ReadoutMotion& motion) {
  Unknowns unknowns{};
  std::copy(motion.begin(), motion.end(), unknowns.begin() + pose_unknowns);
  double sum_px = 0;
  for (const MovingObservation& o : observations) sum_px += glm::length(moved_px(o, 1, unknowns));
  return sum_px / static_cast<double>(observations.size());
}

}  // namespace ptl::doctor
