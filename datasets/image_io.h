// Image files in and out: JPEG and PNG (8 and 16 bits) for photos, OpenEXR for linear radiance (as photos: hdr_photo.h).
// A file's kind is recognised by its first bytes, never by its name. Photos are taken as stored: EXIF orientation, gamma
// and colour profiles are ignored, as COLMAP does. Everything is written atomically. All failures are InputErrors that
// name the file and give the library's own words.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "datasets/image.h"

namespace ptl {

enum class ImageFormat { jpeg, png, tiff, exr };

struct ImageSize {
  int width_px = 0;
  int height_px = 0;
};

/// What the header of an image file says; no pixel is decoded.
struct ImageInfo {
  ImageFormat format = ImageFormat::jpeg;
  ImageSize size;
  int bits = 8;            ///< a channel as stored: 1, 2, 4, 8, 16 (EXR: 16 or 32)
  bool has_alpha = false;  ///< an alpha channel, or a transparent palette entry or colour: read_alpha()
};

/// By the first bytes; nothing when it is none of them. Throws when the file cannot be read.
std::optional<ImageFormat> image_format(const std::filesystem::path& path);

ImageInfo read_image_info(const std::filesystem::path& path);
ImageSize read_image_size(const std::filesystem::path& path);

/// Decodes a JPEG, PNG or TIFF into `channels` = 3 (RGB) or 1 (grey). 16 bits stay 16 bits, all else becomes 8. Grey files
/// are repeated into RGB, colours become grey as 0.299 R + 0.587 G + 0.114 B; alpha is left out. Throws for a truncated or
/// damaged file, also where the library would only warn and fill up with grey.
StoredImage read_image(const std::filesystem::path& path, int channels = 3);

/// The alpha channel of a PNG, TIFF or OpenEXR file as one channel, 8 or 16 bits, transparent is 0; empty where the file
/// has none, as a JPEG.
StoredImage read_alpha(const std::filesystem::path& path);

/// 0..255 or 0..65535 to 0..1.
Image to_float(const StoredImage& image);

/// 0..1 to integers, rounded to nearest; values outside are clamped, NaN becomes 0.
StoredImage to_stored(const Image& image, int bits = 8);

/// PNG of 1 (grey), 3 (RGB) or 4 (RGBA) channels, 8 or 16 bits.
std::string encode_png(const StoredImage& image);
void write_png(const std::filesystem::path& path, const StoredImage& image);
void write_png(const std::filesystem::path& path, const Image& image, int bits = 8);

/// JPEG of 1 or 3 channels, 8 bits, without chroma subsampling. `exif` (datasets/exif.h) becomes the APP1 block.
std::string encode_jpeg(const StoredImage& image, int quality = 95, std::string_view exif = {});
void write_jpeg(const std::filesystem::path& path, const StoredImage& image, int quality = 95,
                std::string_view exif = {});
void write_jpeg(const std::filesystem::path& path, const Image& image, int quality = 95, std::string_view exif = {});

/// OpenEXR, 32-bit float, ZIP: channels Y (1), or R G B (3), or R G B A (4). Linear values, any range.
void write_exr(const std::filesystem::path& path, const Image& image);

/// By the name's end: .png, .jpg, .jpeg (8 bits), .exr. InputError for another one.
void write_picture(const std::filesystem::path& path, const Image& image);

/// RGB (alpha is left out), or one channel where the file has one.
Image read_exr(const std::filesystem::path& path);

}  // namespace ptl
