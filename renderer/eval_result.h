// The outcome of an evaluation as a plain struct, and as the JSON that `eval --json` prints and `compare` reads.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ptl {

/// The four words that say how figures came about (method section 7).
struct EvalProtocol {
  std::string border = "full";    ///< full, adop_border
  std::string exposure = "exif";  ///< exif, interpolated, fitted
  std::string pose = "given";     ///< given, aligned, refined
  std::string split = "every8";   ///< every8, none, or the name of an index file
  std::string values = "display"; ///< what is compared: display; of HDR photos their logarithm (datasets/hdr_photo.h: describe)
  bool operator==(const EvalProtocol&) const = default;
};

struct EvalScore {
  double psnr_db = 0;  ///< infinite for equal images
  double ssim = 0;
  std::optional<double> lpips;  ///< nothing without LPIPS weights: "n/a"
};

struct EvalImage {
  std::string name;
  EvalScore score;
};

/// How much pictures change from frame to frame where the place does not (renderer/flicker.h). 0 to 255.
struct FlickerScore {
  double levels = 0;                   ///< mean over pixels of the difference from the frame before, moved by depth
  std::optional<double> truth_levels;  ///< the same of true pictures, on synthetic scenes
  double compared = 0;                 ///< share of the pixels: what both frames show, at a known depth
  int pairs = 0;                       ///< of frames
  std::string path;                    ///< the path's file; empty: short walks from held-out photos
};

struct EvalResult {
  std::string run;                              ///< the run's folder or name
  std::string scene;                            ///< the scene's name (the last part of its folder)
  EvalProtocol protocol;
  std::vector<std::array<int, 2>> sizes_px;     ///< (width, height) of the images as scored, each size once
  std::vector<EvalImage> images;
  EvalScore mean;                               ///< mean over images of each image's figure
  long long cloud_held_out = 0;                 ///< held-out photos that the cloud was made from: figures flatter then
  std::vector<double> coverage;                 ///< by layer: share of the held-out photos' pixels with a point; may be empty
  std::optional<FlickerScore> flicker;          ///< where it was asked for
  long long points = 0;                         ///< of the model; 0: not known
  long long steps = 0;
  double seconds = 0;                           ///< time of the fit
  std::map<std::string, std::string> settings;  ///< flat: "group.key" → value as text
};

/// {run, scene, protocol: {border, exposure, pose, split, values (HDR only)}, size: [[w, h], …], images: [{name, psnr, ssim, lpips}],
/// mean: {psnr, ssim, lpips}, cloud_held_out, coverage: [layer 0, …], flicker:
/// {levels, truth_levels, compared, pairs, path}, points, steps, seconds, settings: {…}}. An infinite PSNR is the
/// string "inf", no LPIPS is null.
std::string eval_result_to_json(const EvalResult& result);

/// The inverse. Throws InputError that names `source` and the key for text that is not JSON, for a key that is missing
/// or has another type, and for figures that are NaN. Numbers and truth values in settings become text.
EvalResult eval_result_from_json(std::string_view json, const std::string& source);

void write_eval_result(const std::filesystem::path& path, const EvalResult& result);
EvalResult read_eval_result(const std::filesystem::path& path);

}  // namespace ptl
