// The driver by pixels of image_loss.h, for any device. It does the additions of the driver by rows in the same order.
#pragma once

#include "kernels/image_loss.h"

namespace ptl {

template <class T>
double tree_sum_by_pixels(const Device& device, const T* values, int64_t n);

template <class T>
DifferenceMeans difference_by_pixels(const Device& device, const ImageLayout& layout, const T* a, const T* b,
                                     const T* mask, T* grad, double scale_l1, double scale_mse);

template <class T>
double ssim_by_pixels(const Device& device, const ImageLayout& layout, const T* a, const T* b, const T* mask, T* grad,
                      double scale);

}  // namespace ptl
