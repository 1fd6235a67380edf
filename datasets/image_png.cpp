// PNG by libpng; like libjpeg it leaves by longjmp, so no object with a destructor is alive in what it jumps over.
#include <png.h>

#include <bit>
#include <csetjmp>
#include <cstring>
#include <vector>

#include "datasets/error.h"
#include "datasets/image_file.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

struct ErrorState {
  char message[256] = {};
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto* state = static_cast<ErrorState*>(png_get_error_ptr(png));
  std::strncpy(state->message, message, sizeof state->message - 1);
  png_longjmp(png, 1);
}

// Warnings are about colour profiles, times and other ancillary blocks; lost pixels are errors.
void on_warning(png_structp, png_const_charp) {}

struct Reader {
  ErrorState state;
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &state, on_error, on_warning);
  png_infop info = png ? png_create_info_struct(png) : nullptr;
  Reader() = default;
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
};

bool read_header(Reader& reader, std::FILE* file) {
  if (setjmp(png_jmpbuf(reader.png))) return false;
  png_set_benign_errors(reader.png, 1);
  png_init_io(reader.png, file);
  png_read_info(reader.png, reader.info);
  return true;
}

bool choose_layout(Reader& reader, bool with_alpha) {
  if (setjmp(png_jmpbuf(reader.png))) return false;
  png_set_expand(reader.png);  // palettes to RGB, fewer than 8 bits to 8, transparency to alpha
  if (!with_alpha) png_set_strip_alpha(reader.png);
  if constexpr (std::endian::native == std::endian::little) png_set_swap(reader.png);
  png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
  return true;
}

bool read_pixels(Reader& reader, png_bytepp rows) {
  if (setjmp(png_jmpbuf(reader.png))) return false;
  png_read_image(reader.png, rows);
  png_read_end(reader.png, nullptr);
  return true;
}

InputError damaged(const fs::path& path, const Reader& reader) {
  return InputError("{}: damaged or truncated PNG: {}; copy the file again", path.string(), reader.state.message);
}

void open_header(Reader& reader, const fs::path& path, std::FILE* file) {
  if (!reader.info) throw InputError("{}: libpng could not be started (out of memory?)", path.string());
  if (!read_header(reader, file)) throw damaged(path, reader);
  image_file::check_size(path, png_get_image_width(reader.png, reader.info),
                         png_get_image_height(reader.png, reader.info));
}

struct Writer {
  ErrorState state;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &state, on_error, on_warning);
  png_infop info = png ? png_create_info_struct(png) : nullptr;
  std::string bytes;
  Writer() = default;
  ~Writer() { png_destroy_write_struct(&png, &info); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
};

void append(png_structp png, png_bytep data, size_t size) {
  static_cast<Writer*>(png_get_io_ptr(png))->bytes.append(reinterpret_cast<const char*>(data), size);
}

void flush(png_structp) {}

bool write_pixels(Writer& writer, const StoredImage& image, png_bytepp rows) {
  if (setjmp(png_jmpbuf(writer.png))) return false;
  png_set_write_fn(writer.png, &writer, append, flush);
  const int color = image.channels == 1 ? PNG_COLOR_TYPE_GRAY : image.channels == 3 ? PNG_COLOR_TYPE_RGB
                                                                                    : PNG_COLOR_TYPE_RGBA;
  png_set_IHDR(writer.png, writer.info, static_cast<png_uint_32>(image.width), static_cast<png_uint_32>(image.height),
               image.bits, color, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(writer.png, writer.info);
  if (image.bits == 16 && std::endian::native == std::endian::little) png_set_swap(writer.png);
  png_write_image(writer.png, rows);
  png_write_end(writer.png, writer.info);
  return true;
}

}  // namespace

namespace image_file {

ImageInfo read_info_png(const fs::path& path) {
  const File file = open(path);
  Reader reader;
  open_header(reader, path, file.get());
  ImageInfo info;
  info.format = ImageFormat::png;
  info.size = {static_cast<int>(png_get_image_width(reader.png, reader.info)),
               static_cast<int>(png_get_image_height(reader.png, reader.info))};
  info.bits = png_get_bit_depth(reader.png, reader.info);
  info.has_alpha = (png_get_color_type(reader.png, reader.info) & PNG_COLOR_MASK_ALPHA) != 0 ||
                   png_get_valid(reader.png, reader.info, PNG_INFO_tRNS) != 0;
  return info;
}

namespace {

StoredImage decode(const fs::path& path, bool with_alpha) {
  const File file = open(path);
  Reader reader;
  open_header(reader, path, file.get());
  if (!choose_layout(reader, with_alpha)) throw damaged(path, reader);
  StoredImage image;
  image.width = static_cast<int>(png_get_image_width(reader.png, reader.info));
  image.height = static_cast<int>(png_get_image_height(reader.png, reader.info));
  image.channels = png_get_channels(reader.png, reader.info);
  image.bits = png_get_bit_depth(reader.png, reader.info);
  const size_t row_bytes = png_get_rowbytes(reader.png, reader.info);
  if (image.channels < 1 || image.channels > 4 || (image.bits != 8 && image.bits != 16) ||
      row_bytes * static_cast<size_t>(image.height) != image.bytes())
    throw InputError("{}: a PNG of {} channels at {} bits, expected 1 to 4 at up to 16", path.string(), image.channels,
                     image.bits);
  png_bytep first = nullptr;
  if (image.bits == 8) {
    image.values8.resize(image.value_count());
    first = image.values8.data();
  } else {
    image.values16.resize(image.value_count());
    first = reinterpret_cast<png_bytep>(image.values16.data());
  }
  std::vector<png_bytep> rows(static_cast<size_t>(image.height));
  for (size_t y = 0; y < rows.size(); ++y) rows[y] = first + y * row_bytes;
  if (!read_pixels(reader, rows.data())) throw damaged(path, reader);
  return image;
}

/// Every last of `channels` values.
template <class T>
std::vector<T> last_channel(const std::vector<T>& values, int channels) {
  std::vector<T> last(values.size() / static_cast<size_t>(channels));
  for (size_t i = 0; i < last.size(); ++i) last[i] = values[(i + 1) * static_cast<size_t>(channels) - 1];
  return last;
}

}  // namespace

StoredImage read_png(const fs::path& path) { return decode(path, false); }

StoredImage read_png_alpha(const fs::path& path) {
  StoredImage image = decode(path, true);
  if (image.channels % 2 == 1) return {};  // grey or RGB alone
  image.values8 = last_channel(image.values8, image.channels);
  image.values16 = last_channel(image.values16, image.channels);
  image.channels = 1;
  return image;
}

}  // namespace image_file

std::string encode_png(const StoredImage& image) {
  if ((image.bits != 8 && image.bits != 16) || image.empty() ||
      (image.channels != 1 && image.channels != 3 && image.channels != 4))
    throw InputError("a PNG holds 1, 3 or 4 channels of 8 or 16 bits; this image is {} × {} × {} at {} bits",
                     image.width, image.height, image.channels, image.bits);
  Writer writer;
  if (!writer.info) throw InputError("libpng could not be started (out of memory?)");
  const auto* first = image.bits == 8 ? image.values8.data() : reinterpret_cast<const uint8_t*>(image.values16.data());
  const size_t row_bytes = image.bytes() / static_cast<size_t>(image.height);
  std::vector<png_bytep> rows(static_cast<size_t>(image.height));
  for (size_t y = 0; y < rows.size(); ++y) rows[y] = const_cast<png_bytep>(first + y * row_bytes);
  if (!write_pixels(writer, image, rows.data()))
    throw InputError("the image could not be encoded as PNG: {}", writer.state.message);
  return std::move(writer.bytes);
}

}  // namespace ptl
