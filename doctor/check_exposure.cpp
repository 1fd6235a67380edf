// Brightness of the points that photos share, against EXIF and against the photos before and after.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "doctor/checks.h"
#include "doctor/statistics.h"

namespace ptl::doctor {

namespace {

double linear(float encoded) {
  const double v = static_cast<double>(encoded) / 255;
  return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
}

/// log2 of the luminance at a sighting; NaN where it is clipped or nearly black.
double log_luminance(const PhotoLook& photo, const Sighting& s, const std::optional<LogRange>& hdr) {
  std::array<float, 3> color;
  if (!photo.decoded || !photo.color_at(s.seen_x, s.seen_y, color)) return unknown;
  if (std::max({color[0], color[1], color[2]}) > 248 || std::max({color[0], color[1], color[2]}) < 8) return unknown;
  const auto radiance = [&](float value) { return hdr ? double{radiance_of_value(value / 255, *hdr)} : linear(value); };
  return std::log2(0.2126 * radiance(color[0]) + 0.7152 * radiance(color[1]) + 0.0722 * radiance(color[2]));
}

/// How much brighter each photo shows its points than the median photo of the same points, in stops; with `add`, after
/// that was added to each photo's own. NaN: unknown.
std::vector<double> brightness_offsets(const Evidence& evidence, const std::vector<double>& add, int least_points) {
  const Sightings& sightings = evidence.sightings;
  std::vector<std::vector<double>> value(evidence.images());
  for (size_t i = 0; i < evidence.images(); ++i)
    for (const Sighting& s : sightings.by_image[i]) value[i].push_back(log_luminance(evidence.photos[i], s, evidence.scene.photo_range) + add[i]);
  std::vector<std::vector<double>> relative(evidence.images());
  std::vector<double> of_point;
  for (const auto& seers : sightings.by_point) {
    if (seers.size() < 3) continue;
    of_point.clear();
    for (const auto& seer : seers) of_point.push_back(value[static_cast<size_t>(seer.image)][seer.index]);
    const double middle = known_median(of_point);
    for (const auto& seer : seers) {
      const double own = value[static_cast<size_t>(seer.image)][seer.index];
      if (std::isfinite(own)) relative[static_cast<size_t>(seer.image)].push_back(own - middle);
    }
  }
  std::vector<double> offsets;
  for (const auto& list : relative)
    offsets.push_back(list.size() < static_cast<size_t>(least_points) ? unknown : known_median(list));
  return offsets;
}

/// By time where every photo has one, else by name: "capture order".
std::vector<size_t> capture_order(const Scene& scene) {
  std::vector<size_t> order(scene.images.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (std::all_of(scene.images.begin(), scene.images.end(),
                  [](const SceneImage& i) { return i.capture_time_s.has_value(); }))
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return *scene.images[a].capture_time_s < *scene.images[b].capture_time_s;
    });
  return order;
}

void check_missing(const Evidence& evidence, Diagnosis& diagnosis) {
  Finding missing =
      finding("exif_missing", Severity::note, "",
              "these photos start with the mean exposure of the others; brightness flickers until it is fitted",
              "use the files as the camera wrote them; editors and messengers drop EXIF");
  for (size_t i = 0; i < evidence.images(); ++i)
    if (evidence.photos[i].there && !evidence.scene.images[i].exposure_ev)
      missing.images.push_back({static_cast<int>(i), "no exposure in EXIF", {}});
  if (evidence.scene.photo_range) return;  // OpenEXR has none, and needs none
  if (missing.images.size() >= evidence.images()) {
    diagnosis.findings.push_back(
        finding("no_exif", Severity::note, "no photo has EXIF exposure", "all photos start with the same exposure",
                "nothing to do where the exposure was locked; else use the files as the camera wrote them"));
    return;
  }
  missing.what = fmt::format("{} of {} photos have no EXIF exposure", missing.images.size(), evidence.images());
  report_images(diagnosis, std::move(missing));
}

void check_contradictions(const std::vector<double>& sums, Diagnosis& diagnosis, const ExposureLimits& limits) {
  Finding against =
      finding("exif_contradiction", Severity::harmful, "",
              "the photo starts too bright or too dark: flicker, and fog where it is not corrected",
              "was the photo edited, or its EXIF copied from another? use the file as the camera wrote it");
  for (size_t i = 0; i < sums.size(); ++i)
    if (std::abs(sums[i]) > limits.contradiction_stops)
      against.images.push_back(
          {static_cast<int>(i),
           fmt::format("{:.1f} stops {} than its EXIF says", std::abs(sums[i]), sums[i] > 0 ? "brighter" : "darker"),
           {}});
  against.what = photos_are(against.images.size()) + " not as bright as EXIF says";
  report_images(diagnosis, std::move(against));
}

void check_jumps(const Evidence& evidence, const std::vector<double>& offsets, Diagnosis& diagnosis,
                 const ExposureLimits& limits) {
  std::vector<double> ev;
  for (const SceneImage& image : evidence.scene.images) ev.push_back(image.exposure_ev.value_or(unknown));
  const double range = known_quantile(ev, 1) - known_quantile(ev, 0);
  const bool constant = !(range > limits.constant_stops);
  Finding jump =
      finding("exposure_jump", Severity::harmful, "",
              "brightness flickers between these views until the exposures are fitted; fog where they are not",
              "use files with EXIF exposure, lock the exposure, or develop all photos alike");
  const std::vector<size_t> order = capture_order(evidence.scene);
  for (size_t k = 0; k < order.size(); ++k) {
    const size_t i = order[k];
    if (!std::isfinite(offsets[i]) || (!constant && std::isfinite(ev[i]))) continue;
    const double before = k > 0 ? offsets[i] - offsets[order[k - 1]] : unknown;
    const double after = k + 1 < order.size() ? offsets[i] - offsets[order[k + 1]] : unknown;
    const bool from_before = std::abs(before) > limits.jump_stops, from_after = std::abs(after) > limits.jump_stops;
    // One photo out of line is named alone; a lasting change is named at its first photo.
    const bool alone = from_before && from_after && before * after > 0;
    const bool lasting = k >= 2 && from_before && !from_after && std::isfinite(after) &&
                         !(std::abs(offsets[order[k - 1]] - offsets[order[k - 2]]) > limits.jump_stops);
    const bool at_end = (from_before && std::isnan(after)) || (from_after && std::isnan(before));
    if (alone || lasting || at_end)
      jump.images.push_back({static_cast<int>(i),
                             fmt::format("{:.1f} stops {} than the photo {}", std::abs(from_before ? before : after),
                                         (from_before ? before : after) > 0 ? "brighter" : "darker",
                                         from_before ? "before: " + evidence.name(order[k - 1])
                                                     : "after: " + evidence.name(order[k + 1])),
                             {}});
  }
  jump.what = fmt::format("exposure jumps at {} photo{}, and EXIF does not say so", jump.images.size(),
                          jump.images.size() == 1 ? "" : "s");
  report_images(diagnosis, std::move(jump));
}

}  // namespace

void check_exposure(const Evidence& evidence, Diagnosis& diagnosis, const ExposureLimits& limits) {
  check_missing(evidence, diagnosis);
  if (!evidence.pixels) return;
  std::vector<double> ev;
  for (const SceneImage& image : evidence.scene.images) ev.push_back(image.exposure_ev.value_or(unknown));
  ImageFigure offsets{"brightness against the other photos", "stops",
                      brightness_offsets(evidence, std::vector<double>(evidence.images(), 0), limits.least_points)};
  ImageFigure sums{"brightness against EXIF", "stops", brightness_offsets(evidence, ev, limits.least_points)};
  check_contradictions(sums.value, diagnosis, limits);
  check_jumps(evidence, offsets.value, diagnosis, limits);
  diagnosis.figures.push_back(std::move(offsets));
  if (!known(sums.value).empty()) diagnosis.figures.push_back(std::move(sums));
}

}  // namespace ptl::doctor
