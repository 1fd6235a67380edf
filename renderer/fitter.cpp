#include "renderer/fitter.h"

#include <ATen/record_function.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "renderer/exposure_motion.h"
#include "renderer/photo_crop.h"
#include "renderer/pipeline.h"

namespace ptl {

namespace {

bool is_structure_group(const std::string& name) {
  return name == "points" || name == "poses" || name == "intrinsics" || name == "distortion" || name == "rolling_shutter" ||
         name == "motion_blur";
}

NamedTensors network_tensors(const SceneModel& model) {
  return model.network->named_parameters();
}

}  // namespace

Fitter::Fitter(SceneModel& model, ImageCache& photos, int64_t step_budget, NetworkOwner network)
    : model_(model), network_owner_(network), photos_(photos), order_(model), structure_(model), schedule_(model.config.schedule, step_budget) {
  const GroupSettings& groups = model.config.groups;
  if (network == NetworkOwner::fitter) optimizer_.add(groups.network, network_tensors(model));
  optimizer_.add(groups.descriptors, {{"descriptors", model.descriptors}});
  optimizer_.add(model.config.environment.enabled ? groups.environment : groups.background,
                 {{"texels", model.background->texels}});
  optimizer_.add(groups.exposure, {{"exposure", model.tone->exposure_ev}});
  optimizer_.add(groups.white_balance, {{"white_balance", model.tone->white_balance}});
  optimizer_.add(groups.response, {{"response", model.tone->response}});
  optimizer_.add(groups.vignette, {{"vignette", model.tone->vignette}});
  if (structure_.position.defined()) optimizer_.add(groups.points, {{"position", structure_.position}});
  if (structure_.pose.defined()) optimizer_.add(groups.poses, {{"pose", structure_.pose}});
  if (structure_.readout.defined()) optimizer_.add(groups.rolling_shutter, {{"readout", structure_.readout}});
  if (structure_.exposure.defined()) optimizer_.add(groups.motion_blur, {{"exposure", structure_.exposure}});
  if (structure_.intrinsics.defined()) optimizer_.add(groups.intrinsics, {{"intrinsics", structure_.intrinsics}});
  if (structure_.distortion.defined()) optimizer_.add(groups.distortion, {{"distortion", structure_.distortion}});
  if (model.config.loss.w_vgg > 0) vgg_ = std::make_shared<Vgg19Loss>(model.config.vgg_weights, model.device());
  set_step_budget(step_budget);
}

void Fitter::set_step_budget(int64_t step_budget) {
  schedule_.set_step_budget(step_budget);
  const GroupSettings& groups = model_.config.groups;
  const auto lock = [&](double share, std::initializer_list<const GroupConfig*> locked) {
    const auto unlocked = static_cast<int64_t>(std::ceil(share * static_cast<double>(step_budget)));
    for (ParameterGroup& group : optimizer_.groups())
      for (const GroupConfig* config : locked)
        if (group.config().name == config->name) group.config().locked_until = std::max(config->locked_until, unlocked);
  };
  lock(model_.config.photometric_lock, {&groups.exposure, &groups.white_balance, &groups.response, &groups.vignette});
  if (model_.config.network.init != "random") lock(model_.config.network.lock, {&groups.network});
  lock(model_.config.structure.lock,
       {&groups.points, &groups.poses, &groups.intrinsics, &groups.distortion, &groups.rolling_shutter});
  lock(model_.config.structure.motion_blur_lock, {&groups.motion_blur});
}

FitStep Fitter::accumulate_gradients(int64_t step) {
  const std::vector<TrainingCrop> crops = crops_of_step(model_, order_, step);
  const double share = 1.0 / static_cast<double>(crops.size());
  const bool structure_moves =
      structure_.any() &&
      std::any_of(optimizer_.groups().begin(), optimizer_.groups().end(), [&](const ParameterGroup& group) {
        return is_structure_group(group.config().name) && group.active(step);
      });
  FitStep result;
  for (const TrainingCrop& crop : crops) {
    RenderView view = photo_view(model_, crop.image);
    view.crop = crop.crop;
    PhotoCrop target;
    {
      RECORD_USER_SCOPE("photos");
      target = photo_crop(photos_, crop.image, crop.crop);
      target.photo = target.photo.to(model_.device());
      target.mask = target.mask.to(model_.device());
    }
    TrainingDraw draw{static_cast<uint64_t>(step), model_.images[static_cast<size_t>(crop.image)].id, crop.crop_index};
    if (structure_moves) draw.structure = structure_.inputs(model_, crop.image);
    const torch::Tensor radiance = render_radiance(model_, view, &draw);
    const torch::Tensor image = apply_tone(model_, radiance, view, crop.image, ToneMode::training);
    LossValue loss;
    {
      RECORD_USER_SCOPE("loss");
      loss = image_loss(model_.config.loss, image.unsqueeze(0), target.photo.permute({2, 0, 1}).unsqueeze(0), target.mask, vgg_);
    }
    RECORD_USER_SCOPE("backward");
    (loss.total * share).backward();
    const double value = loss.total.item<double>();
    result.loss += share * value;
    if (!std::isfinite(value) && result.problem.empty())
      result.problem = fmt::format("the loss of {} is {}", model_.images[static_cast<size_t>(crop.image)].name, value);
  }
  if (optimizer_.group("response").active(step)) model_.tone->regulariser().backward();
  return result;
}

FitStep Fitter::step(int64_t step) {
  RECORD_USER_SCOPE("step");
  if (structure_.exposure.defined() && step == optimizer_.group("motion_blur").config().locked_until) {
    RECORD_USER_SCOPE("motion blur");
    find_exposure_motions(model_, photos_);
  }
  optimizer_.zero_grad();
  if (network_owner_ == NetworkOwner::fitter) {  // weights that wait need no gradients either
    const ParameterGroup& network = optimizer_.group("network");
    for (auto [name, weight] : network.parameters()) weight.requires_grad_(network.active(step));
  }
  FitStep result = accumulate_gradients(step);
  if (!result.problem.empty()) {
    const std::string parameter = optimizer_.first_value_not_finite();
    if (!parameter.empty()) result.problem += fmt::format(": {} holds a value that is not finite", parameter);
    return result;
  }
  std::map<std::string, double> factors;
  for (const ParameterGroup& group : optimizer_.groups())
    factors[group.config().name] = schedule_.factor(group.config().name, step);
  {
    RECORD_USER_SCOPE("optimiser");
    const std::string parameter = optimizer_.step(step, factors);
    if (!parameter.empty()) {
      result.problem = fmt::format("the gradient of {} is not finite in", parameter);
      for (const TrainingCrop& crop : crops_of_step(model_, order_, step))
        result.problem += " " + model_.images[static_cast<size_t>(crop.image)].name;
      return result;
    }
    structure_.apply(model_, structure_report_);
    const bool exposure_free = optimizer_.group("exposure").active(step);
    if (exposure_free || optimizer_.group("response").active(step) || optimizer_.group("white_balance").active(step)) {
      torch::NoGradGuard no_gradient;
      model_.tone->fix_gauge(exposure_free && model_.tone->exposures_vary() ? ExponentGauge::exposure_slope
                                                                            : ExponentGauge::response_middle);
    }
  }
  return result;
}

std::optional<GrowEvent> Fitter::grow_before(int64_t step) {
  const GrowConfig& config = model_.config.grow;
  if (!points_grow(config, model_.point_spacing_px) || optimizer_.group("descriptors").config().frozen) return std::nullopt;
  const std::optional<int64_t> event = grow_event_before(config, step, schedule_.step_budget());
  if (!event) return std::nullopt;
  optimizer_.zero_grad();
  const GrowEvent grown = grow(model_, photos_, *event);
  optimizer_.group("descriptors").remap_rows("descriptors", model_.descriptors, grown.rows);
  if (structure_.position.defined()) {
    structure_.points_changed(model_);
    optimizer_.group("points").remap_rows("position", structure_.position, grown.rows);
  }
  return grown;
}

void Fitter::rehearse(int64_t step) {
  optimizer_.zero_grad();
  accumulate_gradients(step);
  optimizer_.zero_grad();
}

void Fitter::end_epoch(double mean_loss, int64_t step) {
  std::vector<std::string> active;
  for (const ParameterGroup& group : optimizer_.groups())
    if (group.active(step)) active.push_back(group.config().name);
  schedule_.end_epoch(mean_loss, active);
}

}  // namespace ptl
