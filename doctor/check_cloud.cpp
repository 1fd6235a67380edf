// The cloud alone: numbers, duplicates, isolated and far points, points that no camera sees, colours, normals.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "datasets/error.h"
#include "datasets/prepare.h"
#include "datasets/scene_info.h"
#include "doctor/checks.h"
#include "kernels/camera.h"

namespace ptl::doctor {

namespace {

constexpr size_t shown_points = 200;

void keep_some(std::vector<size_t>& points) {
  if (points.size() > shown_points) points = spread_evenly(points, shown_points);
}

std::string points_are(size_t count, size_t all) {
  return fmt::format("{} of {} points ({:.2f} %) {}", count, all,
                     100.0 * static_cast<double>(count) / static_cast<double>(all), count == 1 ? "is" : "are");
}

bool is_finite(const Vec3<float>& p) {
  return std::isfinite(p.x) && std::isfinite(p.y) && std::isfinite(p.z);
}

/// True where all are finite.
bool check_finite(const Evidence& evidence, Diagnosis& diagnosis) {
  const auto& position = evidence.scene.cloud.position;
  Finding bad = finding("not_finite", Severity::severe, "", "a fit is refused",
                        "remove points whose numbers are not finite from the cloud");
  for (size_t i = 0; i < position.size(); ++i)
    if (!is_finite(position[i])) bad.points.push_back(i);
  if (bad.points.empty()) return true;
  bad.what = points_are(bad.points.size(), position.size()) + " not a place: NaN or infinite";
  bad.where = fmt::format("the first is point {}", bad.points.front());
  keep_some(bad.points);
  diagnosis.findings.push_back(std::move(bad));
  return false;
}

void check_views(const Evidence& evidence, Diagnosis& diagnosis, const CloudLimits& limits) {
  const Scene& scene = evidence.scene;
  const auto count = static_cast<int64_t>(scene.cloud.size());
  std::vector<uint8_t> state(scene.cloud.size());  // 0: behind every camera, 1: before one, 2: in a photo's view
  std::vector<CameraParams<double>> cameras;
  for (const SceneImage& image : scene.images) cameras.push_back(scene.camera_of(image).params);
#pragma omp parallel for schedule(dynamic, 1024)
  for (int64_t p = 0; p < count; ++p) {
    const Vec3<double> point(scene.cloud.position[static_cast<size_t>(p)]);
    uint8_t& seen = state[static_cast<size_t>(p)];
    for (size_t i = 0; i < scene.images.size() && seen < 2; ++i) {
      const Vec3<double> at = scene.images[i].camera_from_world * point;
      const Projection<double> projected = project(cameras[i], at);
      if (cameras[i].model == CameraModel::pinhole ? at.z <= 0 : !projected.valid) continue;
      seen = std::max<uint8_t>(seen, 1);
      if (projected.valid && projected.x_px >= 0 && projected.y_px >= 0 && projected.x_px < cameras[i].width_px &&
          projected.y_px < cameras[i].height_px)
        seen = 2;
    }
  }
  std::vector<size_t> behind, unseen;
  for (size_t p = 0; p < state.size(); ++p)
    if (state[p] == 0)
      behind.push_back(p);
    else if (state[p] == 1)
      unseen.push_back(p);
  const auto share = [&](const std::vector<size_t>& points) {
    return static_cast<double>(points.size()) / static_cast<double>(count);
  };
  const auto report = [&](const std::vector<size_t>& points, const char* check, double note, double harmful,
                          const char* where, const char* shows, const char* cure) {
    if (!(share(points) > note)) return;
    Finding f = finding(check, share(points) > harmful ? Severity::harmful : Severity::note,
                        points_are(points.size(), state.size()) + where, shows, cure);
    f.points = points;
    keep_some(f.points);
    diagnosis.findings.push_back(std::move(f));
  };
  report(behind, "points_behind", limits.behind_note, limits.behind_harmful, " behind every camera",
         "never drawn for a photo; from elsewhere they are specks of random colour",
         "remove them from the cloud; are cloud and poses in one frame?");
  report(unseen, "points_unseen", limits.unseen_note, limits.unseen_harmful, " in no photo's view",
         "never fitted: random colours where a view shows them; they cost memory",
         "cut the cloud to what the photos show, with --edits, or add photos");
}

void check_neighbours(const Evidence& evidence, Diagnosis& diagnosis, const CloudLimits& limits) {
  const PreparedPoints prepared = prepare_points(evidence.scene, {});
  const auto all = static_cast<double>(evidence.scene.cloud.size());
  const auto duplicates = static_cast<double>(prepared.duplicates_removed);
  if (duplicates > limits.duplicates_note * all)
    diagnosis.findings.push_back(
        finding("duplicate_points", duplicates > limits.duplicates_harmful * all ? Severity::harmful : Severity::note,
                points_are(prepared.duplicates_removed, evidence.scene.cloud.size()) + " at the place of another",
                "a fit drops them by itself; the cloud is thinner than its number says",
                "were clouds merged twice, or rounded to few digits? export the cloud again"));
  PrepareOptions stricter;  // a fit's own limit lets most of many outliers pass, and never drops more than 2 %
  stricter.isolation_spread = limits.isolated_spread;
  stricter.isolation_share = 1;
  const uint64_t alone = prepare_points(evidence.scene, stricter).isolated_removed;
  if (static_cast<double>(alone) > limits.isolated_harmful * all)
    diagnosis.findings.push_back(
        finding("isolated_points", Severity::harmful,
                points_are(alone, evidence.scene.cloud.size()) +
                    fmt::format(" isolated; a fit drops only the {} most isolated", prepared.isolated_removed),
                "specks that float in the air, most of all from new places",
                "filter outliers in the program that the cloud is from, or cut them off with --edits"));
  else if (prepared.isolated_removed > 0)
    diagnosis.findings.push_back(
        finding("isolated_points", Severity::note,
                points_are(prepared.isolated_removed, evidence.scene.cloud.size()) + " isolated",
                "nothing: a fit drops them by itself", "nothing to do"));
}

void check_far_points(const Evidence& evidence, Diagnosis& diagnosis, const CloudLimits& limits) {
  const auto& position = evidence.scene.cloud.position;
  const ExtentBox box = extent_box(position);
  const Vec3<double> middle = 0.5 * (Vec3<double>(box.low) + Vec3<double>(box.high));
  const double extent = scene_extent(position);
  Finding far = finding("far_points", Severity::note, "",
                        "specks in the sky; the viewer's overview and depth pictures get coarse",
                        "cut them off with --edits, or filter outliers where the cloud is from");
  double farthest = 0;
  for (size_t i = 0; i < position.size(); ++i) {
    const double distance = glm::length(Vec3<double>(position[i]) - middle);
    if (distance <= limits.far_extents * extent) continue;
    far.points.push_back(i);
    farthest = std::max(farthest, distance);
  }
  if (far.points.empty() || !(extent > 0)) return;
  if (static_cast<double>(far.points.size()) > limits.far_share * static_cast<double>(position.size()))
    far.severity = Severity::harmful;
  far.what = fmt::format("{} farther than {:.0f} times the extent", points_are(far.points.size(), position.size()),
                         limits.far_extents);
  far.where = fmt::format("the farthest is {:.3g} units away, the extent is {:.3g}; the first is point {}", farthest,
                          extent, far.points.front());
  keep_some(far.points);
  diagnosis.findings.push_back(std::move(far));
}

void check_attributes(const Evidence& evidence, Diagnosis& diagnosis) {
  const PointCloud& cloud = evidence.scene.cloud;
  if (!colors_differ(cloud.color))
    diagnosis.findings.push_back(finding("no_colors", Severity::note, "the points have no colours: all are the same",
                                         "the fit begins grey and takes a little longer",
                                         "export the cloud with colours (red, green, blue)"));
  size_t bad = 0;
  for (const Vec3<float>& n : cloud.normal) bad += !(std::abs(glm::length(n) - 1) < 1e-3f);
  if (bad > 0)
    diagnosis.findings.push_back(finding(
        "normals", Severity::note, fmt::format("{} of {} normals are not of length 1", bad, cloud.normal.size()),
        "copies of points are scattered off the surface", "compute the normals again"));
}

}  // namespace

void check_cloud(const Evidence& evidence, Diagnosis& diagnosis, const CloudLimits& limits) {
  check_attributes(evidence, diagnosis);
  if (!check_finite(evidence, diagnosis)) return;
  check_views(evidence, diagnosis, limits);
  check_neighbours(evidence, diagnosis, limits);
  check_far_points(evidence, diagnosis, limits);
}

}  // namespace ptl::doctor
