#include "renderer/refine_pose.h"

#include "renderer/crops.h"
#include "renderer/losses.h"
#include "renderer/optimizer.h"
#include "renderer/photo_crop.h"
#include "renderer/pipeline.h"
#include "renderer/pose_steps.h"
#include "renderer/structure_steps.h"

namespace ptl {

Pose<double> refine_pose(const SceneModel& model, ImageCache& photos, int64_t image, const Pose<double>& start,
                         const PhotometricSetting& setting, int32_t width_px, int32_t height_px,
                         const RefinePoseOptions& options) {
  const torch::Tensor exposure_ev = torch::full({1}, setting.exposure_ev, torch::kFloat);
  const torch::Tensor white_balance =
      torch::tensor({static_cast<float>(setting.white_balance[0]), static_cast<float>(setting.white_balance[1])});
  const torch::Tensor units = pose_units(model.median_depth_m);
  torch::Tensor step_taken = torch::zeros({6}, torch::kDouble).requires_grad_(true);
  GroupConfig rule;
  rule.name = "refined pose";
  rule.learning_rate = options.learning_rate;
  rule.epsilon = 1e-15;
  ParameterGroup group(rule, {{"pose", step_taken}});
  LossConfig loss;
  loss.w_ssim = 0;
  RenderView view = photo_view(model, image);
  view.camera_from_world = start;
  for (int step = 0; step < options.steps; ++step) {
    const auto draw_share = [&](uint64_t number) {
      return draw_unit(static_cast<uint64_t>(model.config.seed), DrawPurpose::refine_pose,
                       model.images[static_cast<size_t>(image)].id, static_cast<uint64_t>(step), number);
    };
    view.crop = crop_at(draw_share(0), draw_share(1), width_px, height_px, options.crop_px);
    const auto [photo, mask] = photo_crop(photos, image, view.crop);
    TrainingDraw draw{static_cast<uint64_t>(step), model.images[static_cast<size_t>(image)].id, 0, {}};
    draw.structure.pose_tangent = step_taken * units;
    const torch::Tensor radiance = render_radiance(model, view, &draw);
    const torch::Tensor picture =
        tone_with(model, radiance, image, view, exposure_ev, white_balance, ToneMode::training);
    const torch::Tensor target = photo.permute({2, 0, 1}).unsqueeze(0).to(radiance.device());
    const torch::Tensor value = image_loss(loss, picture.unsqueeze(0), target, mask.to(radiance.device())).total;
    step_taken.mutable_grad() = torch::autograd::grad({value}, {step_taken})[0];  // of the pose alone
    group.step(1.0 - static_cast<double>(step) / options.steps);
    torch::NoGradGuard no_gradient;
    const torch::Tensor taken = step_taken.detach() * units;
    if (torch::isfinite(taken).all().item<bool>())
      view.camera_from_world = moved_pose(view.camera_from_world, taken.const_data_ptr<double>());
    step_taken.detach().zero_();
  }
  return view.camera_from_world;
}

}  // namespace ptl
