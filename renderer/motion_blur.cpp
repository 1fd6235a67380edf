#include "renderer/motion_blur.h"

#include <algorithm>
#include <cmath>

namespace ptl {

double motion_px(const Tangent<double>& motion, const RenderView& view, double depth_m) {
  const double focal_px = focal_length_px(view.camera) * static_cast<double>(view.crop.zoom);
  const double off_px = 0.25 * static_cast<double>(view.crop.zoom) * std::max(view.camera.width_px, view.camera.height_px);
  return focal_px * (glm::length(motion.translation) / depth_m + std::hypot(motion.rotation.x, motion.rotation.y)) +
         off_px * std::abs(motion.rotation.z);
}

int exposure_samples(const SceneModel& model, const RenderView& view) {
  if (!moves(view.exposure_motion)) return 1;
  return static_cast<int>(std::clamp(std::ceil(0.5 * motion_px(view.exposure_motion, view, model.median_depth_m)), 2.0, 8.0));
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
    const torch::Tensor radiance = render_radiance(model, sharp, training ? &draw : nullptr);
    sum = sum.defined() ? sum + radiance : radiance;
  }
  return sum / samples;
}

}  // namespace ptl
