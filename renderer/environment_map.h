// Stage 4: the trainable background, as an environment map or as one descriptor (method section 4).
#pragma once

#include <torch/torch.h>

#include "kernels/environment.h"
#include "kernels/holes.h"

namespace ptl {

/// features [P, C] (float or double), weight [P] int32, background [H, W, C] (environment map) or [C] (descriptor), all
/// on one device → [P, C], with `append_coverage` [P, C + 1]: where the weight is 0 what `holes` says, elsewhere the
/// features. P is the sum of the layers of the view. Differentiable in features and background; the gradient of a map
/// is sparse (COO, the rows that were looked at). Also the operator ptl::fill_background. Errors: TORCH_CHECK.
torch::Tensor fill_background(const torch::Tensor& features, const torch::Tensor& weight,
                              const torch::Tensor& background, const EnvironmentView<double>& view, HoleFill holes,
                              bool append_coverage);

struct EnvironmentMapOptions {
  bool environment = true;       ///< false: one descriptor for all directions
  int64_t height = 512;          ///< texels
  int64_t width = 1024;          ///< texels
  int64_t channels = 4;
  bool log_descriptors = false;  ///< the initial value is −2 instead of −1
};

class EnvironmentMapImpl : public torch::nn::Module {
 public:
  explicit EnvironmentMapImpl(const EnvironmentMapOptions& options);

  /// [height, width, channels], named "environment"; or [channels], named "background".
  torch::Tensor texels;

  /// As fill_background.
  torch::Tensor forward(const torch::Tensor& features, const torch::Tensor& weight,
                        const EnvironmentView<double>& view, HoleFill holes, bool append_coverage = false);

  const EnvironmentMapOptions& options() const { return options_; }

 private:
  EnvironmentMapOptions options_;
};
TORCH_MODULE(EnvironmentMap);

}  // namespace ptl
