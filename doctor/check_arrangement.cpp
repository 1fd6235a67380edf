// Where the cameras stand: one far from all others, all on one spot, all in a line.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "doctor/checks.h"
#include "doctor/statistics.h"

namespace ptl::doctor {

namespace {

Vec3<double> middle_of(const std::vector<Vec3<double>>& places) {
  Vec3<double> middle(0);
  for (int axis = 0; axis < 3; ++axis) {
    std::vector<double> values;
    for (const Vec3<double>& place : places) values.push_back(place[axis]);
    middle[axis] = known_median(values);
  }
  return middle;
}

/// Eigenvalues of the places' covariance, falling, by Jacobi rotations.
std::array<double, 3> principal_variances(const std::vector<Vec3<double>>& places) {
  Vec3<double> mean(0);
  for (const Vec3<double>& place : places) mean += place / static_cast<double>(places.size());
  double a[3][3] = {};
  for (const Vec3<double>& place : places)
    for (int r = 0; r < 3; ++r)
      for (int c = 0; c < 3; ++c) a[r][c] += (place - mean)[r] * (place - mean)[c] / static_cast<double>(places.size());
  for (int sweep = 0; sweep < 30; ++sweep)
    for (int p = 0; p < 2; ++p)
      for (int q = p + 1; q < 3; ++q) {
        if (a[p][q] == 0) continue;
        const double angle = 0.5 * std::atan2(2 * a[p][q], a[q][q] - a[p][p]);
        const double c = std::cos(angle), s = std::sin(angle);
        for (int k = 0; k < 3; ++k) {
          const double x = a[k][p], y = a[k][q];
          a[k][p] = c * x - s * y, a[k][q] = s * x + c * y;
        }
        for (int k = 0; k < 3; ++k) {
          const double x = a[p][k], y = a[q][k];
          a[p][k] = c * x - s * y, a[q][k] = s * x + c * y;
        }
      }
  std::array<double, 3> values{a[0][0], a[1][1], a[2][2]};
  std::sort(values.begin(), values.end(), std::greater<>());
  return values;
}

void check_far(const Evidence& evidence, Diagnosis& diagnosis, const ArrangementLimits& limits) {
  const size_t count = evidence.images();
  const Vec3<double> middle = middle_of(evidence.centres);
  ImageFigure nearest{"distance to the nearest other camera", "scene units", std::vector<double>(count, INFINITY)};
  std::vector<double> from_middle(count);
  for (size_t i = 0; i < count; ++i) {
    from_middle[i] = glm::length(evidence.centres[i] - middle);
    for (size_t k = 0; k < count; ++k)
      if (k != i) nearest.value[i] = std::min(nearest.value[i], glm::length(evidence.centres[i] - evidence.centres[k]));
  }
  const double usual_nearest = known_quantile(nearest.value, 0.9), usual_middle = known_quantile(from_middle, 0.9);
  Finding far =
      finding("far_camera", Severity::harmful, "",
              "floating points and fog in front of this camera; the scene's extent and its far points are spoilt",
              "hold the image out or remove it from the model; align it again where the place is right");
  for (size_t i = 0; i < count; ++i)
    if (count >= 4 && nearest.value[i] > limits.far_nearest * usual_nearest &&
        from_middle[i] > limits.far_centre * usual_middle)
      far.images.push_back(
          {static_cast<int>(i),
           fmt::format("{:.3g} units from the next camera; usual are up to {:.3g}", nearest.value[i], usual_nearest),
           {}});
  far.what = photos_are(far.images.size()) + " far from all others";
  report_images(diagnosis, std::move(far));
  diagnosis.figures.push_back(std::move(nearest));
}

void check_spread(const Evidence& evidence, Diagnosis& diagnosis, const ArrangementLimits& limits) {
  std::vector<double> depths;
  for (const auto& list : evidence.sightings.by_image)
    for (const Sighting& s : list)
      if (s.projected) depths.push_back(static_cast<double>(s.depth_m));
  const std::array<double, 3> variance = principal_variances(evidence.centres);
  const double spread = std::sqrt(std::max(0.0, variance[0]));
  const double depth = known_median(depths);
  if (std::isfinite(depth) && spread < limits.one_spot * depth) {
    Finding spot = finding("one_spot", Severity::severe, "all photos were taken from one spot",
                           "depth cannot be known: from anywhere else the picture falls apart",
                           "take photos from different places, moving sideways; a turn on the spot is a panorama");
    spot.where = fmt::format("the cameras spread over {:.3g} units, what they see is {:.3g} away", spread, depth);
    diagnosis.findings.push_back(std::move(spot));
  } else if (evidence.images() >= 4 && variance[1] < limits.line * limits.line * variance[0]) {
    diagnosis.findings.push_back(finding("line", Severity::note, "the cameras stand in a line",
                                         "views from beside the line are guessed: holes and stretched things",
                                         "add photos from above, below or nearer"));
  }
}

}  // namespace

void check_arrangement(const Evidence& evidence, Diagnosis& diagnosis, const ArrangementLimits& limits) {
  check_far(evidence, diagnosis, limits);
  check_spread(evidence, diagnosis, limits);
}

}  // namespace ptl::doctor
