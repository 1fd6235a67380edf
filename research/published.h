// Figures from publications, from a file, each with where it stands and how it was measured.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "renderer/eval_result.h"

namespace ptl::research {

struct PublishedFigure {
  std::string method;
  std::string scene;   ///< the plan's name of it
  std::string source;  ///< publication, table
  EvalProtocol protocol;
  std::optional<std::array<int, 2>> size_px;  ///< of the pictures as scored
  std::optional<double> psnr_db, ssim, lpips;
};

/// [[figure]] tables: method, scene, source, border, exposure, pose, split (all required), size = [w, h], psnr, ssim,
/// lpips. Throws InputError that names file, line and key.
std::vector<PublishedFigure> read_published(const std::filesystem::path& file);
std::vector<PublishedFigure> parse_published(const std::string& text, const std::string& file);

}  // namespace ptl::research
