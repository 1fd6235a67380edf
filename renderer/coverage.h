// How much of the pictures the points reach: what a cloud leaves to the network.
#pragma once

#include <vector>

#include "renderer/pipeline.h"

namespace ptl {

/// Mean over views of the share of pixels with weight > 0 on each layer.
class Coverage {
 public:
  void add(const Pyramid& pyramid);
  /// By layer, finest first; empty when nothing was added.
  std::vector<double> by_layer() const;

 private:
  std::vector<double> sum_;
  int views_ = 0;
};

/// Of whole photos, as evaluation draws them (no dropout).
std::vector<double> coverage_by_layer(const SceneModel& model, const std::vector<int64_t>& images);

}  // namespace ptl
