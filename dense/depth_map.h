// The depths that one photo knows, in memory and as a file between the steps.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "dense/recently_used.h"
#include "dense/stereo_view.h"

namespace ptl {

struct DepthMap {
  StereoCamera camera;
  std::vector<float> depth_m;                 ///< [height, width] z in the camera frame; 0: none
  std::vector<uint8_t> match;                 ///< correlation of the match, 0..255 for 0..1
  std::vector<uint8_t> agreeing;              ///< photos that agree; filled_in for depths from a segment's plane
  std::vector<std::array<uint8_t, 3>> color;  ///< sRGB
};

/// DepthMap::agreeing of a depth that no stereo found (dense/fill.h).
constexpr uint8_t filled_in = 255;

/// A depth map's pixels in a device's memory.
struct DepthView {
  StereoCamera camera;
  const float* depth_m = nullptr;
  const uint8_t* agreeing = nullptr;

  DepthView() = default;
  /// On the CPU; the map must outlive this.
  DepthView(const DepthMap& map) : camera(map.camera), depth_m(map.depth_m.data()), agreeing(map.agreeing.data()) {}
};

/// Writes atomically. `key` names what the contents depend on.
void write_depth_map(const std::filesystem::path& path, const DepthMap& map, uint64_t key);

/// Nothing when there is no such file, or one of another key or size than its header says: it is then made anew.
std::optional<DepthMap> read_depth_map(const std::filesystem::path& path, uint64_t key);
/// Whether it could be read, by its header and size.
bool has_depth_map(const std::filesystem::path& path, uint64_t key);

/// The depth at a position in the world as another photo has it.
struct DepthProbe {
  bool inside = false;  ///< within the photo, in front of it
  int x = 0, y = 0;     ///< pixel
  double depth_m = 0;   ///< of the position
  float found_m = 0;    ///< of the photo at that pixel; 0: none
};

PTL_HD inline DepthProbe probe_depth(const DepthView& map, const Vec3<double>& position) {
  DepthProbe probe;
  const Vec3<double> x = map.camera.camera_from_world * position;
  if (!(x.z > 0)) return probe;
  const Vec2<double> pixel = map.camera.pixel(x);
  if (!map.camera.contains(pixel)) return probe;
  probe.inside = true;
  probe.x = static_cast<int>(pixel.x);
  probe.y = static_cast<int>(pixel.y);
  probe.depth_m = x.z;
  probe.found_m = map.depth_m[map.camera.index(probe.x, probe.y)];
  return probe;
}

/// Unit normal in the camera frame, towards the camera, of the plane through the depths around a pixel (5 × 5, those
/// within 2 %): inverse depth is affine in the image on a plane. Towards the camera where fewer than six depths are
/// there.
Vec3<float> normal_at(const DepthMap& map, int x, int y);

/// Depth maps of a folder, read when needed; holds the `capacity` used last. Not thread-safe.
class DepthMapStore {
 public:
  DepthMapStore(std::vector<std::filesystem::path> files, uint64_t key, size_t capacity)
      : files_(std::move(files)), key_(key), maps_(capacity) {}
  /// Throws InputError when the file has gone since it was written.
  std::shared_ptr<const DepthMap> get(size_t place);

 private:
  std::vector<std::filesystem::path> files_;
  uint64_t key_;
  RecentlyUsed<size_t, DepthMap> maps_;
};

}  // namespace ptl
