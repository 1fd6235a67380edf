// Sparse points against where they were observed: poses and calibrations that disagree with their own model.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "doctor/checks.h"
#include "doctor/statistics.h"
#include "kernels/camera.h"

namespace ptl::doctor {

namespace {

constexpr size_t most_marks = 60;

struct Residuals {
  double median_px = unknown;     ///< in pixels of the stored photo
  double median_share = unknown;  ///< of its longer side
  double behind_share = 0;
  double magnification = unknown;  ///< median of observed over projected distance from the middle
};

Residuals residuals_of(const Evidence& evidence, size_t image) {
  const SceneCamera& camera = evidence.scene.camera_of(evidence.scene.images[image]);
  const double width = camera.stored_width_px, height = camera.stored_height_px;
  const double cx = camera.params.value[PinholeModel::cx] / camera.params.width_px;
  const double cy = camera.params.value[PinholeModel::cy] / camera.params.height_px;
  std::vector<double> errors, ratios;
  double behind = 0;
  const auto& list = evidence.sightings.by_image[image];
  for (const Sighting& s : list) {
    if (!s.projected) {
      ++behind;
      continue;
    }
    const double x = static_cast<double>(s.x), y = static_cast<double>(s.y);
    const double seen_x = static_cast<double>(s.seen_x), seen_y = static_cast<double>(s.seen_y);
    errors.push_back(std::hypot((x - seen_x) * width, (y - seen_y) * height));
    const double px = (x - cx) * width, py = (y - cy) * height;
    const double squared = px * px + py * py;
    if (squared > 0.01 * width * height)
      ratios.push_back(((seen_x - cx) * width * px + (seen_y - cy) * height * py) / squared);
  }
  Residuals result;
  if (!list.empty()) result.behind_share = behind / static_cast<double>(list.size());
  if (errors.size() >= 5) result.median_px = known_median(errors);
  result.median_share = result.median_px / std::max(width, height);
  if (ratios.size() >= 20) result.magnification = known_median(ratios);
  return result;
}

std::vector<Mark> arrows(const std::vector<Sighting>& list) {
  std::vector<Mark> marks;
  const size_t step = std::max<size_t>(1, list.size() / most_marks);
  for (size_t k = 0; k < list.size(); k += step)
    if (list[k].projected) marks.push_back({list[k].seen_x, list[k].seen_y, list[k].x, list[k].y});
  return marks;
}

void check_residuals(const Evidence& evidence, Diagnosis& diagnosis, const ObservationLimits& limits) {
  if (!evidence.sightings.tracked) {
    diagnosis.skipped.push_back(
        "poses against their sparse points: the scene has no tracks, which say where points were observed");
    return;
  }
  std::vector<Residuals> all;
  ImageFigure error{"reprojection error", "px", {}};
  std::vector<double> shares, magnifications;
  for (size_t i = 0; i < evidence.images(); ++i) {
    all.push_back(residuals_of(evidence, i));
    error.value.push_back(all.back().median_px);
    shares.push_back(all.back().median_share);
    magnifications.push_back(all.back().magnification);
  }
  const double usual = known_median(shares);
  Finding bad = finding("pose_disagrees", Severity::harmful, "",
                        "this photo's view is drawn beside itself: double contours and blur where it looks",
                        "align these photos again, or hold them out of the fit (--split FILE)");
  for (size_t i = 0; i < evidence.images(); ++i) {
    const Residuals& r = all[i];
    const bool behind = r.behind_share > limits.behind_share;
    const bool off = r.median_px > limits.least_px && r.median_share > limits.least_share &&
                     r.median_share > limits.worse_than_median * usual;
    if (!behind && !off) continue;
    if (behind || r.median_share > limits.severe_share) bad.severity = Severity::severe;
    std::string detail = std::isfinite(r.median_px)
                             ? fmt::format("points lie {:.1f} px beside where they were observed; usual are {:.2f}",
                                           r.median_px, known_median(error.value))
                             : "";
    if (behind)
      detail += fmt::format("{}{:.0f} % of its points lie behind it", detail.empty() ? "" : "; ", 100 * r.behind_share);
    bad.images.push_back({static_cast<int>(i), detail, arrows(evidence.sightings.by_image[i])});
  }
  bad.what = fmt::format("{} image{} by pose or calibration not where the sparse points say", bad.images.size(),
                         bad.images.size() == 1 ? " is" : "s are");
  report_images(diagnosis, std::move(bad));
  if (usual > limits.whole_share && known_median(error.value) > limits.whole_px) {
    Finding whole =
        finding("all_disagree", Severity::severe,
                fmt::format("the whole model disagrees with its points: {:.1f} px in the median image",
                            known_median(error.value)),
                "everything is blurred: no view is drawn where its photo has it",
                "export model and photos again from one reconstruction; was the calibration changed or scaled?");
    const double scale = known_median(magnifications);
    if (std::isfinite(scale) && std::abs(scale - 1) > 0.01)
      whole.where = fmt::format(
          "points were observed {:.3f} times as far from the middle as the cameras say: focal lengths "
          "look wrong by about that factor",
          scale);
    for (size_t i = 0; i < evidence.images(); ++i)
      if (shares[i] > limits.whole_share)
        whole.images.push_back(
            {static_cast<int>(i), fmt::format("{:.1f} px", all[i].median_px), arrows(evidence.sightings.by_image[i])});
    diagnosis.findings.push_back(std::move(whole));
  }
  diagnosis.figures.push_back(std::move(error));
}

void check_counts(const Evidence& evidence, Diagnosis& diagnosis, const ObservationLimits& limits) {
  ImageFigure seen{evidence.sightings.tracked ? "observed points" : "points in view", "", {}};
  for (const auto& list : evidence.sightings.by_image) seen.value.push_back(static_cast<double>(list.size()));
  const double usual = known_median(seen.value);
  Finding few = finding("few_points", Severity::harmful, "",
                        "the pose of this photo is a guess, and there is little to draw in its view: holes and fog",
                        "add photos between this one and the others, or hold it out of the fit");
  for (size_t i = 0; i < evidence.images(); ++i) {
    const double count = seen.value[i];
    if (count >= limits.hardly_any && (count >= limits.few_share * usual || count >= limits.few_points)) continue;
    few.images.push_back(
        {static_cast<int>(i), fmt::format("{:.0f} points; the median image has {:.0f}", count, usual), {}});
  }
  few.what = fmt::format("{} image{} few {}", few.images.size(), few.images.size() == 1 ? " has" : "s have", seen.name);
  report_images(diagnosis, std::move(few));
  diagnosis.figures.push_back(std::move(seen));
}

}  // namespace

void check_observations(const Evidence& evidence, Diagnosis& diagnosis, const ObservationLimits& limits) {
  check_residuals(evidence, diagnosis, limits);
  check_counts(evidence, diagnosis, limits);
}

}  // namespace ptl::doctor
