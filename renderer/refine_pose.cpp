#include "renderer/refine_pose.h"

#include <algorithm>

#include "renderer/losses.h"
#include "renderer/optimizer.h"
#include "renderer/pipeline.h"

namespace ptl {

namespace {

Crop draw_region_crop(const SceneModel& model, int64_t image, int step, int32_t width_px, int32_t height_px, int crop_px) {
  const auto draw = [&](uint64_t number) {
    return draw_unit(static_cast<uint64_t>(model.config.seed), DrawPurpose::refine_pose,
                     model.images[static_cast<size_t>(image)].id, static_cast<uint64_t>(step), number);
  };
  Crop crop;
  crop.width_px = std::min(crop_px, width_px);
  crop.height_px = std::min(crop_px, height_px);
  const auto offset = [](float unit, int32_t room_px) { return std::floor(unit * static_cast<float>(room_px)); };
  crop.offset_x_px = offset(draw(0), width_px - crop.width_px);
  crop.offset_y_px = offset(draw(1), height_px - crop.height_px);
  return crop;
}

}  // namespace

Pose<double> refine_pose(const SceneModel& model, ImageCache& photos, int64_t image, const Pose<double>& start,
                         const PhotometricSetting& setting, int32_t width_px, int32_t height_px,
                         const RefinePoseOptions& options) {
  const auto camera = model.images[static_cast<size_t>(image)].camera;
  const torch::Tensor exposure_ev = torch::full({1}, setting.exposure_ev, torch::kFloat);
  const torch::Tensor white_balance = torch::tensor({static_cast<float>(setting.white_balance[0]), static_cast<float>(setting.white_balance[1])});
  const torch::Tensor vignette = model.tone->vignette.detach()[camera], response = model.tone->response.detach()[camera];
  const double depth = model.median_depth_m;
  const torch::Tensor units = torch::tensor({depth, depth, depth, 1.0, 1.0, 1.0}, torch::kDouble);
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
    view.crop = draw_region_crop(model, image, step, width_px, height_px, options.crop_px);
    torch::Tensor photo = torch::empty({view.crop.height_px, view.crop.width_px, 3});
    torch::Tensor mask = torch::empty({view.crop.height_px, view.crop.width_px});
    photos.sample_crop(static_cast<int>(image), view.crop, photo.mutable_data_ptr<float>(), mask.mutable_data_ptr<float>());
    TrainingDraw draw{static_cast<uint64_t>(step), model.images[static_cast<size_t>(image)].id, 0, {}};
    draw.structure.pose_tangent = step_taken * units;
    const torch::Tensor radiance = render_radiance(model, view, &draw);
    const torch::Tensor picture = tone_map(radiance, exposure_ev, white_balance, vignette, response,
                                           {view.camera.width_px, view.camera.height_px, view.crop}, ToneMode::training);
    const torch::Tensor target = photo.permute({2, 0, 1}).unsqueeze(0).to(radiance.device());
    const torch::Tensor value = image_loss(loss, picture.unsqueeze(0), target, mask.to(radiance.device())).total;
    step_taken.mutable_grad() = torch::autograd::grad({value}, {step_taken})[0];  // of the pose alone
    group.step(1.0 - static_cast<double>(step) / options.steps);
    torch::NoGradGuard no_gradient;
    const torch::Tensor taken = step_taken.detach() * units;
    const double* const t = taken.const_data_ptr<double>();
    const Pose<double> next = exp(Tangent<double>{{t[0], t[1], t[2]}, {t[3], t[4], t[5]}}) * view.camera_from_world;
    if (torch::isfinite(taken).all().item<bool>()) view.camera_from_world = next;
    step_taken.detach().zero_();
  }
  return view.camera_from_world;
}

}  // namespace ptl
