#include "dense/match_views.h"

namespace ptl {

SourceMap source_map(const StereoCamera& reference, const StereoCamera& source) {
  const auto calibration = [](const StereoCamera& c) {
    return Mat3<double>(Vec3<double>(c.focal_x_px, 0, 0), Vec3<double>(0, c.focal_y_px, 0),
                        Vec3<double>(c.centre_x_px, c.centre_y_px, 1));
  };
  const Pose<double> relative = source.camera_from_world * inverse(reference.camera_from_world);
  const Mat3<double> k = calibration(source);
  return {k * relative.rotation * glm::inverse(calibration(reference)), k * relative.translation};
}

MatchViews::MatchViews(const Device& device, const StereoView& reference, const std::vector<const StereoView*>& sources)
    : reference_(pixels_of(device, reference)) {
  for (const StereoView* source : sources)
    sources_.push_back({pixels_of(device, *source), source_map(reference.camera, source->camera)});
}

MatchPixels MatchViews::pixels_of(const Device& device, const StereoView& view) {
  return {view.camera.width_px, view.camera.height_px, luminance_.emplace_back(device, view.luminance).data(),
          valid_.emplace_back(device, view.valid).data()};
}

}  // namespace ptl
