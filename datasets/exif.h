// The part of EXIF that says how much light a photo took, and when.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace ptl {

struct ExifFields {
  std::optional<double> exposure_time_s;
  std::optional<double> f_number;
  std::optional<double> iso;
  std::optional<int> orientation;  ///< 1..8; read for people only, never applied to the pixels
  std::optional<double> focal_length_35mm_mm;  ///< as on film of 36 × 24 mm, by the picture's diagonal; for people only
  /// Seconds since 1970-01-01 00:00 on the camera's own clock (its time zone is not looked at): only good for the order
  /// of photos.
  std::optional<double> capture_time_s;
};

/// From a JPEG's APP1 block, a PNG's eXIf block or a TIFF's own directories. Values that are absent, zero, negative or not finite are left empty.
/// Exposure time and f-number are taken from their APEX twins where only those are given. The capture time is
/// DateTimeOriginal, else DateTimeDigitized, else DateTime, each with its fraction of a second. Throws InputError only
/// when the file cannot be read; broken EXIF counts as none.
ExifFields read_exif(const std::filesystem::path& path);

/// Exposure value relative to ISO 100: log2(N² / t) − log2(ISO / 100) (method section 6); a larger value is a darker
/// photo of the same scene. Nothing when one of the three is missing.
std::optional<double> exposure_ev(const ExifFields& fields);

/// exposure_ev(read_exif(path)).
std::optional<double> read_exposure_ev(const std::filesystem::path& path);

/// The contents of a JPEG's APP1 block ("Exif\0\0" and a TIFF directory) with those fields that are given. The capture
/// time is written as DateTimeOriginal in steps of 1 ms; years 0 to 9999.
std::string make_exif_block(const ExifFields& fields);

}  // namespace ptl
