// Scores of held-out photos: full images, PSNR and SSIM, with a protocol in four words (method section 7).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "datasets/image_cache.h"
#include "renderer/eval_result.h"
#include "renderer/metrics.h"
#include "renderer/photometry.h"
#include "renderer/pipeline.h"
#include "renderer/scene_model.h"
#include "renderer/vgg.h"

namespace ptl {

/// Which pose a held-out photo has in a fit that moved the training poses.
enum class PoseProtocol {
  given,    ///< as read
  aligned,  ///< mapped by the similarity from the training cameras' poses as read to those as fitted
  refined,  ///< aligned, then fitted to the image's left half; scored on its right half
};
inline std::vector<std::string> enum_names(PoseProtocol*) { return {"given", "aligned", "refined"}; }

/// The left half of each held-out photo served to fit something: only the right one is scored.
inline bool scores_right_half(ExposureProtocol exposure, PoseProtocol pose) {
  return exposure == ExposureProtocol::fitted || pose == PoseProtocol::refined;
}

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
  bool plain = false;  ///< the points drawn plainly (pipeline.h: plain_radiance) instead of the network's picture
  std::shared_ptr<const Lpips> lpips;                      ///< null: n/a
  std::function<void(const EvaluatedImage&)> each_image;   ///< called in order
};

/// Scores the held-out images. Steps, seconds and the run's name are the caller's. InputError when nothing is held out.
EvalResult evaluate(const SceneModel& model, ImageCache& photos, const EvaluateOptions& options);

/// Mean PSNR of up to `count` held-out images, for the progress line only; NaN when nothing is held out.
double held_out_check(const SceneModel& model, ImageCache& photos, int count);

}  // namespace ptl
