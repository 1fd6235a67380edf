// Which photos and which parts of them a step looks at: pure functions of seed and step (method section 9).
#pragma once

#include <cstdint>
#include <vector>

#include "renderer/config.h"
#include "renderer/scene_model.h"

namespace ptl {

/// An epoch is each training photo once. Sample k of the fit is photo order(k / n)[k mod n]; the order of an epoch is
/// drawn from (seed, epoch, image id).
class EpochOrder {
 public:
  EpochOrder(const SceneModel& model);
  /// Index of the photo of sample k.
  int64_t image_of_sample(int64_t sample);
  int64_t epoch_length() const { return static_cast<int64_t>(images_.size()); }

 private:
  const SceneModel& model_;
  std::vector<int64_t> images_;
  std::vector<int64_t> order_;
  int64_t epoch_ = -1;
};

struct TrainingCrop {
  int64_t image = 0;
  uint64_t crop_index = 0;  ///< within the step
  Crop crop;
};

/// The crops of a step. Zoom uniform in [zoom_low, zoom_high], as far as the crop fits into the photo. Of three
/// draws the one whose centre is farthest from the earlier crops of the photo in this step; positions reach a little over
/// the range and are clamped, so that borders come slightly more often. Crops of panoramas begin anywhere and reach over the seam.
std::vector<TrainingCrop> crops_of_step(const SceneModel& model, EpochOrder& order, int64_t step);

/// A crop of the region [0, width) × [0, height) of a photo, at zoom 1: its corner at shares unit_x, unit_y (0..1) of the room.
Crop crop_at(float unit_x, float unit_y, int32_t width_px, int32_t height_px, int crop_px);

}  // namespace ptl
