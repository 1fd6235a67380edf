// The scene that a fit was made from, with the cameras, poses and points that it found: for the tools that the scene
// came from.
#pragma once

#include "datasets/scene.h"
#include "renderer/scene_model.h"

namespace ptl {

/// `scene` as read again, in the order of the model's images, with what the fit moved: poses, camera parameters (in
/// COLMAP's model as read where that still can say them, at the stored resolution), sparse points that were fitted
/// themselves (a dense cloud leaves the sparse points where they were). What did not move keeps its exact numbers.
/// Reprojection errors are computed anew. InputError when the scene is not the model's.
Scene refined_scene(const SceneModel& model, Scene scene);

}  // namespace ptl
