// The report of a run: one HTML page that needs nothing else. Plain structs in, text out; no torch.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "datasets/image.h"
#include "renderer/eval_result.h"

namespace ptl {

/// A line in a chart; x and y are equally long. Values that are not finite are left out.
struct ReportSeries {
  std::string name;
  std::vector<double> x;
  std::vector<double> y;
};

struct ReportChart {
  std::string title;
  std::string x_label;  ///< with its unit: "step"
  std::string y_label;  ///< with its unit: "PSNR (dB)"
  std::vector<ReportSeries> series;
  bool log_y = false;
  bool points_only = false;     ///< dots instead of lines
  bool equal_axes_line = false; ///< a dashed line y = x behind the dots
};

/// A held-out image: figures and three pictures as encoded JPEG or PNG bytes of one size (make_report_image).
struct ReportImage {
  std::string name;
  EvalScore score;
  int width_px = 0;   ///< of the pictures; 0: not known
  int height_px = 0;
  std::string photo;
  std::string rendering;
  std::string error_map;
};

/// Fitted exposure of an image against what EXIF said, both in EV.
struct ReportExposure {
  std::string name;
  std::optional<double> exif_ev;
  double fitted_ev = 0;
  bool held_out = false;
};

/// What a camera does to light: display value over radiance (samples on [0, 1]) of red, green, blue.
struct ReportResponse {
  std::string camera;
  std::array<std::vector<double>, 3> samples;
};

/// Factor by which the vignette multiplies, over the distance from its centre.
struct ReportVignette {
  std::string camera;
  std::vector<double> radius;  ///< method section 6: 1 is half of the image's height
  std::vector<double> factor;
};

/// A cloud from three sides (renderer/cloud_sides.h), as PNG bytes.
struct ReportCloud {
  std::string title;
  std::string picture;
};

using ReportTable = std::vector<std::pair<std::string, std::string>>;

struct ReportData {
  std::string title;                ///< run or scene
  std::string subtitle;             ///< one line: scene, preset, network, device
  EvalResult result;                ///< figures of all images, protocol, sizes, steps, time, settings
  ReportTable highlights;           ///< further figures for the row on top: points, layers, …
  std::vector<ReportChart> curves;  ///< loss, held-out PSNR, learning rates, …
  std::vector<ReportImage> images;  ///< those with pictures: all of result.images or some
  std::vector<ReportCloud> clouds;
  std::vector<ReportExposure> exposures;
  std::vector<ReportResponse> responses;
  std::vector<ReportVignette> vignettes;
  ReportTable versions;             ///< program, LibTorch, CPU, …
  std::vector<std::string> notes;   ///< what a reader should know
};

/// Upper end of the error map's colours: a mean absolute difference of the three channels.
inline constexpr float error_map_range = 0.25f;

/// Colour (sRGB, 0..1) of t in 0..1: the "inferno" map of matplotlib (Smith and van der Walt, CC0) by our own polynomial
/// fit of degree 6 per channel (least squares; largest error 0.012, 0.014, 0.042 in red, green, blue).
std::array<float, 3> inferno_color(float t);

/// Mean over the channels of |photo − rendering| as colours, 0..error_map_range. With a mask (one channel) the
/// difference is multiplied by it. Images of the same size, values clamped to 0..1.
Image error_map(const Image& photo, const Image& rendering, const Image* mask = nullptr);

/// Reduces both to at most `longest_side_px` (area filter) and encodes them and their error map as JPEG.
ReportImage make_report_image(const std::string& name, const EvalScore& score, const Image& photo,
                              const Image& rendering, const Image* mask = nullptr, int longest_side_px = 960,
                              int quality = 88);

std::string report_html(const ReportData& data);
/// Only its title, notes, exposures, responses and vignettes.
std::string photometry_page(const ReportData& data);
void write_report(const std::filesystem::path& path, const ReportData& data);

}  // namespace ptl
