#include "renderer/flicker.h"

#include <cmath>
#include <limits>

#include "datasets/error.h"
#include "renderer/image_tensor.h"
#include "renderer/photometry.h"
#include "renderer/pipeline.h"
#include "renderer/scored_picture.h"

namespace ptl {

namespace {

/// Layers whose pixels are at most 4 pixels wide: where points leave gaps, the depth of those around.
constexpr int depth_layers = 3;

Image nearest_depths(const Pyramid& pyramid, const Crop& crop) {
  const PyramidShape& shape = pyramid.shape;
  const torch::Tensor depths = pyramid.min_depth_m.to(torch::kCPU);
  const float* const depth_m = depths.const_data_ptr<float>();
  Image image(crop.width_px, crop.height_px, 1, std::numeric_limits<float>::infinity());
  for (int y = 0; y < crop.height_px; ++y)
    for (int x = 0; x < crop.width_px; ++x)
      for (int l = 0; l < std::min(depth_layers, shape.layers) && !std::isfinite(image.at(x, y, 0)); ++l)
        image.at(x, y, 0) = depth_m[shape.first(l) + static_cast<int64_t>(y >> l) * shape.width(l) + (x >> l)];
  return image;
}

FlickerFrame rendered_frame(const SceneModel& model, const PathPicture& picture) {
  torch::NoGradGuard no_gradient;
  const FilledPyramid pyramid = render_pyramid(model, picture.view, nullptr);
  const torch::Tensor radiance = radiance_of(model, pyramid, picture.view);
  return {picture.view.camera, picture.view.camera_from_world,
          image_from_tensor(as_written(develop(model, radiance, picture.image, picture.view, picture.setting))),
          nearest_depths(pyramid.raster, picture.view.crop)};
}

}  // namespace

FrameChange frame_change(const FlickerFrame& before, const FlickerFrame& now) {
  const Pose<double> before_from_now = before.camera_from_world * inverse(now.camera_from_world);
  const Image& old = before.picture;
  FrameChange change;
  for (int y = 0; y < now.picture.height; ++y)
    for (int x = 0; x < now.picture.width; ++x) {
      const double depth_m = now.depth_m.at(x, y, 0);
      Vec3<double> ray;
      if (!std::isfinite(depth_m) || !(depth_m > 0) || !unproject_ray(now.camera, x + 0.5, y + 0.5, ray)) continue;
      const Projection<double> p = project(before.camera, before_from_now * (ray * depth_m));
      // Between the middles of four pixels.
      const double left = std::floor(p.x_px - 0.5), top = std::floor(p.y_px - 0.5);
      if (!p.valid || left < 0 || top < 0 || left + 1 >= old.width || top + 1 >= old.height) continue;
      const double seen_m = before.depth_m.at(static_cast<int>(p.x_px), static_cast<int>(p.y_px), 0);
      if (!(std::fabs(seen_m - p.depth_m) <= flicker_depth_tolerance * p.depth_m)) continue;
      const double u = p.x_px - 0.5 - left, v = p.y_px - 0.5 - top;
      const int i = static_cast<int>(left), j = static_cast<int>(top);
      double difference = 0;
      for (int c = 0; c < 3; ++c) {
        const double moved = (1 - v) * ((1 - u) * old.at(i, j, c) + u * old.at(i + 1, j, c)) +
                             v * ((1 - u) * old.at(i, j + 1, c) + u * old.at(i + 1, j + 1, c));
        difference += std::fabs(now.picture.at(x, y, c) - moved) / 3;
      }
      change.sum_levels += 255 * difference;
      ++change.compared;
    }
  return change;
}

FlickerScore measure_flicker(const SceneModel& model, const std::vector<FlickerShot>& shots, const TrueFrame& truth,
                             const std::function<void(int, int)>& progress) {
  FrameChange drawn, real;
  int64_t pixels = 0, number = 0, frames = 0;
  for (const FlickerShot& shot : shots) frames += static_cast<int64_t>(shot.size());
  FlickerScore score;
  const auto add = [](FrameChange& sum, const FrameChange& change) {
    sum.sum_levels += change.sum_levels;
    sum.compared += change.compared;
  };
  for (const FlickerShot& shot : shots) {
    std::optional<FlickerFrame> before, true_before;
    for (const PathPicture& picture : shot) {
      if (progress) progress(static_cast<int>(number) + 1, static_cast<int>(frames));
      FlickerFrame now = rendered_frame(model, picture);
      std::optional<FlickerFrame> true_now;
      if (truth) {
        true_now = truth(picture, number);
        now.depth_m = true_now->depth_m;
      }
      ++number;
      if (before) {
        add(drawn, frame_change(*before, now));
        if (truth) add(real, frame_change(*true_before, *true_now));
        pixels += static_cast<int64_t>(now.picture.width) * now.picture.height;
        ++score.pairs;
      }
      before = std::move(now);
      true_before = std::move(true_now);
    }
  }
  if (drawn.compared == 0)
    throw InputError(
        "flicker: no pixel of {} frames shows a point that the frame before shows too; expected a path of two frames "
        "or more "
        "that see the cloud, with less motion between them",
        frames);
  score.levels = drawn.sum_levels / static_cast<double>(drawn.compared);
  if (truth) score.truth_levels = real.sum_levels / static_cast<double>(real.compared);
  score.compared = static_cast<double>(drawn.compared) / static_cast<double>(pixels);
  return score;
}

}  // namespace ptl
