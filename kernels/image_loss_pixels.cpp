#include "kernels/image_loss_pixels.h"

#include <vector>

#include "kernels/image_loss_formula.h"

namespace ptl {
namespace {

/// Element (c, y, x) of a layout, and (y, x) of a mask, for the i-th of channels · height · width.
struct Place {
  int64_t element, of_mask;

  PTL_HD Place(const ImageLayout& layout, int64_t i) {
    const int64_t pixels = layout.height_px * layout.width_px;
    of_mask = i % pixels;
    element = i / pixels * layout.channel + of_mask / layout.width_px * layout.row + of_mask % layout.width_px * layout.pixel;
  }
};

/// The tree over n row sums, from the device's memory.
double sum_of_rows(const double* rows, int64_t n) { return tree_sum(Device{}, rows, n); }

}  // namespace

template <class T>
double tree_sum_by_pixels(const Device& device, const T* values, int64_t n) {
  // Down to nodes of at most two leaves the tree is a full one, with the same number of levels everywhere.
  int levels = 0;
  while (n > (2 * tree_leaf) << levels) ++levels;
  const int64_t nodes = int64_t{1} << levels;
  const Scratch<double> on_device(device, nodes);
  double* sums = on_device.data();
  parallel_for(device, "tree_sum", nodes, [=] PTL_HD(int64_t node) {
    int64_t first = 0, count = n;
    for (int level = levels - 1; level >= 0; --level) {
      const int64_t half = (count + 1) / 2;
      const bool right = node >> level & 1;
      first += right ? half : 0;
      count = right ? count - half : half;
    }
    if (count <= tree_leaf) {
      sums[node] = sum_in_order(values + first, count);
    } else {
      const int64_t half = (count + 1) / 2;
      sums[node] = sum_in_order(values + first, half) + sum_in_order(values + first + half, count - half);
    }
  });
  std::vector<double> host(static_cast<size_t>(nodes));
  copy_to_host(device, sums, nodes, host.data());
  for (size_t width = host.size() / 2; width > 0; width /= 2)
    for (size_t i = 0; i < width; ++i) host[i] = host[2 * i] + host[2 * i + 1];
  return host[0];
}

template <class T>
DifferenceMeans difference_by_pixels(const Device& device, const ImageLayout& layout, const T* a, const T* b,
                                     const T* mask, T* grad, double scale_l1, double scale_mse) {
  const int64_t height = layout.height_px, width = layout.width_px;
  double mask_sum = static_cast<double>(height) * static_cast<double>(width);
  if (mask) mask_sum = tree_sum_by_pixels(device, mask, height * width);
  if (!(mask_sum > 0)) return {};
  const DifferenceScale<T> scale(layout, mask_sum, scale_l1, scale_mse);
  const Scratch<double> on_device(device, 2 * height);
  double* row_sums = on_device.data();
  parallel_for(device, "difference_rows", height, [=] PTL_HD(int64_t y) {
    const DifferenceSums sums = difference_row(layout, scale, y, a, b, mask, static_cast<T*>(nullptr));
    row_sums[y] = sums.l1;
    row_sums[height + y] = sums.mse;
  });
  if (grad)
    parallel_for(device, "difference_gradient", layout.channels * height * width, [=] PTL_HD(int64_t i) {
      const Place place(layout, i);
      const T weight = mask ? mask[place.of_mask] : T(1);
      grad[place.element] += scale.gradient(weight, a[place.element] - b[place.element]);
    });
  std::vector<double> rows(static_cast<size_t>(2 * height));
  copy_to_host(device, row_sums, 2 * height, rows.data());
  return {sum_of_rows(rows.data(), height) / scale.denominator,
          sum_of_rows(rows.data() + height, height) / scale.denominator};
}

template <class T>
double ssim_by_pixels(const Device& device, const ImageLayout& layout, const T* a, const T* b, const T* mask, T* grad,
                      double scale) {
  const SsimWindow<T> window;
  const SsimSize size(layout);
  const int64_t channels = layout.channels, height = layout.height_px, width = layout.width_px;
  const int64_t pixels = channels * height * width, windows = channels * size.windows();
  const double count = static_cast<double>(size.windows()) * static_cast<double>(channels);

  // Planes of all channels: the images times the mask; moments of columns; per window the value and the derivatives.
  const Scratch<T> images(device, 2 * pixels);
  T *masked_a = images.data(), *masked_b = masked_a + pixels;
  parallel_for(device, "ssim_mask", pixels, [=] PTL_HD(int64_t i) {
    const Place place(layout, i);
    const T weight = mask ? mask[place.of_mask] : T(1);
    masked_a[i] = a[place.element] * weight;
    masked_b[i] = b[place.element] * weight;
  });

  const int64_t columns = channels * size.height * width;
  const Scratch<T> column_moments(device, ssim_moments * columns);
  T* column = column_moments.data();
  parallel_for(device, "ssim_columns", columns, [=] PTL_HD(int64_t i) {
    const int64_t channel = i / (size.height * width), in_channel = i % (size.height * width);
    const int64_t from = channel * height * width + in_channel;
    T moments[ssim_moments] = {};
    for (int k = 0; k < ssim_window_px; ++k)
      add_moments(window.weight[k], masked_a[from + k * width], masked_b[from + k * width], moments, 1);
    for (int m = 0; m < ssim_moments; ++m) column[m * columns + i] = moments[m];
  });

  const Scratch<T> of_windows(device, (grad ? 4 : 1) * windows);
  T *value = of_windows.data(), *derivatives = grad ? value + windows : nullptr;
  parallel_for(device, "ssim_rows", windows, [=] PTL_HD(int64_t i) {
    const int64_t from = i / size.width * width + i % size.width;
    T moments[ssim_moments] = {};
    for (int m = 0; m < ssim_moments; ++m)
      for (int k = 0; k < ssim_window_px; ++k) moments[m] += window.weight[k] * column[m * columns + from + k];
    const SsimPoint<T> point = ssim_point(moments[0], moments[1], moments[2], moments[3], moments[4]);
    value[i] = point.value;
    if (!derivatives) return;
    derivatives[i] = point.d_mean;
    derivatives[windows + i] = point.d_square;
    derivatives[2 * windows + i] = point.d_product;
  });

  const int64_t rows = channels * size.height;
  const Scratch<double> on_device(device, rows);
  double* row_sums = on_device.data();
  parallel_for(device, "ssim_sums", rows,
               [=] PTL_HD(int64_t r) { row_sums[r] = sum_in_order(value + r * size.width, size.width); });

  if (grad) {
    const T factor = static_cast<T>(scale / count);
    const int64_t gathered_count = channels * height * size.width;
    const Scratch<T> of_columns(device, 3 * gathered_count);
    T* gathered = of_columns.data();
    parallel_for(device, "ssim_adjoint_columns", gathered_count, [=] PTL_HD(int64_t i) {
      const int64_t x = i % size.width, y = i / size.width % height, channel = i / (size.width * height);
      T sums[3] = {};
      for (int k = 0; k < ssim_window_px; ++k) {
        const int64_t from = y - k;
        if (from < 0 || from >= size.height) continue;
        const int64_t at = (channel * size.height + from) * size.width + x;
        for (int m = 0; m < 3; ++m) sums[m] += window.weight[k] * derivatives[m * windows + at];
      }
      for (int m = 0; m < 3; ++m) gathered[m * gathered_count + i] = sums[m];
    });
    parallel_for(device, "ssim_adjoint_rows", pixels, [=] PTL_HD(int64_t i) {
      const int64_t x = i % width, row = i / width;
      T sums[3] = {};
      for (int k = 0; k < ssim_window_px; ++k) {
        const int64_t from = x - k;
        if (from < 0 || from >= size.width) continue;
        for (int m = 0; m < 3; ++m)
          sums[m] += window.weight[k] * gathered[m * gathered_count + row * size.width + from];
      }
      const Place place(layout, i);
      const T weight = mask ? mask[place.of_mask] : T(1);
      grad[place.element] += factor * weight * ssim_pixel_gradient(masked_a[i], masked_b[i], sums[0], sums[1], sums[2]);
    });
  }
  std::vector<double> host(static_cast<size_t>(rows));
  copy_to_host(device, row_sums, rows, host.data());
  return sum_of_rows(host.data(), rows) / count;
}

#define PTL_INSTANTIATE(T)                                                                                           \
  template double tree_sum_by_pixels(const Device&, const T*, int64_t);                                              \
  template DifferenceMeans difference_by_pixels(const Device&, const ImageLayout&, const T*, const T*, const T*, T*, \
                                                double, double);                                                     \
  template double ssim_by_pixels(const Device&, const ImageLayout&, const T*, const T*, const T*, T*, double);
PTL_INSTANTIATE(float)
PTL_INSTANTIATE(double)
#undef PTL_INSTANTIATE

}  // namespace ptl
