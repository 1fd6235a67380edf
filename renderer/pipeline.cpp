#include "renderer/pipeline.h"

#include <ATen/record_function.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "renderer/background_pyramid.h"
#include "renderer/motion_blur.h"

namespace ptl {

namespace {

int round_up(int value, int unit) { return (value + unit - 1) / unit * unit; }

/// To the right and the bottom, to multiples of 2^(layers − 1) (method section 5).
Crop enlarged(const Crop& crop, int layers) {
  Crop result = crop;
  result.width_px = round_up(crop.width_px, 1 << (layers - 1));
  result.height_px = round_up(crop.height_px, 1 << (layers - 1));
  return result;
}

/// Stage 4 on a raster of this view: its holes filled.
void fill(const SceneModel& model, const RenderView& view, const Crop& crop, FilledPyramid& pyramid) {
  EnvironmentView<double> environment;
  environment.camera = view.camera;
  environment.world_from_camera = glm::transpose(view.camera_from_world.rotation);
  environment.crop = crop;
  environment.readout_rotation = view.readout_motion.rotation;
  environment.layers = pyramid_layers(pyramid.raster.shape);
  EnvironmentMap background = model.background;
  pyramid.filled = background->forward(pyramid.raster.features, pyramid.raster.weight, environment,
                                       model.config.raster.holes, model.config.raster.coverage_channel);
}

/// What the network sees: exponentials taken where descriptors are logarithms.
torch::Tensor network_features(const RasterSettings& settings, const torch::Tensor& filled) {
  if (!settings.log_descriptors) return filled;
  const torch::Tensor values = filled.narrow(1, 0, settings.channels).exp();
  return settings.coverage_channel ? torch::cat({values, filled.narrow(1, settings.channels, 1)}, 1) : values;
}

}  // namespace

RenderView photo_view(const SceneModel& model, int64_t image) {
  const CameraParams<double>& camera = model.camera_of(image).params;
  const ModelImage& entry = model.images[static_cast<size_t>(image)];
  return {camera, entry.camera_from_world, whole_photo(camera), entry.readout_motion, entry.exposure_motion};
}

FilledPyramid render_pyramid(const SceneModel& model, const RenderView& view, const TrainingDraw* training) {
  const RasterSettings& settings = model.config.raster;
  RasterConfig raster;
  raster.layers = model.layers;
  raster.footprint_threshold_px = static_cast<float>(settings.footprint_threshold);
  raster.depth_tolerance = static_cast<float>(settings.depth_tolerance);
  raster.cull_backfaces = settings.cull_backfaces;
  if (training) {
    raster.dropout = static_cast<float>(settings.dropout);
    raster.seed = static_cast<uint64_t>(model.config.seed);
    raster.step = training->step;
    raster.image_id = training->image_id;
    raster.crop_index = training->crop_index;
  }
  const Crop crop = enlarged(view.crop, model.layers);
  const RowPoses poses(view.camera_from_world, view.readout_motion);
  FilledPyramid result;
  {
    RECORD_USER_SCOPE("rasterise");
    result.raster = rasterize(model.points, model.descriptors, view.camera, poses, crop, raster);
  }

  RECORD_USER_SCOPE("background");
  fill(model, view, crop, result);
  if (training && training->structure.any())
    result.filled = structure_gradient(result.filled, training->structure, model.points, model.descriptors, result.raster,
                                       view.camera, poses, crop, raster, settings.holes,
                                       {model.config.structure.points, model.config.structure.neighbours});
  result.features = network_features(settings, result.filled);
  return result;
}

FilledPyramid background_pyramid(const SceneModel& model, const RenderView& view) {
  const Crop crop = enlarged(view.crop, model.layers);
  FilledPyramid result;
  result.raster.shape = {crop.width_px, crop.height_px, model.layers};
  const int64_t pixels = result.raster.shape.pixels();
  const torch::TensorOptions floats = model.descriptors.options().requires_grad(false);
  result.raster.features = torch::zeros({pixels, model.descriptors.size(1)}, floats);
  result.raster.weight = torch::zeros({pixels}, floats.dtype(torch::kInt));
  result.raster.min_depth_m = torch::full({pixels}, std::numeric_limits<float>::infinity(), floats);
  fill(model, view, crop, result);
  result.features = network_features(model.config.raster, result.filled);
  result.background_only = true;
  return result;
}

namespace {

/// A whole panorama: it has no neighbours beyond its seam, and networks see further than a pixel. (Training crops are never whole
/// ones; one that is not two cells of the coarsest layer wide cannot be parted.)
bool shows_seam(const SceneModel& model, const RenderView& view) {
  return wraps_x(view.camera.model) && !torch::GradMode::is_enabled() && view.crop.width_px >= 1 << model.layers &&
         static_cast<float>(view.crop.width_px) >= std::floor(view.crop.zoom * static_cast<float>(view.camera.width_px));
}

/// Its columns [begin, end), with what is beside them for the network.
torch::Tensor part_of_panorama(const SceneModel& model, const RenderView& view, int begin, int end, int margin, bool background_only) {
  RenderView part = view;
  part.crop.offset_x_px += static_cast<float>(begin - margin);
  part.crop.width_px = end - begin + 2 * margin;
  const FilledPyramid pyramid = background_only ? background_pyramid(model, part) : render_pyramid(model, part, nullptr);
  return radiance_of(model, pyramid, part).narrow(2, margin, end - begin);
}

torch::Tensor panorama_radiance(const SceneModel& model, const RenderView& view, bool background_only) {
  // Whole cells of the coarsest layer, as many as fit: a part must not show a place twice.
  const int width = view.crop.width_px, unit = 1 << (model.layers - 1), middle = width / 2 / unit * unit;
  const int margin = std::min(3 * unit, (width - std::max(middle, width - middle) - 1) / 2 / unit * unit);
  return torch::cat({part_of_panorama(model, view, 0, middle, margin, background_only),
                     part_of_panorama(model, view, middle, width, margin, background_only)},
                    2);
}

}  // namespace

torch::Tensor radiance_of(const SceneModel& model, const FilledPyramid& pyramid, const RenderView& view) {
  if (shows_seam(model, view)) return panorama_radiance(model, view, pyramid.background_only);
  RECORD_USER_SCOPE("network");
  const torch::Tensor image = model.network->forward(split_layers(pyramid.raster.shape, pyramid.features));
  return image.squeeze(0).narrow(1, 0, view.crop.height_px).narrow(2, 0, view.crop.width_px);
}

torch::Tensor plain_radiance(const FilledPyramid& pyramid, const RenderView& view) {
  const PyramidShape& shape = pyramid.raster.shape;
  const int64_t width = shape.width_px, height = shape.height_px;
  TORCH_CHECK(pyramid.features.size(1) >= 3, "plain_radiance: points have fewer than three channels");
  return pyramid.features.narrow(0, 0, width * height)
      .narrow(1, 0, 3)
      .view({height, width, 3})
      .permute({2, 0, 1})
      .narrow(1, 0, view.crop.height_px)
      .narrow(2, 0, view.crop.width_px)
      .contiguous();
}

torch::Tensor render_radiance(const SceneModel& model, const RenderView& view, const TrainingDraw* training) {
  if (moves(view.exposure_motion)) return blurred_radiance(model, view, training);
  if (!training && shows_seam(model, view)) return panorama_radiance(model, view, /*background_only=*/false);
  return radiance_of(model, render_pyramid(model, view, training), view);
}

torch::Tensor apply_tone(const SceneModel& model, const torch::Tensor& radiance, const RenderView& view, int64_t image,
                         ToneMode mode) {
  RECORD_USER_SCOPE("tone");
  const ToneFrame frame{view.camera.width_px, view.camera.height_px, view.crop};
  ToneMapper tone = model.tone;
  return tone->forward(radiance, image, frame, mode);
}

torch::Tensor render_depth(const SceneModel& model, const RenderView& view) {
  torch::NoGradGuard no_gradient;
  const FilledPyramid pyramid = render_pyramid(model, view, nullptr);
  const PyramidShape& shape = pyramid.raster.shape;
  return pyramid.raster.min_depth_m.narrow(0, 0, static_cast<int64_t>(shape.width_px) * shape.height_px)
      .view({shape.height_px, shape.width_px})
      .narrow(0, 0, view.crop.height_px)
      .narrow(1, 0, view.crop.width_px)
      .to(torch::kCPU)
      .contiguous();
}

}  // namespace ptl
