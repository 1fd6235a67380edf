// L1, MSE and SSIM: by hand, against a slow reference, gradients by finite differences, by rows against by pixels, GPU
// against CPU.
#include "kernels/image_loss.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "kernels/hash.h"
#include "tests/kernels/image_case.h"
#include "tests/support/gpu.h"

namespace ptl::test {
namespace {

constexpr Channels all_channels[] = {Channels::planar, Channels::interleaved, Channels::padded};

ImageLayout layout_of(Channels channels, int64_t height, int64_t width) {
  if (channels == Channels::planar) return {3, height, width, height * width, width, 1};
  if (channels == Channels::interleaved) return {3, height, width, 1, 3 * width, 3};
  return {3, height, width, (height + 1) * (width + 5), width + 5, 1};
}

/// Two images that resemble each other, a soft mask with zeros (or none), and gradients from before.
template <class T>
struct Images {
  ImageLayout layout;
  std::vector<T> a, b, mask, grad;

  Images(Channels channels, int64_t height, int64_t width, bool masked) : layout(layout_of(channels, height, width)) {
    const int64_t elements = std::max({3 * layout.channel, 3 * height * width});
    b = some_values<T>(1, elements, 0, 1);
    a = some_values<T>(2, elements, -0.3, 0.3);
    for (size_t i = 0; i < a.size(); ++i) a[i] = i % 17 == 0 ? b[i] : a[i] + b[i];
    if (masked) mask = some_values<T>(3, height * width, -0.3, 1);
    for (T& m : mask) m = std::max(m, T(0));
    grad = some_values<T>(4, elements, -1e-3, 1e-3);
  }

  const T* mask_data() const { return mask.empty() ? nullptr : mask.data(); }
};

template <class T>
struct Losses {
  DifferenceMeans means;
  double ssim = 0, ssim_only = 0, sum = 0;
  std::vector<T> grad;

  bool operator==(const Losses& other) const {
    return means.l1 == other.means.l1 && means.mse == other.means.mse && ssim == other.ssim &&
           ssim_only == other.ssim_only && sum == other.sum && grad == other.grad;
  }
};

template <class T>
Losses<T> losses(const Device& device, const ImageLayout& layout, int64_t elements, const T* a, const T* b,
                 const T* mask, T* grad, ImageDriver driver) {
  Losses<T> result;
  result.means = difference_means(device, layout, a, b, mask, grad, 0.7, 0.4, driver);
  if (std::min(layout.height_px, layout.width_px) >= ssim_window_px) {
    result.ssim = ssim_mean(device, layout, a, b, mask, grad, -0.2, driver);
    result.ssim_only = ssim_mean<T>(device, layout, a, b, mask, nullptr, -0.2, driver);
  }
  result.sum = tree_sum(device, a, elements, driver);
  return result;
}

template <class T>
Losses<T> losses_on_cpu(Images<T> images, ImageDriver driver) {
  HeapScratch scratch;
  Losses<T> result =
      losses({DeviceType::cpu, nullptr, &scratch}, images.layout, static_cast<int64_t>(images.a.size()), images.a.data(),
             images.b.data(), images.mask_data(), images.grad.data(), driver);
  result.grad = images.grad;
  return result;
}

template <class T>
void for_all_images(const auto& check) {
  const int64_t sizes[][2] = {{3, 5}, {11, 11}, {12, 40}, {67, 131}, {150, 90}};
  for (const auto& [height, width] : sizes)
    for (const Channels channels : all_channels)
      for (const bool masked : {false, true}) {
        SCOPED_TRACE(std::to_string(width) + " x " + std::to_string(height) + ", channels " +
                     std::to_string(static_cast<int>(channels)) + (masked ? ", masked" : ""));
        check(Images<T>(channels, height, width, masked));
      }
}

/// Straight from the definition: a window of 121 weights around each pixel.
double slow_ssim(const Images<double>& images) {
  const ImageLayout& l = images.layout;
  double total = 0, count = 0;
  for (int64_t c = 0; c < l.channels; ++c)
    for (int64_t y = 5; y < l.height_px - 5; ++y)
      for (int64_t x = 5; x < l.width_px - 5; ++x) {
        const auto mean = [&](const auto& f) {
          double sum = 0, weights = 0;
          for (int64_t dy = -5; dy <= 5; ++dy)
            for (int64_t dx = -5; dx <= 5; ++dx) {
              const double weight = std::exp(-static_cast<double>(dx * dx + dy * dy) / (2 * 1.5 * 1.5));
              const auto i = static_cast<size_t>(c * l.channel + (y + dy) * l.row + (x + dx) * l.pixel);
              const double m =
                  images.mask.empty() ? 1 : images.mask[static_cast<size_t>((y + dy) * l.width_px + x + dx)];
              sum += weight * f(m * images.a[i], m * images.b[i]);
              weights += weight;
            }
          return sum / weights;
        };
        const double ma = mean([](double a, double) { return a; }), mb = mean([](double, double b) { return b; });
        const double va = mean([&](double a, double) { return (a - ma) * (a - ma); });
        const double vb = mean([&](double, double b) { return (b - mb) * (b - mb); });
        const double cov = mean([&](double a, double b) { return (a - ma) * (b - mb); });
        total += (2 * ma * mb + 1e-4) * (2 * cov + 9e-4) / ((ma * ma + mb * mb + 1e-4) * (va + vb + 9e-4));
        count += 1;
      }
  return total / count;
}

TEST(ImageLoss, DifferencesByHand) {
  const ImageLayout layout{1, 1, 3, 3, 3, 1};
  const double a[] = {1, 0, 2}, b[] = {0.5, 1, 2}, mask[] = {1, 0.5, 1}, nothing[] = {0, 0, 0};
  HeapScratch scratch;
  const Device cpu{DeviceType::cpu, nullptr, &scratch};
  for (const ImageDriver driver : {ImageDriver::rows, ImageDriver::pixels}) {
    double grad[] = {10, 10, 10};
    const DifferenceMeans means = difference_means(cpu, layout, a, b, mask, grad, 2.5, 5, driver);
    EXPECT_DOUBLE_EQ(means.l1, (0.5 + 0.5) / 2.5);
    EXPECT_DOUBLE_EQ(means.mse, (0.25 + 0.5) / 2.5);
    EXPECT_DOUBLE_EQ(grad[0], 10 + 1 + 4 * 0.5);
    EXPECT_DOUBLE_EQ(grad[1], 10 + 0.5 * (-1 - 4));
    EXPECT_EQ(grad[2], 10);
    const DifferenceMeans none = difference_means(cpu, layout, a, b, nothing, grad, 2.5, 5, driver);
    EXPECT_EQ(none.l1, 0);
    EXPECT_EQ(none.mse, 0);
    EXPECT_EQ(grad[2], 10);
  }
}

TEST(ImageLoss, SsimAgainstTheDefinition) {
  for (const bool masked : {false, true})
    for (const Channels channels : all_channels) {
      Images<double> images(channels, 19, 23, masked);
      const double expected = slow_ssim(images);
      for (const ImageDriver driver : {ImageDriver::rows, ImageDriver::pixels})
        EXPECT_NEAR(losses_on_cpu(images, driver).ssim, expected, 1e-13);
      images.b = images.a;
      for (const ImageDriver driver : {ImageDriver::rows, ImageDriver::pixels})
        EXPECT_NEAR(losses_on_cpu(images, driver).ssim, 1, 1e-14);
    }
}

TEST(ImageLoss, GradientsAgainstFiniteDifferences) {
  const double step = 1e-6;
  for (const bool masked : {false, true}) {
    const Images<double> images(Channels::interleaved, 14, 17, masked);
    for (const ImageDriver driver : {ImageDriver::rows, ImageDriver::pixels}) {
      const auto total = [&](const Images<double>& at) {
        const Losses<double> value = losses_on_cpu(at, driver);
        return 0.7 * value.means.l1 + 0.4 * value.means.mse - 0.2 * value.ssim;
      };
      const std::vector<double> grad = losses_on_cpu(images, driver).grad;
      for (size_t i = 1; i < images.a.size(); i += 13) {
        if (images.a[i] == images.b[i]) continue;  // the corner of |x|
        Images<double> above = images, below = images;
        above.a[i] += step;
        below.a[i] -= step;
        EXPECT_NEAR(grad[i] - images.grad[i], (total(above) - total(below)) / (2 * step), 1e-8) << i;
      }
    }
  }
}

TEST(ImageLoss, BothDriversGiveTheSameBits) {
  const auto check = [](const auto& images) {
    EXPECT_TRUE(losses_on_cpu(images, ImageDriver::rows) == losses_on_cpu(images, ImageDriver::pixels));
  };
  for_all_images<float>(check);
  for_all_images<double>(check);
}

TEST(ImageLoss, WhatLiesBetweenRowsIsLeftAlone) {
  const Images<float> images(Channels::padded, 13, 21, true);
  const ImageLayout& l = images.layout;
  for (const ImageDriver driver : {ImageDriver::rows, ImageDriver::pixels}) {
    const std::vector<float> grad = losses_on_cpu(images, driver).grad;
    int64_t gaps = 0;
    for (int64_t i = 0; i < static_cast<int64_t>(grad.size()); ++i) {
      if (i % l.row < l.width_px && i % l.channel / l.row < l.height_px) continue;
      EXPECT_EQ(grad[static_cast<size_t>(i)], images.grad[static_cast<size_t>(i)]) << i;
      ++gaps;
    }
    EXPECT_EQ(gaps, 3 * (14 * 26 - 13 * 21));
  }
}

TEST(TreeSum, BothDriversAddInTheSameOrder) {
  HeapScratch scratch;
  const Device cpu{DeviceType::cpu, nullptr, &scratch};
  // Sizes around which nodes become leaves: in a tree of 129 one half is a leaf, the other is not.
  for (const int64_t n : {0, 1, 2, 63, 64, 65, 127, 128, 129, 130, 255, 256, 257, 1000, 65536, 65537, 98765}) {
    std::vector<double> values = some_values<double>(5, n, -1, 1);
    for (size_t i = 0; i < values.size(); ++i) values[i] = std::ldexp(values[i], static_cast<int>(i % 60));
    const double by_rows = tree_sum(cpu, values.data(), n, ImageDriver::rows);
    EXPECT_EQ(by_rows, tree_sum(cpu, values.data(), n, ImageDriver::pixels)) << n;
    double in_order = 0;
    for (const double value : values) in_order += value;
    if (n > 1000) {
      EXPECT_NE(by_rows, in_order) << n;  // these values show the order
    }
    std::vector<float> whole(static_cast<size_t>(n), 3.0f);
    EXPECT_EQ(tree_sum(cpu, whole.data(), n), 3.0 * static_cast<double>(n));
  }
}

TEST(ImageLoss, RowsAreRefusedOnAGpu) {
  const Images<float> images(Channels::planar, 12, 12, false);
  EXPECT_THROW(losses(Device{DeviceType::cuda}, images.layout, 1, images.a.data(), images.b.data(), images.mask_data(),
                      static_cast<float*>(nullptr), ImageDriver::rows),
               std::runtime_error);
}

#if defined(PTL_CUDA)

template <class T>
Losses<T> losses_on_gpu(const Images<T>& images) {
  const GpuArray<T> a(images.a), b(images.b), mask(images.mask), grad(images.grad);
  Losses<T> result = losses(gpu(), images.layout, a.count(), a.data(), b.data(),
                            images.mask.empty() ? nullptr : mask.data(), grad.data(), ImageDriver::automatic);
  result.grad = grad.read();
  return result;
}

#endif

// Only +, −, ×, ÷ and comparisons, which round alike, in the same order; the Gaussian is made on the CPU.
TEST(GpuImageLoss, TheBitsOfTheCpu) {
  PTL_SKIP_WITHOUT_GPU();
#if defined(PTL_CUDA)
  const auto check = [](const auto& images) {
    const auto on_cpu = losses_on_cpu(images, ImageDriver::automatic);
    const auto on_gpu = losses_on_gpu(images);
    EXPECT_EQ(on_cpu.means.l1, on_gpu.means.l1);
    EXPECT_EQ(on_cpu.means.mse, on_gpu.means.mse);
    EXPECT_EQ(on_cpu.ssim, on_gpu.ssim);
    EXPECT_EQ(on_cpu.ssim_only, on_gpu.ssim_only);
    EXPECT_EQ(on_cpu.sum, on_gpu.sum);
    EXPECT_TRUE(on_cpu.grad == on_gpu.grad);
  };
  for_all_images<float>(check);
  for_all_images<double>(check);
#endif
}

TEST(GpuImageLoss, TwoRunsGiveTheSameBits) {
  PTL_SKIP_WITHOUT_GPU();
#if defined(PTL_CUDA)
  const Images<float> images(Channels::planar, 300, 400, true);
  const Losses<float> first = losses_on_gpu(images);
  for (int run = 0; run < 3; ++run) EXPECT_TRUE(first == losses_on_gpu(images));
#endif
}

}  // namespace
}  // namespace ptl::test
