// Blur: fine detail over coarse detail, at points that other photos show as well, so that a plain wall is no blur.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "doctor/checks.h"
#include "doctor/statistics.h"

namespace ptl::doctor {

namespace {

constexpr double noise_energy = 6;  // what rounding to 8 bits and JPEG leave: added to both energies

/// log2 of fine over coarse energy at a sighting, of the Laplacian (kind < 0) or along a direction. NaN: no detail
/// there.
double fineness(const PhotoLook& photo, const Sighting& s, int kind) {
  const DetailCells& detail = photo.detail;
  if (detail.empty() || !(s.seen_x >= 0 && s.seen_x < 1 && s.seen_y >= 0 && s.seen_y < 1)) return unknown;
  const size_t cell = detail.at(s.seen_x, s.seen_y);
  if (static_cast<double>(detail.coarse[cell] + detail.middle[cell]) < 4 * noise_energy) return unknown;
  const auto ratio = [&](float fine, float coarse) {
    return std::log2((static_cast<double>(fine) + noise_energy) / (static_cast<double>(coarse) + noise_energy));
  };
  if (kind < 0) return ratio(detail.fine[cell], detail.middle[cell] + detail.coarse[cell]);
  const auto d = static_cast<size_t>(kind);
  return ratio(detail.fine_along[d][cell], detail.coarse_along[d][cell]);
}

/// The median over an image's points of its fineness above the median photo's of the same point.
std::vector<double> sharpness_octaves(const Evidence& evidence, int kind, int least_points) {
  std::vector<std::vector<double>> relative(evidence.images());
  std::vector<double> of_point;
  for (const auto& seers : evidence.sightings.by_point) {
    if (seers.size() < 3) continue;
    of_point.clear();
    for (const auto& seer : seers) {
      const auto image = static_cast<size_t>(seer.image);
      of_point.push_back(fineness(evidence.photos[image], evidence.sightings.by_image[image][seer.index], kind));
    }
    const double middle = known_median(of_point);
    for (size_t k = 0; k < seers.size(); ++k)
      if (std::isfinite(of_point[k])) relative[static_cast<size_t>(seers[k].image)].push_back(of_point[k] - middle);
  }
  std::vector<double> octaves;
  for (const auto& list : relative)
    octaves.push_back(list.size() < static_cast<size_t>(least_points) ? unknown : known_median(list));
  return octaves;
}

/// Per image, how many octaves the least sharp direction is behind the sharpest one, each against other photos of the
/// same points; and the least sharp one in degrees.
struct Motion {
  double octaves = unknown;
  double lost = unknown;  ///< along the least sharp direction
  int degrees = 0;
};
std::vector<Motion> motion_of(const Evidence& evidence, int least_points) {
  std::array<std::vector<double>, directions> sharpness;
  for (size_t d = 0; d < directions; ++d) sharpness[d] = sharpness_octaves(evidence, static_cast<int>(d), least_points);
  std::vector<Motion> result(evidence.images());
  for (size_t i = 0; i < evidence.images(); ++i) {
    double low = INFINITY, high = -INFINITY;
    for (size_t d = 0; d < directions; ++d) {
      const double value = sharpness[d][i];
      if (value < low) low = value, result[i].degrees = static_cast<int>(45 * d);
      high = std::max(high, value);
    }
    if (std::isfinite(low)) result[i].octaves = high - low, result[i].lost = -low;
  }
  return result;
}

}  // namespace

void check_sharpness(const Evidence& evidence, Diagnosis& diagnosis, const SharpnessLimits& limits) {
  if (!evidence.pixels) return;
  ImageFigure sharpness{"sharpness against the other photos", "octaves",
                        sharpness_octaves(evidence, -1, limits.least_points)};
  const std::vector<Motion> motion = motion_of(evidence, limits.least_points);
  ImageFigure direction{"sharpness lost in one direction", "octaves", {}};
  for (const Motion& one : motion) direction.value.push_back(one.octaves);
  const double spread = known_spread(sharpness.value);
  Finding blurred =
      finding("blurred_photo", Severity::harmful, "", "what this photo shows gets soft, also in views beside it",
              "hold the photo out of the fit (--split FILE), or take it again");
  Finding moved =
      finding("motion_blur", Severity::harmful, "",
              "what this photo shows is smeared along the motion, also in views beside it",
              "fit with --fit motion_blur, which finds each photo's motion; or hold the photo out of the fit (--split "
              "FILE), or take it again with a shorter exposure");
  for (size_t i = 0; i < evidence.images(); ++i) {
    if (!evidence.photos[i].decoded || evidence.photos[i].deviation < TonalLimits().constant_deviation) continue;
    const double octaves = sharpness.value[i];
    const bool soft = octaves < -limits.blurred_octaves && octaves < -limits.blurred_spreads * spread;
    if (motion[i].octaves > limits.motion_octaves && motion[i].lost > limits.motion_lost)
      moved.images.push_back(
          {static_cast<int>(i),
           fmt::format("{:.1f} octaves less sharp along {}° (0° is along a row)", motion[i].octaves, motion[i].degrees),
           {}});
    else if (soft)
      blurred.images.push_back(
          {static_cast<int>(i),
           fmt::format("{:.1f} octaves less fine detail than other photos of the same points", -octaves),
           {}});
  }
  blurred.what = photos_are(blurred.images.size()) + " blurred";
  moved.what = photos_are(moved.images.size()) + " blurred by motion";
  report_images(diagnosis, std::move(moved));
  report_images(diagnosis, std::move(blurred));
  diagnosis.figures.push_back(std::move(sharpness));
  diagnosis.figures.push_back(std::move(direction));
}

}  // namespace ptl::doctor
