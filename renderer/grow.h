// Growing where it hurts: while a model is fitted, points that make things worse are dropped, and places that stay wrong in
// several training photos get new ones. At fixed shares of the budget of steps, never by the clock, and from the model's
// state alone: a resumed fit grows as an uninterrupted one. docs/growing.md says why it is made this way.
#pragma once

#include <optional>

#include "datasets/image_cache.h"
#include "renderer/scene_model.h"

namespace ptl {

/// What one event did.
struct GrowEvent {
  int64_t points = 0;   ///< afterwards
  int64_t dropped = 0;
  int64_t split = 0;    ///< added beside points that are too far apart
  int64_t traced = 0;   ///< added where errors of several photos meet
  torch::Tensor rows;   ///< [points] int64: each point's row before, −1: it is new (ParameterGroup::remap_rows)
};

/// Whether a fit of points that lie so far apart in the photos grows: grow.enabled, and grow.dense or a sparse cloud
/// (SceneModel::point_spacing_px).
bool points_grow(const GrowConfig& config, double spacing_px);

/// The step (counted from 0) before which an event comes; with few steps several may come before the same.
int64_t grow_step(const GrowConfig& config, int64_t event, int64_t step_budget);

/// The number of the event that comes before `step`, if there is one: the first of those that do.
std::optional<int64_t> grow_event_before(const GrowConfig& config, int64_t step, int64_t step_budget);

/// The most points that a fit from `count` can have at any time, where an event looks at so many pixels.
int64_t most_points(const GrowConfig& config, int64_t count, int64_t looked_at_px);

/// The training photos that an event looks at.
std::vector<int64_t> grow_images(const SceneModel& model, int64_t event);

/// Changes the model's points; the state of an optimiser follows by GrowEvent::rows.
GrowEvent grow(SceneModel& model, ImageCache& photos, int64_t event);

}  // namespace ptl
