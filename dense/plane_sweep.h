// How well sources agree with a reference photo on each of a family of depths: the cost volume.
// Planes are parallel to the reference's image plane and equally spaced in inverse depth, so that each step moves a
// pixel by about as much. Per plane every source is warped by the plane's homography
//   x_source ~ K_s (R K_r⁻¹ (x, y, 1) + t w),   w = 1/depth, (R, t) = source_from_reference,
// and compared by zero-mean normalised cross-correlation over 5 × 5 pixels, which does not see exposure.
#pragma once

#include <cstdint>
#include <vector>

#include "dense/stereo_view.h"

namespace ptl {

/// Inverse depths w_k = first + k · step, k < count; the first plane is the farthest.
struct InversePlanes {
  double first = 0, step = 0;
  int count = 0;
  double at(double k) const { return first + k * step; }
};

/// Planes from near to far, one per pixel of motion in the source that moves most at the photo's middle, but at least
/// 32 and at most `most`; a multiple of 16.
InversePlanes choose_planes(const StereoCamera& reference, const std::vector<const StereoView*>& sources, double near_m,
                            double far_m, int most);

/// [height, width, planes]: 0 (the same) … 254 (the opposite), 127 where nothing is known. A pixel's cost is the mean
/// of the better half of its sources (at most three), so that a source in which it is hidden does no harm.
struct CostVolume {
  int width_px = 0, height_px = 0;
  InversePlanes planes;
  std::vector<uint8_t> cost;
  const uint8_t* at(int x, int y) const {
    return cost.data() + (static_cast<size_t>(y) * static_cast<size_t>(width_px) + static_cast<size_t>(x)) *
                             static_cast<size_t>(planes.count);
  }
};

constexpr int match_radius_px = 2;     ///< of the window
constexpr uint8_t unknown_cost = 127;  ///< as uncorrelated

/// Fills `volume` (reused between calls). Works in strips: beside the volume it needs a few hundred bytes a column.
void sweep_planes(const StereoView& reference, const std::vector<const StereoView*>& sources,
                  const InversePlanes& planes, CostVolume& volume);

/// Reference pixel and inverse depth → source pixel: x ~ base (x, y, 1) + shift · w.
struct SourceMap {
  Mat3<double> base{1};
  Vec3<double> shift{0};
};
SourceMap source_map(const StereoCamera& reference, const StereoCamera& source);

}  // namespace ptl
