#include "renderer/grow_drop.h"

#include <algorithm>
#include <limits>

namespace ptl {

namespace {

/// The same scene without some points: the rasteriser draws none that is not finite.
SceneModel without(const SceneModel& model, const std::vector<uint8_t>& left_out) {
  SceneModel trial = model;
  torch::Tensor position = model.points.position.to(torch::kCPU).clone();
  float* p = position.mutable_data_ptr<float>();
  for (size_t i = 0; i < left_out.size(); ++i)
    if (left_out[i]) std::fill_n(p + 3 * i, 3, std::numeric_limits<float>::quiet_NaN());
  trial.points.position = position.to(model.device());
  return trial;
}

}  // namespace

std::vector<uint8_t> harmful_points(const SceneModel& model, ImageCache& photos, const GrowLook& look, double wrong) {
  const GrowConfig& config = model.config.grow;
  const size_t points = look.point_error.size();
  std::vector<uint8_t> suspect(points, 0);
  for (size_t p = 0; p < points; ++p)
    suspect[p] = look.point_views[p] >= 2 && static_cast<double>(look.mean_error(p)) >= wrong;
  const SceneModel trial = without(model, suspect);
  std::vector<float> error_without(points, 0.0f);
  for (size_t v = 0; v < look.views.size(); ++v) {
    const std::vector<float> error = errors_of(trial, photos, look, v);
    for (const DrawnPoint& drawn : look.drawn[v]) error_without[drawn.point] += error[drawn.pixel];
  }
  std::vector<std::pair<float, uint32_t>> gains;
  for (size_t p = 0; p < points; ++p) {
    if (!suspect[p]) continue;
    const float gain = 1 - error_without[p] / look.point_error[p];
    if (gain >= static_cast<float>(config.drop_gain)) gains.emplace_back(-gain, static_cast<uint32_t>(p));
  }
  std::sort(gains.begin(), gains.end());
  const auto most = static_cast<size_t>(config.drop_share * static_cast<double>(points));
  if (gains.size() > most) gains.resize(most);
  std::vector<uint8_t> harmful(points, 0);
  for (const auto& [gain, p] : gains) harmful[p] = 1;
  return harmful;
}

}  // namespace ptl
