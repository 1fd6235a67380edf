// What a fit begins with in exposure, white balance, vignette and response: what the training photos say of each other. EXIF
// is believed to some tenths of a stop, or is missing; steps of Adam at the method's rates would take hundreds of epochs.
#pragma once

#include <string>

#include "datasets/image_cache.h"
#include "renderer/light_solver.h"
#include "renderer/scene_model.h"

namespace ptl {

/// Colours of points of the model in the training photos with these indices, where no other point hides them: boxes of some pixels, in
/// which the mask counts everything. Points that fewer than two photos show are left out.
LightProblem light_problem(const SceneModel& model, ImageCache& photos, const std::vector<int64_t>& images);

/// Sets model.tone, and ModelImage::first_exposure_ev of training images, by solve_light(); groups that are frozen stay as they are.
/// Says in a sentence what was found, or why nothing was changed. More than 300 training photos are looked at in interleaved parts, each with
/// the first photo; vignettes and responses come from the first part.
std::string find_first_light(SceneModel& model, ImageCache& photos);

}  // namespace ptl
