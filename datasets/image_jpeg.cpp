// JPEG by libjpeg. The library reports errors by a callback that must not return: it jumps back by longjmp. No object
// with a destructor is alive in the functions that are jumped over.
#include <cstdio>
// jpeglib.h needs stdio.h first.
#include <jerror.h>
#include <jpeglib.h>

#include <csetjmp>
#include <cstdlib>

#include "datasets/error.h"
#include "datasets/image_file.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

struct ErrorState {
  jpeg_error_mgr manager;  // first member: the library hands out a pointer to it
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX] = {};
};

[[noreturn]] void fail(j_common_ptr info) {
  auto* state = reinterpret_cast<ErrorState*>(info->err);
  state->manager.format_message(info, state->message);
  std::longjmp(state->jump, 1);
}

// Warnings of damaged data end the reading: the library would go on with grey or garbage. Bytes too many before the end
// marker are what some cameras write; they cost no pixel.
void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  const jpeg_error_mgr* error = info->err;
  const bool harmless = error->msg_code == JWRN_JFIF_MAJOR || error->msg_code == JWRN_ADOBE_XFORM ||
                        (error->msg_code == JWRN_EXTRANEOUS_DATA && error->msg_parm.i[1] == 0xd9);
  if (!harmless) fail(info);
}

jpeg_error_mgr* prepare(ErrorState& state) {
  jpeg_error_mgr* manager = jpeg_std_error(&state.manager);
  manager->error_exit = fail;
  manager->emit_message = on_message;
  return manager;
}

/// A decompressor that is destroyed whatever happens.
struct Decompressor {
  jpeg_decompress_struct info = {};
  ErrorState state;
  Decompressor() { info.err = prepare(state); }
  ~Decompressor() { jpeg_destroy_decompress(&info); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
};

bool read_header(Decompressor& decompressor, std::FILE* file) {
  if (setjmp(decompressor.state.jump)) return false;
  jpeg_create_decompress(&decompressor.info);
  jpeg_stdio_src(&decompressor.info, file);
  jpeg_read_header(&decompressor.info, TRUE);
  return true;
}

bool read_pixels(Decompressor& decompressor, uint8_t* pixels, size_t row_bytes) {
  if (setjmp(decompressor.state.jump)) return false;
  jpeg_start_decompress(&decompressor.info);
  while (decompressor.info.output_scanline < decompressor.info.output_height) {
    JSAMPROW row = pixels + decompressor.info.output_scanline * row_bytes;
    jpeg_read_scanlines(&decompressor.info, &row, 1);
  }
  jpeg_finish_decompress(&decompressor.info);
  return true;
}

void open_header(Decompressor& decompressor, const fs::path& path, std::FILE* file) {
  if (!read_header(decompressor, file))
    throw InputError("{}: damaged or truncated JPEG: {}; copy the file again", path.string(), decompressor.state.message);
  image_file::check_size(path, decompressor.info.image_width, decompressor.info.image_height);
}

struct Compressor {
  jpeg_compress_struct info = {};
  ErrorState state;
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  Compressor() { info.err = prepare(state); }
  ~Compressor() {
    jpeg_destroy_compress(&info);
    std::free(buffer);
  }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
};

bool compress(Compressor& compressor, const StoredImage& image, int quality, std::string_view exif) {
  if (setjmp(compressor.state.jump)) return false;
  jpeg_compress_struct& info = compressor.info;
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, &compressor.buffer, &compressor.size);
  info.image_width = static_cast<JDIMENSION>(image.width);
  info.image_height = static_cast<JDIMENSION>(image.height);
  info.input_components = image.channels;
  info.in_color_space = image.channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  info.optimize_coding = TRUE;
  for (int c = 0; c < info.num_components; ++c) info.comp_info[c].h_samp_factor = info.comp_info[c].v_samp_factor = 1;
  jpeg_start_compress(&info, TRUE);
  if (!exif.empty())
    jpeg_write_marker(&info, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(exif.data()),
                      static_cast<unsigned>(exif.size()));
  const size_t row_bytes = static_cast<size_t>(image.width) * static_cast<size_t>(image.channels);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = const_cast<JSAMPROW>(image.values8.data() + info.next_scanline * row_bytes);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  return true;
}

}  // namespace

namespace image_file {

ImageInfo read_info_jpeg(const fs::path& path) {
  const File file = open(path);
  Decompressor decompressor;
  open_header(decompressor, path, file.get());
  ImageInfo info;
  info.format = ImageFormat::jpeg;
  info.size = {static_cast<int>(decompressor.info.image_width), static_cast<int>(decompressor.info.image_height)};
  return info;
}

StoredImage read_jpeg(const fs::path& path) {
  const File file = open(path);
  Decompressor decompressor;
  open_header(decompressor, path, file.get());
  jpeg_decompress_struct& info = decompressor.info;
  if (info.num_components != 1 && info.num_components != 3)
    throw InputError("{}: a JPEG of {} colour components (CMYK?), expected grey or RGB; convert it", path.string(),
                     info.num_components);
  info.out_color_space = info.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
  StoredImage image;
  image.width = static_cast<int>(info.image_width);
  image.height = static_cast<int>(info.image_height);
  image.channels = info.num_components;
  image.values8.resize(image.value_count());
  if (!read_pixels(decompressor, image.values8.data(), image.values8.size() / static_cast<size_t>(image.height)))
    throw InputError("{}: damaged or truncated JPEG: {}; copy the file again", path.string(), decompressor.state.message);
  return image;
}

}  // namespace image_file

std::string encode_jpeg(const StoredImage& image, int quality, std::string_view exif) {
  if (image.bits != 8 || (image.channels != 1 && image.channels != 3) || image.empty())
    throw InputError("a JPEG holds 1 or 3 channels of 8 bits; this image is {} × {} × {} at {} bits", image.width,
                     image.height, image.channels, image.bits);
  if (image.width > JPEG_MAX_DIMENSION || image.height > JPEG_MAX_DIMENSION)
    throw InputError("a JPEG holds at most {} pixels on a side; this image is {} × {}; write a PNG", JPEG_MAX_DIMENSION,
                     image.width, image.height);
  if (exif.size() > 65533) throw InputError("an EXIF block of {} bytes; a JPEG holds at most 65533", exif.size());
  Compressor compressor;
  if (!compress(compressor, image, quality, exif))
    throw InputError("the image could not be encoded as JPEG: {}", compressor.state.message);
  return std::string(reinterpret_cast<const char*>(compressor.buffer), compressor.size);
}

}  // namespace ptl
