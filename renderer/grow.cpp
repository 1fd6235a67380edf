#include "renderer/grow.h"

#include <algorithm>
#include <cmath>

#include "datasets/prepare.h"
#include "datasets/split.h"
#include "renderer/grow_drop.h"
#include "renderer/grow_points.h"

namespace ptl {

std::vector<int64_t> grow_images(const SceneModel& model, int64_t event) {
  std::vector<int64_t> images = model.training_images();
  std::rotate(images.begin(), images.begin() + event % static_cast<int64_t>(images.size()), images.end());
  images = spread_evenly(images, static_cast<size_t>(model.config.grow.photos));
  std::sort(images.begin(), images.end());
  return images;
}

bool points_grow(const GrowConfig& config, double spacing_px) {
  return config.enabled && (config.dense || spacing_px == 0 || spacing_px > sparse_spacing_px);
}

int64_t grow_step(const GrowConfig& config, int64_t event, int64_t step_budget) {
  const double place = config.events == 1 ? 0 : static_cast<double>(event) / static_cast<double>(config.events - 1);
  const double share = config.begin + place * (config.end - config.begin);
  return std::max<int64_t>(1, static_cast<int64_t>(share * static_cast<double>(step_budget)));
}

std::optional<int64_t> grow_event_before(const GrowConfig& config, int64_t step, int64_t step_budget) {
  for (int64_t event = 0; event < config.events; ++event)
    if (step == grow_step(config, event, step_budget)) return event;
  return std::nullopt;
}

int64_t most_points(const GrowConfig& config, int64_t count, int64_t looked_at_px) {
  const auto wrong_px = static_cast<int64_t>(ErrorRayOptions{}.worst_share * static_cast<double>(looked_at_px));
  int64_t points = count;
  for (int event = 0; event < config.events; ++event) {
    // One traced point for every other wrong pixel; about one layer of points to split at all of them.
    const int64_t found = wrong_px / 2 + most_children * std::min(points, wrong_px);
    points += std::clamp(config.max_points - points, int64_t{0}, std::min(config.points_per_event, found));
  }
  return points;
}

GrowEvent grow(SceneModel& model, ImageCache& photos, int64_t event) {
  const GrowConfig& config = model.config.grow;
  const GrowLook look = look_at(model, photos, grow_images(model, event), config.side_px);
  const double wrong = wrong_error(look.views);
  std::vector<uint8_t> dropped(static_cast<size_t>(model.points.size()), 0);
  if (config.drop) dropped = harmful_points(model, photos, look, wrong);
  GrowEvent result;
  result.dropped = std::count(dropped.begin(), dropped.end(), uint8_t{1});
  const int64_t kept = model.points.size() - result.dropped;
  const int64_t room = std::clamp(config.max_points - kept, int64_t{0}, config.points_per_event);
  const GrowAdditions added = choose_additions(model, look, wrong, dropped, room, event);
  result.split = added.split;
  result.traced = added.traced;
  result.rows = exchange_points(model, dropped, added.points, event);
  result.points = model.points.size();
  return result;
}

}  // namespace ptl
