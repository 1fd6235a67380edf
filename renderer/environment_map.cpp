#include "renderer/environment_map.h"

#include <torch/library.h>

#include <vector>

#include "kernels/raster_types.h"
#include "renderer/tensor_device.h"

namespace ptl {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// A view as the numbers that an operator's signature can hold.
//   sizes: camera model, photo width, height, crop width, height, then width, height, first of each layer
//   numbers: valid radius, 16 camera parameters, world_from_camera by columns, zoom, offset x, offset y
constexpr size_t size_head = 5, number_count = 1 + camera_param_capacity + 9 + 3;

std::vector<int64_t> sizes_of(const EnvironmentView<double>& view) {
  std::vector<int64_t> sizes = {static_cast<int64_t>(view.camera.model), view.camera.width_px, view.camera.height_px,
                                view.crop.width_px, view.crop.height_px};
  for (const PyramidLayer& layer : view.layers) sizes.insert(sizes.end(), {layer.width_px, layer.height_px, layer.first});
  return sizes;
}

std::vector<double> numbers_of(const EnvironmentView<double>& view) {
  std::vector<double> numbers = {view.camera.valid_radius};
  numbers.insert(numbers.end(), view.camera.value, view.camera.value + camera_param_capacity);
  for (int column = 0; column < 3; ++column)
    for (int row = 0; row < 3; ++row) numbers.push_back(view.world_from_camera[column][row]);
  numbers.insert(numbers.end(), {view.crop.zoom, view.crop.offset_x_px, view.crop.offset_y_px});
  return numbers;
}

/// The layers that a sizes list tells of.
std::vector<PyramidLayer> layers_from(at::IntArrayRef sizes) {
  std::vector<PyramidLayer> layers;
  for (size_t i = size_head; i < sizes.size(); i += 3)
    layers.push_back({static_cast<int32_t>(sizes[i]), static_cast<int32_t>(sizes[i + 1]), sizes[i + 2]});
  return layers;
}

template <class T>
EnvironmentView<T> view_from(at::IntArrayRef sizes, at::ArrayRef<double> numbers) {
  EnvironmentView<T> view;
  view.camera.model = static_cast<CameraModel>(sizes[0]);
  view.camera.width_px = static_cast<int32_t>(sizes[1]);
  view.camera.height_px = static_cast<int32_t>(sizes[2]);
  view.camera.valid_radius = static_cast<T>(numbers[0]);
  for (size_t i = 0; i < camera_param_capacity; ++i) view.camera.value[i] = static_cast<T>(numbers[1 + i]);
  const double* rotation = numbers.data() + 1 + camera_param_capacity;
  for (int column = 0; column < 3; ++column)
    for (int row = 0; row < 3; ++row) view.world_from_camera[column][row] = static_cast<T>(rotation[3 * column + row]);
  view.crop = {static_cast<float>(rotation[9]), static_cast<float>(rotation[10]), static_cast<float>(rotation[11]),
               static_cast<int32_t>(sizes[3]), static_cast<int32_t>(sizes[4])};
  view.layers = layers_from(sizes);
  return view;
}

EnvironmentShape shape_of(const Tensor& background) {
  if (background.dim() == 1) return {1, 1, static_cast<int32_t>(background.size(0)), true};
  return {static_cast<int32_t>(background.size(0)), static_cast<int32_t>(background.size(1)),
          static_cast<int32_t>(background.size(2)), false};
}

void check_arguments(const Tensor& features, const Tensor& weight, const Tensor& background, at::IntArrayRef sizes,
                     at::ArrayRef<double> numbers) {
  TORCH_CHECK(sizes.size() > size_head && (sizes.size() - size_head) % 3 == 0 && numbers.size() == number_count,
              "fill_background: expected ", size_head, " + 3 per layer sizes and ", number_count, " numbers, found ",
              sizes.size(), " and ", numbers.size());
  TORCH_CHECK(is_camera_model(static_cast<int32_t>(sizes[0])), "fill_background: no such camera model: ", sizes[0]);
  TORCH_CHECK(sizes.size() <= size_head + 3 * max_pyramid_layers, "fill_background: expected at most ",
              max_pyramid_layers, " layers, found ", (sizes.size() - size_head) / 3);
  int64_t pixels = 0;
  for (size_t i = size_head; i < sizes.size(); i += 3) {
    TORCH_CHECK(sizes[i] >= 0 && sizes[i + 1] >= 0 && sizes[i + 2] == pixels, "fill_background: layer ",
                (i - size_head) / 3, ": expected to start at pixel ", pixels, ", found ", sizes[i + 2], " (", sizes[i],
                " × ", sizes[i + 1], ")");
    pixels += sizes[i] * sizes[i + 1];
  }
  TORCH_CHECK(features.dim() == 2 && features.size(0) == pixels, "fill_background: features: expected [", pixels,
              ", C], found ", features.sizes());
  TORCH_CHECK(weight.dim() == 1 && weight.size(0) == pixels && weight.scalar_type() == torch::kInt,
              "fill_background: weight: expected [", pixels, "] of int32, found ", weight.sizes(), " of ",
              weight.scalar_type());
  TORCH_CHECK((background.dim() == 1 || (background.dim() == 3 && background.numel() > 0)) &&
                  background.size(-1) == features.size(1),
              "fill_background: background: expected [H, W, ", features.size(1), "] or [", features.size(1),
              "], found ", background.sizes());
  TORCH_CHECK((features.scalar_type() == torch::kFloat || features.scalar_type() == torch::kDouble) &&
                  background.scalar_type() == features.scalar_type(),
              "fill_background: expected features and background both float or both double, found ",
              features.scalar_type(), " and ", background.scalar_type());
  TORCH_CHECK(weight.device() == features.device() && background.device() == features.device(),
              "fill_background: expected features, weight and background on one device, found ", features.device(),
              ", ", weight.device(), " and ", background.device());
}

/// The pixels that look at the background: all, or those of the coarsest layer. As a view of their own, whose finer layers
/// have no pixels, so that pixel 0 is the first one of the coarsest.
struct BackgroundPixels {
  int64_t first, count;
  std::vector<int64_t> sizes;

  BackgroundPixels(at::IntArrayRef all_sizes, HoleFill holes) : first(0), count(0), sizes(all_sizes.vec()) {
    const size_t coarsest = sizes.size() - 3;
    if (holes == HoleFill::coarser) {
      first = sizes[coarsest + 2];
      for (size_t i = size_head; i < coarsest; ++i) sizes[i] = 0;
      sizes[coarsest + 2] = 0;
    }
    for (size_t i = size_head; i < sizes.size(); i += 3) count += sizes[i] * sizes[i + 1];
  }
};

/// The empty pixels are bytes of a tensor, which autograd keeps from the forward for the backward.
template <class T>
std::span<EmptyPixel<T>> empty_pixels(const Tensor& bytes) {
  return {static_cast<EmptyPixel<T>*>(bytes.data_ptr()), static_cast<size_t>(bytes.numel()) / sizeof(EmptyPixel<T>)};
}

/// Memory for the gradient of a map's rows. On the CPU the thread keeps it from step to step, all its pages in use: buffers
/// of other sizes leave holes in the heap, and one that is used up to here and there grows with each record.
Tensor map_buffer(const EnvironmentShape& shape, const at::TensorOptions& options) {
  const std::vector<int64_t> sizes = {shape.height, shape.width, shape.channels};
  if (!options.device().is_cpu()) return torch::empty(sizes, options);
  thread_local Tensor kept;
  const bool free = kept.defined() && kept.sizes() == sizes && kept.dtype() == options.dtype() &&
                    kept.storage().use_count() == 1;  // no gradient of an earlier step holds it
  if (!free) kept = torch::zeros(sizes, options);
  return kept;
}

struct FillBackgroundFunction : torch::autograd::Function<FillBackgroundFunction> {
  static Tensor forward(AutogradContext* context, const Tensor& features, const Tensor& weight,
                        const Tensor& background, const std::vector<int64_t>& sizes, const std::vector<double>& numbers,
                        HoleFill holes, bool append_coverage) {
    const Tensor in = features.contiguous(), w = weight.contiguous(), b = background.contiguous();
    const TensorDevice device("fill_background", in);
    const BackgroundPixels part(sizes, holes);
    const int64_t channels = in.size(1), stride = channels + (append_coverage ? 1 : 0);
    const int32_t* const part_weight = w.const_data_ptr<int32_t>() + part.first;
    const Scratch<int64_t> run_first(device, empty_runs(part.count) + 1);
    const int64_t empty_count = count_empty_pixels(device, part.count, part_weight, run_first.data());
    Tensor output = torch::empty({in.size(0), stride}, in.options());
    Tensor empty_bytes;
    AT_DISPATCH_FLOATING_TYPES(in.scalar_type(), "fill_background", [&] {
      empty_bytes = torch::empty({empty_count * static_cast<int64_t>(sizeof(EmptyPixel<scalar_t>))},
                                 in.options().dtype(torch::kByte));
      const std::span<EmptyPixel<scalar_t>> empty = empty_pixels<scalar_t>(empty_bytes);
      find_empty_pixels<scalar_t>(device, view_from<scalar_t>(part.sizes, numbers), shape_of(b), part.count,
                                  part_weight, run_first.data(), empty);
      environment_forward<scalar_t>(device, shape_of(b), part.count, in.const_data_ptr<scalar_t>() + part.first * channels,
                                    part_weight, empty, b.const_data_ptr<scalar_t>(), append_coverage,
                                    output.mutable_data_ptr<scalar_t>() + part.first * stride);
      if (holes == HoleFill::coarser)
        fill_holes<scalar_t>(device, layers_from(sizes), w.const_data_ptr<int32_t>(), in.const_data_ptr<scalar_t>(),
                             static_cast<int>(channels), append_coverage, output.mutable_data_ptr<scalar_t>());
    });
    context->save_for_backward({w, b, empty_bytes});
    context->saved_data["sizes"] = sizes;
    context->saved_data["holes"] = static_cast<int64_t>(holes);
    context->saved_data["append_coverage"] = append_coverage;
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const variable_list saved = context->get_saved_variables();
    const Tensor& weight = saved[0];
    const Tensor& background = saved[1];
    const Tensor grad_output = grads[0].contiguous();
    const TensorDevice device("fill_background", background);
    Tensor grad_features = torch::empty({weight.size(0), background.size(-1)}, background.options());
    const EnvironmentShape shape = shape_of(background);
    const std::vector<int64_t> sizes = context->saved_data["sizes"].toIntVector();
    const auto holes = static_cast<HoleFill>(context->saved_data["holes"].toInt());
    const BackgroundPixels part(sizes, holes);
    const bool coarser = holes == HoleFill::coarser, append_coverage = context->saved_data["append_coverage"].toBool();
    const int32_t* const part_weight = weight.const_data_ptr<int32_t>() + part.first;
    const Tensor row_places = torch::empty({shape.height}, background.options().dtype(torch::kLong));
    Tensor grad_background;
    AT_DISPATCH_FLOATING_TYPES(background.scalar_type(), "fill_background_backward", [&] {
      const std::span<const EmptyPixel<scalar_t>> empty = empty_pixels<scalar_t>(saved[2]);
      int64_t* const rows = row_places.mutable_data_ptr<int64_t>();
      const int64_t row_count = touched_rows<scalar_t>(device, shape, empty, rows);
      const Tensor grad_rows = map_buffer(shape, background.options()).narrow(0, 0, row_count);
      const Scratch<scalar_t> coarsest(device, coarser ? part.count * shape.channels : 0);
      if (coarser)
        fill_holes_backward<scalar_t>(device, layers_from(sizes), weight.const_data_ptr<int32_t>(),
                                      grad_output.const_data_ptr<scalar_t>(), shape.channels, append_coverage,
                                      grad_features.mutable_data_ptr<scalar_t>(), coarsest.data());
      environment_backward<scalar_t>(device, shape, part.count, part_weight, empty, {rows, static_cast<size_t>(row_count)},
                                     coarser ? coarsest.data() : grad_output.const_data_ptr<scalar_t>(),
                                     !coarser && append_coverage,
                                     grad_features.mutable_data_ptr<scalar_t>() + part.first * shape.channels,
                                     grad_rows.mutable_data_ptr<scalar_t>());
      grad_background = shape.constant
                            ? grad_rows.view({shape.channels})
                            : at::_sparse_coo_tensor_unsafe(row_places.narrow(0, 0, row_count).unsqueeze(0), grad_rows,
                                                            background.sizes(),
                                                            background.options().layout(torch::kSparse), true);
    });
    return {grad_features, Tensor(), grad_background, Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

Tensor fill_background_operator(const Tensor& features, const Tensor& weight, const Tensor& background,
                                at::IntArrayRef sizes, at::ArrayRef<double> numbers, bool fill_holes,
                                bool append_coverage) {
  check_arguments(features, weight, background, sizes, numbers);
  for (size_t i = size_head + 3; fill_holes && i < sizes.size(); i += 3)
    TORCH_CHECK(sizes[i - 3] == 2 * sizes[i] && sizes[i - 2] == 2 * sizes[i + 1], "fill_background: layer ",
                (i - size_head) / 3, " is ", sizes[i], " × ", sizes[i + 1], ", expected half of ", sizes[i - 3], " × ",
                sizes[i - 2]);
  return FillBackgroundFunction::apply(features, weight, background, sizes.vec(), numbers.vec(),
                                       fill_holes ? HoleFill::coarser : HoleFill::background, append_coverage);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(ptl, library) {
  library.def(
      "fill_background(Tensor features, Tensor weight, Tensor background, int[] sizes, float[] numbers, "
      "bool fill_holes, bool append_coverage) -> Tensor",
      fill_background_operator);
}

Tensor fill_background(const Tensor& features, const Tensor& weight, const Tensor& background,
                       const EnvironmentView<double>& view, HoleFill holes, bool append_coverage) {
  return fill_background_operator(features, weight, background, sizes_of(view), numbers_of(view),
                                  holes == HoleFill::coarser, append_coverage);
}

EnvironmentMapImpl::EnvironmentMapImpl(const EnvironmentMapOptions& options) : options_(options) {
  const float initial = options.log_descriptors ? -2.0f : -1.0f;
  texels = options.environment
               ? register_parameter("environment",
                                    torch::full({options.height, options.width, options.channels}, initial))
               : register_parameter("background", torch::full({options.channels}, initial));
}

Tensor EnvironmentMapImpl::forward(const Tensor& features, const Tensor& weight, const EnvironmentView<double>& view,
                                   HoleFill holes, bool append_coverage) {
  return fill_background(features, weight, texels, view, holes, append_coverage);
}

}  // namespace ptl
