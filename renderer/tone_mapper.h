// Stage 6: linear radiance → display-referred image, with exact gradients (method section 6).
#pragma once

#include <torch/torch.h>

#include <vector>

#include "kernels/tone_map.h"

namespace ptl {

/// radiance [3, H, W], float or double, any strides, on the CPU or a GPU → image of the same layout there; exposure_ev []
/// or [1], white_balance [2] (red, blue), vignette [5] (a1, a2, a3, centre), response [3, 25], all of radiance's type and
/// on the CPU, as are their gradients; H and W are the crop's. Differentiable in all five tensors. Also the operator
/// ptl::tone_map. log_stops: of HDR photos (kernels/tone.h), 0 of ordinary ones.
torch::Tensor tone_map(const torch::Tensor& radiance, const torch::Tensor& exposure_ev,
                       const torch::Tensor& white_balance, const torch::Tensor& vignette,
                       const torch::Tensor& response, const ToneFrame& frame, ToneMode mode,
                       double log_stops = 0);

/// Σ of the squared bends of response [3, 25] (kernels/tone.h: response_regulariser), without λ; differentiable.
torch::Tensor response_smoothness(const torch::Tensor& response);

struct ToneMapperOptions {
  int64_t num_images = 0;
  int64_t num_cameras = 1;
  std::vector<int64_t> camera_of_image;   ///< index per image; empty: camera 0
  std::vector<double> exposure_ev;        ///< initial, relative to the scene's mean; empty: all 0
  double log_stops = 0;                   ///< of HDR photos: stops of their values' range; 0: ordinary photos
  std::vector<int64_t> training_images;   ///< whose parameters are fitted; they carry the gauge
};

/// How the exponent's freedom is fixed (method section 6).
enum class ExponentGauge {
  exposure_slope,  ///< slope of fitted EV against the initial EV is 1: needs EXIF's exposures and a free exposure
  response_middle  ///< the response at 0.5 keeps its initial value
};

/// Photometric parameters of all images and cameras: few numbers, always on the CPU.
class ToneMapperImpl : public torch::nn::Module {
 public:
  explicit ToneMapperImpl(ToneMapperOptions options);

  torch::Tensor exposure_ev;    ///< [images]
  torch::Tensor white_balance;  ///< [images, 2]: red, blue
  torch::Tensor vignette;       ///< [cameras, 5]
  torch::Tensor response;       ///< [cameras, 3, 25]

  /// radiance [3, H, W] → image. The frame's size is the photo's.
  torch::Tensor forward(const torch::Tensor& radiance, int64_t image, const ToneFrame& frame, ToneMode mode);

  /// Sum over cameras of response_smoothness.
  torch::Tensor regulariser();

  /// The exposures' initial values differ, by more than a tenth of a stop, so that exposure_slope means something.
  bool exposures_vary() const;

  /// After each optimiser step: the mean EV of the training images gets its initial value and the geometric mean of their white balances
  /// becomes 1; then the exponent's gauge. Locked groups are not touched by the parts that they don't need.
  void fix_gauge(ExponentGauge gauge);

  /// The exposures as they are now are the initial ones, to which fix_gauge() holds on.
  void begin_with_these_exposures();

  const ToneMapperOptions& options() const { return options_; }

 private:
  ToneMapperOptions options_;
  torch::Tensor initial_exposure_ev_;
  torch::Tensor initial_response_;
};
TORCH_MODULE(ToneMapper);

}  // namespace ptl
