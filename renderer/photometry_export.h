// What a fit has found about the cameras' light, as tables and a page: with known radiance, or with EXIF that can be trusted,
// the fit is a photometric calibration.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "renderer/report.h"
#include "renderer/scene_model.h"

namespace ptl {

struct PhotometricImage {
  std::string name;
  uint32_t camera_id = 0;
  bool held_out = false;            ///< nothing was fitted: what follows is where a fit would begin (ExposureProtocol::exif)
  std::optional<double> exif_ev;    ///< nothing: EXIF did not say
  double fitted_ev = 0;             ///< on EXIF's scale, where the mean of both is the same
  double white_balance[2] = {1, 1}; ///< gains of red and blue against green
};

struct Photometry {
  std::vector<PhotometricImage> images;
  std::vector<ReportResponse> responses;  ///< one a camera
  std::vector<ReportVignette> vignettes;
  std::vector<std::array<double, 5>> vignette_parameters;  ///< a1, a2, a3, x, y (method section 6)
};
Photometry photometry_of(const SceneModel& model);

/// The parts that a report shows.
void add_to_report(const Photometry& photometry, ReportData& data);

/// images.csv, response.csv, vignette.csv and photometry.html in `folder`, which is made. InputError: it cannot be written.
void write_photometry(const SceneModel& model, const std::filesystem::path& folder);

}  // namespace ptl
