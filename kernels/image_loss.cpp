#include "kernels/image_loss.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace ptl {
namespace {

constexpr double k_c1 = 0.01 * 0.01;
constexpr double k_c2 = 0.03 * 0.03;
constexpr int64_t pixels_worth_threads = 1 << 13;  // smaller images stay on one thread; the sums are the same

template <class T>
std::array<T, ssim_window_px> gaussian_window() {
  std::array<double, ssim_window_px> window{};
  double sum = 0;
  for (int i = 0; i < ssim_window_px; ++i) {
    const double x = i - ssim_window_px / 2;
    window[i] = std::exp(-x * x / (2 * 1.5 * 1.5));
    sum += window[i];
  }
  std::array<T, ssim_window_px> out{};
  for (int i = 0; i < ssim_window_px; ++i) out[i] = static_cast<T>(window[i] / sum);
  return out;
}

/// The five local means of one row of windows, in the order a, b, aa, bb, ab.
constexpr int moment_count = 5;

}  // namespace

template <class T>
double tree_sum(const T* values, int64_t n) {
  if (n <= 64) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(values[i]);
    return sum;
  }
  const int64_t half = (n + 1) / 2;
  return tree_sum(values, half) + tree_sum(values + half, n - half);
}

template <class T>
DifferenceMeans difference_means(const ImageLayout& layout, const T* a, const T* b, const T* mask, T* grad,
                                 double scale_l1, double scale_mse) {
  const int64_t height = layout.height_px, width = layout.width_px;
  double mask_sum = static_cast<double>(height) * static_cast<double>(width);
  if (mask) mask_sum = tree_sum(mask, height * width);
  if (!(mask_sum > 0)) return {};
  const double denominator = mask_sum * static_cast<double>(layout.channels);
  const T step_l1 = static_cast<T>(scale_l1 / denominator);
  const T step_mse = static_cast<T>(2 * scale_mse / denominator);
  std::vector<double> row_l1(height), row_mse(height);
#pragma omp parallel for schedule(static) if (height * width >= pixels_worth_threads)
  for (int64_t y = 0; y < height; ++y) {
    double sum_l1 = 0, sum_mse = 0;
    for (int64_t c = 0; c < layout.channels; ++c) {
      const int64_t start = c * layout.channel + y * layout.row;
      for (int64_t x = 0; x < width; ++x) {
        const int64_t i = start + x * layout.pixel;
        const T weight = mask ? mask[y * width + x] : T(1);
        const T difference = a[i] - b[i];
        sum_l1 += static_cast<double>(weight * std::abs(difference));
        sum_mse += static_cast<double>(weight * difference * difference);
        if (grad) {
          const T sign = static_cast<T>((difference > 0) - (difference < 0));
          grad[i] += weight * (step_l1 * sign + step_mse * difference);
        }
      }
    }
    row_l1[y] = sum_l1;
    row_mse[y] = sum_mse;
  }
  return {tree_sum(row_l1.data(), height) / denominator, tree_sum(row_mse.data(), height) / denominator};
}

template <class T>
double ssim_mean(const ImageLayout& layout, const T* a, const T* b, const T* mask, T* grad, double scale) {
  static const std::array<T, ssim_window_px> window = gaussian_window<T>();
  const int64_t height = layout.height_px, width = layout.width_px;
  const int64_t out_height = height - 2 * ssim_border_px, out_width = width - 2 * ssim_border_px;
  const int64_t out_size = out_height * out_width;
  const double count = static_cast<double>(out_size) * static_cast<double>(layout.channels);
  const T c1 = static_cast<T>(k_c1), c2 = static_cast<T>(k_c2);

  // A channel at a time: its planes stay in the cache. The window is separable: columns first (a row of all five
  // moments), then along the row.
  std::vector<T> plane_a(height * width), plane_b(height * width);
  std::vector<T> d_mean(grad ? out_size : 0), d_square(grad ? out_size : 0), d_product(grad ? out_size : 0);
  std::vector<double> row_sum(out_height * layout.channels);
  for (int64_t c = 0; c < layout.channels; ++c) {
#pragma omp parallel if (height * width >= pixels_worth_threads)
    {
#pragma omp for schedule(static)
      for (int64_t y = 0; y < height; ++y) {
        for (int64_t x = 0; x < width; ++x) {
          const int64_t i = c * layout.channel + y * layout.row + x * layout.pixel;
          const T weight = mask ? mask[y * width + x] : T(1);
          plane_a[y * width + x] = a[i] * weight;
          plane_b[y * width + x] = b[i] * weight;
        }
      }

      std::vector<T> column(moment_count * width), moment(moment_count * out_width), row_value(out_width);
#pragma omp for schedule(static)
      for (int64_t y = 0; y < out_height; ++y) {
        std::fill(column.begin(), column.end(), T(0));
        for (int k = 0; k < ssim_window_px; ++k) {
          const T* pa = &plane_a[(y + k) * width];
          const T* pb = &plane_b[(y + k) * width];
          const T w = window[k];
          for (int64_t x = 0; x < width; ++x) {
            const T wa = w * pa[x], wb = w * pb[x];
            column[x] += wa;
            column[width + x] += wb;
            column[2 * width + x] += wa * pa[x];
            column[3 * width + x] += wb * pb[x];
            column[4 * width + x] += wa * pb[x];
          }
        }
        for (int m = 0; m < moment_count; ++m) {
          T* out = &moment[m * out_width];
          const T* in = &column[m * width];
          std::fill(out, out + out_width, T(0));
          for (int k = 0; k < ssim_window_px; ++k)
            for (int64_t x = 0; x < out_width; ++x) out[x] += window[k] * in[x + k];
        }
        // S = A1·A2 / (B1·B2), A1 = 2 ma mb + c1, A2 = 2 cov + c2, B1 = ma² + mb² + c1, B2 = va + vb + c2, with
        // va = E[a²] − ma², cov = E[ab] − ma mb. Derivatives with respect to ma, E[a²] and E[ab]:
        for (int64_t x = 0; x < out_width; ++x) {
          const T ma = moment[x], mb = moment[out_width + x];
          const T va = moment[2 * out_width + x] - ma * ma;
          const T vb = moment[3 * out_width + x] - mb * mb;
          const T cov = moment[4 * out_width + x] - ma * mb;
          const T a1 = 2 * ma * mb + c1, a2 = 2 * cov + c2, b1 = ma * ma + mb * mb + c1, b2 = va + vb + c2;
          const T inverse = T(1) / (b1 * b2);
          const T s = a1 * a2 * inverse;
          row_value[x] = s;
          if (grad) {
            const int64_t o = y * out_width + x;
            d_square[o] = -s / b2;
            d_product[o] = 2 * a1 * inverse;
            d_mean[o] = 2 * mb * (a2 - a1) * inverse - 2 * ma * s / b1 + 2 * ma * s / b2;
          }
        }
        double sum = 0;
        for (int64_t x = 0; x < out_width; ++x) sum += static_cast<double>(row_value[x]);
        row_sum[c * out_height + y] = sum;
      }

      // The adjoint of the window: grad(p) = W*[d_mean] + 2 a(p) W*[d_square] + b(p) W*[d_product].
      if (grad) {
        std::vector<T> gathered(3 * out_width), spread(3 * width);
        const T factor = static_cast<T>(scale / count);
#pragma omp for schedule(static)
        for (int64_t y = 0; y < height; ++y) {
          std::fill(gathered.begin(), gathered.end(), T(0));
          for (int k = 0; k < ssim_window_px; ++k) {
            const int64_t from = y - k;
            if (from < 0 || from >= out_height) continue;
            const T w = window[k];
            const T* dm = &d_mean[from * out_width];
            const T* ds = &d_square[from * out_width];
            const T* dp = &d_product[from * out_width];
            for (int64_t x = 0; x < out_width; ++x) {
              gathered[x] += w * dm[x];
              gathered[out_width + x] += w * ds[x];
              gathered[2 * out_width + x] += w * dp[x];
            }
          }
          std::fill(spread.begin(), spread.end(), T(0));
          for (int m = 0; m < 3; ++m)
            for (int k = 0; k < ssim_window_px; ++k) {
              T* out = &spread[m * width + k];
              const T* in = &gathered[m * out_width];
              for (int64_t x = 0; x < out_width; ++x) out[x] += window[k] * in[x];
            }
          for (int64_t x = 0; x < width; ++x) {
            const int64_t p = y * width + x;
            const T weight = mask ? mask[p] : T(1);
            const T value = spread[x] + 2 * plane_a[p] * spread[width + x] + plane_b[p] * spread[2 * width + x];
            grad[c * layout.channel + y * layout.row + x * layout.pixel] += factor * weight * value;
          }
        }
      }
    }
  }
  return tree_sum(row_sum.data(), out_height * layout.channels) / count;
}

template double tree_sum(const float*, int64_t);
template double tree_sum(const double*, int64_t);
template DifferenceMeans difference_means(const ImageLayout&, const float*, const float*, const float*, float*, double,
                                          double);
template DifferenceMeans difference_means(const ImageLayout&, const double*, const double*, const double*, double*,
                                          double, double);
template double ssim_mean(const ImageLayout&, const float*, const float*, const float*, float*, double);
template double ssim_mean(const ImageLayout&, const double*, const double*, const double*, double*, double);

}  // namespace ptl
