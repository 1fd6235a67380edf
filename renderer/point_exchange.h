// Points that leave and points that come while a model is fitted, in one rearrangement.
#pragma once

#include <vector>

#include "renderer/scene_model.h"

namespace ptl {

/// Points to add. Arrays of one length; `descriptor` has the model's channels for each.
struct NewPoints {
  std::vector<Vec3<float>> position;  ///< scene coordinates
  std::vector<Vec3<float>> normal;    ///< unit; not used where the model has none
  std::vector<float> radius;          ///< world radius r (method section 1)
  std::vector<std::array<uint8_t, 3>> color;
  std::vector<float> descriptor;
  std::vector<int64_t> parent;  ///< the point whose optimiser state the new one continues, or −1: it starts afresh

  size_t size() const { return position.size(); }
};

/// Ids of points that the `generation`-th edit of a fit adds: from here on, in their order. Points as read have lower
/// ones.
inline int64_t first_grown_id(int64_t generation) {
  return (generation + 1) << 40;
}

/// Leaves out the points with `dropped` ≠ 0 (at least one must stay), adds others, and puts all in blocks again (Morton
/// order, within a block by falling radius_over_sqrt_u). model.descriptors is a new leaf afterwards. Returns, for each
/// row of the new order, the row that it continues, or −1 (int64, CPU).
torch::Tensor exchange_points(SceneModel& model, const std::vector<uint8_t>& dropped, const NewPoints& added,
                              int64_t generation);

}  // namespace ptl
