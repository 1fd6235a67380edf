// The photometric camera over images: by rows against by pixels, GPU against CPU. One pixel is tone_test.cpp's.
#include "kernels/tone_map.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>

#include "kernels/camera.h"
#include "kernels/hash.h"
#include "tests/kernels/image_case.h"
#include "tests/support/gpu.h"

namespace ptl::test {
namespace {

constexpr size_t component_count = sizeof(ToneGradient) / sizeof(double);

template <class T>
struct ToneCase {
  ToneParams<T> params;
  ToneFrame frame;
  ToneMode mode = ToneMode::training;
  ImageStrides strides, grad_strides;  // of radiance, of the output and its gradient
  std::vector<T> radiance, grad_output;

  ToneCase(int width, int height, Channels channels, ToneMode with_mode, double log_stops = 0) : mode(with_mode) {
    params.log_stops = static_cast<T>(log_stops);
    params.exposure_ev = T(0.3);
    params.white_balance[0] = T(1.2);
    params.white_balance[1] = T(0.9);
    const double vignette[5] = {-0.2, 0.05, -0.01, 0.1, -0.07};
    for (int i = 0; i < 5; ++i) params.vignette[i] = static_cast<T>(vignette[i]);
    set_initial_response(params.response);
    frame = {2 * width, 2 * height, {1.25f, 4.0f, -2.0f, width, height}};
    const ImageStrides planar = {int64_t{1} * height * width, width, 1}, interleaved = {1, 3 * width, 3};
    const ImageStrides padded = {int64_t{1} * (height + 1) * (width + 2), width + 2, 1};
    strides = channels == Channels::planar ? planar : channels == Channels::interleaved ? interleaved : padded;
    grad_strides = channels == Channels::planar ? interleaved : planar;
    const int64_t elements = std::max(3 * strides.channel, 3 * planar.channel);
    radiance = some_values<T>(1, elements, -0.3, 2.0);
    grad_output = some_values<T>(2, elements, -0.2, 1.0);
  }
};

template <class T>
struct Toned {
  std::vector<T> image, grad_radiance;
  std::vector<double> sums = std::vector<double>(component_count);

  double largest_sum() const {
    double largest = 0;
    for (const double sum : sums) largest = std::max(largest, std::abs(sum));
    return largest;
  }
};

template <class T>
void toned(const Device& device, const ToneCase<T>& tone, const T* radiance, const T* grad_output, T* image,
           T* grad_radiance, std::vector<double>& sums, ImageDriver driver) {
  tone_map_image(device, tone.params, tone.frame, tone.mode, radiance, tone.strides, image, tone.grad_strides, driver);
  const ToneGradient gradient =
      tone_map_image_backward(device, tone.params, tone.frame, tone.mode, radiance, tone.strides, grad_output,
                              tone.grad_strides, grad_radiance, driver);
  std::memcpy(sums.data(), &gradient, sizeof gradient);
}

template <class T>
Toned<T> toned_on_cpu(const ToneCase<T>& tone, ImageDriver driver) {
  HeapScratch scratch;
  Toned<T> result;
  result.image.assign(tone.radiance.size(), T(77));
  result.grad_radiance.assign(tone.radiance.size(), T(77));
  toned({DeviceType::cpu, nullptr, &scratch}, tone, tone.radiance.data(), tone.grad_output.data(), result.image.data(),
        result.grad_radiance.data(), result.sums, driver);
  return result;
}

template <class T>
void for_all_images(const auto& check) {
  // The last: sums of 32 three times over.
  const int sizes[][2] = {{1, 1}, {9, 7}, {1, 33}, {61, 70}, {200, 180}};
  for (const auto& [width, height] : sizes)
    for (const Channels channels : {Channels::planar, Channels::interleaved, Channels::padded})
      for (const ToneMode mode : {ToneMode::training, ToneMode::evaluation})
        for (const double log_stops : {0.0, 11.0}) {
          SCOPED_TRACE(std::to_string(width) + " x " + std::to_string(height) + ", channels " +
                       std::to_string(static_cast<int>(channels)) + ", mode " + std::to_string(static_cast<int>(mode)) +
                       ", stops " + std::to_string(log_stops));
          check(ToneCase<T>(width, height, channels, mode, log_stops));
        }
}

TEST(ToneMap, TheFormulaOfEachPixelAndItsSum) {
  const ToneCase<double> tone(9, 7, Channels::padded, ToneMode::training);
  for (const ImageDriver driver : {ImageDriver::rows, ImageDriver::pixels}) {
    const Toned<double> result = toned_on_cpu(tone, driver);
    ToneGradient gradient;
    gradient.white_balance[0] = gradient.white_balance[1] = 0;
    std::vector<double> expected_grad(result.grad_radiance.size(), 77), expected_image(result.image.size(), 77);
    for (int64_t y = 0; y < 7; ++y)
      for (int64_t x = 0; x < 9; ++x) {
        const int64_t from = y * tone.strides.row + x * tone.strides.column;
        const int64_t to = y * tone.grad_strides.row + x * tone.grad_strides.column;
        Vec3<double> radiance, grad;
        for (int c = 0; c < 3; ++c) {
          radiance[c] = tone.radiance[static_cast<size_t>(from + c * tone.strides.channel)];
          grad[c] = tone.grad_output[static_cast<size_t>(to + c * tone.grad_strides.channel)];
        }
        const Vec2<double> crop_px(static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5);
        const Vec2<double> position = vignette_position(undo_crop(tone.frame.crop, crop_px), 18, 14);
        const Vec3<double> out = tone_map(tone.params, position, tone.mode, radiance);
        const Vec3<double> grad_radiance = tone_map_backward(tone.params, position, tone.mode, radiance, grad, gradient);
        for (int c = 0; c < 3; ++c) {
          expected_image[static_cast<size_t>(to + c * tone.grad_strides.channel)] = out[c];
          expected_grad[static_cast<size_t>(from + c * tone.strides.channel)] = grad_radiance[c];
        }
      }
    EXPECT_EQ(result.image, expected_image);
    EXPECT_EQ(result.grad_radiance, expected_grad);  // the gaps keep their 77
    std::vector<double> sums(component_count);
    std::memcpy(sums.data(), &gradient, sizeof gradient);
    for (size_t i = 0; i < component_count; ++i) EXPECT_NEAR(result.sums[i], sums[i], 1e-13) << i;
  }
}

// Every pixel's terms are the same bits; only the order in which doubles are added differs: 36000 additions of a relative
// error of 1.1e-16 each.
TEST(ToneMap, BothDriversGiveTheSame) {
  const auto check = [](const auto& tone) {
    const auto rows = toned_on_cpu(tone, ImageDriver::rows), pixels = toned_on_cpu(tone, ImageDriver::pixels);
    EXPECT_TRUE(rows.image == pixels.image);
    EXPECT_TRUE(rows.grad_radiance == pixels.grad_radiance);
    for (size_t i = 0; i < component_count; ++i)
      EXPECT_NEAR(rows.sums[i], pixels.sums[i], 1e-12 * rows.largest_sum()) << i;
  };
  for_all_images<float>(check);
  for_all_images<double>(check);
}

TEST(ToneMap, EmptyImagesHaveNoGradient) {
  const ToneCase<float> tone(0, 0, Channels::planar, ToneMode::training);
  for (const ImageDriver driver : {ImageDriver::rows, ImageDriver::pixels})
    EXPECT_EQ(toned_on_cpu(tone, driver).largest_sum(), 0);
}

TEST(ToneMap, RowsAreRefusedOnAGpu) {
  const ToneCase<float> tone(2, 2, Channels::planar, ToneMode::training);
  Toned<float> result;
  EXPECT_THROW(toned(Device{DeviceType::cuda}, tone, tone.radiance.data(), tone.grad_output.data(),
                     static_cast<float*>(nullptr), static_cast<float*>(nullptr), result.sums, ImageDriver::rows),
               std::runtime_error);
}

#if defined(PTL_CUDA)

template <class T>
Toned<T> toned_on_gpu(const ToneCase<T>& tone) {
  const GpuArray<T> radiance(tone.radiance), grad_output(tone.grad_output);
  const GpuArray<T> image(std::vector<T>(tone.radiance.size(), T(77))), grad(std::vector<T>(tone.radiance.size(), T(77)));
  Toned<T> result;
  toned(gpu(), tone, radiance.data(), grad_output.data(), image.data(), grad.data(), result.sums, ImageDriver::automatic);
  result.image = image.read();
  result.grad_radiance = grad.read();
  return result;
}

/// exp2 differs by up to 2 units in the last place between the CPU and the GPU, and with it the value that the response
/// is read at. The image is continuous in it. The gradients jump where the value is one of the response's samples: values
/// whose gradient changes when the exposure changes by 1e-5 are not compared one by one, and may shift a sum by what one
/// such value adds.
template <class T>
void expect_near_cpu(const ToneCase<T>& tone, double tolerance, double sum_tolerance) {
  const Toned<T> cpu = toned_on_cpu(tone, ImageDriver::automatic), on_gpu = toned_on_gpu(tone);
  ToneCase<T> darker = tone, brighter = tone;
  darker.params.exposure_ev += T(1e-5);
  brighter.params.exposure_ev -= T(1e-5);
  const std::vector<T> dark = toned_on_cpu(darker, ImageDriver::automatic).grad_radiance;
  const std::vector<T> bright = toned_on_cpu(brighter, ImageDriver::automatic).grad_radiance;
  size_t jumps = 0;
  for (size_t i = 0; i < cpu.image.size(); ++i) {
    ASSERT_NEAR(cpu.image[i], on_gpu.image[i], tolerance) << i;
    const bool jump = std::abs(dark[i] - bright[i]) > T(1e-3) * std::abs(cpu.grad_radiance[i]);
    jumps += jump;
    if (jump) continue;
    ASSERT_NEAR(cpu.grad_radiance[i], on_gpu.grad_radiance[i], 10 * tolerance) << i;
  }
  EXPECT_LE(jumps, 1 + cpu.image.size() / 500);
  for (size_t i = 0; i < component_count; ++i)
    EXPECT_NEAR(cpu.sums[i], on_gpu.sums[i], sum_tolerance * cpu.largest_sum()) << i;
}

#endif

TEST(GpuToneMap, NearTheCpu) {
  PTL_SKIP_WITHOUT_GPU();
#if defined(PTL_CUDA)
  // Gradients are at most 1.2 · 5.7 (the response's steepest slope) times those of the output.
  for_all_images<float>([](const ToneCase<float>& tone) { expect_near_cpu(tone, 1e-6, 1e-4); });
  for_all_images<double>([](const ToneCase<double>& tone) { expect_near_cpu(tone, 1e-14, 1e-11); });
#endif
}

TEST(GpuToneMap, TwoRunsGiveTheSameBits) {
  PTL_SKIP_WITHOUT_GPU();
#if defined(PTL_CUDA)
  const ToneCase<float> tone(300, 400, Channels::planar, ToneMode::training);
  const Toned<float> first = toned_on_gpu(tone);
  for (int run = 0; run < 3; ++run) {
    const Toned<float> again = toned_on_gpu(tone);
    EXPECT_TRUE(first.image == again.image);
    EXPECT_TRUE(first.grad_radiance == again.grad_radiance);
    EXPECT_TRUE(first.sums == again.sums);
  }
#endif
}

}  // namespace
}  // namespace ptl::test
