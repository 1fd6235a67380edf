// OpenEXR by tinyexr (one thread).
#include <tinyexr.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <vector>

#include "datasets/atomic_file.h"
#include "datasets/error.h"
#include "datasets/image_file.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

std::string take_message(const char* message) {
  const std::string text = message ? message : "no reason given";
  if (message) FreeEXRErrorMessage(message);
  return text;
}

struct Header {
  EXRHeader exr;
  Header() { InitEXRHeader(&exr); }
  ~Header() { FreeEXRHeader(&exr); }
  Header(const Header&) = delete;
  Header& operator=(const Header&) = delete;
};

struct Pixels {
  EXRImage exr;
  Pixels() { InitEXRImage(&exr); }
  ~Pixels() { FreeEXRImage(&exr); }
  Pixels(const Pixels&) = delete;
  Pixels& operator=(const Pixels&) = delete;
};

std::vector<unsigned char> file_bytes(const fs::path& path, size_t most = std::numeric_limits<size_t>::max()) {
  const image_file::File file = image_file::open(path);
  std::vector<unsigned char> bytes;
  std::array<unsigned char, 65536> part;
  while (const size_t got = bytes.size() < most ? std::fread(part.data(), 1, part.size(), file.get()) : 0)
    bytes.insert(bytes.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(got));
  return bytes;
}

ImageSize parse_header(Header& header, const std::vector<unsigned char>& bytes, const fs::path& path) {
  EXRVersion version;
  if (ParseEXRVersionFromMemory(&version, bytes.data(), bytes.size()) != TINYEXR_SUCCESS)
    throw InputError("{}: damaged OpenEXR header", path.string());
  if (version.multipart || version.non_image || version.tiled)
    throw InputError("{}: an OpenEXR file in tiles or several parts, expected one picture in scan lines", path.string());
  const char* message = nullptr;
  if (ParseEXRHeaderFromMemory(&header.exr, &version, bytes.data(), bytes.size(), &message) != TINYEXR_SUCCESS)
    throw InputError("{}: damaged OpenEXR header: {}", path.string(), take_message(message));
  const auto& window = header.exr.data_window;
  const int64_t width = int64_t{window.max_x} - window.min_x + 1, height = int64_t{window.max_y} - window.min_y + 1;
  image_file::check_size(path, width > 0 ? static_cast<uint64_t>(width) : 0, height > 0 ? static_cast<uint64_t>(height) : 0);
  return {static_cast<int>(width), static_cast<int>(height)};
}

/// Places of the channels that are there, in the order of the names.
std::vector<int> channels_named(const Header& header, std::initializer_list<const char*> names) {
  std::vector<int> places;
  for (const char* name : names)
    for (int c = 0; c < header.exr.num_channels; ++c)
      if (std::strcmp(header.exr.channels[c].name, name) == 0) places.push_back(c);
  return places;
}

Image decode(Header& header, const ImageSize& size, const std::vector<int>& wanted, const std::vector<unsigned char>& bytes,
             const fs::path& path) {
  for (int c = 0; c < header.exr.num_channels; ++c) header.exr.requested_pixel_types[c] = TINYEXR_PIXELTYPE_FLOAT;
  Pixels pixels;
  pixels.exr.num_channels = header.exr.num_channels;  // so that tinyexr, where it fails, frees all channels
  const char* message = nullptr;
  if (LoadEXRImageFromMemory(&pixels.exr, &header.exr, bytes.data(), bytes.size(), &message) != TINYEXR_SUCCESS) {
    InitEXRImage(&pixels.exr);  // it has, and leaves the pointers
    throw InputError("{}: damaged or truncated OpenEXR: {}", path.string(), take_message(message));
  }
  Image image(size.width_px, size.height_px, static_cast<int>(wanted.size()));
  const size_t count = static_cast<size_t>(size.width_px) * static_cast<size_t>(size.height_px);
  for (size_t c = 0; c < wanted.size(); ++c) {
    const float* plane = reinterpret_cast<const float*>(pixels.exr.images[wanted[c]]);
    for (size_t i = 0; i < count; ++i) image.pixels[i * wanted.size() + c] = plane[i];
  }
  return image;
}

}  // namespace

namespace image_file {

ImageInfo read_info_exr(const fs::path& path) {
  constexpr size_t most_header = 1 << 20;  // what follows it may be hundreds of MiB
  Header header;
  ImageInfo info;
  info.format = ImageFormat::exr;
  info.size = parse_header(header, file_bytes(path, most_header), path);
  info.bits = header.exr.num_channels > 0 && header.exr.pixel_types[0] == TINYEXR_PIXELTYPE_HALF ? 16 : 32;
  for (int c = 0; c < header.exr.num_channels; ++c)
    if (std::strcmp(header.exr.channels[c].name, "A") == 0) info.has_alpha = true;
  return info;
}

StoredImage read_exr_alpha(const fs::path& path) {
  const std::vector<unsigned char> bytes = file_bytes(path);
  Header header;
  const ImageSize size = parse_header(header, bytes, path);
  const std::vector<int> alpha = channels_named(header, {"A"});
  return alpha.empty() ? StoredImage() : to_stored(decode(header, size, alpha, bytes, path), 16);
}

}  // namespace image_file

Image read_exr(const fs::path& path) {
  if (image_format(path) != ImageFormat::exr) throw InputError("{}: is not an OpenEXR file", path.string());
  const std::vector<unsigned char> bytes = file_bytes(path);
  Header header;
  const ImageSize size = parse_header(header, bytes, path);
  std::vector<int> wanted = channels_named(header, {"R", "G", "B"});  // or the only channel there is
  if (wanted.size() != 3) {
    if (header.exr.num_channels != 1)
      throw InputError("{}: an OpenEXR file of {} channels, expected R, G, B or a single one", path.string(),
                       header.exr.num_channels);
    wanted = {0};
  }
  return decode(header, size, wanted, bytes, path);
}

void write_exr(const fs::path& path, const Image& image) {
  if (image.pixels.empty() || (image.channels != 1 && image.channels != 3 && image.channels != 4))
    throw InputError("{}: an OpenEXR file of {} channels and {} × {} pixels was asked for, expected 1, 3 or 4 channels",
                     path.string(), image.channels, image.width, image.height);
  // The format wants the channels in alphabetical order.
  struct Channel {
    const char* name;
    size_t source;
  };
  std::vector<Channel> channels;
  if (image.channels == 1) channels = {{"Y", 0}};
  if (image.channels == 3) channels = {{"B", 2}, {"G", 1}, {"R", 0}};
  if (image.channels == 4) channels = {{"A", 3}, {"B", 2}, {"G", 1}, {"R", 0}};

  const size_t stride = static_cast<size_t>(image.channels);
  const size_t count = image.pixels.size() / stride;
  std::vector<std::vector<float>> planes(channels.size(), std::vector<float>(count));
  std::vector<unsigned char*> plane_pointers(channels.size());
  std::vector<EXRChannelInfo> infos(channels.size());
  std::vector<int> types(channels.size(), TINYEXR_PIXELTYPE_FLOAT);
  for (size_t c = 0; c < channels.size(); ++c) {
    for (size_t i = 0; i < count; ++i) planes[c][i] = image.pixels[i * stride + channels[c].source];
    plane_pointers[c] = reinterpret_cast<unsigned char*>(planes[c].data());
    infos[c] = {};
    std::strncpy(infos[c].name, channels[c].name, sizeof infos[c].name - 1);
  }
  EXRImage exr_image;
  InitEXRImage(&exr_image);
  exr_image.images = plane_pointers.data();
  exr_image.num_channels = image.channels;
  exr_image.width = image.width;
  exr_image.height = image.height;
  EXRHeader header;
  InitEXRHeader(&header);
  header.num_channels = image.channels;
  header.channels = infos.data();
  header.pixel_types = types.data();
  header.requested_pixel_types = types.data();
  header.compression_type = TINYEXR_COMPRESSIONTYPE_ZIP;

  unsigned char* memory = nullptr;
  const char* message = nullptr;
  const size_t size = SaveEXRImageToMemory(&exr_image, &header, &memory, &message);
  const std::unique_ptr<unsigned char, decltype(&std::free)> owner(memory, &std::free);
  if (size == 0) throw InputError("{}: could not be encoded as OpenEXR: {}", path.string(), take_message(message));
  write_file_atomically(path, std::string_view(reinterpret_cast<const char*>(memory), size));
}

}  // namespace ptl
