// How much of the pictures the points reach: what a cloud leaves to the network.
#pragma once

#include <vector>

#include "renderer/pipeline.h"

namespace ptl {

/// What of views is covered by points.
class Coverage {
 public:
  void add(const Pyramid& pyramid);
  /// Mean over the views of the share of pixels with weight > 0; by layer, finest first; empty when nothing was added.
  std::vector<double> by_layer() const;
  /// By view, in the order of their addition: how many points are drawn on layer 0.
  const std::vector<int64_t>& points_by_view() const { return points_; }

 private:
  std::vector<double> sum_;
  std::vector<int64_t> points_;
  int views_ = 0;
};

/// Of whole photos, as evaluation draws them (no dropout).
Coverage coverage_of(const SceneModel& model, const std::vector<int64_t>& images);

}  // namespace ptl
