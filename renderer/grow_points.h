// Which points an event adds: candidates from rays and from splitting, the worst places first.
#pragma once

#include <vector>

#include "renderer/grow_look.h"
#include "renderer/point_exchange.h"

namespace ptl {

/// Of a point that is split.
inline constexpr int most_children = 3;

struct GrowAdditions {
  NewPoints points;
  int64_t split = 0;   ///< beside points that are too far apart
  int64_t traced = 0;  ///< where errors of several photos meet
};

/// At most `room` points for the places that `look` found wrong. A point is split where it is wrong in two views and its
/// footprint is wider than a pixel's neighbourhood: its children lie in its disc and begin as it is. A traced point begins
/// with its photo's colour (where descriptors do) and, in the other channels, with what its pixel shows.
/// `wrong`: the error from which on a point is; `dropped` ≠ 0: points that are not split.
GrowAdditions choose_additions(const SceneModel& model, const GrowLook& look, double wrong,
                               const std::vector<uint8_t>& dropped, int64_t room, int64_t event);

}  // namespace ptl
