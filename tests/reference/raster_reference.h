// Stages 1 to 3 once more, in float64, one point and one pixel at a time, from the method's text; and the kernels' own
// result with sentinels around every output, for comparison.
#pragma once

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <vector>

#include "kernels/blend.h"
#include "kernels/depth.h"
#include "kernels/point_blocks.h"
#include "kernels/project.h"

namespace ptl::test {

/// Points that own their memory.
struct RasterScene {
  int channels = 4;
  std::vector<float> position, radius, normal, descriptors, bounds;
  std::vector<int64_t> id;

  int64_t count() const { return static_cast<int64_t>(radius.size()); }
  void add(float x, float y, float z, float radius_over_sqrt_u, float first_channel = 1.0f) {
    position.insert(position.end(), {x, y, z});
    id.push_back(100 + 7 * count());
    radius.push_back(radius_over_sqrt_u);
    for (int c = 0; c < channels; ++c) descriptors.push_back(first_channel + static_cast<float>(c));
  }
  PointsView view() {
    bounds.assign(static_cast<size_t>((count() + points_per_block - 1) / points_per_block * 6), 0.0f);
    compute_block_bounds(Device{}, position.data(), count(), bounds.data());
    PointsView points;
    points.count = count();
    points.position = position.data();
    points.radius_over_sqrt_u = radius.data();
    points.id = id.data();
    points.normal = normal.empty() ? nullptr : normal.data();
    points.block_bounds = bounds.data();
    return points;
  }
};

inline RasterView simple_view(int32_t width, int32_t height, float focal) {
  RasterView view;
  view.camera.width_px = width;
  view.camera.height_px = height;
  view.camera.value[PinholeModel::fx] = view.camera.value[PinholeModel::fy] = focal;
  view.camera.value[PinholeModel::cx] = static_cast<float>(width) / 2;
  view.camera.value[PinholeModel::cy] = static_cast<float>(height) / 2;
  update_valid_radius(view.camera);
  view.crop = whole_photo(view.camera);
  return view;
}

/// Where a point lands, in double precision: its pixel in the crop, depth, and whether it is drawn at all.
struct ReferencePoint {
  bool drawn = false;     ///< on at least one layer
  bool ambiguous = false; ///< so near to a decision that rounding may turn it
  double x = 0, y = 0, depth = 0;
  int layers = 0;
  bool ghost = false;
};

/// What follows the camera model: the crop, the footprint, the normal, dropout.
inline void finish_reference(const RasterScene& scene, int64_t i, const RasterView& view, const RasterConfig& config,
                             const Vec3<double>& at, double x_px, double y_px, double depth, double focal_px,
                             ReferencePoint& result) {
  const double x[3] = {at.x, at.y, at.z};
  result.x = x_px * view.crop.zoom - view.crop.offset_x_px;
  result.y = y_px * view.crop.zoom - view.crop.offset_y_px;
  const double near = 2e-3;
  if (view.camera.model == CameraModel::equirectangular) {
    // Crops reach over the seam: whole turns are added until the point is within one.
    const double turn = static_cast<double>(view.crop.zoom) * view.camera.width_px;
    result.x -= turn * std::floor(result.x / turn);
    result.ambiguous |= result.x < near || result.x > turn - near;
  }
  if (result.x < -near || result.y < -near || result.x > view.crop.width_px + near ||
      result.y > view.crop.height_px + near)
    return;
  result.ambiguous |= std::abs(result.x - std::round(result.x)) < near || std::abs(result.y - std::round(result.y)) < near;
  if (result.x < 0 || result.y < 0 || result.x >= view.crop.width_px || result.y >= view.crop.height_px) return;
  result.depth = depth;
  const double focal = focal_px * view.crop.zoom;
  for (int l = 0; l < config.layers; ++l) {
    const double footprint = focal * scene.radius[static_cast<size_t>(i)] / depth / std::pow(2.0, l);
    result.ambiguous |= std::abs(footprint - config.footprint_threshold_px) < 1e-5;
    if (footprint >= config.footprint_threshold_px) result.layers = l + 1;
  }
  if (config.cull_backfaces && !scene.normal.empty()) {
    double facing = 0;
    for (int row = 0; row < 3; ++row)
      for (int column = 0; column < 3; ++column)
        facing += view.camera_from_world.rotation[column][row] * scene.normal[static_cast<size_t>(3 * i + column)] * x[row];
    result.ambiguous |= std::abs(facing) < 1e-5;
    if (facing > 0) return;
  }
  result.drawn = result.layers > 0;
  result.ghost = config.dropout > 0 &&
                 draw_unit(config.seed, DrawPurpose::dropout, config.step, config.image_id, config.crop_index,
                           static_cast<uint64_t>(scene.id[static_cast<size_t>(i)])) <= config.dropout;
}

inline ReferencePoint reference_project(const RasterScene& scene, int64_t i, const RasterView& view,
                                        const RasterConfig& config) {
  ReferencePoint result;
  const float* p = scene.position.data() + 3 * i;
  double x[3];
  for (int row = 0; row < 3; ++row) {
    x[row] = view.camera_from_world.translation[row];
    for (int column = 0; column < 3; ++column) x[row] += view.camera_from_world.rotation[column][row] * p[column];
  }
  if (view.camera.model != CameraModel::pinhole) {
    // Models are held against others' values where they are tested alone; here in float64, at another distance.
    const Vec3<double> at(x[0], x[1], x[2]);
    const Projection<double> seen = project(camera_cast<double>(view.camera), at * 3.0);
    const double depth = glm::length(at), angle = std::atan2(std::hypot(x[0], x[1]), x[2]);
    result.ambiguous = depth < 1e-3 || angle > 3.14 || std::abs(angle - view.camera.valid_radius) < 1e-3;
    if (!seen.valid) return result;
    finish_reference(scene, i, view, config, at, seen.x_px, seen.y_px, depth,
                     focal_length_px(camera_cast<double>(view.camera)), result);
    return result;
  }
  result.ambiguous = std::abs(x[2]) < 1e-4;
  if (!(x[2] > 0)) return result;
  const float* a = view.camera.value;
  const double u = x[0] / x[2], v = x[1] / x[2], s = u * u + v * v;
  const double limit = view.camera.valid_radius;
  result.ambiguous |= std::abs(std::sqrt(s) - limit) < 1e-4 * limit;
  if (std::sqrt(s) > limit) return result;
  const double k1 = a[5], k2 = a[6], p1 = a[7], p2 = a[8], k3 = a[9], k4 = a[10], k5 = a[11], k6 = a[12];
  const double g = (1 + k1 * s + k2 * s * s + k3 * s * s * s) / (1 + k4 * s + k5 * s * s + k6 * s * s * s);
  const double ud = u * g + 2 * p1 * u * v + p2 * (s + 2 * u * u), vd = v * g + p1 * (s + 2 * v * v) + 2 * p2 * u * v;
  finish_reference(scene, i, view, config, {x[0], x[1], x[2]}, a[0] * ud + a[4] * vd + a[2], a[1] * vd + a[3], x[2],
                   std::sqrt(static_cast<double>(a[0]) * a[1]), result);
  return result;
}

/// Moves ambiguous points out of sight (behind any camera: to NaN), so that float and double decide alike.
inline void remove_ambiguous(RasterScene& scene, const RasterView& view, const RasterConfig& config) {
  for (int64_t i = 0; i < scene.count(); ++i)
    if (reference_project(scene, i, view, config).ambiguous)
      scene.position[static_cast<size_t>(3 * i)] = std::numeric_limits<float>::quiet_NaN();
}

struct ReferenceImage {
  PyramidShape shape;
  std::vector<double> features, min_depth_m;
  std::vector<int32_t> weight;
  std::vector<char> ambiguous;
};

inline ReferenceImage reference_rasterize(const RasterScene& scene, const RasterView& view, const RasterConfig& config,
                                          const std::vector<double>* descriptors = nullptr) {
  ReferenceImage image;
  image.shape = {view.crop.width_px, view.crop.height_px, config.layers};
  const auto pixels = static_cast<size_t>(image.shape.pixels());
  const auto channels = static_cast<size_t>(scene.channels);
  image.features.assign(pixels * channels, 0.0);
  image.min_depth_m.assign(pixels, std::numeric_limits<double>::infinity());
  image.weight.assign(pixels, 0);
  image.ambiguous.assign(pixels, 0);
  std::vector<ReferencePoint> projected;
  for (int64_t i = 0; i < scene.count(); ++i) projected.push_back(reference_project(scene, i, view, config));
  size_t first = 0;
  for (int l = 0; l < config.layers; ++l) {
    const int32_t width = view.crop.width_px >> l, height = view.crop.height_px >> l;
    const auto pixel_of = [&](const ReferencePoint& p) {
      const double scale = std::pow(0.5, l);
      return first + static_cast<size_t>(std::floor(p.y * scale)) * static_cast<size_t>(width) +
             static_cast<size_t>(std::floor(p.x * scale));
    };
    for (const ReferencePoint& p : projected)
      if (p.drawn && l < p.layers)
        image.min_depth_m[pixel_of(p)] = std::min(image.min_depth_m[pixel_of(p)], p.depth);
    for (size_t i = 0; i < projected.size(); ++i) {
      const ReferencePoint& p = projected[i];
      if (!p.drawn || l >= p.layers) continue;
      const size_t pixel = pixel_of(p);
      const double limit = (1 + static_cast<double>(config.depth_tolerance)) * image.min_depth_m[pixel];
      if (config.depth_tolerance > 0 && std::abs(p.depth - limit) < 3e-6 * limit) image.ambiguous[pixel] = 1;
      if (p.ghost || p.depth > limit) continue;
      ++image.weight[pixel];
      for (size_t c = 0; c < channels; ++c)
        image.features[pixel * channels + c] +=
            descriptors ? (*descriptors)[i * channels + c] : static_cast<double>(scene.descriptors[i * channels + c]);
    }
    first += static_cast<size_t>(width) * static_cast<size_t>(height);
  }
  for (size_t pixel = 0; pixel < pixels; ++pixel)
    for (size_t c = 0; c < channels; ++c)
      if (image.weight[pixel]) image.features[pixel * channels + c] /= image.weight[pixel];
  return image;
}

/// A buffer with sentinels before and behind; `intact` says whether they still stand.
template <class T>
struct Guarded {
  static constexpr size_t guard = 64;
  std::vector<unsigned char> bytes;
  size_t size;
  explicit Guarded(int64_t count) : size(static_cast<size_t>(count)) {
    bytes.assign((size + 2 * guard) * sizeof(T), 0xa5);
  }
  T* data() { return reinterpret_cast<T*>(bytes.data()) + guard; }
  bool intact() const {
    for (size_t i = 0; i < guard * sizeof(T); ++i)
      if (bytes[i] != 0xa5 || bytes[(guard + size) * sizeof(T) + i] != 0xa5) return false;
    return true;
  }
  std::vector<T> values() { return std::vector<T>(data(), data() + size); }
};

struct RenderedImage {
  PyramidShape shape;
  std::vector<ProjectedPoint> projected;
  std::vector<float> features, min_depth_m;
  std::vector<int32_t> weight;
};

/// The kernels' stages 1 to 3. Outputs start as garbage: entries that are not written show.
inline RenderedImage render(RasterScene& scene, const RasterView& view, const RasterConfig& config,
                            RasterDriver driver = RasterDriver::tiles, int threads = 2) {
  omp_set_num_threads(threads);
  HeapScratch scratch;
  const Device device{DeviceType::cpu, nullptr, &scratch};
  const PointsView points = scene.view();
  RenderedImage image;
  image.shape = {view.crop.width_px, view.crop.height_px, config.layers};
  const int64_t pixels = image.shape.pixels();
  Guarded<uint32_t> visible(points.blocks());
  Guarded<float> depth(pixels), features(pixels * scene.channels);
  Guarded<int32_t> weight(pixels);
  const int64_t blocks = find_visible_blocks(device, points, view, visible.data());
  Guarded<ProjectedPoint> projected(blocks * points_per_block);
  int64_t count = 0;
  if (driver == RasterDriver::sorted) {
    count = project_points(device, points, view, config, visible.data(), blocks, projected.data());
    depth_pass(device, image.shape, projected.data(), count, depth.data());
    blend(device, image.shape, projected.data(), count, depth.data(), config.depth_tolerance, scene.descriptors.data(),
          scene.channels, features.data(), weight.data());
  } else {
    const TileGrid grid = tile_grid(image.shape);
    Guarded<int64_t> tile_start(grid.count() + 1);
    count = project_points_tiled(device, points, view, config, visible.data(), blocks, grid, projected.data(),
                                 tile_start.data());
    depth_pass_tiled(device, image.shape, grid, projected.data(), tile_start.data(), depth.data());
    blend_tiled(device, image.shape, grid, projected.data(), tile_start.data(), depth.data(), config.depth_tolerance,
                scene.descriptors.data(), scene.channels, features.data(), weight.data());
    EXPECT_TRUE(tile_start.intact());
    EXPECT_EQ(tile_start.values().back(), count);
  }
  EXPECT_TRUE(visible.intact() && depth.intact() && features.intact() && weight.intact() && projected.intact());
  image.projected.assign(projected.data(), projected.data() + count);
  image.features = features.values();
  image.min_depth_m = depth.values();
  image.weight = weight.values();
  return image;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

/// Points in a box around and before the camera, radii such that all numbers of layers occur, blocks sorted as prepared
/// clouds are.
inline RasterScene random_scene(uint64_t seed, int64_t count, int channels, float radius_scale = 1.0f) {
  const auto draw = [&](int64_t i, uint64_t which) {
    return draw_unit(seed, DrawPurpose::synthetic, static_cast<uint64_t>(i), which);
  };
  RasterScene scene;
  scene.channels = channels;
  std::vector<float> radius;
  for (int64_t i = 0; i < count; ++i) radius.push_back(radius_scale * 0.3f * std::pow(draw(i, 0), 4.0f));
  for (int64_t b = 0; b < count; b += points_per_block)
    std::sort(radius.begin() + b, radius.begin() + std::min(count, b + points_per_block), std::greater<float>());
  for (int64_t i = 0; i < count; ++i) {
    // Many points share a surface within the depth tolerance; some are far behind, some behind the camera.
    const float surface = 3.0f + 0.02f * draw(i, 4);
    const float z = draw(i, 3) < 0.7f ? surface : -1.0f + 8.0f * draw(i, 4);
    scene.add(4.0f * draw(i, 1) - 2.0f, 4.0f * draw(i, 2) - 2.0f, z, radius[static_cast<size_t>(i)]);
    Vec3<float> normal(draw(i, 5) - 0.5f, draw(i, 6) - 0.5f, draw(i, 7) - 0.5f);
    normal /= glm::length(normal);
    scene.normal.insert(scene.normal.end(), {normal.x, normal.y, normal.z});
    for (int c = 0; c < channels; ++c)
      scene.descriptors[static_cast<size_t>(i * channels + c)] = 2 * draw(i, 10 + static_cast<uint64_t>(c)) - 1;
  }
  return scene;
}

/// Poses, crops, zooms and distortions of all kinds, by number.
inline RasterView random_view(uint64_t seed, int layers) {
  const auto draw = [&](uint64_t which) { return draw_unit(seed, DrawPurpose::synthetic, 1u << 20, which) - 0.5f; };
  RasterView view = simple_view(96, 80, 70.0f + 40.0f * draw(0));
  float* a = view.camera.value;
  a[PinholeModel::fy] *= 1.0f + 0.1f * draw(1);
  a[PinholeModel::cx] += 10 * draw(2);
  a[PinholeModel::skew] = draw(3);
  if (seed % 3) {
    a[PinholeModel::k1] = 0.4f * draw(4);
    a[PinholeModel::k2] = 0.1f * draw(5);
    a[PinholeModel::p1] = 0.01f * draw(6);
    a[PinholeModel::p2] = 0.01f * draw(7);
  }
  if (seed % 3 == 2) {
    a[PinholeModel::k3] = 0.02f * draw(8);
    a[PinholeModel::k4] = 0.2f * draw(9);
    a[PinholeModel::k5] = 0.05f * draw(10);
    a[PinholeModel::k6] = 0.01f * draw(11);
  }
  update_valid_radius(view.camera);
  view.camera_from_world = exp(Tangent<double>{{0.5 * draw(12), 0.5 * draw(13), 0.8 * draw(14)},
                                               {0.6 * draw(15), 0.6 * draw(16), 2.0 * draw(17)}});
  if (seed % 2) {
    const int unit = 1 << (layers - 1);
    view.crop.zoom = 1.1f + 0.7f * draw(18);
    view.crop.offset_x_px = 40.0f * (draw(19) + 0.4f);
    view.crop.offset_y_px = 30.0f * (draw(20) + 0.4f);
    view.crop.width_px = unit * ((48 + unit - 1) / unit);
    view.crop.height_px = unit * ((64 + unit - 1) / unit);
  } else {
    const int unit = 1 << (layers - 1);
    view.crop.width_px = (96 + unit - 1) / unit * unit;
    view.crop.height_px = (80 + unit - 1) / unit * unit;
  }
  return view;
}

}  // namespace ptl::test
