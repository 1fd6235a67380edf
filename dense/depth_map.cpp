#include "dense/depth_map.h"

#include <cmath>
#include <cstring>
#include <fstream>

#include "datasets/atomic_file.h"
#include "datasets/error.h"
#include "dense/binary_values.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

struct FileHeader {
  char magic[8] = {'P', 'T', 'L', 'D', 'E', 'P', 'T', '1'};
  uint64_t key = 0;
  StereoCamera camera;
};

/// A file behind its header, if all of it is there.
struct OpenedMap {
  std::ifstream in;
  StereoCamera camera;
};
std::optional<OpenedMap> open_depth_map(const fs::path& path, uint64_t key) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  FileHeader header;
  const FileHeader expected;
  in.read(reinterpret_cast<char*>(&header), sizeof header);
  if (!in || std::memcmp(header.magic, expected.magic, sizeof header.magic) != 0 || header.key != key)
    return std::nullopt;
  std::error_code error;
  const uint64_t size = fs::file_size(path, error);
  if (error || header.camera.width_px < 1 || header.camera.height_px < 1 || header.camera.width_px > 65536 ||
      header.camera.height_px > 65536 || size != sizeof header + header.camera.pixel_count() * 9)
    return std::nullopt;
  return OpenedMap{std::move(in), header.camera};
}

}  // namespace

void write_depth_map(const fs::path& path, const DepthMap& map, uint64_t key) {
  FileHeader header;
  header.key = key;
  header.camera = map.camera;
  write_file_atomically(path, [&](std::ostream& out) {
    out.write(reinterpret_cast<const char*>(&header), sizeof header);
    put_values(out, map.depth_m);
    put_values(out, map.match);
    put_values(out, map.agreeing);
    put_values(out, map.color);
  });
}

std::optional<DepthMap> read_depth_map(const fs::path& path, uint64_t key) {
  auto opened = open_depth_map(path, key);
  if (!opened) return std::nullopt;
  std::ifstream& in = opened->in;
  DepthMap map;
  map.camera = opened->camera;
  const size_t count = map.camera.pixel_count();
  take_values(in, map.depth_m, count);
  take_values(in, map.match, count);
  take_values(in, map.agreeing, count);
  take_values(in, map.color, count);
  if (!in) return std::nullopt;
  return map;
}

bool has_depth_map(const fs::path& path, uint64_t key) {
  return open_depth_map(path, key).has_value();
}

Vec3<float> normal_at(const DepthMap& map, int x, int y) {
  const StereoCamera& camera = map.camera;
  const double depth = static_cast<double>(map.depth_m[camera.index(x, y)]);
  const Vec3<double> ray = camera.ray(x + 0.5, y + 0.5);
  const Vec3<float> towards(-glm::normalize(ray));
  // Least squares of w = a dx + b dy + c over the window.
  double n = 0, sx = 0, sy = 0, sw = 0, sxx = 0, sxy = 0, syy = 0, sxw = 0, syw = 0;
  for (int dy = -2; dy <= 2; ++dy)
    for (int dx = -2; dx <= 2; ++dx) {
      if (x + dx < 0 || y + dy < 0 || x + dx >= camera.width_px || y + dy >= camera.height_px) continue;
      const double other = static_cast<double>(map.depth_m[camera.index(x + dx, y + dy)]);
      if (!(other > 0) || std::fabs(other - depth) > 0.02 * depth) continue;
      const double w = 1 / other;
      n += 1, sx += dx, sy += dy, sw += w, sxx += dx * dx, sxy += dx * dy, syy += dy * dy, sxw += dx * w, syw += dy * w;
    }
  if (n < 6) return towards;
  const Mat3<double> normal_matrix(Vec3<double>(sxx, sxy, sx), Vec3<double>(sxy, syy, sy), Vec3<double>(sx, sy, n));
  if (std::fabs(glm::determinant(normal_matrix)) < 1e-9) return towards;
  const Vec3<double> fit = glm::inverse(normal_matrix) * Vec3<double>(sxw, syw, sw);
  // w = 1/Z on the plane n·X = 1: n = (a fx, b fy, w at the ray (0, 0, 1)).
  const double at_axis = fit.z + fit.x * (camera.centre_x_px - x - 0.5) + fit.y * (camera.centre_y_px - y - 0.5);
  const Vec3<double> normal(fit.x * camera.focal_x_px, fit.y * camera.focal_y_px, at_axis);
  const double length = glm::length(normal);
  if (!(length > 0) || !(glm::dot(normal, ray) > 0)) return towards;
  return Vec3<float>(-normal / length);
}

std::shared_ptr<const DepthMap> DepthMapStore::get(size_t place) {
  return maps_.get(place, [&] {
    auto map = read_depth_map(files_[place], key_);
    if (!map)
      throw lost_file(files_[place]);
    return std::move(*map);
  });
}

}  // namespace ptl
