#include "renderer/coverage.h"

#include "renderer/pipeline.h"

namespace ptl {

std::vector<double> coverage_by_layer(const SceneModel& model, const std::vector<int64_t>& images) {
  if (images.empty()) return {};
  torch::NoGradGuard no_gradient;
  std::vector<double> sum(static_cast<size_t>(model.layers), 0.0);
  for (const int64_t image : images) {
    const FilledPyramid pyramid = render_pyramid(model, photo_view(model, image), nullptr);
    const std::vector<torch::Tensor> weights =
        split_layers(pyramid.raster.shape, pyramid.raster.weight.unsqueeze(1));
    for (size_t l = 0; l < weights.size(); ++l)
      sum[l] += static_cast<double>((weights[l] > 0).sum().item<int64_t>()) / static_cast<double>(weights[l].numel());
  }
  for (double& share : sum) share /= static_cast<double>(images.size());
  return sum;
}

std::vector<int64_t> some_images(const std::vector<int64_t>& images, size_t count) {
  if (images.size() <= count) return images;
  std::vector<int64_t> some;
  for (size_t i = 0; i < count; ++i) some.push_back(images[i * images.size() / count]);
  return some;
}

}  // namespace ptl
