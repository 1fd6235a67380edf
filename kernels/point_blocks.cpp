#include "kernels/point_blocks.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ptl {

FrustumBounds frustum_bounds(const RasterView& view) {
  constexpr int samples = 32;  // a side; distortion is smooth, and the margin covers what lies between
  const CameraParams<double> camera = camera_cast<double>(view.camera);
  const double low = -1.0, right = view.crop.width_px + 1.0, bottom = view.crop.height_px + 1.0;
  double low_x = 1e30, high_x = -1e30, low_y = 1e30, high_y = -1e30;
  bool open = false;
  const auto visit = [&](double x, double y) {
    const Vec2<double> photo = undo_crop(view.crop, Vec2<double>(x, y));
    Vec3<double> ray;
    if (!unproject_ray(camera, photo.x, photo.y, ray) || !(ray.z > 0)) {
      open = true;
      return;
    }
    low_x = std::min(low_x, ray.x / ray.z);
    high_x = std::max(high_x, ray.x / ray.z);
    low_y = std::min(low_y, ray.y / ray.z);
    high_y = std::max(high_y, ray.y / ray.z);
  };
  for (int i = 0; i <= samples; ++i) {
    const double t = static_cast<double>(i) / samples;
    visit(low + t * (right - low), low);
    visit(low + t * (right - low), bottom);
    visit(low, low + t * (bottom - low));
    visit(right, low + t * (bottom - low));
  }
  if (open) return {};
  const double margin_x = 0.02 * (high_x - low_x), margin_y = 0.02 * (high_y - low_y);
  return {static_cast<float>(low_x - margin_x), static_cast<float>(high_x + margin_x),
          static_cast<float>(low_y - margin_y), static_cast<float>(high_y + margin_y)};
}

void compute_block_bounds(const float* position, int64_t count, float* block_bounds) {
  const int64_t blocks = (count + points_per_block - 1) / points_per_block;
#pragma omp parallel for schedule(static)
  for (int64_t b = 0; b < blocks; ++b) {
    float* bounds = block_bounds + 6 * b;
    for (int axis = 0; axis < 3; ++axis) {
      float low = std::numeric_limits<float>::max(), high = std::numeric_limits<float>::lowest();
      for (int64_t i = b * points_per_block; i < std::min(count, (b + 1) * points_per_block); ++i) {
        low = std::min(low, position[3 * i + axis]);
        high = std::max(high, position[3 * i + axis]);
      }
      bounds[axis] = low;
      bounds[3 + axis] = high;
    }
  }
}

namespace {

/// 1 when some corner of the box is inside of each plane: conservative for convex regions.
PTL_HD inline uint32_t may_be_seen(const float* bounds, const Pose<float>& camera_from_world,
                                   const FrustumBounds& frustum) {
  bool in_front = false, low_x = false, high_x = false, low_y = false, high_y = false;
  for (int corner = 0; corner < 8; ++corner) {
    const Vec3<float> x = camera_from_world * Vec3<float>(bounds[(corner & 1) ? 3 : 0], bounds[(corner & 2) ? 4 : 1],
                                                          bounds[(corner & 4) ? 5 : 2]);
    in_front |= x.z > 0;
    low_x |= x.x >= frustum.low_x * x.z;
    high_x |= x.x <= frustum.high_x * x.z;
    low_y |= x.y >= frustum.low_y * x.z;
    high_y |= x.y <= frustum.high_y * x.z;
  }
  return in_front && low_x && high_x && low_y && high_y;
}

}  // namespace

int64_t find_visible_blocks(const Device& device, const PointsView& points, const RasterView& view, uint32_t* visible) {
  const int64_t blocks = points.blocks();
  const Scratch<uint32_t> flag_memory(device, blocks);
  const Scratch<int64_t> place_memory(device, blocks + 1);
  uint32_t* const flag = flag_memory.data();
  int64_t* const place = place_memory.data();
  const FrustumBounds frustum = frustum_bounds(view);
  const Pose<float> camera_from_world = pose_cast<float>(view.camera_from_world);
  const float* const bounds = points.block_bounds;
  parallel_for(device, "visible_blocks", blocks,
               [=] PTL_HD(int64_t b) { flag[b] = may_be_seen(bounds + 6 * b, camera_from_world, frustum); });
  const int64_t count = exclusive_scan(device, flag, blocks, place);
  parallel_for(device, "visible_blocks_compact", blocks, [=] PTL_HD(int64_t b) {
    if (flag[b]) visible[place[b]] = static_cast<uint32_t>(b);
  });
  return count;
}

}  // namespace ptl
