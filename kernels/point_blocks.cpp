#include "kernels/point_blocks.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "kernels/view_cone.h"

namespace ptl {

namespace {

/// True when no two directions within the valid radius land on a pixel whose distorted radius is at most
/// `distorted_radius`, so that the border of a region bounds the region. Within the valid radius the radial part is
/// monotonic, but with tangential distortion the image can fold near the rim. The distortion's derivative is symmetric,
/// so that it is one-to-one where it is positive definite: where min(g, d(rg)/dr) exceeds the tangential part's norm,
/// at most 6 (|p1| + |p2|) r. Beyond that, no point comes nearer than r·g − 3 (|p1| + |p2|) r².
bool is_one_to_one(const CameraParams<double>& camera, double distorted_radius) {
  const double tangential = std::abs(camera.value[PinholeModel::p1]) + std::abs(camera.value[PinholeModel::p2]);
  if (tangential == 0) return true;
  constexpr int steps = 1024;
  const double last_angle = std::atan(std::min(camera.valid_radius, 1e3));
  bool folds = false;
  for (int i = 0; i <= steps; ++i) {
    const double r = std::tan(last_angle * i / steps);
    const auto at = PinholeModel::radial(camera, r * r);
    folds |= !(std::min(at.g, at.g + 2 * r * r * at.derivative) > 6 * tangential * r);
    if (folds && !(r * at.g - 3 * tangential * r * r > distorted_radius)) return false;
  }
  return true;
}

}  // namespace

FrustumBounds frustum_bounds(const RasterView& view) {
  constexpr int samples = 32;  // a side; distortion is smooth, and the margin covers what lies between
  const CameraParams<double> camera = camera_cast<double>(view.camera);
  const double low = -1.0, right = view.crop.width_px + 1.0, bottom = view.crop.height_px + 1.0;
  double low_x = 1e30, high_x = -1e30, low_y = 1e30, high_y = -1e30;
  bool open = false;
  double distorted_radius = 0;
  const auto visit = [&](double x, double y) {
    const Vec2<double> photo = undo_crop(view.crop, Vec2<double>(x, y));
    const double* a = camera.value;
    const double v = (photo.y - a[PinholeModel::cy]) / a[PinholeModel::fy];
    const double u = (photo.x - a[PinholeModel::cx] - a[PinholeModel::skew] * v) / a[PinholeModel::fx];
    distorted_radius = std::max(distorted_radius, std::hypot(u, v));
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
  const double rim = std::min(1e30, 1.001 * camera.valid_radius);
  if (open || !is_one_to_one(camera, distorted_radius)) {
    low_x = low_y = -rim;
    high_x = high_y = rim;
  } else {
    const double margin_x = 0.02 * (high_x - low_x), margin_y = 0.02 * (high_y - low_y);
    low_x = std::max(-rim, low_x - margin_x);
    high_x = std::min(rim, high_x + margin_x);
    low_y = std::max(-rim, low_y - margin_y);
    high_y = std::min(rim, high_y + margin_y);
  }
  return {static_cast<float>(low_x), static_cast<float>(high_x), static_cast<float>(low_y), static_cast<float>(high_y)};
}

namespace {

/// Bounds of the k-th of the given blocks, or of block k.
struct BoundsOfBlock {
  const float* position;
  int64_t count;
  const int64_t* blocks;
  float* block_bounds;

  PTL_HD void operator()(int64_t k) const {
    const int64_t b = blocks ? blocks[k] : k;
    Vec3<float> low(FLT_MAX), high(-FLT_MAX);
    const int64_t end = (b + 1) * points_per_block < count ? (b + 1) * points_per_block : count;
    for (int64_t i = b * points_per_block; i < end; ++i) {
      const Vec3<float> p(position[3 * i], position[3 * i + 1], position[3 * i + 2]);
      if (!(std::fabs(p.x) <= FLT_MAX && std::fabs(p.y) <= FLT_MAX && std::fabs(p.z) <= FLT_MAX)) continue;
      low = glm::min(low, p);
      high = glm::max(high, p);
    }
    for (int axis = 0; axis < 3; ++axis) {
      block_bounds[6 * b + axis] = low[axis];
      block_bounds[6 * b + 3 + axis] = high[axis];
    }
  }
};

}  // namespace

void compute_block_bounds(const Device& device, const float* position, int64_t count, float* block_bounds) {
  parallel_for(device, "block_bounds", (count + points_per_block - 1) / points_per_block, count,
               BoundsOfBlock{position, count, nullptr, block_bounds});
}

void update_block_bounds(const Device& device, const float* position, int64_t count, const int64_t* blocks,
                         int64_t block_count, float* block_bounds) {
  parallel_for(device, "block_bounds", block_count, block_count * points_per_block,
               BoundsOfBlock{position, count, blocks, block_bounds});
}

namespace {

/// 1 when for each plane some corner of the box is inside of it: conservative for convex regions. The slack is for the
/// rounding of the corners and of the points' own projection, where coordinates are large against depths, and for what a
/// camera moves while its rows are read out.
PTL_HD inline uint32_t may_be_seen(const float* bounds, const Pose<float>& camera_from_world,
                                   const Tangent<float>& readout_motion, const FrustumBounds& frustum) {
  if (!(bounds[0] <= bounds[3])) return 0;  // no finite point
  float size = 0.0f;
  for (int i = 0; i < 3; ++i)
    size += (std::fmax(std::fabs(bounds[i]), std::fabs(bounds[3 + i])) + std::fabs(camera_from_world.translation[i]));
  const float slack = 8e-7f * size + readout_reach(readout_motion, size);
  bool in_front = false, low_x = false, high_x = false, low_y = false, high_y = false;
  for (int corner = 0; corner < 8; ++corner) {
    const Vec3<float> x = camera_from_world * Vec3<float>(bounds[(corner & 1) ? 3 : 0], bounds[(corner & 2) ? 4 : 1],
                                                          bounds[(corner & 4) ? 5 : 2]);
    in_front |= x.z > -slack;
    low_x |= x.x - frustum.low_x * x.z >= -slack * (1.0f + std::fabs(frustum.low_x));
    high_x |= frustum.high_x * x.z - x.x >= -slack * (1.0f + std::fabs(frustum.high_x));
    low_y |= x.y - frustum.low_y * x.z >= -slack * (1.0f + std::fabs(frustum.low_y));
    high_y |= frustum.high_y * x.z - x.y >= -slack * (1.0f + std::fabs(frustum.high_y));
  }
  return in_front && low_x && high_x && low_y && high_y;
}

/// The same for a wide camera: 1 where the ball around the box touches the cone.
PTL_HD inline uint32_t may_be_seen(const float* bounds, const Pose<float>& camera_from_world,
                                   const Tangent<float>& readout_motion, const ViewCone& cone) {
  if (!(bounds[0] <= bounds[3])) return 0;  // no finite point
  float size = 0.0f, square = 0.0f;
  Vec3<float> middle;
  for (int i = 0; i < 3; ++i) {
    size += (std::fmax(std::fabs(bounds[i]), std::fabs(bounds[3 + i])) + std::fabs(camera_from_world.translation[i]));
    middle[i] = 0.5f * bounds[i] + 0.5f * bounds[3 + i];
    const float half = 0.5f * bounds[3 + i] - 0.5f * bounds[i];
    square += half * half;
  }
  return touches_cone(cone, camera_from_world * middle, std::sqrt(square) * 1.00001f + 1.6e-6f * size + readout_reach(readout_motion, size));
}

/// The launch over blocks. A struct, so that both kinds of bounds share it.
template <class Bounds>
struct FlagBlock {
  const float* block_bounds;
  Pose<float> camera_from_world;
  Tangent<float> readout_motion;
  Bounds bounds;
  uint32_t* flag;

  PTL_HD void operator()(int64_t b) const {
    flag[b] = may_be_seen(block_bounds + 6 * b, camera_from_world, readout_motion, bounds);
  }
};

}  // namespace

int64_t find_visible_blocks(const Device& device, const PointsView& points, const RasterView& view, uint32_t* visible) {
  const int64_t blocks = points.blocks();
  const Scratch<uint32_t> flag_memory(device, blocks);
  const Scratch<int64_t> place_memory(device, blocks + 1);
  uint32_t* const flag = flag_memory.data();
  int64_t* const place = place_memory.data();
  const Pose<float> camera_from_world = pose_cast<float>(view.camera_from_world);
  const Tangent<float> motion = tangent_cast<float>(view.readout_motion);
  if (view.camera.model == CameraModel::pinhole)
    parallel_for(device, "visible_blocks", blocks,
                 FlagBlock<FrustumBounds>{points.block_bounds, camera_from_world, motion, frustum_bounds(view), flag});
  else
    parallel_for(device, "visible_blocks", blocks,
                 FlagBlock<ViewCone>{points.block_bounds, camera_from_world, motion, view_cone(view), flag});
  const int64_t count = exclusive_scan(device, flag, blocks, place);
  parallel_for(device, "visible_blocks_compact", blocks, [=] PTL_HD(int64_t b) {
    if (flag[b]) visible[place[b]] = static_cast<uint32_t>(b);
  });
  return count;
}

}  // namespace ptl
