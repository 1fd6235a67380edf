// Losses: exact cases, finite differences in float64 (and a wrong gradient caught), recorded values of torchvision 0.26
// and lpips 0.1.4 (tests/reference/record_image_values.py), the same bits with any number of threads.
#include "renderer/losses.h"

#include <gtest/gtest.h>
#include <omp.h>
#include <time.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <functional>

#include "datasets/error.h"
#include "kernels/image_loss.h"
#include "renderer/metrics.h"
#include "renderer/safetensors.h"
#include "tests/renderer/image_formula.h"
#include "tests/support/torch_gpu.h"

namespace ptl {
namespace {

using test::formula_image;
using test::formula_mask;
using test::formula_tensor;

std::filesystem::path temporary(const std::string& name) {
  return std::filesystem::path(::testing::TempDir()) / ("ptl_losses_" + name);
}

/// The largest difference between `gradient` and central differences of `loss`, over the largest difference quotient.
double gradient_error(const std::function<double(const torch::Tensor&)>& loss, const torch::Tensor& at,
                      const torch::Tensor& gradient, int64_t stride, double step = 1e-5) {
  double worst = 0, largest = 1e-300;
  const torch::Tensor flat_gradient = gradient.contiguous().view(-1);
  for (int64_t i = 0; i < at.numel(); i += stride) {
    torch::Tensor moved = at.detach().clone().contiguous();
    double* data = moved.mutable_data_ptr<double>();
    const double middle = data[i];
    data[i] = middle + step;
    const double above = loss(moved);
    data[i] = middle - step;
    const double below = loss(moved);
    const double quotient = (above - below) / (2 * step);
    worst = std::max(worst, std::abs(quotient - flat_gradient[i].item<double>()));
    largest = std::max(largest, std::abs(quotient));
  }
  return worst / largest;
}

torch::Tensor gradient_of(const LossConfig& config, const torch::Tensor& at, const torch::Tensor& target,
                          const torch::Tensor& mask) {
  torch::Tensor leaf = at.detach().clone().requires_grad_();
  image_loss(config, leaf, target, mask).total.backward();
  return leaf.grad();
}

TEST(Losses, FiniteDifferences) {
  const LossConfig configs[] = {{0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}, {0, 0.7, 0.4, 0.2}};
  // Soft masks too: the derivative of SSIM carries the mask's factor.
  const torch::Tensor soft = (formula_mask(19, 23) * 0.7 + 0.1).to(torch::kFloat64);
  for (const torch::Tensor& mask : {torch::Tensor(), soft, formula_mask(19, 23).to(torch::kFloat64)})
    for (const LossConfig& config : configs) {
      const torch::Tensor a = formula_image(19, 23, 11).to(torch::kFloat64);
      const torch::Tensor b = formula_image(19, 23, 12).to(torch::kFloat64);
      const auto loss = [&](const torch::Tensor& x) { return image_loss(config, x, b, mask).total.item<double>(); };
      const torch::Tensor gradient = gradient_of(config, a, b, mask);
      EXPECT_LT(gradient_error(loss, a, gradient, 23), 1e-6);
      // The checker itself: one wrong element, or a wrong factor, is seen.
      torch::Tensor wrong = gradient.clone();
      wrong.view(-1)[23 * 20] += 0.01 * gradient.abs().max();
      EXPECT_GT(gradient_error(loss, a, wrong, 23), 1e-3);
      EXPECT_GT(gradient_error(loss, a, gradient * 1.01, 23), 1e-3);
    }
}

TEST(Losses, ByHand) {
  const torch::Tensor a = torch::zeros({1, 3, 2, 2}).requires_grad_();
  torch::Tensor b = torch::zeros({1, 3, 2, 2});
  b[0][0][0][0] = 0.5f;
  b[0][2][1][1] = 1.0f;
  const LossValue value = image_loss({0, 1, 2, 0}, a, b);
  EXPECT_FLOAT_EQ(static_cast<float>(value.l1), 1.5f / 12);
  EXPECT_FLOAT_EQ(static_cast<float>(value.mse), 1.25f / 12);
  EXPECT_FLOAT_EQ(value.total.item<float>(), (1.5f + 2 * 1.25f) / 12);
  EXPECT_EQ(value.ssim, 0);
  (value.total * 2).backward();
  // 2 · (sign + 2 · 2 · difference) / 12; where both are equal the gradient is 0.
  EXPECT_FLOAT_EQ(a.grad()[0][0][0][0].item<float>(), -2 * (1 + 4 * 0.5f) / 12);
  EXPECT_FLOAT_EQ(a.grad()[0][2][1][1].item<float>(), -2 * 5.f / 12);
  EXPECT_EQ(a.grad()[0][1][0][0].item<float>(), 0);

  torch::Tensor mask = torch::zeros({2, 2});
  mask[1][1] = 1.0f;
  EXPECT_FLOAT_EQ(static_cast<float>(image_loss({0, 1, 0, 0}, a, b, mask).l1), 1.f / 3);
  EXPECT_EQ(image_loss({0, 1, 0, 0}, a, b, torch::zeros({2, 2})).l1, 0);
}

TEST(Losses, LayoutsAgree) {
  const torch::Tensor a = formula_image(40, 48, 1), b = formula_image(40, 48, 2), mask = formula_mask(40, 48);
  const LossConfig config{0, 1, 0.5, 0.2};
  const auto run = [&](torch::Tensor prediction, const torch::Tensor& target) {
    prediction = prediction.detach().clone().requires_grad_();
    const LossValue value = image_loss(config, prediction, target, mask);
    value.total.backward();
    torch::Tensor gradient = prediction.grad();
    if (gradient.dim() == 4) gradient = gradient[0].permute({1, 2, 0});
    return std::make_pair(value.total.item<float>(), gradient.contiguous());
  };
  const auto planar = [](const torch::Tensor& x) { return x.permute({2, 0, 1}).unsqueeze(0); };
  const auto first = run(a, b);
  for (const auto& other : {run(planar(a).contiguous(), planar(b).contiguous()), run(planar(a), planar(b).contiguous()),
                            run(planar(a).contiguous(at::MemoryFormat::ChannelsLast), planar(b))}) {
    EXPECT_NEAR(first.first, other.first, 1e-6);
    EXPECT_TRUE(torch::allclose(first.second, other.second, 1e-5, 1e-9));
  }
  // SSIM of the loss is that of the reports.
  const torch::Tensor ca = a.clamp(0, 1), cb = b.clamp(0, 1);
  EXPECT_NEAR(image_loss({0, 0, 0, 1}, ca, cb).ssim, ssim(ca, cb), 2e-6);
}

TEST(Losses, SameBitsWithAnyNumberOfThreads) {
  const torch::Tensor b = formula_image(67, 131, 2), mask = formula_mask(67, 131);
  const int before = omp_get_max_threads();
  torch::Tensor value, gradient;
  for (const int threads : {1, 2, 3, 5}) {
    omp_set_num_threads(threads);
    torch::Tensor a = formula_image(67, 131, 1).requires_grad_();
    const torch::Tensor total = image_loss({0, 1, 1, 0.2}, a, b, mask).total;
    total.backward();
    if (value.defined()) {
      EXPECT_TRUE(torch::equal(total, value));
      EXPECT_TRUE(torch::equal(a.grad(), gradient));
    }
    value = total.detach();
    gradient = a.grad();
  }
  omp_set_num_threads(before);
}

// Every operation rounds alike on a GPU and is done in the same order, up to the factor 1 from above.
TEST(Losses, OnAGpuTheBitsOfTheCpu) {
  PTL_SKIP_WITHOUT_TORCH_GPU();
  const auto planar = [](const torch::Tensor& x) { return x.permute({2, 0, 1}).unsqueeze(0); };
  for (const torch::ScalarType type : {torch::kFloat32, torch::kFloat64})
    for (const bool interleaved : {false, true})
      for (const torch::Tensor& mask : {torch::Tensor(), formula_mask(67, 131).to(type)}) {
        torch::Tensor a = formula_image(67, 131, 1).to(type), b = formula_image(67, 131, 2).to(type);
        if (!interleaved) {
          a = planar(a).contiguous();
          b = planar(b);
        }
        const auto run = [&](torch::Device device) {
          torch::Tensor leaf = a.detach().to(device, type, /*non_blocking=*/false, /*copy=*/true).requires_grad_();
          const LossValue value =
              image_loss({0, 1, 0.5, 0.2}, leaf, b.to(device), mask.defined() ? mask.to(device) : mask);
          EXPECT_EQ(value.total.device().type(), device.type());
          value.total.backward();
          EXPECT_EQ(leaf.grad().device().type(), device.type());
          return std::make_tuple(value, leaf.grad().cpu());
        };
        const auto [cpu, cpu_grad] = run(torch::kCPU);
        const auto [gpu, gpu_grad] = run(torch::kCUDA);
        EXPECT_EQ(cpu.l1, gpu.l1);
        EXPECT_EQ(cpu.mse, gpu.mse);
        EXPECT_EQ(cpu.ssim, gpu.ssim);
        EXPECT_TRUE(torch::equal(cpu.total, gpu.total.cpu()));
        EXPECT_TRUE(torch::equal(cpu_grad, gpu_grad));
      }
  torch::Tensor values = formula_image(67, 131, 3).to(torch::kCUDA).requires_grad_();
  const torch::Tensor sum = tree_sum(values);
  sum.backward();
  EXPECT_TRUE(torch::equal(sum.cpu(), tree_sum(formula_image(67, 131, 3))));
  EXPECT_TRUE(torch::equal(values.grad().cpu(), torch::ones({67, 131, 3})));
}

TEST(Losses, TensorsOnTwoDevicesAreRefused) {
  PTL_SKIP_WITHOUT_TORCH_GPU();
  const torch::Tensor a = torch::zeros({16, 16, 3}), mask = torch::ones({16, 16});
  EXPECT_THROW(image_loss({}, a.cuda(), a), c10::Error);
  EXPECT_THROW(image_loss({}, a, a.cuda()), c10::Error);
  EXPECT_THROW(image_loss({}, a.cuda(), a.cuda(), mask), c10::Error);
}

TEST(Losses, TreeSum) {
  torch::Tensor x = torch::arange(1, 1001, torch::kFloat64).view({10, 100}).requires_grad_();
  const torch::Tensor sum = tree_sum(x);
  EXPECT_EQ(sum.item<double>(), 500500);
  (3 * sum).backward();
  EXPECT_TRUE(torch::equal(x.grad(), torch::full({10, 100}, 3.0, torch::kFloat64)));
  EXPECT_EQ(tree_sum(torch::empty({0})).item<float>(), 0);
  EXPECT_EQ(tree_sum(x.detach().t()).item<double>(), 500500);
  // Float values are added in double.
  EXPECT_EQ(tree_sum(torch::cat({torch::full({1}, 16777216.f), torch::ones({100})})).item<float>(), 16777316.f);
}

TEST(Losses, WrongInputIsRefused) {
  const torch::Tensor a = torch::zeros({16, 16, 3});
  EXPECT_THROW(image_loss({}, a, torch::zeros({16, 17, 3})), c10::Error);
  EXPECT_THROW(image_loss({}, a, a.to(torch::kFloat64)), c10::Error);
  EXPECT_THROW(image_loss({}, torch::zeros({3, 16, 16}), torch::zeros({3, 16, 16})), c10::Error);
  EXPECT_THROW(image_loss({}, torch::zeros({10, 16, 3}), torch::zeros({10, 16, 3})), c10::Error);
  EXPECT_THROW(image_loss({}, a, a, torch::ones({16, 15})), c10::Error);
  EXPECT_THROW(image_loss({57, 1, 0, 0}, a, a), c10::Error);  // no weights
  EXPECT_THROW((LossConfig{0, 0, 0, 0}.check()), InputError);
  EXPECT_THROW((LossConfig{0, -1, 0, 1}.check()), InputError);
}

TEST(Losses, DefaultSaysSo) {
  const LossConfig plain = default_loss(false), perceptual = default_loss(true);
  EXPECT_EQ(plain.w_vgg, 0);
  EXPECT_EQ(plain.w_l1, 1);
  EXPECT_EQ(plain.w_ssim, 0.2);
  EXPECT_EQ(perceptual.w_vgg, 57);
  const std::string text = loss_description(plain, false);
  EXPECT_NE(text.find("1 L1 + 0.2 (1 - SSIM)"), std::string::npos) << text;
  EXPECT_NE(text.find("no VGG19 weights"), std::string::npos) << text;
  EXPECT_EQ(loss_description(perceptual, true), "loss: 57 VGG19 + 1 L1");
}

/// A convolution as the reference script fills it.
void add_convolution(NamedTensors& out, int number, int64_t outputs, int64_t inputs, int64_t kernel) {
  const std::string name = "features." + std::to_string(number);
  const double bound = std::sqrt(6.0 / static_cast<double>(inputs * kernel * kernel));
  // (2 u − 1) · bound = (u − ½) · 2 bound: doubling is exact, so the bits agree.
  const auto seed = static_cast<uint64_t>(number);
  out.emplace_back(name + ".weight", formula_tensor({outputs, inputs, kernel, kernel}, 7 + seed, 2 * bound, -0.5));
  out.emplace_back(name + ".bias", formula_tensor({outputs}, 1007 + seed, 0.1, -0.5));
}

TEST(Losses, Vgg19AgreesWithTorchvision) {
  NamedTensors weights;
  const std::array<int, 13> numbers = {0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28};
  const std::array<int64_t, 13> outputs = {64, 64, 128, 128, 256, 256, 256, 256, 512, 512, 512, 512, 512};
  for (size_t i = 0; i < 13; ++i) add_convolution(weights, numbers[i], outputs[i], i ? outputs[i - 1] : 3, 3);
  const auto path = temporary("vgg19.safetensors");
  write_safetensors(path, weights);
  const auto vgg = std::make_shared<const Vgg19Loss>(path);
  std::filesystem::remove(path);

  const auto planar = [](const torch::Tensor& x) { return x.permute({2, 0, 1}).unsqueeze(0).contiguous(); };
  torch::Tensor a = planar(formula_image(64, 80, 5)).requires_grad_();
  const torch::Tensor b = planar(formula_image(64, 80, 6));
  const torch::Tensor value = (*vgg)(a, b);
  EXPECT_NEAR(value.item<double>(), 0.8300621756616071, 1e-5);
  value.backward();
  EXPECT_NEAR(a.grad().to(torch::kFloat64).square().sum().sqrt().item<double>(), 0.12177701656405344, 1e-4);

  // Within the loss, with a mask: both images are multiplied by it.
  const torch::Tensor mask = formula_mask(64, 80);
  const LossValue masked = image_loss({57, 1, 0, 0}, a, b, mask, vgg);
  EXPECT_NEAR(masked.vgg, (*vgg)(a * mask, b * mask).item<double>(), 1e-6);
  EXPECT_NEAR(masked.total.item<double>(), 57 * masked.vgg + masked.l1, 1e-4);
  EXPECT_EQ((*vgg)(b, b).item<float>(), 0);

  // On a GPU to single precision: its convolutions add in another order.
  if (test::why_no_torch_gpu().empty()) {
    write_safetensors(path, weights);
    const auto on_gpu = std::make_shared<const Vgg19Loss>(path, torch::kCUDA);
    std::filesystem::remove(path);
    EXPECT_NEAR((*on_gpu)(a.detach().cuda(), b.cuda()).item<double>(), value.item<double>(), 1e-5);
    EXPECT_NEAR(image_loss({57, 1, 0, 0}, a.detach().cuda(), b.cuda(), mask.cuda(), on_gpu).vgg, masked.vgg, 1e-5);
  }

  // float64 and finite differences, in a small image.
  torch::Tensor small = planar(formula_image(16, 16, 8)).to(torch::kFloat64).requires_grad_();
  const torch::Tensor truth = planar(formula_image(16, 16, 9)).to(torch::kFloat64);
  (*vgg)(small, truth).backward();
  const auto loss = [&](const torch::Tensor& x) { return (*vgg)(x, truth).item<double>(); };
  EXPECT_LT(gradient_error(loss, small, small.grad(), 197, 1e-7), 1e-4);
}

TEST(Losses, LpipsAgreesWithThePackage) {
  const torch::Tensor a = formula_image(64, 80, 5), b = formula_image(64, 80, 6);
  const auto add_heads = [](NamedTensors& out, const std::array<int64_t, 5>& channels) {
    for (size_t i = 0; i < 5; ++i)
      out.emplace_back("lin" + std::to_string(i) + ".model.1.weight",
                       formula_tensor({1, channels[i], 1, 1}, 500 + i, 1.0, 0.0));
  };
  const auto path = temporary("lpips.safetensors");
  {
    NamedTensors alex;
    add_convolution(alex, 0, 64, 3, 11);
    add_convolution(alex, 3, 192, 64, 5);
    add_convolution(alex, 6, 384, 192, 3);
    add_convolution(alex, 8, 256, 384, 3);
    add_convolution(alex, 10, 256, 256, 3);
    add_heads(alex, {64, 192, 384, 256, 256});
    write_safetensors(path, alex);
    const Lpips lpips(path);
    EXPECT_EQ(lpips.name(), "LPIPS-Alex");
    EXPECT_NEAR(lpips(a, b), 0.10743267089128494, 1e-5);
    EXPECT_EQ(lpips(a, a), 0);
    alex.pop_back();
    write_safetensors(path, alex);
    try {
      Lpips without_head(path);
      FAIL() << "a file without a head was accepted";
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find("lin4.model.1.weight"), std::string::npos) << error.what();
    }
  }
  NamedTensors vgg;
  const std::array<int, 13> numbers = {0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28};
  const std::array<int64_t, 13> outputs = {64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512};
  for (size_t i = 0; i < 13; ++i) add_convolution(vgg, numbers[i], outputs[i], i ? outputs[i - 1] : 3, 3);
  add_heads(vgg, {64, 128, 256, 512, 512});
  write_safetensors(path, vgg);
  const Lpips lpips(path);
  std::filesystem::remove(path);
  EXPECT_EQ(lpips.name(), "LPIPS-VGG");
  EXPECT_NEAR(lpips(a, b), 0.09192204475402832, 1e-5);
}

TEST(Losses, LpipsTextIsNeverAMadeUpNumber) {
  EXPECT_EQ(lpips_text(std::nullopt), "n/a");
  EXPECT_EQ(lpips_text(0.12349), "0.123");
}

TEST(Losses, SsimIsFast) {
  // One thread's processor time, so that a busy machine does not fail it.
  const auto now_ms = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
  };
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const torch::Tensor b = formula_image(256, 256, 2);
  double best_ms = 1e9;
  for (int i = 0; i < 7; ++i) {
    torch::Tensor a = formula_image(256, 256, 1).requires_grad_();
    const double start_ms = now_ms();
    image_loss({0, 1, 0, 0.2}, a, b).total.backward();
    best_ms = std::min(best_ms, now_ms() - start_ms);
  }
  omp_set_num_threads(before);
  std::printf("L1 + SSIM forward and backward, 256 x 256, one thread: %.2f ms\n", best_ms);
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__)
  EXPECT_LT(best_ms, 20);
#endif
}

}  // namespace
}  // namespace ptl
