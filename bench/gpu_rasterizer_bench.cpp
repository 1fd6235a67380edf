// rasterizer_bench on a GPU: stages 1 to 3 and the backward against a copy within the GPU's memory of the bytes that they must
// move (bench/wall.h), timed by events in one run, least of several. Scratch memory is kept from frame to frame, as
// LibTorch's allocator keeps it.
#include <benchmark/benchmark.h>
#include <cuda_runtime_api.h>

#include <limits>
#include <stdexcept>

#include "bench/wall.h"
#include "kernels/blend.h"
#include "kernels/depth.h"

namespace ptl {
namespace {

void check(cudaError_t result) {
  if (result != cudaSuccess) throw std::runtime_error(cudaGetErrorString(result));
}

/// Released buffers are kept for requests of the same size.
class PooledScratch final : public ScratchAllocator {
 public:
  void* allocate(size_t bytes) override {
    auto& free = free_[bytes];
    void* memory = nullptr;
    if (free.empty()) {
      check(cudaMalloc(&memory, bytes));
      size_[memory] = bytes;
    } else {
      memory = free.back();
      free.pop_back();
    }
    return memory;
  }
  void release(void* memory) override { free_[size_.at(memory)].push_back(memory); }

 private:
  std::map<size_t, std::vector<void*>> free_;
  std::map<void*, size_t> size_;
};

PooledScratch pool;
const Device device{DeviceType::cuda, nullptr, &pool};

/// A copy in the GPU's memory.
template <class T>
struct Uploaded : Scratch<T> {
  explicit Uploaded(const std::vector<T>& values) : Scratch<T>(device, static_cast<int64_t>(values.size())) {
    check(cudaMemcpy(this->data(), values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice));
  }
};

/// Milliseconds of f() on the GPU.
template <class F>
double timed(F&& f) {
  static cudaEvent_t start = nullptr, stop = nullptr;
  if (!start) {
    check(cudaEventCreate(&start));
    check(cudaEventCreate(&stop));
  }
  check(cudaEventRecord(start));
  f();
  check(cudaEventRecord(stop));
  check(cudaEventSynchronize(stop));
  float ms = 0;
  check(cudaEventElapsedTime(&ms, start, stop));
  return ms;
}

void frame(benchmark::State& state) {
  Wall& cpu = wall(state.range(0));
  const RasterView view = view_of(static_cast<int32_t>(state.range(1)), static_cast<int32_t>(state.range(2)));
  const Uploaded<float> position(cpu.position), radius(cpu.radius), bounds(cpu.bounds), descriptors(cpu.descriptors);
  const Uploaded<int64_t> id(cpu.id);
  PointsView points = cpu.points;
  points.position = position.data();
  points.radius_over_sqrt_u = radius.data();
  points.block_bounds = bounds.data();
  points.id = id.data();
  RasterConfig config;
  config.layers = layers;
  const PyramidShape shape{view.crop.width_px, view.crop.height_px, layers};
  const Scratch<uint32_t> visible(device, points.blocks());
  const Uploaded<float> grad_features(std::vector<float>(static_cast<size_t>(shape.pixels() * channels), 0.5f));
  const Scratch<float> depth(device, shape.pixels()), features(device, shape.pixels() * channels),
      grad_projected(device, points.count * channels);
  const Scratch<int32_t> weight(device, shape.pixels());
  const Scratch<ProjectedPoint> projected(device, points.blocks() * points_per_block);
  int64_t blocks = 0, count = 0;
  double stage_ms[5];
  std::fill_n(stage_ms, 5, std::numeric_limits<double>::max());
  double forward_ms = stage_ms[0], forward_copy_ms = stage_ms[0], backward_copy_ms = stage_ms[0];
  for ([[maybe_unused]] auto _ : state) {
    const double ms[] = {
        timed([&] { blocks = find_visible_blocks(device, points, view, visible.data()); }),
        timed([&] { count = project_points(device, points, view, config, visible.data(), blocks, projected.data()); }),
        timed([&] { depth_pass(device, shape, projected.data(), count, depth.data()); }),
        timed([&] {
          blend(device, shape, projected.data(), count, depth.data(), config.depth_tolerance, descriptors.data(), channels,
                features.data(), weight.data());
        }),
        timed([&] {
          blend_backward(device, shape, projected.data(), count, depth.data(), config.depth_tolerance, weight.data(),
                         grad_features.data(), channels, grad_projected.data());
        })};
    for (int i = 0; i < 5; ++i) stage_ms[i] = std::min(stage_ms[i], ms[i]);
    forward_ms = std::min(forward_ms, ms[0] + ms[1] + ms[2] + ms[3]);
    const auto copy = [&](int64_t bytes, double& least) {
      const Scratch<char> from(device, bytes), to(device, bytes);
      least = std::min(least, timed([&] {
                         check(cudaMemcpyAsync(to.data(), from.data(), static_cast<size_t>(bytes), cudaMemcpyDeviceToDevice));
                       }));
    };
    copy(forward_bytes(blocks, count, shape), forward_copy_ms);
    copy(backward_bytes(count, shape), backward_copy_ms);
    state.SetIterationTime(1e-3 * (ms[0] + ms[1] + ms[2] + ms[3]));
  }
  const char* names[] = {"cull_ms", "project_ms", "depth_ms", "blend_ms", "backward_ms"};
  for (size_t i = 0; i < 5; ++i) state.counters[names[i]] = stage_ms[i];
  state.counters["forward_copy_ms"] = forward_copy_ms;
  state.counters["backward_copy_ms"] = backward_copy_ms;
  state.counters["projected"] = static_cast<double>(count);
  state.counters["forward_ratio"] = forward_ms / forward_copy_ms;
  state.counters["backward_ratio"] = stage_ms[4] / backward_copy_ms;
}

void sizes(benchmark::internal::Benchmark* b) {
  for (const int64_t count : {100000, 1000000, 10000000}) {
    b->Args({count, photo_width_px, photo_height_px});
    b->Args({count, 384, 384});
  }
  b->ArgNames({"points", "width", "height"})->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(30);
}

BENCHMARK(frame)->Apply(sizes);

}  // namespace
}  // namespace ptl

BENCHMARK_MAIN();
