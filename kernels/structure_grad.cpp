#include "kernels/structure_grad.h"

#include <algorithm>
#include <vector>

#include "kernels/blend.h"

namespace ptl {
namespace {

/// Channels as a constant, or 0: then the image says.
template <int Channels>
struct PixelGradients {
  StructureImage image;
  StructureConfig config;
  PixelGradient* gradients;

  PTL_HD int channels() const { return Channels ? Channels : image.channels; }

  /// Σ_c ΔI(q) G(q): what the loss changes by when a point at this depth with descriptor T is drawn at pixel q.
  PTL_HD float change(float depth_m, const float* descriptor, int64_t q) const {
    const float nearest_m = image.min_depth_m[q], factor = 1.0f + image.depth_tolerance;
    const int32_t weight = image.weight[q];
    const bool tested = config.neighbours == NeighbourRule::tested;
    if (tested && depth_m > factor * nearest_m) return 0.0f;
    const float* const value = image.displayed + q * image.displayed_stride;
    const float* const grad = image.grad_displayed + q * channels();
    float sum = 0.0f;
    for (int c = 0; c < channels(); ++c) sum += (descriptor[c] - value[c]) * grad[c];
    const bool overrides = !tested || weight == 0 || factor * depth_m < nearest_m;
    return overrides ? sum : sum / static_cast<float>(weight + 1);  // (W I + T) / (W + 1) − I = (T − I) / (W + 1)
  }

  PTL_HD void operator()(int64_t i) const {
    const ProjectedPoint p = image.projected[i];
    PixelGradient result;
    if ((p.ghost != 0) == (config.points == StructurePoints::ghosts)) {
      const float* const descriptor = image.descriptors + static_cast<int64_t>(p.point) * channels();
      int64_t first = 0;
      float pixel_size = 1.0f;  // layer 0's pixels per pixel of the layer
      for (int l = 0; l < p.layers; ++l, pixel_size *= 2.0f) {
        const int32_t width = image.shape.width(l), height = image.shape.height(l), x = p.x_px >> l, y = p.y_px >> l;
        const int64_t pixel = first + static_cast<int64_t>(y) * width + x;
        first += static_cast<int64_t>(width) * height;
        if (x < 2 || y < 2 || x >= width - 2 || y >= height - 2) continue;
        if (p.depth_m > (1.0f + image.depth_tolerance) * image.min_depth_m[pixel]) continue;
        const float scale = 0.5f / (static_cast<float>(channels()) * pixel_size);
        result.x += scale * (change(p.depth_m, descriptor, pixel + 1) - change(p.depth_m, descriptor, pixel - 1));
        result.y += scale * (change(p.depth_m, descriptor, pixel + width) - change(p.depth_m, descriptor, pixel - width));
        ++result.terms;
      }
    }
    gradients[i] = result;
  }
};

constexpr int64_t points_per_sum = 64;  // of the fixed order: its leaves

/// A leaf of the sums, and the position gradients of its points.
template <class Model>
struct ChainLeaf {
  PointsView points;
  CameraParams<float> camera;
  Pose<float> camera_from_world;
  float zoom;
  const ProjectedPoint* projected;
  int64_t count;
  const uint32_t* order;  ///< null: as they stand
  const PixelGradient* gradients;
  float* grad_position;
  StructureSums* sums;

  PTL_HD void operator()(int64_t leaf) const {
    StructureSums sum;
    const int64_t begin = leaf * points_per_sum;
    const int64_t end = begin + points_per_sum < count ? begin + points_per_sum : count;
    for (int64_t k = begin; k < end; ++k) {
      const int64_t i = order ? order[k] : k;
      float* const to = grad_position + 3 * i;
      const PixelGradient gradient = gradients[i];
      if (gradient.terms == 0) {
        to[0] = to[1] = to[2] = 0.0f;
        continue;
      }
      const float* const p = points.position + 3 * static_cast<int64_t>(projected[i].point);
      const Vec3<float> x_camera = camera_from_world * Vec3<float>(p[0], p[1], p[2]);
      const ProjectionJacobian<float> jacobian = Model::jacobian(camera, x_camera);
      const float x = zoom * gradient.x, y = zoom * gradient.y;  // per pixel of the photo
      const Vec3<float> grad_camera = jacobian.point[0] * x + jacobian.point[1] * y;
      const Tangent<float> tangent = tangent_gradient(x_camera, grad_camera);
      for (int axis = 0; axis < 3; ++axis) {
        sum.pose[axis] += static_cast<double>(tangent.translation[axis]);
        sum.pose[3 + axis] += static_cast<double>(tangent.rotation[axis]);
      }
      for (int k_param = 0; k_param < Model::param_count; ++k_param)
        sum.camera[k_param] += static_cast<double>(jacobian.params[0][k_param] * x + jacobian.params[1][k_param] * y);
      sum.terms += gradient.terms;
      const Vec3<float> grad_world =
          glm::transpose(camera_from_world.rotation) * grad_camera / static_cast<float>(gradient.terms);
      for (int axis = 0; axis < 3; ++axis) to[axis] = grad_world[axis];
    }
    sums[leaf] = sum;
  }
};

/// The order by tile, for points that stand in their own order.
void order_by_tile(const Device& device, const PyramidShape& shape, const ProjectedPoint* projected, int64_t count,
                   uint32_t* order) {
  const TileGrid grid = tile_grid(shape);
  const Scratch<uint32_t> tile_memory(device, count);
  uint32_t* const tile = tile_memory.data();
  const int32_t columns = grid.columns, tile_px = grid.tile_px;
  parallel_for(device, "structure_tiles", count, [=] PTL_HD(int64_t i) {
    const ProjectedPoint p = projected[i];
    tile[i] = static_cast<uint32_t>(p.y_px / tile_px * columns + p.x_px / tile_px);
    order[i] = static_cast<uint32_t>(i);
  });
  sort_pairs(device, tile, order, count);
}

}  // namespace

void structure_pixel_gradients(const Device& device, const StructureImage& image, const StructureConfig& config,
                               PixelGradient* gradients) {
  with_channels(image.channels, [&](auto constant) {
    parallel_for(device, "structure_pixel_gradients", image.count,
                 PixelGradients<constant.value>{image, config, gradients});
  });
}

StructureSums structure_chain(const Device& device, const PointsView& points, const RasterView& view,
                              const PyramidShape& shape, const ProjectedPoint* projected, int64_t count, bool by_tile,
                              const PixelGradient* gradients, float* grad_position) {
  const int64_t leaves = (count + points_per_sum - 1) / points_per_sum;
  const Scratch<uint32_t> order_memory(device, by_tile ? 0 : count);
  if (!by_tile) order_by_tile(device, shape, projected, count, order_memory.data());
  const Scratch<StructureSums> sum_memory(device, leaves);
  visit_camera(view.camera.model, [&](auto model) {
    using Model = decltype(model);
    parallel_for(device, "structure_chain", leaves, count,
                 ChainLeaf<Model>{points, view.camera, pose_cast<float>(view.camera_from_world), view.crop.zoom, projected,
                                  count, by_tile ? nullptr : order_memory.data(), gradients, grad_position,
                                  sum_memory.data()});
  });
  std::vector<StructureSums> sums(static_cast<size_t>(leaves));
  copy_to_host(device, sum_memory.data(), leaves, sums.data());
  StructureSums total;
  for (const StructureSums& sum : sums) {
    for (int k = 0; k < 6; ++k) total.pose[k] += sum.pose[k];
    for (int k = 0; k < camera_param_capacity; ++k) total.camera[k] += sum.camera[k];
    total.terms += sum.terms;
  }
  return total;
}

}  // namespace ptl
