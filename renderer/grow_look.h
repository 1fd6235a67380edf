// What the training photos look like now: errors by pixel for new points, errors by point for splitting.
#pragma once

#include <vector>

#include "datasets/image_cache.h"
#include "dense/error_rays.h"
#include "renderer/scene_model.h"

namespace ptl {

/// A point that is drawn on layer 0 of a view.
struct DrawnPoint {
  uint32_t point = 0, pixel = 0;
};

struct GrowLook {
  std::vector<int64_t> images;
  std::vector<WrongView> views;  ///< of each image
  /// By point, over the views in which it is drawn on layer 0.
  std::vector<float> point_error;         ///< sum of the smoothed errors at its pixels
  std::vector<float> point_footprint_px;  ///< the largest, in pixels of a whole photo: f r / z (method section 1)
  std::vector<uint16_t> point_views;      ///< number of views
  std::vector<std::vector<DrawnPoint>> drawn;  ///< by view

  float mean_error(size_t point) const { return point_error[point] / static_cast<float>(point_views[point]); }
};

/// Renders the images as in evaluation, with a longer side of at most `side_px`, and compares them with their photos.
GrowLook look_at(const SceneModel& model, ImageCache& photos, const std::vector<int64_t>& images, int side_px);

/// Smoothed errors [pixels] of a view of `look`, of a model that differs from the one looked at.
std::vector<float> errors_of(const SceneModel& model, ImageCache& photos, const GrowLook& look, size_t view);

/// What layer 0 of a view shows, holes filled, before exponentials are taken: [pixels, C] on the CPU.
torch::Tensor shown_descriptors(const SceneModel& model, const WrongView& view);

/// World radius r of each point (on the CPU).
std::vector<float> point_radii(const SceneModel& model);

}  // namespace ptl
