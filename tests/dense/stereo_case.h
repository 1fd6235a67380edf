// Photos of planes whose depths are known, and the stages of the stereo on any device, with results on the CPU.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "dense/depth_map.h"
#include "dense/patch_match.h"
#include "kernels/device_copy.h"
#include "kernels/hash.h"

namespace ptl::test {

inline StereoCamera camera_at(const Vec3<double>& centre, int width = 96, int height = 64) {
  StereoCamera camera;
  camera.width_px = width;
  camera.height_px = height;
  camera.focal_x_px = camera.focal_y_px = 80;
  camera.centre_x_px = width / 2.0;
  camera.centre_y_px = height / 2.0;
  camera.camera_from_world.translation = -centre;
  return camera;
}

/// A texture without periods, in metres.
inline double texture(double x, double y) {
  return 120 + 30 * std::sin(9 * x + 3 * std::sin(4 * y)) + 30 * std::sin(8 * y + 2 * std::sin(6 * x)) +
         20 * std::sin(13 * x + 15 * y);
}

/// Looks at the plane z = z0 + slope · x.
inline StereoView view_of_plane(const StereoCamera& camera, double z0, double slope, double gain = 1) {
  StereoView view;
  view.camera = camera;
  view.valid.assign(camera.pixel_count(), 1);
  view.color.assign(camera.pixel_count(), {100, 100, 100});
  const Vec3<double> centre = camera_centre(camera.camera_from_world);
  for (int y = 0; y < camera.height_px; ++y)
    for (int x = 0; x < camera.width_px; ++x) {
      const Vec3<double> ray = camera.ray(x + 0.5, y + 0.5);
      const double t = (z0 + slope * centre.x - centre.z) / (1 - slope * ray.x);
      view.luminance.push_back(static_cast<float>(gain * texture(centre.x + t * ray.x, centre.y + t * ray.y)));
    }
  return view;
}

/// Correlation of a slanted window in one source, in double and without linearising.
inline double slow_correlation(const StereoView& reference, const StereoView& source, int x, int y, double w,
                               double slant_x, double slant_y) {
  double r = 0, s = 0, rr = 0, ss = 0, rs = 0;
  for (int dy = -2; dy <= 2; ++dy)
    for (int dx = -2; dx <= 2; ++dx) {
      const double depth_m = 1 / (w + slant_x * dx + slant_y * dy);
      const Vec3<double> position = reference.camera.position_world(x + dx + 0.5, y + dy + 0.5, depth_m);
      const Vec2<double> p = source.camera.pixel(source.camera.camera_from_world * position);
      const double u = p.x - 0.5, v = p.y - 0.5;
      const int iu = static_cast<int>(u), iv = static_cast<int>(v);
      const auto at = [&](int px, int py) {
        return static_cast<double>(source.luminance[source.camera.index(px, py)]);
      };
      const double a = u - iu, b = v - iv;
      const double value = (at(iu, iv) * (1 - a) + at(iu + 1, iv) * a) * (1 - b) +
                           (at(iu, iv + 1) * (1 - a) + at(iu + 1, iv + 1) * a) * b;
      const double own = static_cast<double>(reference.luminance[reference.camera.index(x + dx, y + dy)]);
      r += own / 25, s += value / 25, rr += own * own / 25, ss += value * value / 25, rs += own * value / 25;
    }
  return (rs - r * s) / std::sqrt((rr - r * r + 3) * (ss - s * s + 3));
}

inline DepthMap map_of_plane(const StereoCamera& camera, double z) {
  DepthMap map;
  map.camera = camera;
  map.depth_m.assign(camera.pixel_count(), static_cast<float>(z - camera_centre(camera.camera_from_world).z));
  map.match.assign(camera.pixel_count(), 255);
  map.agreeing.assign(camera.pixel_count(), 1);
  map.color.assign(camera.pixel_count(), {90, 100, 110});
  return map;
}

/// Every pixel another value, some of them not valid: nothing is smooth, so that a wrong neighbour shows.
inline StereoView noisy_view(const StereoCamera& camera, uint64_t seed) {
  StereoView view = view_of_plane(camera, 4, 0.1);
  for (size_t i = 0; i < view.luminance.size(); ++i) {
    view.luminance[i] = 0.7f * view.luminance[i] + 70 * draw_unit(seed, DrawPurpose::synthetic, i);
    view.valid[i] = draw_unit(seed, DrawPurpose::synthetic, i, 1) > 0.002f;
    if (!view.valid[i]) view.luminance[i] = 0;
  }
  return view;
}

/// A reference and sources on all sides of it, turned, nearer, smaller, and one that looks away.
struct StereoCase {
  StereoView reference;
  std::vector<StereoView> views;
  std::vector<const StereoView*> sources;

  StereoCase(int width, int height, uint64_t seed) : reference(noisy_view(camera_at({0, 0, 0}, width, height), seed)) {
    const Vec3<double> centres[] = {{0.3, 0.1, 0.05}, {-0.25, 0, -0.4}, {0, 0.3, 0.1},
                                    {0.1, -0.3, 0},   {0.4, 0.4, 0.2},  {0, 0, 9}};
    for (size_t i = 0; i < std::size(centres); ++i) {
      StereoCamera camera = camera_at(centres[i], std::max(6, width + 8 - 3 * static_cast<int>(i)),
                                      std::max(6, height - 5 + 2 * static_cast<int>(i)));
      camera.focal_x_px = 75 + 2 * static_cast<double>(i);
      Tangent<double> turn;
      turn.rotation = Vec3<double>(0.02, -0.03, 0.05) * static_cast<double>(i);
      camera.camera_from_world = exp(turn) * camera.camera_from_world;
      views.push_back(noisy_view(camera, seed));
    }
    for (const StereoView& view : views) sources.push_back(&view);
  }
};

/// The CPU, its scratch memory kept between calls.
inline Device cpu() {
  thread_local HeapScratch scratch;
  return {DeviceType::cpu, nullptr, &scratch};
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

/// A kernel's output in a device's memory, with guard values on both sides.
template <class T>
class GuardedOutput {
 public:
  GuardedOutput(const Device& device, size_t count)
      : device_(device), all_(count + 2 * guards), memory_(device, static_cast<int64_t>(all_.size())) {
    std::memset(static_cast<void*>(all_.data()), 0xA5, all_.size() * sizeof(T));
    copy_to_device(device, all_.data(), static_cast<int64_t>(all_.size()), memory_.data());
  }
  T* data() const { return memory_.data() + guards; }
  std::vector<T> read() const {
    std::vector<T> found(all_.size());
    copy_to_host(device_, memory_.data(), static_cast<int64_t>(found.size()), found.data());
    constexpr size_t bytes = guards * sizeof(T);
    const size_t end = found.size() - guards;
    EXPECT_EQ(std::memcmp(found.data(), all_.data(), bytes), 0) << "written before the beginning";
    EXPECT_EQ(std::memcmp(found.data() + end, all_.data() + end, bytes), 0) << "written behind the end";
    return {found.begin() + guards, found.begin() + static_cast<std::ptrdiff_t>(end)};
  }

 private:
  static constexpr size_t guards = 64;
  Device device_;
  std::vector<T> all_;
  Scratch<T> memory_;
};

using Matched = MatchedPhoto;

inline bool same_bits(const Matched& a, const Matched& b) {
  return same_bits(a.planes.inverse_depth, b.planes.inverse_depth) && same_bits(a.planes.slant_x, b.planes.slant_x) &&
         same_bits(a.planes.slant_y, b.planes.slant_y) && same_bits(a.match, b.match);
}

/// Both passes with the first `count` sources: from a slanted plane, through all kinds of candidates, then with depths
/// of the sources, some of which are missing.
inline std::vector<Matched> matched_twice(const Device& device, const StereoCase& c, size_t count, ImageDriver driver) {
  const PatchView reference(c.reference);
  std::vector<PatchView> views;
  std::vector<std::vector<float>> depths;
  std::vector<StereoCamera> cameras;
  for (size_t s = 0; s < count; ++s) {
    views.emplace_back(*c.sources[s]);
    cameras.push_back(views.back().view.camera);
    std::vector<float>& w = depths.emplace_back(cameras.back().pixel_count());
    for (size_t i = 0; i < w.size(); ++i)
      w[i] = draw_unit(s, DrawPurpose::synthetic, i) < 0.1f ? 0 : 0.2f + 0.1f * draw_unit(s, DrawPurpose::synthetic, i);
  }
  const SearchRange range = search_range(c.reference.camera, cameras, 2.5, 9);
  const size_t pixels = c.reference.camera.pixel_count();
  const PlaneField start{std::vector<float>(pixels, 0.24f), std::vector<float>(pixels, 1e-4f),
                         std::vector<float>(pixels, 0.0f)};
  std::vector<PatchSourceView> sources;
  for (const PatchView& view : views) sources.push_back({&view, nullptr, 0.004});
  const PatchMatchOptions options;
  std::vector<Matched> passes;
  PatchPassOptions first = options.first;
  first.rounds = 2;
  passes.push_back(match_patches(device, reference, sources, range, {start}, 5, first, driver));
  for (size_t s = 0; s < count; ++s) sources[s].inverse_depth = &depths[s];
  passes.push_back(
      match_patches(device, reference, sources, range, {passes.front().planes}, 6, options.second, driver));
  return passes;
}

}  // namespace ptl::test
