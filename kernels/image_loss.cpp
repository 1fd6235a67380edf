// The driver by rows, and the choice between both. Compiled for the CPU only.
#include "kernels/image_loss.h"

#include <algorithm>
#include <vector>

#include "kernels/image_loss_formula.h"
#include "kernels/image_loss_pixels.h"

namespace ptl {
namespace {

template <class T>
double tree_sum_of(const T* values, int64_t n) {
  if (n <= tree_leaf) return sum_in_order(values, n);
  const int64_t half = (n + 1) / 2;
  return tree_sum_of(values, half) + tree_sum_of(values + half, n - half);
}

template <class T>
DifferenceMeans difference_by_rows(const ImageLayout& layout, const T* a, const T* b, const T* mask, T* grad,
                                   double scale_l1, double scale_mse) {
  const int64_t height = layout.height_px, width = layout.width_px;
  double mask_sum = static_cast<double>(height) * static_cast<double>(width);
  if (mask) mask_sum = tree_sum_of(mask, height * width);
  if (!(mask_sum > 0)) return {};
  const DifferenceScale<T> scale(layout, mask_sum, scale_l1, scale_mse);
  std::vector<double> row_l1(height), row_mse(height);
#pragma omp parallel for schedule(static) if (height * width >= worth_threads)
  for (int64_t y = 0; y < height; ++y) {
    const DifferenceSums sums = difference_row(layout, scale, y, a, b, mask, grad);
    row_l1[y] = sums.l1;
    row_mse[y] = sums.mse;
  }
  return {tree_sum_of(row_l1.data(), height) / scale.denominator,
          tree_sum_of(row_mse.data(), height) / scale.denominator};
}

template <class T>
double ssim_by_rows(const ImageLayout& layout, const T* a, const T* b, const T* mask, T* grad, double scale) {
  static const SsimWindow<T> gaussian;
  const T(&window)[ssim_window_px] = gaussian.weight;
  const SsimSize size(layout);
  const int64_t height = layout.height_px, width = layout.width_px;
  const int64_t out_height = size.height, out_width = size.width, out_size = size.windows();
  const double count = static_cast<double>(out_size) * static_cast<double>(layout.channels);

  // A channel at a time: its planes stay in the cache. The window is separable: columns first (a row of all five
  // moments), then along the row.
  std::vector<T> plane_a(height * width), plane_b(height * width);
  std::vector<T> d_mean(grad ? out_size : 0), d_square(grad ? out_size : 0), d_product(grad ? out_size : 0);
  std::vector<double> row_sum(out_height * layout.channels);
  for (int64_t c = 0; c < layout.channels; ++c) {
#pragma omp parallel if (height * width >= worth_threads)
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

      std::vector<T> column(ssim_moments * width), moment(ssim_moments * out_width), row_value(out_width);
#pragma omp for schedule(static)
      for (int64_t y = 0; y < out_height; ++y) {
        std::fill(column.begin(), column.end(), T(0));
        for (int k = 0; k < ssim_window_px; ++k) {
          const T* pa = &plane_a[(y + k) * width];
          const T* pb = &plane_b[(y + k) * width];
          for (int64_t x = 0; x < width; ++x) add_moments(window[k], pa[x], pb[x], &column[x], width);
        }
        for (int m = 0; m < ssim_moments; ++m) {
          T* out = &moment[m * out_width];
          const T* in = &column[m * width];
          std::fill(out, out + out_width, T(0));
          for (int k = 0; k < ssim_window_px; ++k)
            for (int64_t x = 0; x < out_width; ++x) out[x] += window[k] * in[x + k];
        }
        for (int64_t x = 0; x < out_width; ++x) {
          const SsimPoint<T> point = ssim_point(moment[x], moment[out_width + x], moment[2 * out_width + x],
                                                moment[3 * out_width + x], moment[4 * out_width + x]);
          row_value[x] = point.value;
          if (grad) {
            const int64_t o = y * out_width + x;
            d_mean[o] = point.d_mean;
            d_square[o] = point.d_square;
            d_product[o] = point.d_product;
          }
        }
        row_sum[c * out_height + y] = sum_in_order(row_value.data(), out_width);
      }

      // The adjoint of the window.
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
            grad[c * layout.channel + y * layout.row + x * layout.pixel] +=
                factor * weight *
                ssim_pixel_gradient(plane_a[p], plane_b[p], spread[x], spread[width + x], spread[2 * width + x]);
          }
        }
      }
    }
  }
  return tree_sum_of(row_sum.data(), out_height * layout.channels) / count;
}

}  // namespace

template <class T>
double tree_sum(const Device& device, const T* values, int64_t n, ImageDriver driver) {
  return goes_by_rows("tree_sum", device, driver) ? tree_sum_of(values, n) : tree_sum_by_pixels(device, values, n);
}

template <class T>
DifferenceMeans difference_means(const Device& device, const ImageLayout& layout, const T* a, const T* b, const T* mask,
                                 T* grad, double scale_l1, double scale_mse, ImageDriver driver) {
  return goes_by_rows("difference_means", device, driver)
             ? difference_by_rows(layout, a, b, mask, grad, scale_l1, scale_mse)
             : difference_by_pixels(device, layout, a, b, mask, grad, scale_l1, scale_mse);
}

template <class T>
double ssim_mean(const Device& device, const ImageLayout& layout, const T* a, const T* b, const T* mask, T* grad,
                 double scale, ImageDriver driver) {
  return goes_by_rows("ssim_mean", device, driver) ? ssim_by_rows(layout, a, b, mask, grad, scale)
                                                   : ssim_by_pixels(device, layout, a, b, mask, grad, scale);
}

#define PTL_INSTANTIATE(T)                                                                                         \
  template double tree_sum(const Device&, const T*, int64_t, ImageDriver);                                         \
  template DifferenceMeans difference_means(const Device&, const ImageLayout&, const T*, const T*, const T*, T*,   \
                                            double, double, ImageDriver);                                          \
  template double ssim_mean(const Device&, const ImageLayout&, const T*, const T*, const T*, T*, double, ImageDriver);
PTL_INSTANTIATE(float)
PTL_INSTANTIATE(double)
#undef PTL_INSTANTIATE

}  // namespace ptl
