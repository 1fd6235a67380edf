// Where the pixels of one photo are seen in another, and how far they move there with depth.
#pragma once

#include <span>

#include "dense/stereo_camera.h"

namespace ptl {

/// Reference pixel and inverse depth w → source pixel: x ~ base (x, y, 1) + shift · w.
struct SourceMap {
  Mat3<double> base{1};
  Vec3<double> shift{0};
};
SourceMap source_map(const StereoCamera& reference, const StereoCamera& source);

/// The inverse depths among which a photo's are searched, 1/far_m … 1/near_m.
struct SearchRange {
  double least_w = 0, most_w = 0;
  double step_w = 0;  ///< moves the pixel in the photo's middle by one pixel in the source where it moves most
};

/// At least least_steps steps, where no source moves.
SearchRange search_range(const StereoCamera& reference, std::span<const StereoCamera> sources, double near_m,
                         double far_m);

}  // namespace ptl
