// What the readers of the three image formats share.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "datasets/image_io.h"

namespace ptl::image_file {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

/// Opens for reading. Throws InputError with the system's reason.
File open(const std::filesystem::path& path);

/// A header may claim any size; more than this is refused before memory is asked for.
inline constexpr uint64_t max_pixels = 1ull << 29;
void check_size(const std::filesystem::path& path, uint64_t width_px, uint64_t height_px);

ImageInfo read_info_jpeg(const std::filesystem::path& path);
ImageInfo read_info_png(const std::filesystem::path& path);
ImageInfo read_info_tiff(const std::filesystem::path& path);
ImageInfo read_info_exr(const std::filesystem::path& path);

/// Decoded with 1 or 3 channels, as the file has them; alpha is gone.
StoredImage read_jpeg(const std::filesystem::path& path);
StoredImage read_png(const std::filesystem::path& path);
StoredImage read_tiff(const std::filesystem::path& path);
/// The alpha channel alone; empty where the file has none.
StoredImage read_png_alpha(const std::filesystem::path& path);
StoredImage read_tiff_alpha(const std::filesystem::path& path);
StoredImage read_exr_alpha(const std::filesystem::path& path);

}  // namespace ptl::image_file
