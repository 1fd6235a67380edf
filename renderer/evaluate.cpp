#include "renderer/evaluate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "datasets/error.h"
#include "datasets/hdr_photo.h"
#include "datasets/split.h"
#include "renderer/config_io.h"
#include "renderer/coverage.h"
#include "renderer/image_tensor.h"
#include "renderer/losses.h"
#include "renderer/optimizer.h"
#include "renderer/pipeline.h"
#include "renderer/pose_alignment.h"
#include "renderer/refine_view.h"
#include "renderer/scored_picture.h"

namespace ptl {

namespace {

RenderView left_half(RenderView view) {
  view.crop.width_px /= 2;
  return view;
}

/// Exposure and white balance by L1 on the left half; shared parameters stay as they are.
PhotometricSetting refit(const SceneModel& model, const torch::Tensor& radiance, const torch::Tensor& photo,
                         const torch::Tensor& mask, int64_t image, const RenderView& view) {
  constexpr int iterations = 150;
  const PhotometricSetting initial = photometric_setting(model, image, ExposureProtocol::exif);
  torch::Tensor exposure_ev = torch::full({1}, initial.exposure_ev, torch::kFloat).requires_grad_(true);
  torch::Tensor white_balance = torch::ones({2}, torch::kFloat);
  white_balance[0] = initial.white_balance[0];
  white_balance[1] = initial.white_balance[1];
  white_balance.requires_grad_(true);
  GroupConfig config;
  config.name = "refit";
  config.learning_rate = 0.02;
  config.epsilon = 1e-15;
  ParameterGroup group(config, {{"exposure_ev", exposure_ev}, {"white_balance", white_balance}});
  const RenderView half = left_half(view);
  const int64_t width_px = half.crop.width_px;
  const torch::Tensor left = radiance.narrow(2, 0, width_px);
  const torch::Tensor target = photo.narrow(1, 0, width_px).permute({2, 0, 1}).unsqueeze(0).to(radiance.device());
  const torch::Tensor left_mask = mask.narrow(1, 0, width_px).contiguous().to(radiance.device());
  LossConfig loss;
  loss.w_ssim = 0;
  for (int i = 0; i < iterations; ++i) {
    group.zero_grad();
    const torch::Tensor picture = tone_with(model, left, image, half, exposure_ev, white_balance, ToneMode::training);
    image_loss(loss, picture.unsqueeze(0), target, left_mask).total.backward();
    group.step(1.0 - static_cast<double>(i) / iterations);
  }
  return {exposure_ev.item<double>(), {white_balance[0].item<double>(), white_balance[1].item<double>()}};
}

/// Of all images; those of held-out ones as the protocol says, before any refinement.
std::vector<Pose<double>> held_out_poses(const SceneModel& model, const EvaluateOptions& options) {
  std::vector<Pose<double>> poses = options.reference_poses;
  if (poses.empty())
    for (const ModelImage& image : model.images) poses.push_back(image.given_camera_from_world);
  TORCH_CHECK(poses.size() == model.images.size(), "evaluate: expected ", model.images.size(), " reference poses, found ", poses.size());
  const std::vector<int64_t> training = model.training_images();
  if (options.pose == PoseProtocol::given || training.empty()) return poses;
  std::vector<Pose<double>> from, to;
  for (const int64_t image : training) {
    from.push_back(poses[static_cast<size_t>(image)]);
    to.push_back(model.images[static_cast<size_t>(image)].camera_from_world);
  }
  const Similarity moved = align_poses(from, to);
  for (Pose<double>& pose : poses) pose = mapped(moved, pose);
  return poses;
}

}  // namespace

EvalResult evaluate(const SceneModel& model, ImageCache& photos, const EvaluateOptions& options) {
  const std::vector<int64_t> held_out = model.held_out_images();
  if (held_out.empty())
    throw InputError("the run '{}' held out no photos (split {}), so there is nothing to score", model.scene_name,
                     model.config.scene.split);
  EvalResult result;
  result.scene = model.scene_name;
  result.protocol.border = enum_names(static_cast<BorderProtocol*>(nullptr))[static_cast<size_t>(options.border)];
  result.protocol.exposure =
      enum_names(static_cast<ExposureProtocol*>(nullptr))[static_cast<size_t>(options.exposure)];
  result.protocol.pose = enum_names(static_cast<PoseProtocol*>(nullptr))[static_cast<size_t>(options.pose)];
  result.protocol.split = model.config.scene.split;
  if (model.photo_range) result.protocol.values = describe(*model.photo_range);
  result.cloud_held_out = model.cloud_held_out;
  const nlohmann::ordered_json settings = flat_json(model.config);
  for (const auto& [key, value] : settings.items())
    result.settings[key] = value.is_string() ? value.get<std::string>() : value.dump();

  const std::vector<Pose<double>> poses = held_out_poses(model, options);
  const ScoringOptions scoring{options.border, scores_right_half(options.exposure, options.pose), options.lpips};
  Coverage coverage;
  ScoreSums scores;
  for (const int64_t image : held_out) {
    RenderView view = photo_view(model, image);
    view.camera_from_world = poses[static_cast<size_t>(image)];
    if (options.pose == PoseProtocol::refined) {
      const ExposureProtocol known = options.exposure == ExposureProtocol::fitted ? ExposureProtocol::exif : options.exposure;
      view = refine_view(model, photos, image, view, photometric_setting(model, image, known), view.crop.width_px / 2,
                         view.crop.height_px);
    }
    torch::Tensor radiance;
    {
      torch::NoGradGuard no_gradient;
      const FilledPyramid pyramid = render_pyramid(model, view, nullptr);
      coverage.add(pyramid.raster);
      if (options.plain)
        radiance = plain_radiance(pyramid, view);
      else
        radiance = moves(view.exposure_motion) ? render_radiance(model, view) : radiance_of(model, pyramid, view);
    }
    EvaluatedImage out;
    out.image = image;
    out.photo = tensor_from_image(photos.photo(static_cast<int>(image)));
    out.mask = tensor_from_image(photos.mask(static_cast<int>(image))).squeeze(2);
    const PhotometricSetting setting = options.exposure == ExposureProtocol::fitted
                                           ? refit(model, radiance, out.photo, out.mask, image, view)
                                           : photometric_setting(model, image, options.exposure);
    out.rendering = develop(model, radiance, image, view, setting);
    const ScoredPicture scored = score_picture(out.rendering, out.photo, out.mask, scoring);
    out.score = scored.score;
    scores.add(model.images[static_cast<size_t>(image)].name, scored);
    if (options.each_image) options.each_image(out);
  }
  result.coverage = coverage.by_layer();
  scores.finish(result);
  result.points = static_cast<long long>(model.points.size());
  return result;
}

double held_out_check(const SceneModel& model, ImageCache& photos, int count) {
  const std::vector<int64_t> held_out = model.held_out_images();
  if (held_out.empty()) return std::numeric_limits<double>::quiet_NaN();
  torch::NoGradGuard no_gradient;
  const std::vector<int64_t> used = spread_evenly(held_out, static_cast<size_t>(std::max(1, count)));
  double sum = 0;
  for (const int64_t image : used) {
    const RenderView view = photo_view(model, image);
    const torch::Tensor rendering = develop(model, render_radiance(model, view), image, view,
                                            photometric_setting(model, image, ExposureProtocol::exif));
    const torch::Tensor mask = tensor_from_image(photos.mask(static_cast<int>(image))).squeeze(2);
    sum += psnr_db(as_written(rendering), tensor_from_image(photos.photo(static_cast<int>(image))), BorderProtocol::full, mask);
  }
  return sum / static_cast<double>(used.size());
}

}  // namespace ptl
