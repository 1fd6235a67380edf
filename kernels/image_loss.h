// Image losses with their gradients (method section 7): L1, MSE, SSIM; templated on the scalar (float for fitting, double
// for gradient checks). Pointers are memory of the device; values are returned after waiting for it. All sums run over
// rows in order and then over a fixed binary tree of the rows, so the result is the same with any number of threads, by
// both drivers (ImageDriver) and on the GPU.
#pragma once

#include <cstdint>

#include "kernels/image_driver.h"

namespace ptl {

constexpr int ssim_window_px = 11;   ///< Gaussian, sigma 1.5 (scikit-image: truncate 3.5)
constexpr int ssim_border_px = 5;    ///< left out on each side

/// Where the channels of an image lie: element (c, y, x) at data[c·channel + y·row + x·pixel].
struct ImageLayout {
  int64_t channels = 3, height_px = 0, width_px = 0;
  int64_t channel = 0, row = 0, pixel = 1;   ///< strides in elements
};

/// Sum of n values by a fixed binary tree: halves of ceil(n/2), leaves of at most 64 added in order, in double.
template <class T>
double tree_sum(const Device& device, const T* values, int64_t n, ImageDriver driver = ImageDriver::automatic);

/// mean |a − b|, mean (a − b)² over channels and pixels, each weighted by the mask (sum of the mask in the denominator;
/// mask null: 1). Adds scale_l1 · d(l1)/da + scale_mse · d(mse)/da to grad unless it is null. The derivative of |x|
/// at 0 is 0. A mask of zeros gives 0. a, b, grad share the layout; mask is [height, width], planar.
struct DifferenceMeans {
  double l1 = 0, mse = 0;
};
template <class T>
DifferenceMeans difference_means(const Device& device, const ImageLayout& layout, const T* a, const T* b, const T* mask,
                                 T* grad, double scale_l1, double scale_mse,
                                 ImageDriver driver = ImageDriver::automatic);

/// SSIM of a·mask against b·mask (Wang et al. 2004; data range 1, K = 0.01 and 0.03, population covariance, Gaussian
/// window of 11 with sigma 1.5): mean over channels and over the pixels at least 5 px from the border. Adds
/// scale · d(ssim)/da to grad unless it is null. Needs height, width ≥ 11.
template <class T>
double ssim_mean(const Device& device, const ImageLayout& layout, const T* a, const T* b, const T* mask, T* grad,
                 double scale, ImageDriver driver = ImageDriver::automatic);

}  // namespace ptl
