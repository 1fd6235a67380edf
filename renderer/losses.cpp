#include "renderer/losses.h"

#include <cmath>

#include "datasets/error.h"
#include "kernels/image_loss.h"
#include "renderer/tensor_device.h"

namespace ptl {
namespace {

ImageLayout layout_of(const torch::Tensor& image) {
  ImageLayout layout;
  if (image.dim() == 4) {
    layout = {image.size(1), image.size(2), image.size(3), image.stride(1), image.stride(2), image.stride(3)};
  } else {
    layout = {image.size(2), image.size(0), image.size(1), image.stride(2), image.stride(0), image.stride(1)};
  }
  return layout;
}

struct Parts {
  double l1 = 0, mse = 0, ssim = 0;
};

/// Value and gradient at once: the gradient of a scalar loss only waits to be multiplied by what comes from above.
template <class T>
Parts fused_parts(const LossConfig& config, const torch::Tensor& prediction, const torch::Tensor& target,
                  const torch::Tensor& mask, torch::Tensor& grad) {
  const ImageLayout layout = layout_of(prediction);
  const T* a = prediction.const_data_ptr<T>();
  const T* b = target.const_data_ptr<T>();
  const T* m = mask.defined() ? mask.const_data_ptr<T>() : nullptr;
  T* g = grad.defined() ? grad.mutable_data_ptr<T>() : nullptr;
  const TensorDevice device("image_loss", prediction);
  Parts parts;
  if (config.w_l1 != 0 || config.w_mse != 0) {
    const DifferenceMeans means = difference_means(device, layout, a, b, m, g, config.w_l1, config.w_mse);
    parts.l1 = config.w_l1 != 0 ? means.l1 : 0;
    parts.mse = config.w_mse != 0 ? means.mse : 0;
  }
  if (config.w_ssim != 0) parts.ssim = ssim_mean(device, layout, a, b, m, g, -config.w_ssim);
  return parts;
}

double weighted(const LossConfig& config, const Parts& parts) {
  double total = config.w_l1 * parts.l1 + config.w_mse * parts.mse;
  if (config.w_ssim != 0) total += config.w_ssim * (1 - parts.ssim);
  return total;
}

/// A scalar whose gradient is known already.
struct KnownGradient : torch::autograd::Function<KnownGradient> {
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& /*input*/,
                               const torch::Tensor& gradient, double value) {
    context->save_for_backward({gradient});
    return torch::scalar_tensor(value, gradient.options());
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list above) {
    return {context->get_saved_variables()[0] * above[0], torch::Tensor(), torch::Tensor()};
  }
};

struct TreeSum : torch::autograd::Function<TreeSum> {
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& values) {
    context->saved_data["shape"] = values.sizes().vec();
    const torch::Tensor flat = values.contiguous();
    const TensorDevice device("tree_sum", flat);
    const double sum = flat.scalar_type() == torch::kFloat64
                           ? ptl::tree_sum(device, flat.const_data_ptr<double>(), flat.numel())
                           : ptl::tree_sum(device, flat.const_data_ptr<float>(), flat.numel());
    return torch::scalar_tensor(sum, values.options());
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list above) {
    return {above[0].expand(context->saved_data["shape"].toIntVector())};
  }
};

void check_images(const LossConfig& config, const torch::Tensor& prediction, const torch::Tensor& target,
                  const torch::Tensor& mask) {
  TORCH_CHECK(prediction.defined() && target.defined(), "image_loss: prediction or target is undefined");
  const bool planar = prediction.dim() == 4 && prediction.size(0) == 1 && prediction.size(1) == 3;
  const bool interleaved = prediction.dim() == 3 && prediction.size(2) == 3;
  TORCH_CHECK(planar || interleaved, "image_loss: expected a prediction [1,3,H,W] or [H,W,3], got ",
              prediction.sizes());
  TORCH_CHECK(target.sizes() == prediction.sizes(), "image_loss: the target is ", target.sizes(),
              ", the prediction is ", prediction.sizes());
  const torch::ScalarType dtype = prediction.scalar_type();
  TORCH_CHECK(dtype == torch::kFloat32 || dtype == torch::kFloat64,
              "image_loss: expected float32 or float64, got ", dtype);
  TORCH_CHECK(target.scalar_type() == dtype, "image_loss: the target is ", target.scalar_type(),
              ", the prediction is ", dtype);
  TORCH_CHECK(target.device() == prediction.device(), "image_loss: the target is on ", target.device(),
              ", the prediction on ", prediction.device());
  const int64_t height = prediction.size(planar ? 2 : 0), width = prediction.size(planar ? 3 : 1);
  TORCH_CHECK(height > 0 && width > 0, "image_loss: the image is empty");
  TORCH_CHECK(config.w_ssim == 0 || (height >= ssim_window_px && width >= ssim_window_px), "image_loss: SSIM needs at "
              "least ", ssim_window_px, " x ", ssim_window_px, " px, the image has ", width, " x ", height);
  if (mask.defined()) {
    TORCH_CHECK(mask.dim() == 2 && mask.size(0) == height && mask.size(1) == width,
                "image_loss: expected a mask [", height, ", ", width, "], got ", mask.sizes());
    TORCH_CHECK(mask.scalar_type() == dtype && mask.device() == prediction.device(), "image_loss: expected a ", dtype,
                " mask on ", prediction.device(), ", got ", mask.scalar_type(), " on ", mask.device());
  }
}

torch::Tensor as_planar(const torch::Tensor& image) {
  return image.dim() == 4 ? image : image.permute({2, 0, 1}).unsqueeze(0);
}

}  // namespace

void LossConfig::check() const {
  const std::pair<const char*, double> weights[] = {
      {"w_vgg", w_vgg}, {"w_l1", w_l1}, {"w_mse", w_mse}, {"w_ssim", w_ssim}};
  bool any = false;
  for (const auto& [name, value] : weights) {
    if (!(value >= 0) || !std::isfinite(value))
      throw InputError("loss.{}: expected a finite weight of at least 0, found {}", name, value);
    any = any || value > 0;
  }
  if (!any) throw InputError("loss: all weights are 0; give at least one of w_vgg, w_l1, w_mse, w_ssim");
}

LossConfig default_loss(bool vgg_weights_given) {
  LossConfig config;
  if (vgg_weights_given) config = {57.0, 1.0, 0.0, 0.0};
  return config;
}

std::string loss_description(const LossConfig& config, bool vgg_weights_given) {
  std::string text = "loss:";
  const char* separator = " ";
  const auto add = [&](double weight, const char* name) {
    if (weight == 0) return;
    text += fmt::format("{}{:g} {}", separator, weight, name);
    separator = " + ";
  };
  add(config.w_vgg, "VGG19");
  add(config.w_l1, "L1");
  add(config.w_mse, "MSE");
  add(config.w_ssim, "(1 - SSIM)");
  if (!vgg_weights_given)
    text += "; no VGG19 weights were given (the perceptual loss needs a weight file, see "
            "scripts/experiments/export_vgg.py)";
  return text;
}

LossValue image_loss(const LossConfig& config, const torch::Tensor& prediction, const torch::Tensor& target,
                     const torch::Tensor& mask, const std::shared_ptr<const Vgg19Loss>& vgg) {
  check_images(config, prediction, target, mask);
  TORCH_CHECK(config.w_vgg == 0 || vgg, "image_loss: w_vgg is ", config.w_vgg, ", but there are no VGG19 weights");

  LossValue out;
  // The fused loops want both images in one layout; the prediction's is kept when it is dense.
  torch::Tensor a = prediction.detach();
  if (!a.is_non_overlapping_and_dense()) a = a.contiguous();
  torch::Tensor b = target.detach();
  if (b.strides() != a.strides()) b = torch::empty_like(a).copy_(b);
  const torch::Tensor m = mask.defined() ? mask.detach().contiguous() : mask;
  const bool wants_gradient = prediction.requires_grad() && torch::GradMode::is_enabled();
  torch::Tensor grad = wants_gradient ? torch::zeros_like(a) : torch::Tensor();
  const Parts parts = a.scalar_type() == torch::kFloat64 ? fused_parts<double>(config, a, b, m, grad)
                                                         : fused_parts<float>(config, a, b, m, grad);
  out.l1 = parts.l1;
  out.mse = parts.mse;
  out.ssim = parts.ssim;
  out.total = wants_gradient ? KnownGradient::apply(prediction, grad, weighted(config, parts))
                             : torch::scalar_tensor(weighted(config, parts), a.options());
  if (config.w_vgg != 0) {
    torch::Tensor seen = as_planar(prediction), truth = as_planar(target);
    if (m.defined()) {
      seen = seen * m;
      truth = truth * m;
    }
    const torch::Tensor value = (*vgg)(seen, truth);
    out.vgg = value.item<double>();
    out.total = out.total + config.w_vgg * value;
  }
  return out;
}

torch::Tensor tree_sum(const torch::Tensor& values) {
  TORCH_CHECK(values.scalar_type() == torch::kFloat32 || values.scalar_type() == torch::kFloat64,
              "tree_sum: expected float32 or float64, got ", values.scalar_type());
  return TreeSum::apply(values);
}

}  // namespace ptl
