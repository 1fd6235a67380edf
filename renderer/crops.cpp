#include "renderer/crops.h"

#include <algorithm>
#include <cmath>

namespace ptl {

EpochOrder::EpochOrder(const SceneModel& model) : model_(model), images_(model.training_images()) {}

int64_t EpochOrder::image_of_sample(int64_t sample) {
  const int64_t epoch = sample / epoch_length();
  if (epoch != epoch_) {
    order_ = images_;
    const auto key = [&](int64_t image) {
      return draw_bits(static_cast<uint64_t>(model_.config.seed), DrawPurpose::image_order,
                       static_cast<uint64_t>(epoch), model_.images[static_cast<size_t>(image)].id);
    };
    std::stable_sort(order_.begin(), order_.end(), [&](int64_t a, int64_t b) { return key(a) < key(b); });
    epoch_ = epoch;
  }
  return order_[static_cast<size_t>(sample % epoch_length())];
}

namespace {

constexpr int tries = 3;
constexpr float border_reach = 0.1f;  ///< share of the range by which positions reach over it on each side

Crop draw_crop(const SceneModel& model, const CameraParams<double>& camera, int64_t step, uint64_t crop_index,
               uint64_t attempt) {
  const CropConfig& config = model.config.crop;
  const auto draw = [&](uint64_t number) {
    return draw_unit(static_cast<uint64_t>(model.config.seed), DrawPurpose::crop, static_cast<uint64_t>(step),
                     crop_index, attempt, number);
  };
  Crop crop;
  crop.width_px = config.size_px;
  crop.height_px = config.size_px;
  const float width = static_cast<float>(camera.width_px), height = static_cast<float>(camera.height_px);
  const float fitting = static_cast<float>(config.size_px) / std::min(width, height);
  const float low = std::max(static_cast<float>(config.zoom_low), fitting);
  const float high = std::max(static_cast<float>(config.zoom_high), low);
  crop.zoom = low + (high - low) * draw(0);
  const auto offset = [&](float unit, float photo_px) {
    const float range = std::max(0.0f, photo_px * crop.zoom - static_cast<float>(config.size_px));
    return std::round(std::clamp(unit * (1.0f + 2.0f * border_reach) - border_reach, 0.0f, 1.0f) * range);
  };
  crop.offset_x_px = wraps_x(camera.model) ? std::round(draw(1) * width * crop.zoom) : offset(draw(1), width);
  crop.offset_y_px = offset(draw(2), height);
  return crop;
}

/// Centre of a crop in the photo.
Vec2<float> centre(const Crop& crop) {
  return undo_crop(crop, Vec2<float>(static_cast<float>(crop.width_px) / 2, static_cast<float>(crop.height_px) / 2));
}

}  // namespace

Crop crop_at(float unit_x, float unit_y, int32_t width_px, int32_t height_px, int crop_px) {
  Crop crop;
  crop.width_px = std::min(crop_px, width_px);
  crop.height_px = std::min(crop_px, height_px);
  crop.offset_x_px = std::floor(unit_x * static_cast<float>(width_px - crop.width_px));
  crop.offset_y_px = std::floor(unit_y * static_cast<float>(height_px - crop.height_px));
  return crop;
}

std::vector<TrainingCrop> crops_of_step(const SceneModel& model, EpochOrder& order, int64_t step) {
  const CropConfig& config = model.config.crop;
  std::vector<TrainingCrop> crops;
  for (int i = 0; i < config.images_per_step; ++i) {
    const int64_t image = order.image_of_sample(step * config.images_per_step + i);
    const CameraParams<double>& camera = model.camera_of(image).params;
    for (int j = 0; j < config.crops_per_image; ++j) {
      TrainingCrop best{image, crops.size(), {}};
      float best_distance = -1;
      for (uint64_t attempt = 0; attempt < tries; ++attempt) {
        const Crop crop = draw_crop(model, camera, step, crops.size(), attempt);
        float distance = 1e30f;
        for (const TrainingCrop& other : crops)
          if (other.image == image) distance = std::min(distance, glm::distance(centre(other.crop), centre(crop)));
        if (distance > best_distance) {
          best_distance = distance;
          best.crop = crop;
        }
      }
      crops.push_back(best);
    }
  }
  return crops;
}

}  // namespace ptl
