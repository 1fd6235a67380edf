#include "dense/plane_file.h"

#include <immintrin.h>

#include <cstring>
#include <fstream>

#include "datasets/atomic_file.h"
#include "datasets/error.h"
#include "dense/binary_values.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

struct FileHeader {
  char magic[8] = {'P', 'T', 'L', 'P', 'L', 'A', 'N', '1'};
  uint64_t key = 0, pixels = 0;
};
constexpr uint64_t pixel_bytes = sizeof(float) + 2 * sizeof(uint16_t);

/// Slopes against the image plane are about one, which suits 16 bits; slants may be as small as they like.
std::vector<uint16_t> slopes_of(const std::vector<float>& slants, const std::vector<float>& w, float focal_px) {
  std::vector<uint16_t> slopes(slants.size());
  for (size_t i = 0; i < slants.size(); ++i)
    slopes[i] = static_cast<uint16_t>(_cvtss_sh(w[i] > 0 ? slants[i] * focal_px / w[i] : 0.0f, 0));
  return slopes;
}

std::vector<float> slants_of(const std::vector<uint16_t>& slopes, const std::vector<float>& w, float focal_px) {
  std::vector<float> slants(slopes.size());
  for (size_t i = 0; i < slopes.size(); ++i) slants[i] = _cvtsh_ss(slopes[i]) * w[i] / focal_px;
  return slants;
}

/// A file behind its header, if all of it is there.
std::optional<std::ifstream> open_planes(const fs::path& path, size_t pixels, uint64_t key) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  FileHeader header;
  const FileHeader expected;
  in.read(reinterpret_cast<char*>(&header), sizeof header);
  std::error_code error;
  const uint64_t size = fs::file_size(path, error);
  if (!in || error || std::memcmp(header.magic, expected.magic, sizeof header.magic) != 0 || header.key != key ||
      header.pixels != pixels || size != sizeof header + pixels * pixel_bytes)
    return std::nullopt;
  return in;
}

}  // namespace

void write_planes(const fs::path& path, const PlaneField& planes, double focal_px, uint64_t key) {
  FileHeader header;
  header.key = key;
  header.pixels = planes.inverse_depth.size();
  write_file_atomically(path, [&](std::ostream& out) {
    out.write(reinterpret_cast<const char*>(&header), sizeof header);
    put_values(out, planes.inverse_depth);
    for (const auto* slants : {&planes.slant_x, &planes.slant_y})
      put_values(out, slopes_of(*slants, planes.inverse_depth, static_cast<float>(focal_px)));
  });
}

std::optional<PlaneField> read_planes(const fs::path& path, size_t pixels, double focal_px, uint64_t key) {
  auto in = open_planes(path, pixels, key);
  if (!in) return std::nullopt;
  PlaneField planes;
  take_values(*in, planes.inverse_depth, pixels);
  for (auto* slants : {&planes.slant_x, &planes.slant_y}) {
    std::vector<uint16_t> slopes;
    take_values(*in, slopes, pixels);
    *slants = slants_of(slopes, planes.inverse_depth, static_cast<float>(focal_px));
  }
  if (!*in) return std::nullopt;
  return planes;
}

bool has_planes(const fs::path& path, size_t pixels, uint64_t key) {
  return open_planes(path, pixels, key).has_value();
}

std::shared_ptr<const std::vector<float>> InverseDepthStore::get(size_t place, size_t pixels) {
  const std::lock_guard lock(mutex_);
  return depths_.get(place, [&] {
    std::vector<float> values;
    if (auto in = open_planes(files_[place], pixels, key_)) take_values(*in, values, pixels);
    if (values.size() != pixels)
      throw lost_file(files_[place]);
    return values;
  });
}

}  // namespace ptl
