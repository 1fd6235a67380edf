// A photo taken while the camera moves: the mean of renderings along the exposure (method section 6's option). A camera that
// moves by ζ shows exp(s·ζ) · camera_from_world for s evenly over [−½, ½]; forwards and backwards look the same.
#pragma once

#include "renderer/pipeline.h"

namespace ptl {

/// Renderings that an exposure needs: one every other pixel of the crop, 2 to 8; 1 for a camera that stands still.
int exposure_samples(const SceneModel& model, const RenderView& view);

/// The mean of render_radiance() along view.exposure_motion, as light adds up (renderer/additive_light.h); with that motion's gradient where the draw wants it.
torch::Tensor blurred_radiance(const SceneModel& model, const RenderView& view, const TrainingDraw* training);

}  // namespace ptl
