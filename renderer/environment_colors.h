// Where the environment map begins: with what photos show where the cloud has nothing.
#pragma once

#include "datasets/image_cache.h"
#include "renderer/scene_model.h"

namespace ptl {

/// The map's colour channels become the mean radiance of the training photos (of up to 24, spread over all) in each
/// texel's direction: of pixels without a point on the coarsest layer, and, in directions where no photo has such a
/// pixel, of the others. Directions that no photo sees continue what is seen beside them, coarsely. A map that is one
/// descriptor stays as it is, as does that of a model whose descriptors do not begin with colours. The same bits with any number of threads.
void color_environment(SceneModel& model, ImageCache& photos);

}  // namespace ptl
