#include "renderer/environment_colors.h"

#include <algorithm>
#include <cmath>

#include "datasets/resize.h"
#include "datasets/split.h"
#include "renderer/pipeline.h"

namespace ptl {

namespace {

constexpr size_t most_photos = 24;
constexpr int looked_at_px = 256;          // longer side at which photos are looked at
constexpr double weight_of_covered = 1e-3; // pixels with a point, beside those without

/// A photo, reduced, and how much each pixel counts.
struct Backdrop {
  CameraParams<double> camera;
  Mat3<double> camera_from_world;  ///< rotation
  Image radiance;
  std::vector<double> weight;  ///< [height, width]
};

Backdrop backdrop_of(const SceneModel& model, ImageCache& photos, int64_t image) {
  const CameraParams<double>& lens = model.camera_of(image).params;
  const double scale = std::min(1.0, static_cast<double>(looked_at_px) / std::max(lens.width_px, lens.height_px));
  const int width = std::max(1, static_cast<int>(lens.width_px * scale)), height = std::max(1, static_cast<int>(lens.height_px * scale));
  Backdrop result;
  result.camera = scale_camera(lens, width, height);
  const Pose<double>& pose = model.images[static_cast<size_t>(image)].camera_from_world;
  result.camera_from_world = pose.rotation;
  const double exposure_ev = initial_exposure_ev(model, model.images[static_cast<size_t>(image)]);
  result.radiance = reduce_area(photos.photo(static_cast<int>(image)), width, height);
  for (float& value : result.radiance.pixels) value = color_descriptor(value, exposure_ev, false);
  const Image mask = reduce_area(photos.mask(static_cast<int>(image)), width, height);
  torch::NoGradGuard no_gradient;
  const Pyramid raster = render_pyramid(model, {result.camera, pose, whole_photo(result.camera)}, nullptr).raster;
  // The layer whose cells are as large here as the coarsest one's in the photo.
  const int layer = std::clamp(static_cast<int>(std::lround(model.layers - 1 + std::log2(scale))), 0, model.layers - 1);
  const torch::Tensor points = raster.weight.to(torch::kCPU);
  result.weight.resize(static_cast<size_t>(width) * static_cast<size_t>(height));
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const int64_t cell = raster.shape.first(layer) + static_cast<int64_t>(y >> layer) * raster.shape.width(layer) + (x >> layer);
      const bool covered = points.const_data_ptr<int32_t>()[cell] > 0;
      result.weight[static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)] =
          static_cast<double>(mask.at(x, y, 0)) * (covered ? weight_of_covered : 1.0);
    }
  return result;
}

struct WeightedSum {
  Vec3<double> sum{0};
  double weight = 0;
};

/// Of each texel of a map.
struct Radiance {
  Radiance(int width_texels, int height_texels)
      : width(width_texels), height(height_texels), values(static_cast<size_t>(width) * static_cast<size_t>(height)) {}
  WeightedSum& at(int x, int y) { return values[static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)]; }
  /// The sums of four each.
  Radiance halved() {
    Radiance half((width + 1) / 2, (height + 1) / 2);
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        half.at(x / 2, y / 2).sum += at(x, y).sum;
        half.at(x / 2, y / 2).weight += at(x, y).weight;
      }
    return half;
  }
  int width, height;
  std::vector<WeightedSum> values;
};

WeightedSum radiance_towards(const std::vector<Backdrop>& backdrops, const Vec3<double>& direction_world) {
  WeightedSum result;
  for (const Backdrop& backdrop : backdrops) {
    const Projection<double> at = project(backdrop.camera, backdrop.camera_from_world * direction_world);
    if (!at.valid || !(at.x_px >= 0 && at.y_px >= 0 && at.x_px < backdrop.camera.width_px && at.y_px < backdrop.camera.height_px))
      continue;
    const int column = static_cast<int>(at.x_px), row = static_cast<int>(at.y_px);
    const double weight =
        backdrop.weight[static_cast<size_t>(row) * static_cast<size_t>(backdrop.camera.width_px) + static_cast<size_t>(column)];
    for (int c = 0; c < 3; ++c) result.sum[c] += weight * static_cast<double>(backdrop.radiance.at(column, row, c));
    result.weight += weight;
  }
  return result;
}

}  // namespace

void color_environment(SceneModel& model, ImageCache& photos) {
  const RasterSettings& settings = model.config.raster;
  if (!model.config.environment.enabled || settings.descriptor_init == DescriptorInit::uniform) return;
  std::vector<Backdrop> backdrops;
  for (const int64_t image : spread_evenly(model.training_images(), most_photos)) backdrops.push_back(backdrop_of(model, photos, image));
  torch::NoGradGuard no_gradient;
  torch::Tensor texels = model.background->texels.detach().to(torch::kCPU, torch::kFloat, false, /*copy=*/true).contiguous();
  const EnvironmentShape shape{static_cast<int32_t>(texels.size(0)), static_cast<int32_t>(texels.size(1)),
                               static_cast<int32_t>(texels.size(2))};
  Radiance seen(shape.width, shape.height);
#pragma omp parallel for schedule(dynamic, 4)
  for (int32_t y = 0; y < shape.height; ++y)
    for (int32_t x = 0; x < shape.width; ++x) seen.at(x, y) = radiance_towards(backdrops, environment_direction<double>(shape, x, y));
  std::vector<Radiance> coarser = {seen.halved()};
  while (coarser.back().width > 1 || coarser.back().height > 1) coarser.push_back(coarser.back().halved());
  if (coarser.back().at(0, 0).weight <= 0) return;
  float* values = texels.mutable_data_ptr<float>();
  for (int32_t y = 0; y < shape.height; ++y)
    for (int32_t x = 0; x < shape.width; ++x) {
      const WeightedSum* found = &seen.at(x, y);
      for (size_t level = 0; found->weight <= 0; ++level) {
        Radiance& at = coarser[level];
        found = &at.at(std::min(x >> (level + 1), at.width - 1), std::min(y >> (level + 1), at.height - 1));
      }
      float* texel = values + (static_cast<int64_t>(y) * shape.width + x) * shape.channels;
      for (int c = 0; c < std::min(3, shape.channels); ++c) {
        const double radiance = found->sum[c] / found->weight;
        texel[c] = static_cast<float>(settings.log_descriptors ? std::log(std::max(radiance, 1e-3)) : radiance);
      }
    }
  model.background->texels.copy_(texels);
}

}  // namespace ptl
