// Exposure and white balance of an image, fitted or by protocol, and pictures developed with them.
#pragma once

#include <string>
#include <vector>

#include "renderer/pipeline.h"
#include "renderer/scene_model.h"

namespace ptl {

/// How a held-out photo, which has no fitted exposure, gets one (method section 6).
enum class ExposureProtocol {
  exif,          ///< its initial value: EXIF's, or the scene's mean
  interpolated,  ///< between its neighbours in capture order that were fitted
  fitted,        ///< refitted, with the white balance, on the image's left half; scored on its right half
};
inline std::vector<std::string> enum_names(ExposureProtocol*) {
  return {"exif", "interpolated", "fitted"};
}

/// Exposure relative to the scene's mean, and the gains of red and blue.
struct PhotometricSetting {
  double exposure_ev = 0;
  double white_balance[2] = {1, 1};
};

/// The setting of a training image is what was fitted; of a held-out one what the protocol says (not `fitted`, which
/// needs the photo).
PhotometricSetting photometric_setting(const SceneModel& model, int64_t image, ExposureProtocol protocol);

/// Radiance [3, H, W] of a view, with a setting and the vignette and response of an image's camera: [H, W, 3] in [0,
/// 1], on the CPU, where pictures are shown and scored.
torch::Tensor develop(const SceneModel& model, const torch::Tensor& radiance, int64_t image, const RenderView& view,
                      const PhotometricSetting& setting);

/// Radiance [3, H, W] of a view → image there, differentiable, by these exposure_ev [1] and white_balance [2] and the
/// vignette and response of an image's camera, which are taken as they are.
torch::Tensor tone_with(const SceneModel& model, const torch::Tensor& radiance, int64_t image, const RenderView& view,
                        const torch::Tensor& exposure_ev, const torch::Tensor& white_balance, ToneMode mode);

/// Radiance [3, H, W] as the network makes it → linear radiance; of HDR photos in the scale of their files, within the range of their
/// values and by the response of an image's camera.
torch::Tensor linear_radiance(const SceneModel& model, const torch::Tensor& radiance, int64_t image);

}  // namespace ptl
