// TIFF by libtiff: strips of 8 or 16 bits a channel as they are, everything else of 8 bits by the library's own conversion to RGBA.
#include <tiffio.h>

#include <cstdarg>
#include <cstdio>

#include "datasets/error.h"
#include "datasets/image_file.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

struct ErrorState {
  char message[512] = "";
};

int on_error(TIFF*, void* state, const char*, const char* format, va_list arguments) {
  auto* error = static_cast<ErrorState*>(state);
  if (error->message[0] == 0) std::vsnprintf(error->message, sizeof error->message, format, arguments);
  return 1;  // seen
}
int on_warning(TIFF*, void*, const char*, const char*, va_list) { return 1; }

/// A file that is closed whatever happens, and what its header says.
class Reader {
 public:
  explicit Reader(const fs::path& path) : path_(path) {
    image_file::open(path);  // whether it can be opened at all, with the system's words
    TIFFOpenOptions* options = TIFFOpenOptionsAlloc();
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, &error_);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, nullptr);
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, static_cast<tmsize_t>(8 * image_file::max_pixels));
    tiff_ = TIFFOpenExt(path.c_str(), "r", options);
    TIFFOpenOptionsFree(options);
    if (!tiff_) throw damaged();
    try {
      read_header();
    } catch (...) {
      TIFFClose(tiff_);
      throw;
    }
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { TIFFClose(tiff_); }

  InputError damaged() const {
    return InputError("{}: damaged or truncated TIFF: {}; copy the file again", path_.string(),
                      error_.message[0] ? error_.message : "it ends too early");
  }

  uint32_t width = 0, height = 0;
  uint16_t bits = 1, samples = 1, alpha = 0;  ///< alpha: which sample; 0: none

  /// All samples as they are: pixel by pixel, 8 or 16 bits. Empty where the file is arranged in another way.
  StoredImage samples_as_stored() {
    const bool grey = photometric_ == PHOTOMETRIC_MINISBLACK, rgb = photometric_ == PHOTOMETRIC_RGB && samples >= 3;
    if (!(grey || rgb) || (bits != 8 && bits != 16) || format_ != SAMPLEFORMAT_UINT || TIFFIsTiled(tiff_) ||
        (planes_ != PLANARCONFIG_CONTIG && samples > 1))
      return {};
    StoredImage image;
    image.width = static_cast<int>(width);
    image.height = static_cast<int>(height);
    image.channels = samples;
    image.bits = bits;
    const size_t row_bytes = static_cast<size_t>(width) * samples * (bits / 8);
    if (static_cast<size_t>(TIFFScanlineSize(tiff_)) != row_bytes) throw damaged();
    uint8_t* first = nullptr;
    if (bits == 8) {
      image.values8.resize(image.value_count());
      first = image.values8.data();
    } else {
      image.values16.resize(image.value_count());
      first = reinterpret_cast<uint8_t*>(image.values16.data());
    }
    for (uint32_t y = 0; y < height; ++y)
      if (TIFFReadScanline(tiff_, first + y * row_bytes, y) != 1) throw damaged();
    return image;
  }

  /// RGBA of 8 bits by the library, rows as they are stored.
  StoredImage converted() {
    if (bits > 8 || format_ != SAMPLEFORMAT_UINT)
      throw InputError("{}: a TIFF of {} samples at {} bits ({}), expected grey or RGB of 8 or 16 bits in strips, or anything of 8 bits; "
                       "convert it", path_.string(), samples, bits, format_ == SAMPLEFORMAT_IEEEFP ? "floating point" : "whole numbers");
    char problem[1024] = "";
    if (TIFFRGBAImageOK(tiff_, problem) != 1) throw InputError("{}: a TIFF that cannot be decoded: {}", path_.string(), problem);
    StoredImage image;
    image.width = static_cast<int>(width);
    image.height = static_cast<int>(height);
    image.channels = 4;
    std::vector<uint32_t> raster(static_cast<size_t>(width) * height);
    uint16_t orientation = ORIENTATION_TOPLEFT;
    TIFFGetFieldDefaulted(tiff_, TIFFTAG_ORIENTATION, &orientation);
    if (TIFFReadRGBAImageOriented(tiff_, width, height, raster.data(), orientation, 1) != 1) throw damaged();
    image.values8.resize(image.value_count());
    for (size_t i = 0; i < raster.size(); ++i) {
      image.values8[4 * i] = static_cast<uint8_t>(TIFFGetR(raster[i]));
      image.values8[4 * i + 1] = static_cast<uint8_t>(TIFFGetG(raster[i]));
      image.values8[4 * i + 2] = static_cast<uint8_t>(TIFFGetB(raster[i]));
      image.values8[4 * i + 3] = static_cast<uint8_t>(TIFFGetA(raster[i]));
    }
    return image;
  }

 private:
  void read_header() {
    if (TIFFGetField(tiff_, TIFFTAG_IMAGEWIDTH, &width) != 1 || TIFFGetField(tiff_, TIFFTAG_IMAGELENGTH, &height) != 1) throw damaged();
    image_file::check_size(path_, width, height);
    TIFFGetFieldDefaulted(tiff_, TIFFTAG_BITSPERSAMPLE, &bits);
    TIFFGetFieldDefaulted(tiff_, TIFFTAG_SAMPLESPERPIXEL, &samples);
    TIFFGetFieldDefaulted(tiff_, TIFFTAG_SAMPLEFORMAT, &format_);
    TIFFGetFieldDefaulted(tiff_, TIFFTAG_PLANARCONFIG, &planes_);
    TIFFGetField(tiff_, TIFFTAG_PHOTOMETRIC, &photometric_);
    if (samples < 1 || samples > 16)
      throw InputError("{}: a TIFF of {} samples a pixel, expected 1 to 4", path_.string(), samples);
    uint16_t extra = 0;
    uint16_t* kinds = nullptr;
    TIFFGetFieldDefaulted(tiff_, TIFFTAG_EXTRASAMPLES, &extra, &kinds);
    for (uint16_t i = 0; i < extra && extra < samples; ++i)
      if (kinds[i] != EXTRASAMPLE_UNSPECIFIED) {
        alpha = static_cast<uint16_t>(samples - extra + i);
        break;
      }
  }

  const fs::path path_;
  ErrorState error_;
  TIFF* tiff_ = nullptr;
  uint16_t format_ = SAMPLEFORMAT_UINT, planes_ = PLANARCONFIG_CONTIG, photometric_ = 0;
};

/// `count` samples from `first` on of every pixel.
StoredImage chosen(const StoredImage& image, int first, int count) {
  StoredImage result;
  result.width = image.width;
  result.height = image.height;
  result.channels = count;
  result.bits = image.bits;
  const size_t pixels = static_cast<size_t>(image.width) * static_cast<size_t>(image.height);
  const auto copy = [&](const auto& from, auto& to) {
    to.resize(from.empty() ? 0 : pixels * static_cast<size_t>(count));
    for (size_t i = 0; i < to.size(); ++i)
      to[i] = from[i / static_cast<size_t>(count) * static_cast<size_t>(image.channels) + static_cast<size_t>(first) + i % static_cast<size_t>(count)];
  };
  copy(image.values8, result.values8);
  copy(image.values16, result.values16);
  return result;
}

}  // namespace

namespace image_file {

ImageInfo read_info_tiff(const fs::path& path) {
  const Reader reader(path);
  ImageInfo info;
  info.format = ImageFormat::tiff;
  info.size = {static_cast<int>(reader.width), static_cast<int>(reader.height)};
  info.bits = reader.bits;
  info.has_alpha = reader.alpha > 0;
  return info;
}

StoredImage read_tiff(const fs::path& path) {
  Reader reader(path);
  const StoredImage stored = reader.samples_as_stored();
  if (stored.empty()) return chosen(reader.converted(), 0, 3);
  return chosen(stored, 0, stored.channels >= 3 ? 3 : 1);
}

StoredImage read_tiff_alpha(const fs::path& path) {
  Reader reader(path);
  if (reader.alpha == 0) return {};
  const StoredImage stored = reader.samples_as_stored();
  return stored.empty() ? chosen(reader.converted(), 3, 1) : chosen(stored, reader.alpha, 1);
}

}  // namespace image_file

}  // namespace ptl
