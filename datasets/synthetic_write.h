// A synthetic capture as a folder: images/*.jpg (or .exr), sparse/0/*.bin, points.ply, truth/*.exr, truth.json.
#pragma once

#include <filesystem>
#include <optional>

#include "datasets/synthetic_capture.h"

namespace ptl {

/// The EXIF fields of a photo that was taken at `ev`: f/4, ISO 100, the time to match.
double exposure_time_s(double ev);
inline constexpr double synthetic_f_number = 4;
inline constexpr double synthetic_iso = 100;
inline constexpr double synthetic_first_photo_s = 1767258000;  ///< since 1970: 2026-01-01 09:00
inline constexpr double synthetic_photo_interval_s = 2;

/// Makes the capture and writes it to `folder`. Everything is written beside it under a temporary name and renamed in
/// the end. Throws InputError when `folder` is there with contents that are not an older synthetic scene (which is
/// replaced), or when it cannot be written.
void write_synthetic_scene(const SyntheticOptions& options, const std::filesystem::path& folder,
                           const SyntheticProgress& progress = {});

/// The options that a synthetic scene was made by, as far as they decide what photos of the place show; nothing where the folder holds
/// no synthetic scene. InputError for a damaged truth.json.
std::optional<SyntheticOptions> read_synthetic_options(const std::filesystem::path& folder);

/// The name of a photo: photo_0000.jpg, …; OpenEXR photos end in .exr.
std::string synthetic_photo_name(int image);

}  // namespace ptl
