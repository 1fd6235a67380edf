// Rolling shutter: a camera that moved during the readout explains where points were observed.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "doctor/checks.h"
#include "doctor/shutter_fit.h"
#include "doctor/statistics.h"

namespace ptl::doctor {

namespace {

struct PhotoReadout {
  ReadoutFit fit;
  double motion_px = unknown;
  double own_px = unknown;  ///< motion less the median one of the camera's photos
  bool is_known() const { return std::isfinite(motion_px); }
};

/// Calls f(photo, its observations) for the photos with enough of them, in parallel.
template <class F>
void for_each_observed(const Evidence& evidence, const ShutterLimits& limits, const F& f) {
  const auto count = static_cast<int64_t>(evidence.images());
#pragma omp parallel for schedule(dynamic, 1)
  for (int64_t i = 0; i < count; ++i) {
    const auto observations = moving_observations(evidence, static_cast<size_t>(i), limits.most_points);
    if (observations.size() >= limits.least_points) f(static_cast<size_t>(i), observations);
  }
}

/// The median motion of the photos of each camera, by its id; cameras of few photos have one in common.
class CommonMotion {
 public:
  CommonMotion(const Evidence& evidence, const std::vector<PhotoReadout>& photos, size_t least_photos)
      : evidence_(evidence) {
    std::map<uint32_t, size_t> known_of_camera;
    for (size_t i = 0; i < photos.size(); ++i)
      known_of_camera[evidence.scene.images[i].camera_id] += photos[i].is_known();
    std::map<int64_t, std::array<std::vector<double>, 6>> components;
    for (const auto& [camera, known] : known_of_camera) group_[camera] = known < least_photos ? few_photos : camera;
    for (size_t i = 0; i < photos.size(); ++i)
      for (size_t k = 0; k < 6 && photos[i].is_known(); ++k)
        components[group_of(i)][k].push_back(photos[i].fit.motion[k]);
    for (const auto& [group, lists] : components)
      for (size_t k = 0; k < 6; ++k) median_[group][k] = known_median(lists[k]);
  }

  ReadoutMotion own_part(size_t image, ReadoutMotion motion) const {
    const ReadoutMotion& common = median_.at(group_of(image));
    for (size_t k = 0; k < 6; ++k) motion[k] -= common[k];
    return motion;
  }

 private:
  static constexpr int64_t few_photos = -1;
  int64_t group_of(size_t image) const { return group_.at(evidence_.scene.images[image].camera_id); }

  const Evidence& evidence_;
  std::map<uint32_t, int64_t> group_;
  std::map<int64_t, ReadoutMotion> median_;
};

std::vector<PhotoReadout> read_out(const Evidence& evidence, const ShutterLimits& limits) {
  std::vector<PhotoReadout> photos(evidence.images());
  for_each_observed(evidence, limits, [&](size_t i, const std::vector<MovingObservation>& observations) {
    const CameraParams<double>& camera = evidence.scene.camera_of(evidence.scene.images[i]).params;
    photos[i].fit = fit_readout(observations, limits.prior_share * std::max(camera.width_px, camera.height_px));
    photos[i].motion_px = motion_length_px(observations, photos[i].fit.motion);
  });
  const CommonMotion common(evidence, photos, limits.least_photos);
  for_each_observed(evidence, limits, [&](size_t i, const std::vector<MovingObservation>& observations) {
    if (photos[i].is_known())
      photos[i].own_px = motion_length_px(observations, common.own_part(i, photos[i].fit.motion));
  });
  return photos;
}

}  // namespace

void check_shutter(const Evidence& evidence, Diagnosis& diagnosis, const ShutterLimits& limits) {
  if (!evidence.sightings.tracked) {
    diagnosis.skipped.push_back("rolling shutter: the scene has no tracks, which say where points were observed");
    return;
  }
  const std::vector<PhotoReadout> photos = read_out(evidence, limits);
  ImageFigure motion{"motion during the readout", "px", {}}, gain{"residuals explained by it", "", {}},
      column_gain{"residuals explained by one along columns", "", {}};
  std::vector<double> left_by_rows;  // as a share of what is left by a readout along columns
  std::vector<size_t> moved;
  double rows_better = 0;
  for (size_t i = 0; i < photos.size(); ++i) {
    const PhotoReadout& photo = photos[i];
    motion.value.push_back(photo.motion_px);
    gain.value.push_back(photo.is_known() ? photo.fit.gain : unknown);
    column_gain.value.push_back(photo.is_known() ? photo.fit.column_gain : unknown);
    if (!photo.is_known()) continue;
    left_by_rows.push_back((1 - photo.fit.gain) / (1 - photo.fit.column_gain));
    rows_better += left_by_rows.back() < 1;
    if (photo.fit.gain > limits.gain && photo.motion_px > limits.note_px &&
        photo.own_px > limits.own_share * photo.motion_px)
      moved.push_back(i);
  }
  diagnosis.figures.push_back(std::move(motion));
  diagnosis.figures.push_back(std::move(gain));
  diagnosis.figures.push_back(std::move(column_gain));
  const auto known = static_cast<double>(left_by_rows.size());
  if (left_by_rows.size() < limits.least_photos || static_cast<double>(moved.size()) < limits.moved_share * known ||
      rows_better < limits.rows_better * known || !(known_median(left_by_rows) < limits.left_by_rows))
    return;
  std::stable_sort(moved.begin(), moved.end(),
                   [&](size_t a, size_t b) { return photos[a].motion_px > photos[b].motion_px; });
  const double usual_px = photos[moved[moved.size() / 2]].motion_px;
  Finding rolling =
      finding("rolling_shutter", usual_px < limits.harmful_px ? Severity::note : Severity::harmful,
              fmt::format("the camera moved while photos were read out row by row (rolling shutter): {} of {} "
                          "photos, by {:.1f} px in the median one",
                          moved.size(), left_by_rows.size(), usual_px),
              "uprights lean or bend; edges are doubled or soft towards the upper and the lower border",
              "fit with --fit rolling_shutter, which finds the motion of each photo");
  for (const size_t i : moved)
    rolling.images.push_back(
        {static_cast<int>(i),
         fmt::format("{:.1f} px from the first row to the last, which explains {:.0f} % of the squared residuals",
                     photos[i].motion_px, 100 * photos[i].fit.gain),
         {}});
  diagnosis.findings.push_back(std::move(rolling));
}

}  // namespace ptl::doctor
