// The pipeline without its points.
#pragma once

#include "renderer/pipeline.h"

namespace ptl {

/// As render_pyramid of a view in which no point is drawn: the background alone, on every layer.
FilledPyramid background_pyramid(const SceneModel& model, const RenderView& view);

}  // namespace ptl
