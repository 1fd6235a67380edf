#include "renderer/photometry.h"

#include <algorithm>

namespace ptl {

namespace {

double value_at(const torch::Tensor& tensor, std::initializer_list<int64_t> place) {
  torch::Tensor element = tensor.detach();
  for (const int64_t i : place) element = element[i];
  return element.item<double>();
}

PhotometricSetting fitted_setting(const SceneModel& model, int64_t image) {
  return {value_at(model.tone->exposure_ev, {image}),
          {value_at(model.tone->white_balance, {image, 0}), value_at(model.tone->white_balance, {image, 1})}};
}

}  // namespace

PhotometricSetting photometric_setting(const SceneModel& model, int64_t image, ExposureProtocol protocol) {
  const ModelImage& entry = model.images[static_cast<size_t>(image)];
  if (!entry.held_out) return fitted_setting(model, image);
  PhotometricSetting initial;
  initial.exposure_ev = initial_exposure_ev(model, entry);
  if (protocol != ExposureProtocol::interpolated) return initial;
  const std::vector<int64_t> order = model.neighbour_order();
  const auto count = static_cast<int64_t>(order.size());
  const auto held_out = [&](int64_t place) {
    return model.images[static_cast<size_t>(order[static_cast<size_t>(place)])].held_out;
  };
  const auto setting_at = [&](int64_t place) { return fitted_setting(model, order[static_cast<size_t>(place)]); };
  const int64_t here = std::find(order.begin(), order.end(), image) - order.begin();
  int64_t before = here, after = here;
  while (before >= 0 && held_out(before)) --before;
  while (after < count && held_out(after)) ++after;
  if (before < 0 && after >= count) return initial;
  if (before < 0) return setting_at(after);
  if (after >= count) return setting_at(before);
  const PhotometricSetting a = setting_at(before), b = setting_at(after);
  const double t = static_cast<double>(here - before) / static_cast<double>(after - before);
  const auto mix = [&](double x, double y) { return x + t * (y - x); };
  return {mix(a.exposure_ev, b.exposure_ev),
          {mix(a.white_balance[0], b.white_balance[0]), mix(a.white_balance[1], b.white_balance[1])}};
}

torch::Tensor tone_with(const SceneModel& model, const torch::Tensor& radiance, int64_t image, const RenderView& view,
                        const torch::Tensor& exposure_ev, const torch::Tensor& white_balance, ToneMode mode) {
  const int64_t camera = model.images[static_cast<size_t>(image)].camera;
  return tone_map(radiance, exposure_ev, white_balance, model.tone->vignette.detach()[camera],
                  model.tone->response.detach()[camera], {view.camera.width_px, view.camera.height_px, view.crop},
                  mode, model.tone->options().log_stops);
}

torch::Tensor linear_radiance(const SceneModel& model, const torch::Tensor& radiance, int64_t image) {
  if (!model.photo_range) return radiance;
  torch::NoGradGuard no_gradient;
  const int64_t camera = model.images[static_cast<size_t>(image)].camera;
  const auto width_px = static_cast<int32_t>(radiance.size(2)), height_px = static_cast<int32_t>(radiance.size(1));
  const torch::Tensor value = tone_map(radiance, torch::zeros({1}), torch::ones({2}), torch::zeros({5}),
                                       model.tone->response.detach()[camera], {width_px, height_px, {1, 0, 0, width_px, height_px}},
                                       ToneMode::evaluation, model.photo_range->stops());
  return torch::exp2(value * model.photo_range->stops() + model.photo_range->low);
}

torch::Tensor develop(const SceneModel& model, const torch::Tensor& radiance, int64_t image, const RenderView& view,
                      const PhotometricSetting& setting) {
  torch::NoGradGuard no_gradient;
  torch::Tensor white_balance = torch::empty({2}, torch::kFloat);
  white_balance.mutable_data_ptr<float>()[0] = static_cast<float>(setting.white_balance[0]);
  white_balance.mutable_data_ptr<float>()[1] = static_cast<float>(setting.white_balance[1]);
  return tone_with(model, radiance, image, view, torch::full({1}, setting.exposure_ev, torch::kFloat), white_balance,
                   ToneMode::evaluation)
      .to(torch::kCPU)
      .permute({1, 2, 0})
      .contiguous();
}

}  // namespace ptl
