// What averages of renderings are taken of. A camera that moves adds up light; of ordinary photos the network's output is
// that, of HDR photos its response is a logarithm of it (kernels/tone.h).
#pragma once

#include "renderer/scene_model.h"

namespace ptl {

/// The network's output [3, H, W] → what adds up, differentiable: itself, or for HDR photos 2^(stops · response(output)), by the
/// response at first, which their fits keep unless asked otherwise. Outside 0..1 the response goes on straight.
torch::Tensor additive_light(const SceneModel& model, const torch::Tensor& output);

/// The inverse.
torch::Tensor output_of_light(const SceneModel& model, const torch::Tensor& light);

}  // namespace ptl
