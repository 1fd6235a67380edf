#include "renderer/photometry_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "datasets/atomic_file.h"
#include "datasets/error.h"
#include "kernels/tone.h"
#include "renderer/photometry.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

/// RFC 4180: in quotes where there is something to protect.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string image_table(const Photometry& photometry) {
  std::string text = "image,camera,held_out,exif_ev,fitted_ev,white_balance_red,white_balance_blue\n";
  for (const PhotometricImage& image : photometry.images) {
    const std::string fitted = image.held_out ? ",," : fmt::format("{:.5f},{:.5f},{:.5f}", image.fitted_ev, image.white_balance[0], image.white_balance[1]);
    text += fmt::format("{},{},{},{},{}\n", csv_field(image.name), image.camera_id, image.held_out ? 1 : 0,
                        image.exif_ev ? fmt::format("{:.5f}", *image.exif_ev) : "", fitted);
  }
  return text;
}

std::string response_table(const Photometry& photometry) {
  std::string text = "camera,exposed_radiance,red,green,blue\n";
  for (const ReportResponse& response : photometry.responses)
    for (size_t j = 0; j < response.samples[0].size(); ++j)
      text += fmt::format("{},{:.6f},{:.6f},{:.6f},{:.6f}\n", csv_field(response.camera),
                          static_cast<double>(j) / (response_samples - 1), response.samples[0][j], response.samples[1][j],
                          response.samples[2][j]);
  return text;
}

std::string vignette_table(const Photometry& photometry) {
  std::string text = "camera,a1,a2,a3,centre_x,centre_y\n";
  for (size_t c = 0; c < photometry.vignettes.size(); ++c) {
    const std::array<double, 5>& p = photometry.vignette_parameters[c];
    text += fmt::format("{},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f}\n", csv_field(photometry.vignettes[c].camera), p[0], p[1], p[2],
                        p[3], p[4]);
  }
  return text;
}

}  // namespace

Photometry photometry_of(const SceneModel& model) {
  Photometry result;
  for (size_t i = 0; i < model.images.size(); ++i) {
    const ModelImage& image = model.images[i];
    const PhotometricSetting setting = photometric_setting(model, static_cast<int64_t>(i), ExposureProtocol::exif);
    PhotometricImage row;
    row.name = image.name;
    row.camera_id = model.cameras[static_cast<size_t>(image.camera)].id;
    row.held_out = image.held_out;
    row.exif_ev = image.exif_ev;
    row.fitted_ev = setting.exposure_ev + model.mean_exposure_ev - model.radiance_ev;
    std::copy_n(setting.white_balance, 2, row.white_balance);
    result.images.push_back(std::move(row));
  }
  for (size_t c = 0; c < model.cameras.size(); ++c) {
    const std::string name = fmt::format("camera {}", model.cameras[c].id);
    const torch::Tensor response = model.tone->response.detach()[static_cast<int64_t>(c)].contiguous();
    const torch::Tensor vignette = model.tone->vignette.detach()[static_cast<int64_t>(c)].contiguous();
    ReportResponse curve{name, {}};
    for (int channel = 0; channel < 3; ++channel)
      for (int j = 0; j < response_samples; ++j)
        curve.samples[static_cast<size_t>(channel)].push_back(
            response.const_data_ptr<float>()[channel * response_samples + j]);
    result.responses.push_back(std::move(curve));
    double parameters[5];
    std::copy_n(vignette.const_data_ptr<float>(), 5, parameters);
    ReportVignette falloff{name, {}, {}};
    for (int i = 0; i <= 50; ++i) {
      const double radius = 0.04 * i;
      falloff.radius.push_back(radius);
      falloff.factor.push_back(vignette_factor(parameters, Vec2<double>(parameters[3] + radius, parameters[4])));
    }
    result.vignettes.push_back(std::move(falloff));
    result.vignette_parameters.push_back(std::to_array(parameters));
  }
  return result;
}

void add_to_report(const Photometry& photometry, ReportData& data) {
  for (const PhotometricImage& image : photometry.images)
    data.exposures.push_back({image.name, image.exif_ev, image.fitted_ev, image.held_out});
  data.responses = photometry.responses;
  data.vignettes = photometry.vignettes;
}

void write_photometry(const SceneModel& model, const fs::path& folder) {
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem) throw InputError("{}: cannot make this folder: {}", folder.string(), problem.message());
  const Photometry photometry = photometry_of(model);
  write_file_atomically(folder / "images.csv", image_table(photometry));
  write_file_atomically(folder / "response.csv", response_table(photometry));
  write_file_atomically(folder / "vignette.csv", vignette_table(photometry));
  ReportData data;
  data.title = model.scene_name + ": light and cameras";
  data.notes = {"images.csv: exposure (EV at ISO 100) by EXIF and as fitted, on one scale; gains of red and blue against green. Of held-out "
                "photos nothing is fitted.",
                "response.csv: display value (0..1) over radiance after exposure, white balance and vignette.",
                "vignette.csv: factor 1 + a1 r² + a2 r⁴ + a3 r⁶, r from the centre in half image heights."};
  add_to_report(photometry, data);
  write_file_atomically(folder / "photometry.html", photometry_page(data));
}

}  // namespace ptl
