#include "renderer/structure_gradient.h"

#include <torch/library.h>

#include "kernels/blend.h"
#include "renderer/raster_call.h"
#include "renderer/tensor_device.h"

namespace ptl {

StructureImage structure_image(const PyramidShape& shape, const torch::Tensor& displayed,
                               const torch::Tensor& descriptors, const torch::Tensor& weight,
                               const torch::Tensor& min_depth_m, const torch::Tensor& projected,
                               double depth_tolerance) {
  StructureImage image;
  image.shape = shape;
  image.projected = reinterpret_cast<const ProjectedPoint*>(projected.const_data_ptr<uint8_t>());
  image.count = projected.size(0);
  image.min_depth_m = min_depth_m.const_data_ptr<float>();
  image.weight = weight.const_data_ptr<int32_t>();
  image.displayed = displayed.const_data_ptr<float>();
  image.displayed_stride = displayed.size(1);
  image.descriptors = descriptors.const_data_ptr<float>();
  image.channels = static_cast<int>(descriptors.size(1));
  image.depth_tolerance = static_cast<float>(depth_tolerance);
  return image;
}

namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr const char* name = "structure_gradient";

/// n doubles over the number of terms, on the CPU.
Tensor mean_over(const double* sums, int64_t n, int64_t terms) {
  Tensor mean = torch::empty({n}, torch::kDouble);
  for (int64_t k = 0; k < n; ++k)
    mean.mutable_data_ptr<double>()[k] = terms > 0 ? sums[k] / static_cast<double>(terms) : 0.0;
  return mean;
}

struct StructureGradientFunction : torch::autograd::Function<StructureGradientFunction> {
  static Tensor forward(AutogradContext* context, const Tensor& displayed, const Tensor& position,
                        const Tensor& pose_tangent, const Tensor& camera, const Tensor& readout_motion, const Tensor& point_position,
                        const Tensor& descriptors, const Tensor& weight, const Tensor& min_depth_m,
                        const Tensor& projected, const std::vector<int64_t>& integers, const std::vector<double>& reals,
                        const std::vector<int64_t>& rules) {
    context->save_for_backward({displayed, point_position, descriptors, weight, min_depth_m, projected});
    context->saved_data["integers"] = integers;
    context->saved_data["reals"] = reals;
    context->saved_data["rules"] = rules;
    context->saved_data["wants_position"] = position.requires_grad();
    context->saved_data["wants_pose"] = pose_tangent.requires_grad();
    context->saved_data["wants_camera"] = camera.requires_grad();
    context->saved_data["wants_readout"] = readout_motion.requires_grad();
    return displayed.view_as(displayed);
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const Tensor &displayed = saved[0], &position = saved[1], &descriptors = saved[2], &weight = saved[3],
                 &min_depth_m = saved[4], &projected = saved[5];
    const std::vector<int64_t> rules = context->saved_data["rules"].toIntVector();
    const RasterCall call =
        raster_call_from(context->saved_data["integers"].toIntVector(), context->saved_data["reals"].toDoubleVector());
    const Tensor grad_output = grads[0].contiguous();
    const TensorDevice on(name, displayed);
    const Device& device = on;

    StructureImage image = structure_image(call.shape(), displayed, descriptors, weight, min_depth_m, projected,
                                           static_cast<double>(call.config.depth_tolerance));
    const bool coverage = displayed.size(1) > descriptors.size(1);
    Tensor grad_displayed;
    if (static_cast<HoleFill>(rules[0]) == HoleFill::coarser) {
      grad_displayed = torch::empty({displayed.size(0), descriptors.size(1)}, displayed.options());
      displayed_gradient<float>(device, pyramid_layers(image.shape), image.weight, grad_output.const_data_ptr<float>(),
                                image.channels, coverage, grad_displayed.mutable_data_ptr<float>());
    } else {
      grad_displayed = coverage ? grad_output.narrow(1, 0, image.channels).contiguous() : grad_output;
    }
    image.grad_displayed = grad_displayed.const_data_ptr<float>();

    const Scratch<StructureEntry> entries(device, image.count);
    const int64_t entry_count = find_structure_entries(
        device, image, {static_cast<StructurePoints>(rules[1]), static_cast<NeighbourRule>(rules[2])},
        call.tiles(device.type == DeviceType::cpu), entries.data());
    const Tensor rows = torch::empty({1, entry_count}, displayed.options().dtype(torch::kLong));
    const Tensor grad_position = torch::empty({entry_count, 3}, displayed.options());
    PointsView points;
    points.count = position.size(0);
    points.position = position.const_data_ptr<float>();
    const bool wants_readout = context->saved_data["wants_readout"].toBool();
    const StructureSums sums =
        structure_chain(device, points, call.view, image.projected, entries.data(), entry_count,
                        rows.mutable_data_ptr<int64_t>(), grad_position.mutable_data_ptr<float>(), wants_readout);

    variable_list result(13);
    result[0] = grads[0];
    if (context->saved_data["wants_position"].toBool())
      result[1] = at::_sparse_coo_tensor_unsafe(rows, grad_position, {points.count, 3},
                                                grad_position.options().layout(torch::kSparse), /*is_coalesced=*/false);
    if (context->saved_data["wants_pose"].toBool()) result[2] = mean_over(sums.pose, 6, sums.terms);
    if (context->saved_data["wants_camera"].toBool())
      result[3] = mean_over(sums.camera, camera_param_capacity, sums.terms);
    if (wants_readout) result[4] = mean_over(sums.readout, 6, sums.terms);
    return result;
  }
};

void check_double(const char* what, const std::optional<Tensor>& tensor, int64_t size) {
  if (!tensor) return;
  TORCH_CHECK(
      tensor->dim() == 1 && tensor->size(0) == size && tensor->scalar_type() == torch::kDouble && tensor->is_cpu(),
      name, ": ", what, ": expected Double [", size, "] on the CPU, found ", tensor->scalar_type(), " ",
      tensor->sizes(), " on ", tensor->device());
}

Tensor structure_gradient_operator(const Tensor& displayed, const std::optional<Tensor>& position,
                                   const std::optional<Tensor>& pose_tangent, const std::optional<Tensor>& camera,
                                   const std::optional<Tensor>& readout_motion, const Tensor& point_position, const Tensor& descriptors, const Tensor& weight,
                                   const Tensor& min_depth_m, const Tensor& projected, at::IntArrayRef integers,
                                   at::ArrayRef<double> reals, at::IntArrayRef rules) {
  const RasterCall call = raster_call_from(integers, reals);
  const int64_t pixels = call.shape().pixels();
  TORCH_CHECK(rules.size() == 3, name, ": expected 3 rules (hole fill, points, neighbours), found ", rules.size());
  TORCH_CHECK(descriptors.dim() == 2 && descriptors.size(1) >= 1 && descriptors.size(1) <= max_channels, name,
              ": descriptors: expected [N, 1..", max_channels, "], found ", descriptors.sizes());
  TORCH_CHECK(displayed.dim() == 2 &&
                  (displayed.size(1) == descriptors.size(1) || displayed.size(1) == descriptors.size(1) + 1),
              name, ": displayed: expected [", pixels, ", ", descriptors.size(1), " or one more], found ",
              displayed.sizes());
  check_raster_tensor(name, "displayed", displayed, torch::kFloat, {pixels, displayed.size(1)}, displayed);
  check_raster_tensor(name, "point_position", point_position, torch::kFloat, {descriptors.size(0), 3}, displayed);
  check_raster_tensor(name, "descriptors", descriptors, torch::kFloat, descriptors.sizes(), displayed);
  check_raster_tensor(name, "weight", weight, torch::kInt, {pixels}, displayed);
  check_raster_tensor(name, "min_depth_m", min_depth_m, torch::kFloat, {pixels}, displayed);
  check_raster_tensor(name, "projected", projected, torch::kByte,
                      {projected.size(0), static_cast<int64_t>(sizeof(ProjectedPoint))}, displayed);
  if (position) check_raster_tensor(name, "position", *position, torch::kFloat, {descriptors.size(0), 3}, displayed);
  check_double("pose_tangent", pose_tangent, 6);
  check_double("camera", camera, camera_param_capacity);
  check_double("readout_motion", readout_motion, 6);
  const Tensor none = torch::empty({0});
  return StructureGradientFunction::apply(displayed, position.value_or(none), pose_tangent.value_or(none),
                                          camera.value_or(none), readout_motion.value_or(none), point_position.detach(), descriptors.detach(), weight,
                                          min_depth_m, projected, integers.vec(), reals.vec(), rules.vec());
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(ptl, library) {
  library.def(
      "structure_gradient(Tensor displayed, Tensor? position, Tensor? pose_tangent, Tensor? camera, Tensor? "
      "readout_motion, Tensor point_position, "
      "Tensor descriptors, Tensor weight, Tensor min_depth_m, Tensor projected, int[] integers, float[] reals, int[] "
      "rules) "
      "-> Tensor",
      structure_gradient_operator);
}

Tensor structure_gradient(const Tensor& displayed, const StructureInputs& inputs, const PointTensors& points,
                          const Tensor& descriptors, const Pyramid& pyramid, const CameraParams<double>& camera,
                          const RowPoses& poses, const Crop& crop, const RasterConfig& config,
                          HoleFill holes, const StructureConfig& structure, RasterDriver driver) {
  const auto optional = [](const Tensor& tensor) { return tensor.defined() ? std::optional(tensor) : std::nullopt; };
  return structure_gradient_operator(
      displayed, optional(inputs.position), optional(inputs.pose_tangent), optional(inputs.camera), optional(inputs.readout_motion), points.position,
      descriptors, pyramid.weight, pyramid.min_depth_m, pyramid.projected,
      raster_integers(camera, crop, config, driver), raster_reals(camera, poses, crop, config),
      {static_cast<int64_t>(holes), static_cast<int64_t>(structure.points),
       static_cast<int64_t>(structure.neighbours)});
}

}  // namespace ptl
