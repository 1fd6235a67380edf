#include "renderer/additive_light.h"

namespace ptl {

namespace {

constexpr double least_output = -0.5, largest_output = 4;  ///< beyond, 2^(stops · response) could leave float's range

torch::Tensor response_at_first(const torch::Tensor& like) {
  FittedTone<double> tone;
  set_initial_response(tone.response);
  return torch::tensor(at::ArrayRef<double>(tone.response[0], response_samples), like.options());
}

/// Straight pieces from (x[j], y[j]) to (x[j + 1], y[j + 1]), the outer ones without end; x rises.
torch::Tensor interpolated(const torch::Tensor& x, const torch::Tensor& y, const torch::Tensor& at) {
  const torch::Tensor segment = (torch::searchsorted(x, at.detach().contiguous(), /*out_int32=*/false, /*right=*/true) - 1).clamp(0, x.size(0) - 2);
  const torch::Tensor x0 = x.take(segment), y0 = y.take(segment);
  return y0 + (at - x0) * ((y.take(segment + 1) - y0) / (x.take(segment + 1) - x0));
}

}  // namespace

torch::Tensor additive_light(const SceneModel& model, const torch::Tensor& output) {
  if (!model.photo_range) return output;
  const torch::Tensor at = torch::linspace(0, 1, response_samples, output.options());
  return torch::exp2(model.photo_range->stops() * interpolated(at, response_at_first(output), output.clamp(least_output, largest_output)));
}

torch::Tensor output_of_light(const SceneModel& model, const torch::Tensor& light) {
  if (!model.photo_range) return light;
  const torch::Tensor at = torch::linspace(0, 1, response_samples, light.options());
  return interpolated(response_at_first(light), at, torch::log2(light) / model.photo_range->stops());
}

}  // namespace ptl
