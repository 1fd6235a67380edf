// The data flow of the method on one page: points → pyramid → background → network → tone mapper. Each stage is a named
// scope of LibTorch's profiler (so are the other parts of a step in fit.cpp); bench/step_bench listens to them.
#pragma once

#include "renderer/scene_model.h"
#include "renderer/structure_gradient.h"

namespace ptl {

struct RenderView {
  CameraParams<double> camera;
  Pose<double> camera_from_world;
  Crop crop;  ///< any size; the rasterised image is enlarged to what the layers need and the result cropped back
  Tangent<double> readout_motion = {};   ///< rolling shutter (kernels/row_pose.h)
  Tangent<double> exposure_motion = {};  ///< motion blur (renderer/motion_blur.h): render_radiance() alone knows it
};

/// Counters of a training render's dropout, and where structure gradients go. In evaluation nothing is dropped.
struct TrainingDraw {
  uint64_t step = 0;
  uint64_t image_id = 0;
  uint64_t crop_index = 0;
  StructureInputs structure = {};
};

/// The whole photo of an image of the model, with its motions.
RenderView photo_view(const SceneModel& model, int64_t image);

/// Stages 1 to 4: features [P, C'] with the background filled in (exponentials taken, coverage appended), their shape,
/// and what the rasteriser knows besides.
struct FilledPyramid {
  Pyramid raster;
  torch::Tensor filled;    ///< [P, C'] before exponentials are taken: holes filled, coverage appended
  torch::Tensor features;
  bool background_only = false;  ///< as of background_pyramid()
};
FilledPyramid render_pyramid(const SceneModel& model, const RenderView& view, const TrainingDraw* training);

/// Stage 5 on what render_pyramid made of the view: linear radiance [3, H, W] on the model's device. A whole panorama is made anew, in two
/// parts that each reach over the seam, so that there is none to be seen.
torch::Tensor radiance_of(const SceneModel& model, const FilledPyramid& pyramid, const RenderView& view);

/// In place of stage 5: the first three channels of the finest layer as the network would see them, [3, H, W]. Where
/// descriptors begin as colours and nothing was fitted, that is the points drawn plainly.
torch::Tensor plain_radiance(const FilledPyramid& pyramid, const RenderView& view);

/// Stages 1 to 5: linear radiance [3, H, W] on the model's device. Differentiable while gradients are on.
torch::Tensor render_radiance(const SceneModel& model, const RenderView& view, const TrainingDraw* training = nullptr);

/// Stage 6 with the parameters of an image: [3, H, W] in [0, 1] in evaluation mode, where the radiance is.
torch::Tensor apply_tone(const SceneModel& model, const torch::Tensor& radiance, const RenderView& view, int64_t image,
                         ToneMode mode);

/// Depth of layer 0 in scene units [H, W] (camera z for pinholes), on the CPU; +∞ where no point was drawn.
torch::Tensor render_depth(const SceneModel& model, const RenderView& view);

}  // namespace ptl
