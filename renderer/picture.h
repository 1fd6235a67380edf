// Pictures of a view, one kind each: what `render` writes and the viewer shows is made here, from the same tensors.
#pragma once

#include <array>
#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "datasets/image.h"
#include "renderer/photometry.h"
#include "renderer/pipeline.h"

namespace ptl {

enum class PictureKind {
  neural,       ///< the model's picture, through the tone mapper
  plain,        ///< the points as they are drawn, through the tone mapper without the network (pipeline.h: plain_radiance)
  depth,        ///< near is bright, empty pixels are black
  weight,       ///< how many points a pixel of layer 0 has
  layer,        ///< three channels of one layer of the pyramid as the network sees it
  environment,  ///< the network's picture of the background alone
  support,      ///< the finest layer on which the pixel has a point
  error,        ///< difference from a photo
};
inline std::vector<std::string> enum_names(PictureKind*) {
  return {"neural", "plain", "depth", "weight", "layer", "environment", "support", "error"};
}

/// Light as a camera takes it.
struct PictureLight {
  PhotometricSetting setting;
  int64_t image = 0;     ///< whose camera's vignette and response are used
  bool vignette = true;  ///< false: none
  bool response = true;  ///< false: the response that every fit begins with
};

/// The pictures of one view. What several of them need is computed once, when it is first needed.
class ViewPictures {
 public:
  /// `model` and `stop` must outlive this. stop: null, or set by another thread; pictures are then null.
  ViewPictures(const SceneModel& model, const RenderView& view, const std::atomic<bool>* stop = nullptr);

  /// All pictures have 3 channels, 0..1 as encoded, the size of the view's crop; nothing when stopped.
  std::optional<Image> neural(const PictureLight& light);
  std::optional<Image> plain(const PictureLight& light);
  std::optional<Image> environment(const PictureLight& light);
  std::optional<Image> depth();
  std::optional<Image> weight();
  std::optional<Image> support();
  /// `photo`: 3 channels, of the size of the view's crop.
  std::optional<Image> error(const PictureLight& light, const Image& photo);
  /// At the layer's own size, that of the enlarged crop: its pixel covers 2^layer pixels of the view. InputError for a
  /// layer or channel that the model does not have. Values from 0 to 1, as encoded as the response at first does.
  std::optional<Image> layer(int layer, const std::array<int, 3>& channels);
  /// The layer's values as they are.
  std::optional<Image> layer_values(int layer, const std::array<int, 3>& channels);

  /// [3, H, W] where the model is: the last picture that went through the tone mapper; undefined before.
  const torch::Tensor& developed_rgb() const { return developed_rgb_; }

  /// Linear radiance (photometry.h: linear_radiance, by an image's camera), 3 channels; depth in scene units, 1 channel, +∞ where no point is; nothing when stopped.
  std::optional<Image> radiance(int64_t image);
  std::optional<Image> depth_m();

  /// The exposure at which the logarithmic mean of the radiance becomes middle grey (HDR: the middle of the values); nothing when stopped.
  std::optional<double> automatic_exposure_ev(int64_t image);

 private:
  bool stopped() const { return stop_ && stop_->load(std::memory_order_relaxed); }
  const FilledPyramid* pyramid();
  const torch::Tensor* network_output();
  Image developed(const torch::Tensor& radiance, const PictureLight& light);
  /// [H, W] of the view from a column [P, …] of the pyramid's buffer.
  torch::Tensor finest(const torch::Tensor& values) const;

  const SceneModel& model_;
  RenderView view_;
  const std::atomic<bool>* stop_;
  std::optional<FilledPyramid> pyramid_;
  torch::Tensor radiance_, developed_rgb_;
};

}  // namespace ptl
