// What both drivers of the image losses compute: leaves of sums, terms of L1 and MSE, SSIM with its derivatives for one
// window.
#pragma once

#include <cmath>

#include "kernels/hd.h"
#include "kernels/image_loss.h"

namespace ptl {

// --- sums ---

inline constexpr int64_t tree_leaf = 64;  ///< values

template <class T>
PTL_HD double sum_in_order(const T* values, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(values[i]);
  return sum;
}

// --- L1 and MSE ---

template <class T>
PTL_HD T l1_term(T weight, T difference) {
  return weight * std::abs(difference);
}

template <class T>
PTL_HD T mse_term(T weight, T difference) {
  return weight * difference * difference;
}

/// Factors of the gradient, and what the sums are divided by.
template <class T>
struct DifferenceScale {
  double denominator;
  T l1, mse;

  DifferenceScale(const ImageLayout& layout, double mask_sum, double scale_l1, double scale_mse)
      : denominator(mask_sum * static_cast<double>(layout.channels)),
        l1(static_cast<T>(scale_l1 / denominator)),
        mse(static_cast<T>(2 * scale_mse / denominator)) {}

  PTL_HD T gradient(T weight, T difference) const {
    const T sign = static_cast<T>((difference > 0) - (difference < 0));
    return weight * (l1 * sign + mse * difference);
  }
};

struct DifferenceSums {
  double l1 = 0, mse = 0;
};

/// Sums over row y, and its gradient where wanted (added to what is there).
template <class T>
PTL_HD DifferenceSums difference_row(const ImageLayout& layout, const DifferenceScale<T>& scale, int64_t y, const T* a,
                                     const T* b, const T* mask, T* grad) {
  DifferenceSums sums;
  for (int64_t c = 0; c < layout.channels; ++c) {
    for (int64_t x = 0; x < layout.width_px; ++x) {
      const int64_t i = c * layout.channel + y * layout.row + x * layout.pixel;
      const T weight = mask ? mask[y * layout.width_px + x] : T(1);
      const T difference = a[i] - b[i];
      sums.l1 += static_cast<double>(l1_term(weight, difference));
      sums.mse += static_cast<double>(mse_term(weight, difference));
      if (grad) grad[i] += scale.gradient(weight, difference);
    }
  }
  return sums;
}

// --- SSIM ---

/// The Gaussian, the same along rows and columns; sums to 1.
template <class T>
struct SsimWindow {
  T weight[ssim_window_px];

  SsimWindow() {
    double exact[ssim_window_px], sum = 0;
    for (int i = 0; i < ssim_window_px; ++i) {
      const double x = i - ssim_window_px / 2;
      exact[i] = std::exp(-x * x / (2 * 1.5 * 1.5));
      sum += exact[i];
    }
    for (int i = 0; i < ssim_window_px; ++i) weight[i] = static_cast<T>(exact[i] / sum);
  }
};

/// The local means of a window, in the order a, b, a², b², ab.
inline constexpr int ssim_moments = 5;

/// Adds what one pixel with the window's weight w gives to the moments at m, m + stride, …
template <class T>
PTL_HD void add_moments(T w, T a, T b, T* m, int64_t stride) {
  const T wa = w * a, wb = w * b;
  m[0] += wa;
  m[stride] += wb;
  m[2 * stride] += wa * a;
  m[3 * stride] += wb * b;
  m[4 * stride] += wa * b;
}

/// SSIM of a window and its derivatives with respect to the local means of a, a² and ab.
template <class T>
struct SsimPoint {
  T value, d_mean, d_square, d_product;
};

/// S = A1·A2 / (B1·B2), A1 = 2 ma mb + c1, A2 = 2 cov + c2, B1 = ma² + mb² + c1, B2 = va + vb + c2, with
/// va = E[a²] − ma², cov = E[ab] − ma mb.
template <class T>
PTL_HD SsimPoint<T> ssim_point(T ma, T mb, T mean_aa, T mean_bb, T mean_ab) {
  constexpr T c1 = static_cast<T>(0.01 * 0.01), c2 = static_cast<T>(0.03 * 0.03);
  const T va = mean_aa - ma * ma;
  const T vb = mean_bb - mb * mb;
  const T cov = mean_ab - ma * mb;
  const T a1 = 2 * ma * mb + c1, a2 = 2 * cov + c2, b1 = ma * ma + mb * mb + c1, b2 = va + vb + c2;
  const T inverse = T(1) / (b1 * b2);
  const T s = a1 * a2 * inverse;
  return {s, 2 * mb * (a2 - a1) * inverse - 2 * ma * s / b1 + 2 * ma * s / b2, -s / b2, 2 * a1 * inverse};
}

/// The adjoint of the window at a pixel: W*[d_mean] + 2 a W*[d_square] + b W*[d_product], with the pixel's values.
template <class T>
PTL_HD T ssim_pixel_gradient(T a, T b, T d_mean, T d_square, T d_product) {
  return d_mean + 2 * a * d_square + b * d_product;
}

/// Rows and columns of windows that lie within an image.
struct SsimSize {
  int64_t height, width;

  explicit SsimSize(const ImageLayout& layout)
      : height(layout.height_px - 2 * ssim_border_px), width(layout.width_px - 2 * ssim_border_px) {}
  int64_t windows() const { return height * width; }
};

}  // namespace ptl
