#include "renderer/rasterize.h"

#include <torch/library.h>

#include <cstddef>

#include "kernels/blend.h"
#include "kernels/depth.h"
#include "kernels/point_blocks.h"
#include "kernels/project.h"
#include "renderer/raster_call.h"
#include "renderer/tensor_device.h"

namespace ptl {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

void check_tensor(const char* name, const Tensor& t, torch::ScalarType type, at::IntArrayRef shape, const Tensor& like) {
  check_raster_tensor("rasterize", name, t, type, shape, like);
}

/// → features, weight, min_depth_m, projected
std::tuple<Tensor, Tensor, Tensor, Tensor> rasterize_forward(
    const Tensor& descriptors, const Tensor& position, const Tensor& radius_over_sqrt_u, const Tensor& id,
    const std::optional<Tensor>& normal, const Tensor& block_bounds, at::IntArrayRef integers,
    at::ArrayRef<double> reals) {
  const RasterCall call = raster_call_from(integers, reals);
  TORCH_CHECK(descriptors.dim() == 2 && descriptors.size(1) >= 1 && descriptors.size(1) <= max_channels,
              "rasterize: descriptors: expected [N, 1..", max_channels, "], found ", descriptors.sizes());
  const int64_t count = descriptors.size(0), blocks = (count + points_per_block - 1) / points_per_block;
  const int channels = static_cast<int>(descriptors.size(1));
  check_tensor("descriptors", descriptors, torch::kFloat, descriptors.sizes(), descriptors);
  check_tensor("position", position, torch::kFloat, {count, 3}, descriptors);
  check_tensor("radius_over_sqrt_u", radius_over_sqrt_u, torch::kFloat, {count}, descriptors);
  check_tensor("id", id, torch::kLong, {count}, descriptors);
  check_tensor("block_bounds", block_bounds, torch::kFloat, {blocks, 6}, descriptors);
  if (normal) check_tensor("normal", *normal, torch::kFloat, {count, 3}, descriptors);
  check_raster_config(call.config, call.view);

  const TensorDevice on("rasterize", descriptors);
  const Device& device = on;
  PointsView points;
  points.count = count;
  points.position = position.const_data_ptr<float>();
  points.radius_over_sqrt_u = radius_over_sqrt_u.const_data_ptr<float>();
  points.id = id.const_data_ptr<int64_t>();
  points.normal = normal ? normal->const_data_ptr<float>() : nullptr;
  points.block_bounds = block_bounds.const_data_ptr<float>();

  const PyramidShape shape = call.shape();
  const auto options = descriptors.options();
  Tensor features = torch::empty({shape.pixels(), channels}, options);
  Tensor weight = torch::empty({shape.pixels()}, options.dtype(torch::kInt));
  Tensor min_depth_m = torch::empty({shape.pixels()}, options);

  const Scratch<uint32_t> visible(device, points.blocks());
  const int64_t visible_count = find_visible_blocks(device, points, call.view, visible.data());
  const Scratch<ProjectedPoint> projected(device, visible_count * points_per_block);
  const bool tiles = call.tiles(device.type == DeviceType::cpu);
  int64_t projected_count = 0;
  if (tiles) {
    const TileGrid grid = tile_grid(shape);
    const Scratch<int64_t> tile_start(device, grid.count() + 1);
    projected_count = project_points_tiled(device, points, call.view, call.config, visible.data(), visible_count, grid,
                                           projected.data(), tile_start.data());
    depth_pass_tiled(device, shape, grid, projected.data(), tile_start.data(), min_depth_m.mutable_data_ptr<float>());
    blend_tiled(device, shape, grid, projected.data(), tile_start.data(), min_depth_m.const_data_ptr<float>(),
                call.config.depth_tolerance, descriptors.const_data_ptr<float>(), channels,
                features.mutable_data_ptr<float>(), weight.mutable_data_ptr<int32_t>());
  } else {
    projected_count = project_points(device, points, call.view, call.config, visible.data(), visible_count,
                                     projected.data());
    depth_pass(device, shape, projected.data(), projected_count, min_depth_m.mutable_data_ptr<float>());
    blend(device, shape, projected.data(), projected_count, min_depth_m.const_data_ptr<float>(),
          call.config.depth_tolerance, descriptors.const_data_ptr<float>(), channels,
          features.mutable_data_ptr<float>(), weight.mutable_data_ptr<int32_t>());
  }
  // Kept for the backward at its true size; the scratch goes back.
  Tensor kept = torch::from_blob(projected.data(), {projected_count, static_cast<int64_t>(sizeof(ProjectedPoint))},
                                 options.dtype(torch::kByte)).clone();
  return {features, weight, min_depth_m, kept};
}

Tensor rasterize_backward(const Tensor& grad_features, const Tensor& weight, const Tensor& min_depth_m,
                          const Tensor& projected, int64_t point_count, at::IntArrayRef integers,
                          at::ArrayRef<double> reals) {
  const RasterCall call = raster_call_from(integers, reals);
  const PyramidShape shape = call.shape();
  TORCH_CHECK(grad_features.dim() == 2 && grad_features.size(1) <= max_channels,
              "rasterize_backward: grad_features: expected [pixels, 1..", max_channels, "], found ",
              grad_features.sizes());
  check_tensor("grad_features", grad_features, torch::kFloat, {shape.pixels(), grad_features.size(1)}, grad_features);
  check_tensor("weight", weight, torch::kInt, {shape.pixels()}, grad_features);
  check_tensor("min_depth_m", min_depth_m, torch::kFloat, {shape.pixels()}, grad_features);
  check_tensor("projected", projected, torch::kByte,
               {projected.size(0), static_cast<int64_t>(sizeof(ProjectedPoint))}, grad_features);
  const TensorDevice device("rasterize_backward", grad_features);
  const int64_t count = projected.size(0), channels = grad_features.size(1);
  Tensor grad_projected = torch::empty({count, channels}, grad_features.options());
  blend_backward(device, shape, reinterpret_cast<const ProjectedPoint*>(projected.const_data_ptr<uint8_t>()), count,
                 min_depth_m.const_data_ptr<float>(), call.config.depth_tolerance, weight.const_data_ptr<int32_t>(),
                 grad_features.const_data_ptr<float>(), static_cast<int>(channels),
                 grad_projected.mutable_data_ptr<float>());
  // The rows of a crop's points only: a cloud of millions is neither cleared nor read again at every step. The GPU's driver
  // leaves them in rising order.
  static_assert(offsetof(ProjectedPoint, point) == 0);
  const Tensor rows = projected.view(torch::kInt).select(1, 0).to(torch::kLong).unsqueeze(0);
  return at::_sparse_coo_tensor_unsafe(rows, grad_projected, {point_count, channels},
                                       grad_features.options().layout(torch::kSparse),
                                       /*is_coalesced=*/!grad_features.is_cpu());
}

struct RasterizeFunction : torch::autograd::Function<RasterizeFunction> {
  static variable_list forward(AutogradContext* context, const Tensor& descriptors, const PointTensors& points,
                               const std::vector<int64_t>& integers, const std::vector<double>& reals) {
    const std::optional<Tensor> normal = points.normal.defined() ? std::optional(points.normal) : std::nullopt;
    auto [features, weight, min_depth_m, projected] = rasterize_forward(
        descriptors, points.position, points.radius_over_sqrt_u, points.id, normal, points.block_bounds, integers, reals);
    context->save_for_backward({weight, min_depth_m, projected});
    context->saved_data["integers"] = integers;
    context->saved_data["reals"] = reals;
    context->saved_data["point_count"] = descriptors.size(0);
    context->mark_non_differentiable({weight, min_depth_m, projected});
    return {features, weight, min_depth_m, projected};
  }

  static variable_list backward(AutogradContext* context, const variable_list& grad_outputs) {
    const variable_list saved = context->get_saved_variables();
    const std::vector<int64_t> integers = context->saved_data["integers"].toIntVector();
    const std::vector<double> reals = context->saved_data["reals"].toDoubleVector();
    return {rasterize_backward(grad_outputs[0].contiguous(), saved[0], saved[1], saved[2],
                               context->saved_data["point_count"].toInt(), integers, reals),
            Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

Pyramid rasterize(const PointTensors& points, const Tensor& descriptors, const CameraParams<double>& camera,
                  const RowPoses& poses, const Crop& crop, const RasterConfig& config,
                  RasterDriver driver) {
  const variable_list out = RasterizeFunction::apply(descriptors, points, raster_integers(camera, crop, config, driver),
                                                     raster_reals(camera, poses, crop, config));
  return {{crop.width_px, crop.height_px, config.layers}, out[0], out[1], out[2], out[3]};
}

std::vector<PyramidLayer> pyramid_layers(const PyramidShape& shape) {
  std::vector<PyramidLayer> layers;
  for (int l = 0; l < shape.layers; ++l) layers.push_back({shape.width(l), shape.height(l), shape.first(l)});
  return layers;
}

std::vector<Tensor> split_layers(const PyramidShape& shape, const Tensor& features) {
  std::vector<int64_t> sizes;
  for (int l = 0; l < shape.layers; ++l) sizes.push_back(static_cast<int64_t>(shape.width(l)) * shape.height(l));
  std::vector<Tensor> layers = features.split_with_sizes(sizes, 0);
  for (int l = 0; l < shape.layers; ++l) {
    Tensor& layer = layers[static_cast<size_t>(l)];
    layer = layer.view({1, shape.height(l), shape.width(l), features.size(1)}).permute({0, 3, 1, 2});
  }
  return layers;
}

TORCH_LIBRARY_FRAGMENT(ptl, library) {
  library.def(
      "rasterize(Tensor descriptors, Tensor position, Tensor radius_over_sqrt_u, Tensor id, Tensor? normal, "
      "Tensor block_bounds, int[] integers, float[] reals) -> (Tensor, Tensor, Tensor, Tensor)",
      [](const Tensor& descriptors, const Tensor& position, const Tensor& radius_over_sqrt_u, const Tensor& id,
         const std::optional<Tensor>& normal, const Tensor& block_bounds, at::IntArrayRef integers,
         at::ArrayRef<double> reals) {
        PointTensors points{position, radius_over_sqrt_u, id, normal.value_or(Tensor()), block_bounds};
        const variable_list out = RasterizeFunction::apply(descriptors, points, integers.vec(), reals.vec());
        return std::make_tuple(out[0], out[1], out[2], out[3]);
      });
  library.def(
      "rasterize_backward(Tensor grad_features, Tensor weight, Tensor min_depth_m, Tensor projected, int point_count, "
      "int[] integers, float[] reals) -> Tensor",
      &rasterize_backward);
}

}  // namespace ptl
