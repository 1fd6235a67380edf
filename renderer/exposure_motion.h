// Where motion blur begins: at a camera that stands still the gradient to its motion is zero, whichever way the photo is
// blurred, so that a first motion is looked for.
#pragma once

#include "datasets/image_cache.h"
#include "renderer/photometry.h"
#include "renderer/pipeline.h"

namespace ptl {

/// The motion during the exposure, a rotation, whose blur makes the model's picture most like the photo within the columns
/// [0, width_px) of it: of some directions and lengths, along straight lines of the image. Zero where none helps.
Tangent<double> find_exposure_motion(const SceneModel& model, ImageCache& photos, int64_t image, const RenderView& view,
                                     const PhotometricSetting& setting, int32_t width_px);

/// The same for the training images that stand still so far.
void find_exposure_motions(SceneModel& model, ImageCache& photos);

}  // namespace ptl
