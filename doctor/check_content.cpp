// The colours of points against the photo's at their projections: is this the photo of this pose?
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "doctor/checks.h"
#include "doctor/statistics.h"

namespace ptl::doctor {

namespace {

constexpr size_t most_marks = 80;
constexpr size_t most_candidates = 400;  // photos that are tried under a suspicious pose

/// Pearson's correlation of the colours of the points that the pose of `image` shows with a picture's, over all
/// channels after each channel's own mean was taken away: exposure and white balance hardly matter. NaN: too few
/// points.
double correlation(const Evidence& evidence, size_t image, const StoredImage& picture, int least_points) {
  double n = 0, sum_a[3] = {}, sum_b[3] = {}, aa = 0, bb = 0, ab = 0;
  std::vector<std::array<std::array<float, 3>, 2>> pairs;
  for (const Sighting& s : evidence.sightings.by_image[image]) {
    std::array<float, 3> color;
    if (!s.projected || !sample_color(picture, s.x, s.y, color)) continue;
    const auto& point = evidence.sightings.color[s.point];
    pairs.push_back(
        {std::array<float, 3>{static_cast<float>(point[0]), static_cast<float>(point[1]), static_cast<float>(point[2])},
         color});
    ++n;
    for (size_t c = 0; c < 3; ++c) sum_a[c] += point[c], sum_b[c] += static_cast<double>(color[c]);
  }
  if (n < least_points) return unknown;
  for (const auto& pair : pairs)
    for (size_t c = 0; c < 3; ++c) {
      const double a = static_cast<double>(pair[0][c]) - sum_a[c] / n,
                   b = static_cast<double>(pair[1][c]) - sum_b[c] / n;
      aa += a * a, bb += b * b, ab += a * b;
    }
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : 0;
}

std::vector<Mark> dots(const std::vector<Sighting>& list) {
  std::vector<Mark> marks;
  const size_t step = std::max<size_t>(1, list.size() / most_marks);
  for (size_t k = 0; k < list.size(); k += step)
    if (list[k].projected) marks.push_back({list[k].x, list[k].y, list[k].x, list[k].y});
  return marks;
}

struct Suspect {
  size_t image = 0;
  double own = 0, turned = -1, other = -1;
  int turns = 0;      ///< quarter turns clockwise that fit best
  size_t better = 0;  ///< the photo that fits best
};

Suspect look_closer(const Evidence& evidence, size_t image, double own, int least_points) {
  Suspect suspect;
  suspect.image = image;
  suspect.own = own;
  for (int turns = 1; turns < 4; ++turns) {
    const double r = correlation(evidence, image, quarter_turned(evidence.photos[image].small, turns), least_points);
    if (r > suspect.turned) suspect.turned = r, suspect.turns = turns;
  }
  // All photos, or those that are nearest in capture order.
  const size_t count = evidence.images(), reach = most_candidates / 2;
  const size_t first = image > reach ? image - reach : 0, last = std::min(count, image + reach + 1);
  for (size_t k = first; k < last; ++k) {
    if (k == image || !evidence.photos[k].decoded) continue;
    const double r = correlation(evidence, image, evidence.photos[k].small, least_points);
    if (r > suspect.other) suspect.other = r, suspect.better = k;
  }
  return suspect;
}

}  // namespace

void check_content(const Evidence& evidence, Diagnosis& diagnosis, const ContentLimits& limits) {
  if (!evidence.pixels) return;
  if (!evidence.sightings.has_color) {
    diagnosis.skipped.push_back("photos against the colours of points: the points have no colours");
    return;
  }
  ImageFigure figure{"correlation with the points' colours", "", std::vector<double>(evidence.images(), unknown)};
  const auto count = static_cast<int64_t>(evidence.images());
#pragma omp parallel for schedule(dynamic, 1)
  for (int64_t i = 0; i < count; ++i) {
    const auto image = static_cast<size_t>(i);
    if (evidence.photos[image].decoded)
      figure.value[image] = correlation(evidence, image, evidence.photos[image].small, limits.least_points);
  }
  const double usual = known_median(figure.value), spread = known_spread(figure.value);
  if (!(usual >= limits.trusted)) {
    diagnosis.skipped.push_back(
        fmt::format("photos against the colours of points: they do not agree anywhere (correlation {:.2f})", usual));
    diagnosis.figures.push_back(std::move(figure));
    return;
  }
  Finding swapped = finding("swapped_photo", Severity::severe, "",
                            "other things are fitted where this camera looks: ghosts and a blur that no step removes",
                            "exchange the files, or the names in the model, and look again");
  Finding turned =
      finding("turned_photo", Severity::severe, "",
              "the photo is fitted upside down or on its side: ghosts and blur where it looks",
              "store the photo as it was when it was aligned: EXIF orientation is not applied here, nor by COLMAP");
  Finding misfit = finding("photo_misfit", Severity::severe, "",
                           "what this photo shows is not where its camera looks: ghosts and blur there",
                           "is it the right photo? align it again, or hold it out of the fit");
  const double suspicious = std::max(limits.below, limits.low_spreads * spread);
  const bool enough =
      std::count_if(figure.value.begin(), figure.value.end(), [](double v) { return std::isfinite(v); }) >= 3;
  for (size_t i = 0; i < evidence.images() && enough; ++i) {
    const double own = figure.value[i];
    if (!std::isfinite(own) || own > usual - suspicious) continue;
    if (evidence.photos[i].deviation < TonalLimits().constant_deviation) continue;  // check_tones says it
    const Suspect suspect = look_closer(evidence, i, own, limits.least_points);
    const int image = static_cast<int>(i);
    const std::vector<Mark> marks = dots(evidence.sightings.by_image[i]);
    const auto& orientation = evidence.photos[i].exif.orientation;
    if (suspect.turned > own + limits.better && suspect.turned > limits.fits_share * usual &&
        suspect.turned >= suspect.other)
      turned.images.push_back(
          {image,
           fmt::format("fits its pose when turned by {}° ({:.2f}, as it is {:.2f}; EXIF orientation {})",
                       90 * suspect.turns, suspect.turned, own, orientation ? std::to_string(*orientation) : "absent"),
           marks});
    else if (suspect.other > own + limits.better && suspect.other > limits.fits_share * usual)
      swapped.images.push_back({image,
                                fmt::format("{} fits this pose better ({:.2f}, its own {:.2f})",
                                            evidence.name(suspect.better), suspect.other, own),
                                marks});
    else if (own < limits.misfit_share * usual)
      misfit.images.push_back({image, fmt::format("colours correlate by {:.2f}; usual are {:.2f}", own, usual), marks});
  }
  swapped.what = photos_are(swapped.images.size()) + " under another photo's pose";
  turned.what = photos_are(turned.images.size()) + " turned against the pose";
  misfit.what =
      fmt::format("{} not show what the camera would see",
                  misfit.images.size() == 1 ? "1 photo does" : fmt::format("{} photos do", misfit.images.size()));
  report_images(diagnosis, std::move(swapped));
  report_images(diagnosis, std::move(turned));
  report_images(diagnosis, std::move(misfit));
  diagnosis.figures.push_back(std::move(figure));
}

}  // namespace ptl::doctor
