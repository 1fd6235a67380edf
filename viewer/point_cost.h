// What points cost to draw: more, the larger they are on the screen. Counted in points of one pixel, as PointBudget does.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/camera.h"
#include "viewer/drawn_cloud.h"

namespace ptl {

inline constexpr double largest_point_px = 12;  ///< side of a point on the screen, as the shader draws it

/// Points are drawn larger than they lie apart, the more so the fewer are drawn, so that surfaces stay closed: the factor on
/// spacing · focal length / distance in a picture of `sized_for` of the held points. `held`: their share of the cloud.
float point_size_factor(double sized_for, double held);

/// Some blocks of a cloud as a view sees them.
class ViewCost {
 public:
  struct Block {
    double points = 0;
    double spacing_px = 0;  ///< between neighbours, on the screen
  };
  ViewCost() = default;
  ViewCost(std::vector<Block> blocks, double held) : blocks_(std::move(blocks)), held_(held) {}

  /// Of [from, to) of every block, in sizes for a picture of `sized_for` of the points.
  double of(double from, double to, double sized_for) const;
  /// The largest share of every block, in sizes of its own, that costs no more than `most`; at least 1e-5.
  double share_within(double most) const;

 private:
  std::vector<Block> blocks_;
  double held_ = 1;
};

/// Of a cloud: spacings of its blocks, found once.
class PointCost {
 public:
  PointCost() = default;
  explicit PointCost(std::shared_ptr<const DrawnCloud> cloud);
  /// Share of the cloud's points that is held.
  double held() const;
  /// The blocks whose flag is not 0.
  ViewCost seen_by(const CameraParams<double>& camera, const Pose<double>& camera_from_world,
                   const std::vector<uint8_t>& blocks) const;

 private:
  std::shared_ptr<const DrawnCloud> cloud_;
  std::vector<float> spacing_;  ///< by block: root of the mean square of its points', scene units
};

}  // namespace ptl
