#include "renderer/motion_blur.h"

#include <algorithm>
#include <cmath>

#include "datasets/shutter.h"
#include "renderer/additive_light.h"

namespace ptl {

int exposure_samples(const SceneModel& model, const RenderView& view) {
  if (!moves(view.exposure_motion)) return 1;
  const double moved_px = static_cast<double>(view.crop.zoom) * mean_motion_px(view.camera, model.median_depth_m, view.exposure_motion);
  return static_cast<int>(std::clamp(std::ceil(0.5 * moved_px), 2.0, 8.0));
}

torch::Tensor blurred_radiance(const SceneModel& model, const RenderView& view, const TrainingDraw* training) {
  const int samples = exposure_samples(model, view);
  torch::Tensor sum;
  for (int k = 0; k < samples; ++k) {
    const double s = (k + 0.5) / samples - 0.5;
    RenderView sharp = view;
    sharp.exposure_motion = {};
    sharp.camera_from_world =
        exp(Tangent<double>{s * view.exposure_motion.translation, s * view.exposure_motion.rotation}) * view.camera_from_world;
    TrainingDraw draw = training ? *training : TrainingDraw{};
    StructureInputs& inputs = draw.structure;
    if (inputs.exposure_motion.defined()) {  // a change of ζ by dζ changes this sample's pose by s·dζ
      const torch::Tensor change = s * inputs.exposure_motion;
      inputs.pose_tangent = inputs.pose_tangent.defined() ? inputs.pose_tangent + change : change;
      inputs.exposure_motion = torch::Tensor();
    }
    const torch::Tensor light = additive_light(model, render_radiance(model, sharp, training ? &draw : nullptr));
    sum = sum.defined() ? sum + light : light;
  }
  return output_of_light(model, sum / samples);
}

}  // namespace ptl
