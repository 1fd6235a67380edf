#include "datasets/image_io.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "datasets/atomic_file.h"
#include "datasets/error.h"
#include "datasets/image_file.h"

namespace ptl {
namespace fs = std::filesystem;

namespace image_file {

File open(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) throw InputError("{}: is a folder, expected an image file", path.string());
  File file(std::fopen(path.c_str(), "rb"));
  if (!file) throw InputError("{}: could not be opened: {}", path.string(), std::strerror(errno));
  return file;
}

void check_size(const fs::path& path, uint64_t width_px, uint64_t height_px) {
  if (width_px == 0 || height_px == 0 || width_px > max_pixels || width_px * height_px > max_pixels)
    throw InputError("{}: its header says {} × {} pixels; expected at least 1 and at most {} in all", path.string(),
                     width_px, height_px, max_pixels);
}

}  // namespace image_file

namespace {

ImageFormat known_format(const fs::path& path) {
  if (const auto format = image_format(path)) return *format;
  throw InputError("{}: is not an image that can be read: expected JPEG, PNG, TIFF or OpenEXR contents", path.string());
}

template <class T>
std::vector<T> convert_channels(const std::vector<T>& values, int from, int to) {
  if (from == to) return values;
  const size_t pixels = values.size() / static_cast<size_t>(from);
  std::vector<T> converted(pixels * static_cast<size_t>(to));
  if (from == 1) {
    for (size_t i = 0; i < pixels; ++i) converted[3 * i] = converted[3 * i + 1] = converted[3 * i + 2] = values[i];
  } else {
    for (size_t i = 0; i < pixels; ++i) {
      const uint64_t weighted = 299ull * values[3 * i] + 587ull * values[3 * i + 1] + 114ull * values[3 * i + 2];
      converted[i] = static_cast<T>((weighted + 500) / 1000);
    }
  }
  return converted;
}

template <class T>
std::vector<T> quantised(const std::vector<float>& pixels, float largest) {
  std::vector<T> values(pixels.size());
  for (size_t i = 0; i < pixels.size(); ++i) {
    const float value = pixels[i] > 0.0f ? std::min(pixels[i], 1.0f) : 0.0f;  // NaN becomes 0
    values[i] = static_cast<T>(value * largest + 0.5f);
  }
  return values;
}

}  // namespace

std::optional<ImageFormat> image_format(const fs::path& path) {
  const image_file::File file = image_file::open(path);
  unsigned char start[8] = {};
  const size_t got = std::fread(start, 1, sizeof start, file.get());
  const auto begins = [&](std::initializer_list<unsigned char> bytes) {
    return got >= bytes.size() && std::equal(bytes.begin(), bytes.end(), start);
  };
  if (begins({0xff, 0xd8, 0xff})) return ImageFormat::jpeg;
  if (begins({0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'})) return ImageFormat::png;
  if (begins({'I', 'I', 42, 0}) || begins({'M', 'M', 0, 42}) || begins({'I', 'I', 43, 0}) || begins({'M', 'M', 0, 43}))
    return ImageFormat::tiff;
  if (begins({0x76, 0x2f, 0x31, 0x01})) return ImageFormat::exr;
  return std::nullopt;
}

ImageInfo read_image_info(const fs::path& path) {
  switch (known_format(path)) {
    case ImageFormat::jpeg: return image_file::read_info_jpeg(path);
    case ImageFormat::png: return image_file::read_info_png(path);
    case ImageFormat::tiff: return image_file::read_info_tiff(path);
    case ImageFormat::exr: break;
  }
  return image_file::read_info_exr(path);
}

ImageSize read_image_size(const fs::path& path) { return read_image_info(path).size; }

StoredImage read_image(const fs::path& path, int channels) {
  if (channels != 1 && channels != 3)
    throw InputError("{}: {} channels asked for, expected 1 or 3", path.string(), channels);
  const ImageFormat format = known_format(path);
  if (format == ImageFormat::exr)
    throw InputError("{}: is an OpenEXR file, expected JPEG, PNG or TIFF", path.string());
  StoredImage image = format == ImageFormat::jpeg   ? image_file::read_jpeg(path)
                      : format == ImageFormat::tiff ? image_file::read_tiff(path)
                                                    : image_file::read_png(path);
  if (image.channels != channels) {
    image.values8 = convert_channels(image.values8, image.channels, channels);
    image.values16 = convert_channels(image.values16, image.channels, channels);
    image.channels = channels;
  }
  return image;
}

StoredImage read_alpha(const fs::path& path) {
  switch (known_format(path)) {
    case ImageFormat::png: return image_file::read_png_alpha(path);
    case ImageFormat::tiff: return image_file::read_tiff_alpha(path);
    case ImageFormat::exr: return image_file::read_exr_alpha(path);
    default: return {};
  }
}

Image to_float(const StoredImage& image) {
  Image result(image.width, image.height, image.channels);
  const size_t count = result.pixels.size();
  if (image.bits == 8)
    for (size_t i = 0; i < count; ++i) result.pixels[i] = static_cast<float>(image.values8[i]) / 255.0f;
  else
    for (size_t i = 0; i < count; ++i) result.pixels[i] = static_cast<float>(image.values16[i]) / 65535.0f;
  return result;
}

StoredImage to_stored(const Image& image, int bits) {
  if (bits != 8 && bits != 16) throw InputError("{} bits a channel asked for, expected 8 or 16", bits);
  StoredImage result;
  result.width = image.width;
  result.height = image.height;
  result.channels = image.channels;
  result.bits = bits;
  if (bits == 8)
    result.values8 = quantised<uint8_t>(image.pixels, 255.0f);
  else
    result.values16 = quantised<uint16_t>(image.pixels, 65535.0f);
  return result;
}

void write_png(const fs::path& path, const StoredImage& image) { write_file_atomically(path, encode_png(image)); }

void write_png(const fs::path& path, const Image& image, int bits) { write_png(path, to_stored(image, bits)); }

void write_jpeg(const fs::path& path, const StoredImage& image, int quality, std::string_view exif) {
  write_file_atomically(path, encode_jpeg(image, quality, exif));
}

void write_jpeg(const fs::path& path, const Image& image, int quality, std::string_view exif) {
  write_jpeg(path, to_stored(image, 8), quality, exif);
}

void write_picture(const std::filesystem::path& path, const Image& image) {
  if (path.extension() == ".exr")
    write_exr(path, image);
  else if (path.extension() == ".png")
    write_png(path, image);
  else if (path.extension() == ".jpg" || path.extension() == ".jpeg")
    write_jpeg(path, image);
  else
    throw InputError("{}: expected a name that ends in .png, .jpg, or .exr (linear)", path.string());
}

}  // namespace ptl
