#include "renderer/refine_view.h"

#include <vector>

#include "renderer/crops.h"
#include "renderer/exposure_motion.h"
#include "renderer/losses.h"
#include "renderer/optimizer.h"
#include "renderer/photo_crop.h"
#include "renderer/pose_steps.h"
#include "renderer/structure_steps.h"

namespace ptl {

namespace {

/// A six-vector that is fitted by steps from where it is.
struct RefinedTangent {
  torch::Tensor step = torch::zeros({6}, torch::kDouble).requires_grad_(true);
  torch::Tensor StructureInputs::* input;
  ParameterGroup group;

  RefinedTangent(const char* name, torch::Tensor StructureInputs::* where, double learning_rate)
      : input(where), group(rule(name, learning_rate), {{name, step}}) {}

  static GroupConfig rule(const char* name, double learning_rate) {
    GroupConfig rule;
    rule.name = std::string("refined ") + name;
    rule.learning_rate = learning_rate;
    rule.epsilon = 1e-15;
    return rule;
  }
};

Tangent<double> sum_of(const Tangent<double>& a, const double* b) {
  return {a.translation + Vec3<double>(b[0], b[1], b[2]), a.rotation + Vec3<double>(b[3], b[4], b[5])};
}

}  // namespace

RenderView refine_view(const SceneModel& model, ImageCache& photos, int64_t image, const RenderView& start,
                       const PhotometricSetting& setting, int32_t width_px, int32_t height_px,
                       const RefineViewOptions& options) {
  const torch::Tensor exposure_ev = torch::full({1}, setting.exposure_ev, torch::kFloat);
  const torch::Tensor white_balance =
      torch::tensor({static_cast<float>(setting.white_balance[0]), static_cast<float>(setting.white_balance[1])});
  const torch::Tensor units = pose_units(model.median_depth_m);
  RenderView view = start;
  std::vector<RefinedTangent> refined;
  refined.reserve(3);  // groups hold references
  refined.emplace_back("pose", &StructureInputs::pose_tangent, options.learning_rate);
  const GroupSettings& groups = model.config.groups;
  if (!groups.rolling_shutter.frozen) refined.emplace_back("rolling shutter", &StructureInputs::readout_motion, options.learning_rate);
  if (!groups.motion_blur.frozen) {
    if (!moves(view.exposure_motion)) view.exposure_motion = find_exposure_motion(model, photos, image, view, setting, width_px);
    refined.emplace_back("motion blur", &StructureInputs::exposure_motion, options.learning_rate);
  }
  LossConfig loss;
  loss.w_ssim = 0;
  for (int step = 0; step < options.steps; ++step) {
    const auto draw_share = [&](uint64_t number) {
      return draw_unit(static_cast<uint64_t>(model.config.seed), DrawPurpose::refine_pose,
                       model.images[static_cast<size_t>(image)].id, static_cast<uint64_t>(step), number);
    };
    view.crop = crop_at(draw_share(0), draw_share(1), width_px, height_px, options.crop_px);
    const auto [photo, mask] = photo_crop(photos, image, view.crop);
    TrainingDraw draw{static_cast<uint64_t>(step), model.images[static_cast<size_t>(image)].id, 0, {}};
    for (const RefinedTangent& tangent : refined) draw.structure.*tangent.input = tangent.step * units;
    const torch::Tensor radiance = render_radiance(model, view, &draw);
    const torch::Tensor picture =
        tone_with(model, radiance, image, view, exposure_ev, white_balance, ToneMode::training);
    const torch::Tensor target = photo.permute({2, 0, 1}).unsqueeze(0).to(radiance.device());
    const torch::Tensor value = image_loss(loss, picture.unsqueeze(0), target, mask.to(radiance.device())).total;
    std::vector<torch::Tensor> steps;
    for (const RefinedTangent& tangent : refined) steps.push_back(tangent.step);
    const auto gradients = torch::autograd::grad({value}, steps, {}, std::nullopt, false, /*allow_unused=*/true);  // of these alone
    const double factor = 1.0 - static_cast<double>(step) / options.steps;
    for (size_t i = 0; i < refined.size(); ++i) {
      RefinedTangent& tangent = refined[i];
      if (!gradients[i].defined()) continue;  // the motion of a photo that is not blurred
      tangent.step.mutable_grad() = gradients[i];
      tangent.group.step(factor);
      torch::NoGradGuard no_gradient;
      const torch::Tensor taken = tangent.step.detach() * units;
      if (torch::isfinite(taken).all().item<bool>()) {
        const double* const xi = taken.const_data_ptr<double>();
        if (tangent.input == &StructureInputs::pose_tangent)
          view.camera_from_world = moved_pose(view.camera_from_world, xi);
        else if (tangent.input == &StructureInputs::readout_motion)
          view.readout_motion = sum_of(view.readout_motion, xi);
        else
          view.exposure_motion = sum_of(view.exposure_motion, xi);
      }
      tangent.step.detach().zero_();
    }
  }
  view.crop = start.crop;
  return view;
}

}  // namespace ptl
