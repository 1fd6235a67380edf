// Scores of held-out photos: full images, PSNR and SSIM, with a protocol in four words (method section 7).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "datasets/image_cache.h"
#include "renderer/eval_result.h"
#include "renderer/metrics.h"
#include "renderer/pipeline.h"
#include "renderer/scene_model.h"
#include "renderer/vgg.h"

namespace ptl {

/// How a held-out photo, which has no fitted exposure, gets one (method section 6).
enum class ExposureProtocol {
  exif,          ///< its initial value: EXIF's, or the scene's mean
  interpolated,  ///< between its neighbours in capture order that were fitted
  fitted,        ///< refitted, with the white balance, on the image's left half; scored on its right half
};
inline std::vector<std::string> enum_names(ExposureProtocol*) { return {"exif", "interpolated", "fitted"}; }

/// Which pose a held-out photo has in a fit that moved the training poses.
enum class PoseProtocol {
  given,    ///< as read
  aligned,  ///< mapped by the similarity from the training cameras' poses as read to those as fitted
  refined,  ///< aligned, then fitted to the image's left half; scored on its right half
};
inline std::vector<std::string> enum_names(PoseProtocol*) { return {"given", "aligned", "refined"}; }

/// Exposure relative to the scene's mean, and the gains of red and blue.
struct PhotometricSetting {
  double exposure_ev = 0;
  double white_balance[2] = {1, 1};
};

/// The setting of a training image is what was fitted; of a held-out one what the protocol says (not `fitted`, which needs
/// the photo).
PhotometricSetting photometric_setting(const SceneModel& model, int64_t image, ExposureProtocol protocol);

/// Radiance [3, H, W] of a view, with a setting and the vignette and response of an image's camera: [H, W, 3] in [0, 1],
/// on the CPU, where pictures are shown and scored.
torch::Tensor develop(const SceneModel& model, const torch::Tensor& radiance, int64_t image, const RenderView& view,
                      const PhotometricSetting& setting);

/// One image of an evaluation, for the report.
struct EvaluatedImage {
  int64_t image = 0;
  EvalScore score;
  torch::Tensor photo, rendering;  ///< [H, W, 3] on the CPU
  torch::Tensor mask;              ///< [H, W] on the CPU
};

struct EvaluateOptions {
  BorderProtocol border = BorderProtocol::full;
  ExposureProtocol exposure = ExposureProtocol::exif;
  PoseProtocol pose = PoseProtocol::given;
  /// Poses that `given` and `aligned` begin from instead of those that the fit read: camera_from_world of each of the model's
  /// images, in scene coordinates; empty: as read.
  std::vector<Pose<double>> reference_poses;
  std::shared_ptr<const Lpips> lpips;                      ///< null: n/a
  std::function<void(const EvaluatedImage&)> each_image;   ///< called in order
};

/// Scores the held-out images. Steps, seconds and the run's name are the caller's. InputError when nothing is held out.
EvalResult evaluate(const SceneModel& model, ImageCache& photos, const EvaluateOptions& options);

/// Mean PSNR of up to `count` held-out images, for the progress line only; NaN when nothing is held out.
double held_out_check(const SceneModel& model, ImageCache& photos, int count);

}  // namespace ptl
