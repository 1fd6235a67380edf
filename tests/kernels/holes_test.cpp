#include "kernels/holes.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <stdexcept>
#include <vector>

#include "tests/kernels/environment_case.h"
#include "tests/support/gpu.h"

namespace ptl {
namespace {

using test::cpu;
using test::same_bits;
using test::values;

std::vector<PyramidLayer> pyramid(int width_px, int height_px, int layers) {
  std::vector<PyramidLayer> result;
  int64_t first = 0;
  for (int l = 0; l < layers; ++l) {
    result.push_back({width_px >> l, height_px >> l, first});
    first += static_cast<int64_t>(width_px >> l) * (height_px >> l);
  }
  return result;
}

int64_t pixels(const std::vector<PyramidLayer>& layers) {
  return layers.back().first + static_cast<int64_t>(layers.back().width_px) * layers.back().height_px;
}

std::vector<int32_t> random_weight(int64_t count) {
  std::vector<int32_t> weight(static_cast<size_t>(count));
  for (size_t i = 0; i < weight.size(); ++i)
    weight[i] = (i / 50) % 3 ? static_cast<int32_t>(draw_bits(5, DrawPurpose::synthetic, i) % 3) : 0;  // whole empty runs too
  return weight;
}

// A row of four pixels over one of two, all empty but one: the coarser values at ±1/4 pixel, edges repeated.
TEST(Holes, ByHand) {
  const std::vector<PyramidLayer> layers = {{4, 2, 0}, {2, 1, 8}};
  const std::vector<int32_t> weight = {0, 0, 3, 0, 0, 0, 0, 0, 1, 1};
  const std::vector<float> features = {9, 9, 7, 9, 9, 9, 9, 9, 99, 99};
  std::vector<float> output(20, -5.0f);
  output[16] = 4;  // the coarsest layer is there already
  output[18] = 8;
  fill_holes<float>(cpu(), layers, weight.data(), features.data(), 1, true, output.data());
  const std::vector<float> expected = {4, 0, 5, 0, 7, 1, 8, 0, 4, 0, 5, 0, 7, 0, 8, 0, 4, -5, 8, -5};
  EXPECT_EQ(output, expected);

  // The same shares, the other way round: pixel 2 of the first row is covered and hands nothing on.
  const std::vector<float> grad = {1, 0, 10, 0, 100, 0, 1000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.5f, 0, 0.25f, 0};
  std::vector<float> grad_features(10, 77), grad_coarsest(2, 77);
  fill_holes_backward<float>(cpu(), layers, weight.data(), grad.data(), 1, true, grad_features.data(), grad_coarsest.data());
  EXPECT_EQ(grad_features, (std::vector<float>{0, 0, 100, 0, 0, 0, 0, 0, 77, 77}));
  EXPECT_EQ(grad_coarsest, (std::vector<float>{0.5f + 1 + 7.5f, 0.25f + 2.5f + 1000}));
}

TEST(Holes, HolesOfSeveralLayersShowTheFirstCoveredOne) {
  const auto layers = pyramid(16, 8, 4);
  std::vector<int32_t> weight(static_cast<size_t>(pixels(layers)), 0);
  std::vector<double> features(weight.size(), 0.0), output(weight.size(), 0.0);
  for (int64_t i = layers[2].first; i < layers[3].first; ++i) {
    weight[static_cast<size_t>(i)] = 1;
    features[static_cast<size_t>(i)] = 6;
  }
  fill_holes<double>(cpu(), layers, weight.data(), features.data(), 1, false, output.data());
  for (int64_t i = 0; i < layers[3].first; ++i) ASSERT_DOUBLE_EQ(output[static_cast<size_t>(i)], 6) << i;
}

/// Output as a function of features and of the coarsest layer's filled values.
std::vector<double> filled(const std::vector<PyramidLayer>& layers, const std::vector<int32_t>& weight,
                           const std::vector<double>& features, const std::vector<double>& coarsest, int channels,
                           bool coverage) {
  const size_t stride = static_cast<size_t>(channels + coverage);
  std::vector<double> output(static_cast<size_t>(pixels(layers)) * stride, 0.0);
  const size_t first = static_cast<size_t>(layers.back().first);
  for (size_t i = 0; i < coarsest.size() / static_cast<size_t>(channels); ++i)
    for (size_t c = 0; c < static_cast<size_t>(channels); ++c)
      output[(first + i) * stride + c] = coarsest[i * static_cast<size_t>(channels) + c];
  fill_holes<double>(cpu(), layers, weight.data(), features.data(), channels, coverage, output.data());
  return output;
}

TEST(Holes, BackwardAgainstDifferences) {
  constexpr int channels = 2;
  for (const int count : {1, 2, 4})
    for (const bool coverage : {false, true}) {
      SCOPED_TRACE(std::to_string(count) + " layers");
      const auto layers = pyramid(16, 24, count);
      const auto weight = random_weight(pixels(layers));
      const size_t first = static_cast<size_t>(layers.back().first);
      std::vector<double> features = values<double>(weight.size() * channels, 1);
      std::vector<double> coarsest = values<double>((weight.size() - first) * channels, 2);
      const auto grad = values<double>(weight.size() * (channels + coverage), 3);
      std::vector<double> grad_features(features.size(), 0.0), grad_coarsest(coarsest.size(), 77);
      fill_holes_backward<double>(cpu(), layers, weight.data(), grad.data(), channels, coverage, grad_features.data(),
                                  grad_coarsest.data());
      const auto expect_differences = [&](std::vector<double>& at, const std::vector<double>& found) {
        for (size_t i = 0; i < at.size(); ++i) {
          const double keep = at[i];
          at[i] = keep + 0.5;  // linear: any step is exact
          const auto plus = filled(layers, weight, features, coarsest, channels, coverage);
          at[i] = keep - 0.5;
          const auto minus = filled(layers, weight, features, coarsest, channels, coverage);
          at[i] = keep;
          double expected = 0;
          for (size_t k = 0; k < plus.size(); ++k) expected += (plus[k] - minus[k]) * grad[k];
          ASSERT_NEAR(found[i], expected, 1e-12) << i;
        }
      };
      expect_differences(features, grad_features);
      expect_differences(coarsest, grad_coarsest);
    }
}

// What an empty pixel hands on as well is what it would keep, were it covered.
TEST(Holes, TheGradientOfWhatIsDisplayed) {
  constexpr int channels = 2;
  for (const int count : {1, 3}) {
    const auto layers = pyramid(16, 24, count);
    const auto weight = random_weight(pixels(layers));
    const auto grad = values<double>(weight.size() * (channels + 1), 3);
    std::vector<double> displayed(weight.size() * channels, 77);
    displayed_gradient<double>(cpu(), layers, weight.data(), grad.data(), channels, true, displayed.data());
    const size_t coarsest = static_cast<size_t>(layers.back().first);
    for (size_t pixel = 0; pixel < weight.size(); ++pixel) {
      auto covered = weight;
      covered[pixel] = 1;
      std::vector<double> grad_features(displayed.size(), 0.0), grad_coarsest((weight.size() - coarsest) * channels, 0.0);
      fill_holes_backward<double>(cpu(), layers, covered.data(), grad.data(), channels, true, grad_features.data(),
                                  grad_coarsest.data());
      for (size_t c = 0; c < channels; ++c)
        ASSERT_DOUBLE_EQ(displayed[pixel * channels + c],
                         pixel < coarsest ? grad_features[pixel * channels + c] : grad_coarsest[(pixel - coarsest) * channels + c]);
    }
  }
}

struct Gradients {
  std::vector<float> output, features, coarsest;
};

Gradients run_on_cpu(const std::vector<PyramidLayer>& layers, const std::vector<int32_t>& weight,
                     const std::vector<float>& in, const std::vector<float>& grad) {
  Gradients g{in, std::vector<float>(in.size()),
              std::vector<float>(4 * (weight.size() - static_cast<size_t>(layers.back().first)))};
  fill_holes<float>(cpu(), layers, weight.data(), in.data(), 4, false, g.output.data());
  fill_holes_backward<float>(cpu(), layers, weight.data(), grad.data(), 4, false, g.features.data(), g.coarsest.data());
  return g;
}

TEST(Holes, SameBitsForAnyNumberOfThreads) {
  const auto layers = pyramid(192, 128, 6);
  const auto weight = random_weight(pixels(layers));
  const auto in = values<float>(weight.size() * 4, 1), grad = values<float>(weight.size() * 4, 2);
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const Gradients expected = run_on_cpu(layers, weight, in, grad);
  for (const int threads : {2, 3, 7}) {
    omp_set_num_threads(threads);
    const Gradients found = run_on_cpu(layers, weight, in, grad);
    EXPECT_TRUE(same_bits(found.output, expected.output) && same_bits(found.features, expected.features) &&
                same_bits(found.coarsest, expected.coarsest))
        << threads;
  }
  omp_set_num_threads(before);
}

TEST(Holes, OnAGpuTheSameBits) {
  PTL_SKIP_WITHOUT_GPU();
#if defined(PTL_CUDA)
  const auto layers = pyramid(192, 128, 6);
  const auto weight = random_weight(pixels(layers));
  const auto in = values<float>(weight.size() * 4, 1), grad = values<float>(weight.size() * 4, 2);
  const Gradients expected = run_on_cpu(layers, weight, in, grad);
  const test::GpuArray<int32_t> gpu_weight(weight);
  const test::GpuArray<float> gpu_in(in), gpu_grad(grad), output(in), features(std::vector<float>(in.size())),
      coarsest(static_cast<int64_t>(expected.coarsest.size()));
  fill_holes<float>(test::gpu(), layers, gpu_weight.data(), gpu_in.data(), 4, false, output.data());
  fill_holes_backward<float>(test::gpu(), layers, gpu_weight.data(), gpu_grad.data(), 4, false, features.data(),
                             coarsest.data());
  EXPECT_TRUE(same_bits(output.read(), expected.output));
  EXPECT_TRUE(same_bits(features.read(), expected.features));
  EXPECT_TRUE(same_bits(coarsest.read(), expected.coarsest));
#endif
}

TEST(Holes, LayersThatAreNotHalvesAreRefused) {
  const std::vector<int32_t> weight(100, 1);
  std::vector<float> memory(100);
  for (const auto& layers : {std::vector<PyramidLayer>{}, std::vector<PyramidLayer>{{7, 4, 0}, {3, 2, 28}},
                             std::vector<PyramidLayer>{{8, 5, 0}, {4, 2, 40}}})
    EXPECT_THROW(fill_holes<float>(cpu(), layers, weight.data(), memory.data(), 1, false, memory.data()),
                 std::invalid_argument);
}

}  // namespace
}  // namespace ptl
