// How well sources agree with a reference photo on each of a family of depths: the cost volume.
// Planes are parallel to the reference's image plane and equally spaced in inverse depth, so that each step moves a
// pixel by about as much. Per plane every source is warped by the plane's homography
//   x_source ~ K_s (R K_r⁻¹ (x, y, 1) + t w),   w = 1/depth, (R, t) = source_from_reference,
// and compared by zero-mean normalised cross-correlation over 5 × 5 pixels, which does not see exposure.
// Two drivers with the same bits: by rows on the CPU, by pixels on a GPU (plane_sweep_pixels.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dense/stereo_camera.h"
#include "kernels/image_driver.h"

namespace ptl {

/// Inverse depths w_k = first + k · step, k < count; the first plane is the farthest.
struct InversePlanes {
  double first = 0, step = 0;
  int count = 0;
  PTL_HD double at(double k) const { return first + k * step; }
};

/// Planes from near to far, one per pixel of motion in the source that moves most at the photo's middle, but at least
/// 32 and at most `most`; a multiple of 16.
InversePlanes choose_planes(const StereoCamera& reference, std::span<const MatchSource> sources, double near_m,
                            double far_m, int most);

/// [height, width, planes] in a device's memory: 0 (the same) … 254 (the opposite), 127 where nothing is known. A
/// pixel's cost is the mean of the better half of its sources (at most three), so that a source in which it is hidden
/// does no harm.
struct CostVolume {
  int width_px = 0, height_px = 0, planes = 0;
  uint8_t* cost = nullptr;

  PTL_HD int64_t pixels() const { return static_cast<int64_t>(width_px) * height_px; }
  PTL_HD uint8_t* at(int64_t pixel) const { return cost + pixel * planes; }
  PTL_HD uint8_t* at(int x, int y) const { return at(static_cast<int64_t>(y) * width_px + x); }
};

inline constexpr int match_radius_px = 2;     ///< of the window
inline constexpr uint8_t unknown_cost = 127;  ///< as uncorrelated

/// Fills the volume, which has the reference's size and all planes. Works in strips: beside the volume it needs a few
/// hundred bytes a column by rows, and by pixels some 90 bytes a pixel.
void sweep_planes(const Device& device, const MatchPixels& reference, std::span<const MatchSource> sources,
                  const InversePlanes& planes, const CostVolume& volume, ImageDriver driver = ImageDriver::automatic);

}  // namespace ptl
