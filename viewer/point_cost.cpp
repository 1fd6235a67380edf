#include "viewer/point_cost.h"

#include <algorithm>
#include <cmath>

namespace ptl {

namespace {

// A pixel of a point beside the point itself, both as software OpenGL takes for them.
constexpr double pixel_cost = 0.25;

}  // namespace

float point_size_factor(double sized_for, double held) {
  return static_cast<float>(1.2 / std::sqrt(std::max(1e-4, sized_for * held)));
}

double ViewCost::of(double from, double to, double sized_for) const {
  const double factor = point_size_factor(sized_for, held_);
  double cost = 0;
  for (const Block& block : blocks_) {
    const double size_px = std::clamp(factor * block.spacing_px, 1.0, largest_point_px);
    cost += (to - from) * block.points * (1 + pixel_cost * size_px * size_px) / (1 + pixel_cost);
  }
  return cost;
}

double ViewCost::share_within(double most) const {
  if (of(0, 1, 1) <= most) return 1;
  // More points are smaller, but cost more together.
  double low = 1e-5, high = 1;
  for (int i = 0; i < 20; ++i) {
    const double middle = std::sqrt(low * high);
    (of(0, middle, middle) <= most ? low : high) = middle;
  }
  return low;
}

PointCost::PointCost(std::shared_ptr<const DrawnCloud> cloud) : cloud_(std::move(cloud)) {
  if (!cloud_) return;
  for (const CloudBlock& block : cloud_->blocks) {
    constexpr uint32_t enough = 64;  // every beginning of a block is spread over it
    const uint32_t count = std::min(enough, block.count);
    double square = 0;
    for (uint32_t i = 0; i < count; ++i) {
      const double spacing = cloud_->spacing_of(cloud_->vertices[block.first + i].spacing_code);
      square += spacing * spacing / count;
    }
    spacing_.push_back(static_cast<float>(std::sqrt(square)));
  }
}

double PointCost::held() const {
  return static_cast<double>(cloud_->vertices.size()) / static_cast<double>(cloud_->total);
}

ViewCost PointCost::seen_by(const CameraParams<double>& camera, const Pose<double>& camera_from_world,
                            const std::vector<uint8_t>& blocks) const {
  const double focal_px = focal_length_px(camera);
  std::vector<ViewCost::Block> seen;
  for (size_t b = 0; b < blocks.size(); ++b) {
    if (!blocks[b]) continue;
    const CloudBlock& block = cloud_->blocks[b];
    const Vec3<double> low(block.low), high(block.high);
    const double away = std::max(glm::length(camera_from_world * (0.5 * (low + high))), 0.25 * glm::length(high - low));
    seen.push_back({static_cast<double>(block.count), focal_px * static_cast<double>(spacing_[b]) / std::max(away, 1e-12)});
  }
  return {std::move(seen), held()};
}

}  // namespace ptl
