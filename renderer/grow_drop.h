// Which points an event drops: those without which the training photos are shown better.
#pragma once

#include <vector>

#include "renderer/grow_look.h"

namespace ptl {

/// 1 for each point to drop. Suspects are the points whose pixels are wrong in two or more views (`wrong`: an error). All
/// views are rendered once more without any of them: a suspect goes when the error at its own pixels falls by
/// grow.drop_gain of itself, in the sum over its views. At most grow.drop_share of the points, those with most gain.
std::vector<uint8_t> harmful_points(const SceneModel& model, ImageCache& photos, const GrowLook& look, double wrong);

}  // namespace ptl
