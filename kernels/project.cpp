#include "kernels/project.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

namespace ptl {

void check_raster_config(const RasterConfig& config, const RasterView& view) {
  const auto refuse = [](const std::string& why) { throw std::invalid_argument("rasterise: " + why); };
  if (config.layers < 1 || config.layers > max_pyramid_layers)
    refuse("layers is " + std::to_string(config.layers) + ", expected 1 to " + std::to_string(max_pyramid_layers));
  const int32_t unit = 1 << (config.layers - 1);
  if (view.crop.width_px < 1 || view.crop.height_px < 1 || view.crop.width_px > 65535 || view.crop.height_px > 65535)
    refuse("the image is " + std::to_string(view.crop.width_px) + " x " + std::to_string(view.crop.height_px) +
           " px, expected 1 to 65535 on a side");
  if (view.crop.width_px % unit || view.crop.height_px % unit)
    refuse("the image is " + std::to_string(view.crop.width_px) + " x " + std::to_string(view.crop.height_px) +
           " px, expected multiples of " + std::to_string(unit) + " for " + std::to_string(config.layers) + " layers");
  if (static_cast<int64_t>(view.crop.width_px) * view.crop.height_px > int64_t{1} << 30)
    refuse("the image is " + std::to_string(view.crop.width_px) + " x " + std::to_string(view.crop.height_px) +
           " px, expected at most 2^30 pixels");
  if (!(view.crop.zoom > 0 && std::isfinite(view.crop.zoom))) refuse("the crop's zoom must be positive");
  if (!(config.footprint_threshold_px >= 0)) refuse("footprint_threshold_px must not be negative");
  if (!(config.dropout >= 0 && config.dropout < 1)) refuse("dropout must be in [0, 1)");
  if (!(config.depth_tolerance >= 0)) refuse("depth_tolerance must not be negative");
}

namespace {

/// A point's row says when it is seen, and that where it is: from the middle row three rounds, each of which leaves at most
/// motion/height of the error (0.01 px of a motion of 40 px in 500 rows).
constexpr int readout_rounds = 3;

/// Stage 1's formulas for one point, with everything of the view that does not depend on the point. Rolling: rows have poses of
/// their own.
template <class Model, bool Rolling>
struct Projector {
  PointsView points;
  CameraParams<float> camera;
  Pose<float> camera_from_world;
  Tangent<float> readout_motion;
  Crop crop;
  float focal_px;
  RasterConfig config;
  uint64_t dropout_prefix;
  uint64_t dropout_threshold;  ///< of 2^24

  Projector(const PointsView& points_view, const RasterView& view, const RasterConfig& raster_config)
      : points(points_view), camera(view.camera), camera_from_world(pose_cast<float>(view.camera_from_world)),
        readout_motion(tangent_cast<float>(view.readout_motion)), crop(view.crop), focal_px(ptl::focal_length_px(view.camera, view.crop)), config(raster_config),
        dropout_prefix(draw_prefix(config.seed, DrawPurpose::dropout, config.step, config.image_id, config.crop_index)),
        dropout_threshold(static_cast<uint64_t>(static_cast<double>(config.dropout) * 16777216.0)) {}

  struct Landing {
    float x_px, y_px, depth_m, footprint_px;
    bool inside;  ///< of the image, at a depth that can be
  };

  /// The arithmetic, without a branch that could not be a selection: the CPU's driver runs it over a block at a time.
  PTL_HD Landing land(int64_t i) const {
    const float* p = points.position + 3 * i;
    // Written out: the compiler keeps a product of glm's types in memory, and then cannot vectorise.
    const Mat3<float>& m = camera_from_world.rotation;
    const Vec3<float>& t = camera_from_world.translation;
    const Vec3<float> x_camera(m[0].x * p[0] + m[1].x * p[1] + m[2].x * p[2] + t.x,
                               m[0].y * p[0] + m[1].y * p[1] + m[2].y * p[2] + t.y,
                               m[0].z * p[0] + m[1].z * p[1] + m[2].z * p[2] + t.z);
    Projection<float> projection = Model::project(camera, x_camera);
    if constexpr (Rolling)
      for (int round = 0; round < readout_rounds; ++round) {
        const float time = readout_time(projection.y_px, camera.height_px);
        projection = Model::project(camera, moved_in_readout(readout_motion, time, x_camera));
      }
    Vec2<float> pixel = apply_crop(crop, Vec2<float>(projection.x_px, projection.y_px));
    if constexpr (Model::wraps_x) {  // a crop may reach over the seam on either side
      const float width = crop.zoom * static_cast<float>(camera.width_px);
      pixel.x = pixel.x < 0.0f ? pixel.x + width : pixel.x;
      pixel.x = pixel.x >= width ? pixel.x - width : pixel.x;
    }
    Landing landing;
    landing.x_px = pixel.x;
    landing.y_px = pixel.y;
    landing.depth_m = projection.depth_m;
    landing.footprint_px = focal_px * points.radius_over_sqrt_u[i] / projection.depth_m;
    // Written so that NaN is outside. An infinite depth would read as an empty pixel.
    landing.inside = projection.valid & (projection.depth_m < INFINITY) & (pixel.x >= 0.0f) & (pixel.y >= 0.0f) &
                     (pixel.x < static_cast<float>(crop.width_px)) & (pixel.y < static_cast<float>(crop.height_px)) &
                     (landing.footprint_px >= config.footprint_threshold_px);
    return landing;
  }

  /// For a point that is inside: false when it faces away or is drawn on no layer.
  PTL_HD bool draw(int64_t i, float x_px, float y_px, float depth_m, float footprint_px, ProjectedPoint& out) const {
    const int layers = layers_of_footprint(footprint_px, config.footprint_threshold_px, config.layers);
    if (layers == 0) return false;
    if (config.cull_backfaces && points.normal) {
      const float* p = points.position + 3 * i;
      const float* n = points.normal + 3 * i;
      if (glm::dot(camera_from_world.rotation * Vec3<float>(n[0], n[1], n[2]),
                   camera_from_world * Vec3<float>(p[0], p[1], p[2])) > 0.0f)
        return false;
    }
    out.point = static_cast<uint32_t>(i);
    out.x_px = static_cast<uint16_t>(x_px);
    out.y_px = static_cast<uint16_t>(y_px);
    out.depth_m = depth_m;
    out.layers = static_cast<uint16_t>(layers);
    out.ghost = dropout_threshold != 0 &&
                (mix64(dropout_prefix ^ static_cast<uint64_t>(points.id[i])) >> 40) < dropout_threshold;
    return true;
  }

  PTL_HD bool operator()(int64_t i, ProjectedPoint& out) const {
    const Landing landing = land(i);
    return landing.inside && draw(i, landing.x_px, landing.y_px, landing.depth_m, landing.footprint_px, out);
  }
};

/// One past the last point of the block [begin, end) that could be drawn from its bounds' nearest corner: a block's points
/// stand largest r/√u first, so that all after it are too small (method section 1).
template <class Model, bool Rolling>
int64_t drawable_end(const Projector<Model, Rolling>& projector, int64_t begin, int64_t end) {
  if (Rolling) return end;  // the bounds' depth is that of the middle row
  const float* bounds = projector.points.block_bounds + begin / points_per_block * 6;
  const float depth_m = Model::least_depth_m(projector.camera_from_world, bounds, bounds + 3);
  if (!(depth_m > 0)) return end;
  const float least = 0.99999f * projector.config.footprint_threshold_px * depth_m / projector.focal_px;
  const float* radius = projector.points.radius_over_sqrt_u;
  return std::partition_point(radius + begin, radius + end, [=](float r) { return r >= least; }) - radius;
}

/// The points [begin, end) of a block at `next`, packed; returns one past the last. Vectorised: the CPU's driver.
template <class Model, bool Rolling>
ProjectedPoint* project_block(const Projector<Model, Rolling>& projector, int64_t begin, int64_t end, ProjectedPoint* next) {
  alignas(64) float x_px[points_per_block], y_px[points_per_block], depth_m[points_per_block];
  alignas(64) float footprint_px[points_per_block];
  alignas(64) int32_t inside[points_per_block];
  const auto count = static_cast<int32_t>(end - begin);
  const Projector<Model, Rolling> local = projector;  // on the stack, so that no store is taken for a change of it
#pragma omp simd
  for (int32_t k = 0; k < count; ++k) {
    const typename Projector<Model, Rolling>::Landing landing = local.land(begin + k);
    x_px[k] = landing.x_px;
    y_px[k] = landing.y_px;
    depth_m[k] = landing.depth_m;
    footprint_px[k] = landing.footprint_px;
    inside[k] = landing.inside;
  }
  for (int32_t k = 0; k < count; ++k)
    if (inside[k])
      next += local.draw(begin + k, x_px[k], y_px[k], depth_m[k], footprint_px[k], *next);
  return next;
}

/// The launch of stage 1 over slots, 256 a visible block. A struct, since nvcc takes no device lambda within a generic one.
template <class Model, bool Rolling>
struct ProjectSlot {
  Projector<Model, Rolling> projector;
  const uint32_t* blocks;
  ProjectedPoint* slot;
  uint32_t* flag;

  PTL_HD void operator()(int64_t s) const {
    const int64_t i = static_cast<int64_t>(blocks[s / points_per_block]) * points_per_block + s % points_per_block;
    flag[s] = i < projector.points.count && projector(i, slot[s]);
  }
};

/// One past the index of a block's last point.
inline int64_t block_end(const PointsView& points, uint32_t block) {
  const int64_t end = (static_cast<int64_t>(block) + 1) * points_per_block;
  return end < points.count ? end : points.count;
}

}  // namespace

int64_t project_points(const Device& device, const PointsView& points, const RasterView& view,
                       const RasterConfig& config, const uint32_t* blocks, int64_t block_count, ProjectedPoint* out) {
  check_raster_config(config, view);
  const int64_t slots = block_count * points_per_block;
  const Scratch<ProjectedPoint> slot_memory(device, slots);
  const Scratch<uint32_t> flag_memory(device, slots);
  const Scratch<int64_t> place_memory(device, slots + 1);
  ProjectedPoint* const slot = slot_memory.data();
  uint32_t* const flag = flag_memory.data();
  int64_t* const place = place_memory.data();
  visit_camera_rows(view.camera.model, moves(view.readout_motion), [&](auto model, auto rolling) {
    using ThisProjector = Projector<decltype(model), decltype(rolling)::value>;
    parallel_for(device, "project", slots,
                 ProjectSlot<decltype(model), decltype(rolling)::value>{ThisProjector(points, view, config), blocks, slot, flag});
  });
  const int64_t count = exclusive_scan(device, flag, slots, place);
  parallel_for(device, "project_compact", slots, [=] PTL_HD(int64_t s) {
    if (flag[s]) out[place[s]] = slot[s];
  });
  return count;
}

TileGrid tile_grid(const PyramidShape& shape) {
  TileGrid grid;
  grid.tile_px = std::max(64, 1 << (shape.layers - 1));
  grid.columns = (shape.width_px + grid.tile_px - 1) / grid.tile_px;
  grid.rows = (shape.height_px + grid.tile_px - 1) / grid.tile_px;
  return grid;
}

int64_t project_points_tiled(const Device& device, const PointsView& points, const RasterView& view,
                             const RasterConfig& config, const uint32_t* blocks, int64_t block_count,
                             const TileGrid& grid, ProjectedPoint* out, int64_t* tile_start) {
  check_raster_config(config, view);
  if (device.type != DeviceType::cpu) throw_device_error("project_points_tiled", "tiles are the CPU's driver");
  // Chunks are fixed by the number of blocks alone, so that the order within a tile is that of the points.
  const int64_t blocks_per_chunk = std::max<int64_t>(8, (block_count + 63) / 64);
  const int64_t chunks = (block_count + blocks_per_chunk - 1) / blocks_per_chunk;
  const int64_t tiles = grid.count();
  const Scratch<ProjectedPoint> slot_memory(device, block_count * points_per_block);
  const Scratch<int64_t> chunk_count_memory(device, chunks), place_memory(device, chunks * tiles);
  ProjectedPoint* const slot = slot_memory.data();
  int64_t* const chunk_count = chunk_count_memory.data();
  int64_t* const place = place_memory.data();  // [chunk][tile]: first the count, then the place
  int tile_shift = 0;
  while ((1 << tile_shift) < grid.tile_px) ++tile_shift;
  const auto tile_of = [&](const ProjectedPoint& p) {
    return static_cast<int64_t>(p.y_px >> tile_shift) * grid.columns + (p.x_px >> tile_shift);
  };

  visit_camera_rows(view.camera.model, moves(view.readout_motion), [&](auto model, auto rolling) {
    const Projector<decltype(model), decltype(rolling)::value> projector(points, view, config);
#pragma omp parallel for schedule(dynamic, 1)
    for (int64_t c = 0; c < chunks; ++c) {
      ProjectedPoint* const begin = slot + c * blocks_per_chunk * points_per_block;
      ProjectedPoint* next = begin;
      int64_t* const counts = place + c * tiles;
      std::fill(counts, counts + tiles, 0);
      for (int64_t b = c * blocks_per_chunk; b < std::min(block_count, (c + 1) * blocks_per_chunk); ++b) {
        const int64_t first = static_cast<int64_t>(blocks[b]) * points_per_block;
        ProjectedPoint* const end =
            project_block(projector, first, drawable_end(projector, first, block_end(points, blocks[b])), next);
        for (; next != end; ++next) ++counts[tile_of(*next)];
      }
      chunk_count[c] = next - begin;
    }
  });

  int64_t total = 0;
  for (int64_t t = 0; t < tiles; ++t) {
    tile_start[t] = total;
    for (int64_t c = 0; c < chunks; ++c) total += std::exchange(place[c * tiles + t], total);
  }
  tile_start[tiles] = total;

#pragma omp parallel for schedule(dynamic, 1)
  for (int64_t c = 0; c < chunks; ++c) {
    const ProjectedPoint* const begin = slot + c * blocks_per_chunk * points_per_block;
    int64_t* const next = place + c * tiles;
    for (int64_t i = 0; i < chunk_count[c]; ++i) out[next[tile_of(begin[i])]++] = begin[i];
  }
  return total;
}

}  // namespace ptl
