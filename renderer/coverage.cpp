#include "renderer/coverage.h"

namespace ptl {

void Coverage::add(const Pyramid& pyramid) {
  const std::vector<torch::Tensor> weights = split_layers(pyramid.shape, pyramid.weight.unsqueeze(1));
  sum_.resize(weights.size(), 0.0);
  for (size_t l = 0; l < weights.size(); ++l)
    sum_[l] += static_cast<double>((weights[l] > 0).sum().item<int64_t>()) / static_cast<double>(weights[l].numel());
  points_.push_back(weights[0].sum().item<int64_t>());
  ++views_;
}

std::vector<double> Coverage::by_layer() const {
  std::vector<double> mean = sum_;
  for (double& share : mean) share /= views_;
  return mean;
}

Coverage coverage_of(const SceneModel& model, const std::vector<int64_t>& images) {
  torch::NoGradGuard no_gradient;
  Coverage coverage;
  for (const int64_t image : images) coverage.add(render_pyramid(model, photo_view(model, image), nullptr).raster);
  return coverage;
}

}  // namespace ptl
