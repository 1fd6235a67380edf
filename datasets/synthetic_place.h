// A synthetic place that is ready to be photographed from anywhere: its geometry, its light, how the camera meters.
#pragma once

#include <vector>

#include "datasets/synthetic_capture.h"
#include "datasets/synthetic_trace.h"

namespace ptl {

/// What the camera of a capture sees on its path, coarsely: depths as in SyntheticPhoto, 0: sky.
struct CoarseDepths {
  int width_px = 0, height_px = 0;
  std::vector<std::vector<float>> depth_m;  ///< by photo [height, width]
};

class SyntheticPlace {
 public:
  /// InputError as check(). The options' seed, path, camera and exposures decide everything, so that a place that is
  /// made again is the same to the bit.
  explicit SyntheticPlace(const SyntheticOptions& options, const SyntheticProgress& progress = {});
  SyntheticPlace(const SyntheticPlace&) = delete;
  SyntheticPlace& operator=(const SyntheticPlace&) = delete;

  const SyntheticOptions& options() const { return options_; }
  const CameraParams<double>& camera() const { return camera_; }
  const std::vector<Pose<double>>& path() const { return path_; }  ///< camera_from_world of the capture's photos
  const std::vector<ToneParams<double>>& tones() const { return tones_; }  ///< of the capture's photos
  const std::vector<PhotoMotion>& motions() const { return motions_; }     ///< of the capture's photos
  const CoarseDepths& coarse() const { return coarse_; }
  const synthetic::Tracer& tracer() const { return tracer_; }

  /// A photo from anywhere by any camera, which may move meanwhile. `draw`: numbers it for its random choices; the
  /// capture's own have 0, 1, …. All of a row of pixels is read at once, when its middle is. Linear radiance and depths
  /// are kept where `with_truth`.
  SyntheticPhoto photograph(const CameraParams<double>& camera, const Pose<double>& camera_from_world,
                            const ToneParams<double>& tone, uint64_t draw, bool with_truth,
                            const PhotoMotion& motion = {}) const;

 private:
  synthetic::Lighting make_light(const SyntheticProgress& progress);
  void set_motions();

  SyntheticOptions options_;
  CameraParams<double> camera_;
  synthetic::SyntheticScene scene_;
  synthetic::Tracer tracer_;
  std::vector<Pose<double>> path_;
  CoarseDepths coarse_;
  synthetic::Lighting light_;
  std::vector<ToneParams<double>> tones_;
  std::vector<PhotoMotion> motions_;
  double radiance_scale_ = 1;  ///< what is metered on average becomes a medium grey
};

}  // namespace ptl
