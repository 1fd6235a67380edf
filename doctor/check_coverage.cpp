// How the cloud covers the photos, and whether single precision is enough for it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "datasets/error.h"
#include "datasets/prepare.h"
#include "datasets/scene_info.h"
#include "doctor/checks.h"
#include "doctor/statistics.h"
#include "kernels/camera.h"

namespace ptl::doctor {

namespace {

struct View {
  double points = 0;   ///< of the cloud, in view
  double covered = 0;  ///< share of the photo's pixels (at the used size) with a point: the finest layer
  double cells = 0;    ///< share of coarse cells with a point
  double median_depth = unknown, nearest = unknown;
  double near_share = 0;  ///< of the points, nearer than limits.near_share of the median depth
};

/// Of every step-th point, counted step times.
View view_of(const Scene& scene, const SceneImage& image, size_t step, const CoverageLimits& limits) {
  const CameraParams<double>& camera = scene.camera_of(image).params;
  const int longest = std::max(camera.width_px, camera.height_px);
  const int columns = std::max(1, limits.cells * camera.width_px / longest),
            rows = std::max(1, limits.cells * camera.height_px / longest);
  std::vector<bool> pixel(static_cast<size_t>(camera.width_px) * static_cast<size_t>(camera.height_px));
  std::vector<bool> cell(static_cast<size_t>(columns * rows));
  std::vector<double> depths;
  for (size_t i = 0; i < scene.cloud.size(); i += step) {
    const Projection<double> p = project(camera, image.camera_from_world * Vec3<double>(scene.cloud.position[i]));
    if (!p.valid || !(p.x_px >= 0 && p.y_px >= 0 && p.x_px < camera.width_px && p.y_px < camera.height_px)) continue;
    const auto x = static_cast<size_t>(p.x_px), y = static_cast<size_t>(p.y_px);
    pixel[y * static_cast<size_t>(camera.width_px) + x] = true;
    cell[y * static_cast<size_t>(rows) / static_cast<size_t>(camera.height_px) * static_cast<size_t>(columns) +
         x * static_cast<size_t>(columns) / static_cast<size_t>(camera.width_px)] = true;
    depths.push_back(p.depth_m);
  }
  const auto share = [](const std::vector<bool>& set) {
    return static_cast<double>(std::count(set.begin(), set.end(), true)) / static_cast<double>(set.size());
  };
  View view{
      static_cast<double>(step * depths.size()), step == 1 ? share(pixel) : unknown, share(cell), unknown, unknown, 0};
  if (depths.empty()) return view;
  view.median_depth = known_median(depths);
  view.nearest = *std::min_element(depths.begin(), depths.end());
  view.near_share =
      static_cast<double>(std::count_if(depths.begin(), depths.end(),
                                        [&](double depth) { return depth < limits.near_share * view.median_depth; })) /
      static_cast<double>(depths.size());
  return view;
}

void check_counts(const Evidence& evidence, const std::vector<View>& views, Diagnosis& diagnosis,
                  const CoverageLimits& limits) {
  ImageFigure points{"points of the cloud in view", "", {}}, covered{"pixels with a point", "share", {}},
      cells{"areas with points", "share", {}};
  for (const View& view : views) {
    points.value.push_back(view.points);
    covered.value.push_back(view.covered);
    cells.value.push_back(view.cells);
  }
  const double usual = known_median(points.value), usual_cells = known_median(cells.value);
  if (usual < limits.harmful_points)
    diagnosis.findings.push_back(
        finding("too_few_points", usual < limits.severe_points ? Severity::severe : Severity::harmful,
                fmt::format("the cloud has {} points, {:.0f} in the median photo's view: too few for the photos",
                            evidence.scene.cloud.size(), usual),
                "fog and smear instead of surfaces",
                "give a denser cloud with --points, or make one from the photos: densify"));
  Finding bare =
      finding("bare_photo", Severity::harmful, "", "fog where this photo looks: there is next to nothing to draw",
              "make points there (densify), mask what has none, or hold the photo out");
  for (size_t i = 0; i < views.size(); ++i)
    if (views[i].cells < limits.covered_share * usual_cells)
      bare.images.push_back({static_cast<int>(i),
                             fmt::format("points in {:.0f} % of its areas; the median photo has them in {:.0f} %",
                                         100 * views[i].cells, 100 * usual_cells),
                             {}});
  bare.what = fmt::format("{} nearly without points of the cloud", photos_are(bare.images.size()));
  report_images(diagnosis, std::move(bare));
  diagnosis.figures.push_back(std::move(points));
  diagnosis.figures.push_back(std::move(covered));
  diagnosis.figures.push_back(std::move(cells));
  try {
    const double spacing_px = point_spacing_px(evidence.scene, evidence.scene.cloud.position, evidence.split.train);
    if (spacing_px > sparse_spacing_px)
      diagnosis.findings.push_back(
          finding("sparse_cloud", Severity::note,
                  fmt::format("the points lie about {:.0f} pixels apart in the photos: a sparse cloud", spacing_px),
                  "alone it would give soft pictures",
                  "nothing to do: a fit makes dense points from the photos first (--no-densify keeps these)"));
  } catch (const InputError& error) {
    Finding none =
        finding("no_point_in_view", Severity::severe, "no photo shows any point of the cloud", "nothing can be drawn",
                "are cloud and poses in one frame? give the right cloud with --points");
    none.where = error.what();
    diagnosis.findings.push_back(std::move(none));
  }
}

void check_near(const Evidence& evidence, const std::vector<View>& views, Diagnosis& diagnosis,
                const CoverageLimits& limits) {
  Finding near =
      finding("near_points", Severity::note, "",
              "large specks right before the camera; a viewer's near plane may cut them and things beside them",
              "cut them off with --edits: they are noise before the lens, or the photographer");
  for (size_t i = 0; i < evidence.images(); ++i)
    if (views[i].near_share > 0)
      near.images.push_back(
          {static_cast<int>(i),
           fmt::format("{:.0f} points nearer than {:.0f} % of the median depth; the nearest at {:.3g}, "
                       "the median {:.3g} units",
                       views[i].near_share * views[i].points, 100 * limits.near_share, views[i].nearest,
                       views[i].median_depth),
           {}});
  for (const View& view : views)
    if (view.near_share > limits.near_points) near.severity = Severity::harmful;
  near.what = photos_have(near.images.size()) + " points right before the camera";
  report_images(diagnosis, std::move(near));
}

void check_precision(const Evidence& evidence, const std::vector<View>& views, Diagnosis& diagnosis,
                     const CoverageLimits& limits) {
  std::vector<double> ratios;
  double largest = 0;
  for (size_t i = 0; i < views.size(); ++i) {
    const Vec3<double>& centre = evidence.centres[i];
    const double reach = std::max({std::abs(centre.x), std::abs(centre.y), std::abs(centre.z)}) +
                         (std::isfinite(views[i].median_depth) ? views[i].median_depth : 0);
    const double rounding = reach * 5.96e-8;  // half a step of single precision
    const double pixel =
        views[i].median_depth / focal_length_px(evidence.scene.camera_of(evidence.scene.images[i]).params);
    ratios.push_back(rounding / pixel);
    largest = std::max(largest, reach);
  }
  const double worst = known_quantile(ratios, 0.9);
  if (worst > limits.rounding) {
    Finding f = finding("precision", Severity::harmful,
                        "the scene is so large against its detail that single precision moves points",
                        "points jump between pixels: a comb of stripes that no fit removes",
                        "cut the scene into parts, or remove cameras that are far away");
    f.where = fmt::format("coordinates up to {:.3g} units; they round to {:.2f} of a pixel", largest, worst);
    diagnosis.findings.push_back(std::move(f));
  }
  const double extent = scene_extent(evidence.scene.cloud.position);
  constexpr double tiny = 1e-4, huge = 1e5;
  if (extent > 0 && (extent < tiny || extent > huge))
    diagnosis.findings.push_back(finding(
        "scale", Severity::note, fmt::format("the scene is {:.3g} units large", extent),
        "none in pictures; paths and speeds of the viewer are in these units", "scale the reconstruction to metres"));
}

}  // namespace

void check_coverage(const Evidence& evidence, Diagnosis& diagnosis, const CoverageLimits& limits) {
  std::vector<View> views(evidence.images());
  const auto count = static_cast<int64_t>(views.size());
  const double projections = static_cast<double>(views.size()) * static_cast<double>(evidence.scene.cloud.size());
  const auto step = static_cast<size_t>(std::max(1.0, std::ceil(projections / limits.projections)));
#pragma omp parallel for schedule(dynamic, 1)
  for (int64_t i = 0; i < count; ++i)
    views[static_cast<size_t>(i)] =
        view_of(evidence.scene, evidence.scene.images[static_cast<size_t>(i)], step, limits);
  check_counts(evidence, views, diagnosis, limits);
  check_near(evidence, views, diagnosis, limits);
  check_precision(evidence, views, diagnosis, limits);
}

}  // namespace ptl::doctor
