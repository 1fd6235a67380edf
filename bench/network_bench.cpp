// One training step of each network (forward, L1, backward) with our kernels and with LibTorch's operators alone, in
// turns within one run, on the same weights and pyramid. Prints JSON, and fails where gradients differ by over 1e-4.
// Gradients are compared for one fixed gradient of the image (that of L1 jumps where a pixel meets its target), with
// LibTorch's in float64 as the judge of both.
// Usage: network_bench [rounds = 15] [size = 256] [channels = 8] [threads = 2]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include <omp.h>
#include <torch/torch.h>

#include "renderer/device_setup.h"
#include "renderer/network.h"

namespace {

using Clock = std::chrono::steady_clock;
using torch::Tensor;

struct Times {
  std::vector<double> forward_ms;
  std::vector<double> backward_ms;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double since_ms(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

using Forward = std::function<Tensor(const std::vector<Tensor>&)>;

std::vector<Tensor> step(const Forward& forward, const std::vector<Tensor>& pyramid, const std::vector<Tensor>& leaves,
                         const Tensor& target, Times& times) {
  const auto start = Clock::now();
  const Tensor loss = torch::l1_loss(forward(pyramid), target);
  times.forward_ms.push_back(since_ms(start));
  const auto middle = Clock::now();
  auto gradients = torch::autograd::grad({loss}, leaves);
  times.backward_ms.push_back(since_ms(middle));
  return gradients;
}

struct Workload {
  const char* name;
  ptl::NetworkKind kind;
  int levels;
};

/// Largest difference of a gradient, relative to the largest element of its tensor.
struct Differences {
  double to_libtorch = 0;
  double ours_to_float64 = 0;
  double libtorch_to_float64 = 0;
};

double difference(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const Tensor x = a[i].to(torch::kFloat64);
    const Tensor y = b[i].to(torch::kFloat64);
    largest = std::max(largest, ((x - y).abs().max() / y.abs().max().clamp_min(1e-20)).item<double>());
  }
  return largest;
}

Differences compare_gradients(const ptl::NetworkConfig& config, const std::vector<Tensor>& pyramid,
                              const std::vector<Tensor>& leaves, const Tensor& target) {
  const auto gradients = [&](const Tensor& image, const std::vector<Tensor>& of) {
    return torch::autograd::grad({image}, of, {((target - 0.5).sign() / target.numel()).to(image.scalar_type())});
  };
  const ptl::NeuralRenderer network(config, 1);
  ptl::NeuralRenderer exact(config, 1);
  exact.to(torch::kCPU, torch::kFloat64);
  std::vector<Tensor> exact_pyramid;
  for (const Tensor& x : pyramid) exact_pyramid.push_back(x.detach().to(torch::kFloat64).requires_grad_(true));
  const auto all = [](const ptl::NeuralRenderer& of, std::vector<Tensor> tensors) {
    for (const auto& [name, tensor] : of.named_parameters()) tensors.push_back(tensor);
    return tensors;
  };
  if (all(network, pyramid).size() != leaves.size()) std::abort();
  const auto ours = gradients(network.forward(pyramid), all(network, pyramid));
  const auto plain = gradients(network.forward_libtorch(pyramid), all(network, pyramid));
  const auto truth = gradients(exact.forward(exact_pyramid), all(exact, exact_pyramid));
  return {difference(ours, plain), difference(ours, truth), difference(plain, truth)};
}

bool measure(const Workload& workload, int rounds, int size, int channels, bool last) {
  ptl::NetworkConfig config;
  config.kind = workload.kind;
  config.levels = workload.levels;
  config.in_channels = channels;
  const ptl::NeuralRenderer network(config, 1);
  torch::manual_seed(1);
  std::vector<Tensor> pyramid;
  for (int i = 0; i < config.levels; ++i) {
    pyramid.push_back(torch::rand({1, channels, size >> i, size >> i})
                          .contiguous(torch::MemoryFormat::ChannelsLast)
                          .requires_grad_(true));
  }
  std::vector<Tensor> leaves = pyramid;
  for (const auto& [name, tensor] : network.named_parameters()) leaves.push_back(tensor);
  const Tensor target = torch::rand({1, 3, size, size}).contiguous(torch::MemoryFormat::ChannelsLast);

  Times ours;
  Times plain;
  const Differences differences = compare_gradients(config, pyramid, leaves, target);
  for (int round = -2; round < rounds; ++round) {  // two rounds of warm-up
    if (round == 0) ours = plain = Times();
    step([&](const auto& p) { return network.forward(p); }, pyramid, leaves, target, ours);
    step([&](const auto& p) { return network.forward_libtorch(p); }, pyramid, leaves, target, plain);
  }
  std::vector<double> ratios;
  std::vector<double> ours_ms;
  std::vector<double> plain_ms;
  for (size_t i = 0; i < ours.forward_ms.size(); ++i) {
    ours_ms.push_back(ours.forward_ms[i] + ours.backward_ms[i]);
    plain_ms.push_back(plain.forward_ms[i] + plain.backward_ms[i]);
    ratios.push_back(plain_ms.back() / ours_ms.back());
  }
  const double flop = 2 * ptl::network_multiplications(config) * size * size;
  std::printf("  {\"network\": \"%s\", \"levels\": %d, \"channels\": %d, \"size\": %d, "
              "\"multiplications_per_pixel\": %.0f,\n"
              "   \"ours_ms\": {\"forward\": %.2f, \"backward\": %.2f, \"step\": %.2f}, "
              "\"libtorch_ms\": {\"forward\": %.2f, \"backward\": %.2f, \"step\": %.2f},\n"
              "   \"times_faster\": %.2f, \"ours_gflop_per_s\": %.1f, \n   \"largest_relative_gradient_difference\": "
              "{\"ours_to_libtorch\": %.2g, \"ours_to_float64\": %.2g, \"libtorch_to_float64\": %.2g}}%s\n",
              workload.name, config.levels, channels, size, ptl::network_multiplications(config),
              median(ours.forward_ms), median(ours.backward_ms), median(ours_ms), median(plain.forward_ms),
              median(plain.backward_ms), median(plain_ms), median(ratios), 3 * flop / median(ours_ms) * 1e-6,
              differences.to_libtorch, differences.ours_to_float64, differences.libtorch_to_float64, last ? "" : ",");
  return differences.to_libtorch < 1e-4;
}

}  // namespace

int main(int count, char** arguments) {
  ptl::keep_freed_memory();  // as the program does: otherwise fresh pages are a good part of either's time
  const auto argument = [&](int i, int otherwise) { return i < count ? std::atoi(arguments[i]) : otherwise; };
  const int rounds = std::max(argument(1, 15), 1);
  const int size = argument(2, 256);
  const int channels = argument(3, 8);
  omp_set_num_threads(argument(4, 2));
  at::set_num_threads(argument(4, 2));
  const Workload workloads[] = {{"unet", ptl::NetworkKind::unet, 4},
                                {"light", ptl::NetworkKind::light, 5},
                                {"light", ptl::NetworkKind::light, 6}};
  bool equal = true;
  std::printf("[\n");
  for (const Workload& workload : workloads) {
    equal = measure(workload, rounds, size, channels, &workload == std::end(workloads) - 1) && equal;
  }
  std::printf("]\n");
  return equal ? 0 : 1;
}
