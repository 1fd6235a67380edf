// A photo and those that it is matched with, where a device reads them.
#pragma once

#include <deque>
#include <span>
#include <vector>

#include "dense/stereo_camera.h"
#include "dense/stereo_view.h"
#include "kernels/device_copy.h"

namespace ptl {

/// The views must outlive this: on the CPU nothing is copied.
class MatchViews {
 public:
  MatchViews(const Device& device, const StereoView& reference, const std::vector<const StereoView*>& sources);
  const MatchPixels& reference() const { return reference_; }
  std::span<const MatchSource> sources() const { return sources_; }

 private:
  MatchPixels pixels_of(const Device& device, const StereoView& view);

  std::deque<DeviceCopy<float>> luminance_;
  std::deque<DeviceCopy<uint8_t>> valid_;
  MatchPixels reference_;
  std::vector<MatchSource> sources_;
};

}  // namespace ptl
