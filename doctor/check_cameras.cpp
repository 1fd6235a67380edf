// Calibrations against photos and EXIF.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "doctor/checks.h"
#include "kernels/camera.h"

namespace ptl::doctor {

namespace {

void check_sizes(const Evidence& evidence, Diagnosis& diagnosis, const CameraLimits& limits) {
  Finding scaled =
      finding("photo_size", Severity::severe, "",
              "a fit is refused; with the wrong calibration everything would be drawn too large or too small",
              "use the photos that the cameras were calibrated with, or scale the calibration: reduced photos "
              "belong into a folder like images_2");
  Finding reshaped = finding("photo_aspect", Severity::severe, "",
                             "a fit is refused; things would be drawn stretched, or turned by a quarter",
                             "use the photos that the cameras were calibrated with; were they cropped or turned?");
  for (size_t i = 0; i < evidence.images(); ++i) {
    const PhotoLook& photo = evidence.photos[i];
    const SceneCamera& camera = evidence.scene.camera_of(evidence.scene.images[i]);
    if (photo.width_px == 0 || (photo.width_px == camera.stored_width_px && photo.height_px == camera.stored_height_px))
      continue;
    const double x = static_cast<double>(photo.width_px) / camera.stored_width_px;
    const double y = static_cast<double>(photo.height_px) / camera.stored_height_px;
    const double rounding = 1.0 / std::min(photo.width_px, photo.height_px);
    const bool one_scale = std::abs(x / y - 1) < limits.aspect + rounding;
    (one_scale ? scaled : reshaped)
        .images.push_back({static_cast<int>(i),
                           fmt::format("photo {} × {}, camera {} × {} px: {:.3f} in x, {:.3f} in y", photo.width_px,
                                       photo.height_px, camera.stored_width_px, camera.stored_height_px, x, y),
                           {}});
  }
  scaled.what = photos_have(scaled.images.size()) +
                " another size than the camera, at the same aspect: resized after calibration";
  reshaped.what = photos_have(reshaped.images.size()) + " another aspect than the camera";
  report_images(diagnosis, std::move(scaled));
  report_images(diagnosis, std::move(reshaped));
}

void check_focal_lengths(const Evidence& evidence, Diagnosis& diagnosis, const CameraLimits& limits) {
  constexpr double film_diagonal_mm = 43.2666;
  Finding off = finding("focal_length", Severity::note, "",
                        "depth and parallax are wrong where the calibration is; nothing where the EXIF is",
                        "calibrate again from the photos as they are; were they cropped or resized?");
  ImageFigure ratio{"focal length over EXIF's", "", std::vector<double>(evidence.images(), NAN)};
  bool any = false;
  for (size_t i = 0; i < evidence.images(); ++i) {
    const auto& film_mm = evidence.photos[i].exif.focal_length_35mm_mm;
    if (!film_mm) continue;
    any = true;
    const CameraParams<double>& camera = evidence.scene.camera_of(evidence.scene.images[i]).params;
    const double expected_px = *film_mm / film_diagonal_mm * std::hypot(camera.width_px, camera.height_px);
    ratio.value[i] = focal_length_px(camera) / expected_px;
    const double factor = std::max(ratio.value[i], 1 / ratio.value[i]);
    if (factor < limits.focal_note) continue;
    if (factor > limits.focal_harmful) off.severity = Severity::harmful;
    off.images.push_back({static_cast<int>(i),
                          fmt::format("{:.0f} px, by EXIF's {:.0f} mm about {:.0f} px: {:.2f} times",
                                      focal_length_px(camera), *film_mm, expected_px, ratio.value[i]),
                          {}});
  }
  if (any)
    diagnosis.figures.push_back(std::move(ratio));
  else
    diagnosis.skipped.push_back("focal lengths against EXIF: no photo says its focal length as on 35 mm film");
  off.what = photos_have(off.images.size()) + " another focal length than EXIF says";
  report_images(diagnosis, std::move(off));
}

void check_kinds(const Evidence& evidence, Diagnosis& diagnosis, const CameraLimits& limits) {
  std::map<uint32_t, int> uses;
  double least = INFINITY, most = 0;
  for (const SceneImage& image : evidence.scene.images) {
    ++uses[image.camera_id];
    const SceneCamera& camera = evidence.scene.camera_of(image);
    const double pixels = static_cast<double>(camera.stored_width_px) * camera.stored_height_px;
    least = std::min(least, pixels), most = std::max(most, pixels);
  }
  if (most > limits.size_ratio * least)
    diagnosis.findings.push_back(
        finding("mixed_sizes", Severity::note,
                fmt::format("photos of very different sizes: {:.1f} to {:.1f} megapixels", least / 1e6, most / 1e6),
                "large photos ask for finer points than small ones can say; the model is sharp in some places only",
                "bring them to about one size, with --max-size"));
  const auto single = std::count_if(uses.begin(), uses.end(), [](const auto& use) { return use.second == 1; });
  if (single > 1 && 2 * static_cast<size_t>(single) > evidence.images())
    diagnosis.findings.push_back(
        finding("camera_per_image", Severity::note,
                fmt::format("{} of {} images have a camera of their own", single, evidence.images()),
                "calibrations from one photo each are less exact: fine texture is a little blurred",
                "calibrate photos of one camera together (COLMAP: --ImageReader.single_camera 1)"));
  Finding centre =
      finding("principal_point", Severity::note, "", "none where photos were cropped on purpose; otherwise things lean",
              "calibrate again, or fix the principal point in the middle");
  for (size_t i = 0; i < evidence.images(); ++i) {
    const CameraParams<double>& camera = evidence.scene.camera_of(evidence.scene.images[i]).params;
    const double longest = std::max(camera.width_px, camera.height_px);
    const double x = camera.value[PinholeModel::cx] - 0.5 * camera.width_px,
                 y = camera.value[PinholeModel::cy] - 0.5 * camera.height_px;
    if (std::hypot(x, y) > limits.centre_off * longest)
      centre.images.push_back({static_cast<int>(i), fmt::format("{:.0f}, {:.0f} px from the middle", x, y), {}});
  }
  centre.what = photos_have(centre.images.size()) + " a principal point far from the middle";
  report_images(diagnosis, std::move(centre));
}

}  // namespace

void check_cameras(const Evidence& evidence, Diagnosis& diagnosis, const CameraLimits& limits) {
  check_sizes(evidence, diagnosis, limits);
  check_focal_lengths(evidence, diagnosis, limits);
  check_kinds(evidence, diagnosis, limits);
}

}  // namespace ptl::doctor
