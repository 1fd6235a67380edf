#include "renderer/tone_mapper.h"

#include <gtest/gtest.h>

#include <omp.h>

#include "tests/support/gradcheck.h"
#include "tests/support/torch_gpu.h"

namespace ptl {
namespace {

using testing::gradcheck;
using testing::test_values;

ToneFrame some_frame() { return {40, 30, {1.25f, 4.0f, -2.0f, 9, 7}}; }

std::vector<torch::Tensor> some_inputs() {
  ToneParams<double> initial;
  set_initial_response(initial.response);
  const auto curve = torch::from_blob(&initial.response[0][0], {3, response_samples}, torch::kDouble).clone();
  return {test_values({3, 7, 9}, 1, -0.3, 2.5), test_values({1}, 2), test_values({2}, 3, 0.8, 1.2),
          test_values({5}, 4, -0.1, 0.1), curve};
}

torch::Tensor map_tones(const std::vector<torch::Tensor>& in, ToneMode mode, double log_stops = 0) {
  return tone_map(in[0], in[1], in[2], in[3], in[4], some_frame(), mode, log_stops);
}

TEST(ToneMapper, GradientsAgainstFiniteDifferences) {
  for (const ToneMode mode : {ToneMode::training, ToneMode::evaluation})
    for (const double log_stops : {0.0, 11.0})
      EXPECT_TRUE(gradcheck([&](const auto& in) { return map_tones(in, mode, log_stops); }, some_inputs(), {1e-7, 1e-5, 1e-6}));
  EXPECT_TRUE(gradcheck([](const auto& in) { return response_smoothness(in[0]); }, {some_inputs()[4]}));
}

// Exact forward, gradient off by 1 %.
struct WrongFunction : torch::autograd::Function<WrongFunction> {
  static torch::Tensor forward(torch::autograd::AutogradContext*, const torch::Tensor& x) { return x * 3; }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*,
                                                 torch::autograd::variable_list grads) {
    return {grads[0] * 3.03};
  }
};

TEST(Gradcheck, CatchesAWrongGradient) {
  EXPECT_TRUE(gradcheck([](const auto& in) { return in[0] * 3; }, {test_values({4}, 1)}));
  EXPECT_FALSE(gradcheck([](const auto& in) { return WrongFunction::apply(in[0]); }, {test_values({4}, 1)}));
  EXPECT_FALSE(gradcheck([](const auto& in) { return in[0].detach() * 3 + in[0] * 0; }, {test_values({4}, 1)}));
}

TEST(ToneMapper, AnyLayoutGivesTheSame) {
  auto in = some_inputs();
  const auto planar = map_tones(in, ToneMode::training);
  in[0] = in[0].permute({1, 2, 0}).contiguous().permute({2, 0, 1});
  const auto interleaved = map_tones(in, ToneMode::training);
  EXPECT_TRUE(torch::equal(planar, interleaved));
  EXPECT_EQ(interleaved.stride(0), 1);
  in[0] = torch::ones({3, 1, 1}, torch::kDouble).expand({3, 7, 9});
  EXPECT_EQ(map_tones(in, ToneMode::training).size(2), 9);
}

// The crop of a photo's result is the result of the photo's crop: the vignette is the photo's.
TEST(ToneMapper, CropsKeepTheVignette) {
  const auto in = some_inputs();
  const auto photo = test_values({3, 30, 40}, 9, 0, 1);
  const auto whole = tone_map(photo, in[1], in[2], in[3], in[4], {40, 30, {1, 0, 0, 40, 30}}, ToneMode::training);
  using torch::indexing::Slice;
  const auto part = photo.index({Slice(), Slice(5, 12), Slice(8, 17)});
  const auto cropped = tone_map(part, in[1], in[2], in[3], in[4], {40, 30, {1, 8, 5, 9, 7}}, ToneMode::training);
  EXPECT_TRUE(torch::allclose(cropped, whole.index({Slice(), Slice(5, 12), Slice(8, 17)}), 1e-13, 1e-13));
}

TEST(ToneMapper, SameBitsForAnyNumberOfThreads) {
  const int before = omp_get_max_threads();
  std::vector<torch::Tensor> first;
  for (const int threads : {1, 2, 5}) {
    omp_set_num_threads(threads);
    std::vector<torch::Tensor> leaves;
    for (const auto& t : some_inputs()) leaves.push_back(t.to(torch::kFloat).requires_grad_(true));
    leaves[0] = test_values({3, 90, 70}, 1, -0.3, 2.5).to(torch::kFloat).requires_grad_(true);
    const ToneFrame frame{100, 95, {1.0f, 4.0f, 3.0f, 70, 90}};
    tone_map(leaves[0], leaves[1], leaves[2], leaves[3], leaves[4], frame, ToneMode::training).sum().backward();
    for (size_t i = 0; i < leaves.size(); ++i) {
      if (first.size() < leaves.size()) first.push_back(leaves[i].grad());
      EXPECT_TRUE(torch::equal(first[i], leaves[i].grad())) << i;
    }
  }
  omp_set_num_threads(before);
}

// Radiance on the GPU, parameters and their gradients on the CPU. exp2 differs in the last bits, see
// tests/kernels/tone_map_test.cpp.
TEST(ToneMapper, OnAGpuAsOnTheCpu) {
  PTL_SKIP_WITHOUT_TORCH_GPU();
  const auto run = [](torch::Device device, bool interleaved) {
    std::vector<torch::Tensor> leaves = some_inputs();
    if (interleaved) leaves[0] = leaves[0].permute({1, 2, 0}).contiguous().permute({2, 0, 1});
    leaves[0] = leaves[0].to(device);
    for (torch::Tensor& leaf : leaves) leaf.requires_grad_(true);
    const torch::Tensor image = map_tones(leaves, ToneMode::training);
    EXPECT_EQ(image.device().type(), device.type());
    (image * test_values({3, 7, 9}, 5).to(device)).sum().backward();
    std::vector<torch::Tensor> results = {image.detach().cpu(), leaves[0].grad().cpu()};
    for (size_t i = 1; i < leaves.size(); ++i) {
      EXPECT_TRUE(leaves[i].grad().is_cpu());
      results.push_back(leaves[i].grad());
    }
    return results;
  };
  for (const bool interleaved : {false, true}) {
    const auto cpu = run(torch::kCPU, interleaved), gpu = run(torch::kCUDA, interleaved);
    for (size_t i = 0; i < cpu.size(); ++i) EXPECT_TRUE(torch::allclose(cpu[i], gpu[i], 1e-12, 1e-12)) << i;
  }
  auto in = some_inputs();
  in[1] = in[1].cuda();
  EXPECT_THROW(map_tones(in, ToneMode::training), c10::Error);
}

TEST(ToneMapper, WrongArgumentsAreNamed) {
  auto in = some_inputs();
  in[2] = torch::ones({3}, torch::kDouble);
  try {
    map_tones(in, ToneMode::training);
    FAIL();
  } catch (const c10::Error& error) {
    EXPECT_NE(std::string(error.what()).find("white_balance: expected 2 values"), std::string::npos) << error.what();
  }
}

ToneMapper some_mapper() {
  ToneMapperOptions options;
  options.num_images = 5;
  options.exposure_ev = {0.5, -1.0, 0.25, 1.0, -0.75};
  options.training_images = {1, 2, 3, 4};
  return ToneMapper(options);
}

void disturb(ToneMapper& mapper) {
  torch::NoGradGuard no_grad;
  mapper->exposure_ev.mul_(1.3).add_(torch::tensor({0.2f, 0.1f, -0.05f, 0.3f, 0.4f}));
  mapper->white_balance.mul_(1.1);
  mapper->white_balance.slice(0, 1, 3).mul_(2);
  mapper->response.mul_(0.9);
}

TEST(ToneMapper, GaugeMeanSlopeAndWhiteBalance) {
  ToneMapper mapper = some_mapper();
  disturb(mapper);
  mapper->fix_gauge(ExponentGauge::exposure_slope);
  const double initial[] = {-1.0, 0.25, 1.0, -0.75};
  double mean = 0, product = 0, square = 0;
  for (int i = 0; i < 4; ++i) mean += mapper->exposure_ev[i + 1].item<double>() / 4;
  EXPECT_NEAR(mean, -0.125, 1e-6);
  for (int i = 0; i < 4; ++i) {
    product += (mapper->exposure_ev[i + 1].item<double>() - mean) * (initial[i] + 0.125);
    square += (initial[i] + 0.125) * (initial[i] + 0.125);
  }
  EXPECT_NEAR(product / square, 1, 1e-6);
  EXPECT_NEAR(mapper->exposure_ev[0].item<double>(), 0.5 * 1.3 + 0.2, 1e-6);  // held out: not the gauge's
  // Two of the four training images were 2.2, two 1.1: no common tint is left, their ratio is.
  EXPECT_NEAR(mapper->white_balance[1][0].item<double>(), std::sqrt(2.0), 1e-6);
  EXPECT_NEAR(mapper->white_balance[3][0].item<double>(), std::sqrt(0.5), 1e-6);
  EXPECT_NEAR(mapper->white_balance[0][0].item<float>(), 1.1f, 1e-6f);
  EXPECT_NEAR(mapper->response[0][0][24].item<float>(), 0.9f, 1e-6f);         // the other gauge's
}

TEST(ToneMapper, GaugeResponseMiddle) {
  ToneMapper mapper = some_mapper();
  disturb(mapper);
  mapper->fix_gauge(ExponentGauge::response_middle);
  for (int c = 0; c < 3; ++c) {
    EXPECT_FLOAT_EQ(mapper->response[0][c][12].item<float>(), std::pow(0.5f, 1 / 2.2f));
    EXPECT_NEAR(mapper->response[0][c][24].item<float>(), 0.9f, 1e-6f);
  }
  ToneMapperOptions same;
  same.num_images = 2;
  same.training_images = {0, 1};
  ToneMapper without(same);
  EXPECT_FALSE(without->exposures_vary());
  EXPECT_THROW(without->fix_gauge(ExponentGauge::exposure_slope), c10::Error);
}

TEST(ToneMapper, FittingIsNotUndoneByTheGauge) {
  ToneMapper mapper = some_mapper();
  {
    torch::NoGradGuard no_grad;  // one camera's exposure off, without mean or slope: stays
    mapper->exposure_ev.copy_(torch::tensor({0.5f, -1.0f, 0.25f, 1.0f, -0.75f}));
  }
  const auto before = mapper->exposure_ev.detach().clone();
  mapper->fix_gauge(ExponentGauge::exposure_slope);
  EXPECT_TRUE(torch::allclose(before, mapper->exposure_ev, 0, 1e-7));
}

}  // namespace
}  // namespace ptl
