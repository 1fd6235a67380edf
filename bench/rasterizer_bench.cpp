// The rasteriser against copying the bytes that it must move (bench/wall.h), in one run: `ratio` is the least time of
// stages 1 to 3 (or of the backward) over the least time of a memcpy, by as many threads, of as many bytes. Both are timed
// in turn within each iteration, so that a busy machine slows both. With OMP_NUM_THREADS=1 the clock is the thread's CPU
// time, which other programs disturb least. Four layers, four channels.
#include <benchmark/benchmark.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <vector>

#include "bench/wall.h"
#include "kernels/blend.h"
#include "kernels/depth.h"
#include "kernels/structure_grad.h"

namespace ptl {
namespace {

/// Stages 1 to 3 with buffers that stay, as renderer/ runs them on a CPU.
class Frame {
 public:
  Frame(Wall& wall, const RasterView& view, float dropout) : wall_(wall), view_(view) {
    config_.layers = layers;
    config_.dropout = dropout;
    shape_ = {view.crop.width_px, view.crop.height_px, layers};
    grid_ = tile_grid(shape_);
    const auto pixels = static_cast<size_t>(shape_.pixels());
    depth_.resize(pixels);
    features_.resize(pixels * channels);
    grad_features_.assign(pixels * channels, 0.5f);
    weight_.resize(pixels);
    visible_.resize(static_cast<size_t>(wall.points.blocks()));
    tile_start_.resize(static_cast<size_t>(grid_.count() + 1));
    blocks_ = find_visible_blocks(device_, wall.points, view, visible_.data());
    projected_.resize(static_cast<size_t>(blocks_ * points_per_block));
  }

  /// Seconds of culling, projection, depth pass and blend.
  std::vector<double> forward() {
    std::vector<double> times{now()};
    blocks_ = find_visible_blocks(device_, wall_.points, view_, visible_.data());
    times.push_back(now());
    count_ = project_points_tiled(device_, wall_.points, view_, config_, visible_.data(), blocks_, grid_,
                                  projected_.data(), tile_start_.data());
    times.push_back(now());
    depth_pass_tiled(device_, shape_, grid_, projected_.data(), tile_start_.data(), depth_.data());
    times.push_back(now());
    blend_tiled(device_, shape_, grid_, projected_.data(), tile_start_.data(), depth_.data(), config_.depth_tolerance,
                wall_.descriptors.data(), channels, features_.data(), weight_.data());
    times.push_back(now());
    for (size_t i = 0; i + 1 < times.size(); ++i) times[i] = times[i + 1] - times[i];
    times.pop_back();
    return times;
  }

  void backward() {
    blend_backward(device_, shape_, projected_.data(), count_, depth_.data(), config_.depth_tolerance, weight_.data(),
                   grad_features_.data(), channels, wall_.grad_projected.data());
  }

  /// What structure gradients add to the backward: image-space differences, and the chain to points, pose and camera.
  void structure_backward() {
    StructureImage image;
    image.shape = shape_;
    image.projected = projected_.data();
    image.count = count_;
    image.min_depth_m = depth_.data();
    image.weight = weight_.data();
    image.displayed = features_.data();
    image.displayed_stride = channels;
    image.grad_displayed = grad_features_.data();
    image.descriptors = wall_.descriptors.data();
    image.channels = channels;
    image.depth_tolerance = config_.depth_tolerance;
    entries_.resize(projected_.size());
    const int64_t found = find_structure_entries(device_, image, {}, true, entries_.data());
    rows_.resize(static_cast<size_t>(found));
    grad_position_.resize(static_cast<size_t>(3 * found));
    benchmark::DoNotOptimize(structure_chain(device_, wall_.points, view_, projected_.data(), entries_.data(), found,
                                             rows_.data(), grad_position_.data()));
  }

  int64_t forward_bytes() const { return ptl::forward_bytes(blocks_, count_, shape_); }
  int64_t backward_bytes() const { return ptl::backward_bytes(count_, shape_); }
  int64_t blocks() const { return blocks_; }
  int64_t count() const { return count_; }

  static double now() {
    if (omp_get_max_threads() == 1) {
      timespec time{};
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
      return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }

 private:
  Wall& wall_;
  RasterView view_;
  RasterConfig config_;
  PyramidShape shape_;
  TileGrid grid_;
  HeapScratch scratch_;
  Device device_{DeviceType::cpu, nullptr, &scratch_};
  std::vector<float> depth_, features_, grad_features_;
  std::vector<int32_t> weight_;
  std::vector<uint32_t> visible_;
  std::vector<int64_t> tile_start_;
  std::vector<ProjectedPoint> projected_;
  std::vector<StructureEntry> entries_;
  std::vector<int64_t> rows_;
  std::vector<float> grad_position_;
  int64_t blocks_ = 0, count_ = 0;
};

/// A memcpy by all threads between two buffers that are there already.
class Copy {
 public:
  explicit Copy(int64_t bytes) : from_(static_cast<size_t>(bytes), 1), to_(static_cast<size_t>(bytes), 2) {}
  double operator()() {
    const auto bytes = static_cast<int64_t>(from_.size());
    constexpr int64_t piece = int64_t{1} << 20;
    const double start = Frame::now();
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < bytes; i += piece)
      std::memcpy(to_.data() + i, from_.data() + i, static_cast<size_t>(std::min(piece, bytes - i)));
    benchmark::DoNotOptimize(to_.data());
    return Frame::now() - start;
  }

 private:
  std::vector<char> from_, to_;
};

double least(const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); }

/// Arguments: points, crop's width, crop's height.
void forward(benchmark::State& state) {
  Frame frame(wall(state.range(0)), view_of(static_cast<int32_t>(state.range(1)), static_cast<int32_t>(state.range(2))), 0);
  frame.forward();
  Copy copy(frame.forward_bytes());
  copy();
  std::vector<double> times, copies, stages[4];
  for ([[maybe_unused]] auto _ : state) {
    copies.push_back(copy());
    const std::vector<double> stage = frame.forward();
    double total = 0;
    for (size_t i = 0; i < stage.size(); ++i) {
      stages[i].push_back(stage[i]);
      total += stage[i];
    }
    times.push_back(total);
    state.SetIterationTime(total);
  }
  const char* names[] = {"cull_ms", "project_ms", "depth_ms", "blend_ms"};
  for (size_t i = 0; i < 4; ++i) state.counters[names[i]] = 1e3 * least(stages[i]);
  state.counters["copy_ms"] = 1e3 * least(copies);
  state.counters["megabytes"] = 1e-6 * static_cast<double>(frame.forward_bytes());
  state.counters["projected"] = static_cast<double>(frame.count());
  state.counters["ratio"] = least(times) / least(copies);
}

void backward(benchmark::State& state) {
  Frame frame(wall(state.range(0)), view_of(static_cast<int32_t>(state.range(1)), static_cast<int32_t>(state.range(2))),
              0.25f);
  frame.forward();
  frame.backward();
  Copy copy(frame.backward_bytes());
  copy();
  std::vector<double> times, copies;
  for ([[maybe_unused]] auto _ : state) {
    copies.push_back(copy());
    const double start = Frame::now();
    frame.backward();
    times.push_back(Frame::now() - start);
    state.SetIterationTime(times.back());
  }
  state.counters["copy_ms"] = 1e3 * least(copies);
  state.counters["megabytes"] = 1e-6 * static_cast<double>(frame.backward_bytes());
  state.counters["ratio"] = least(times) / least(copies);
}

/// The rasteriser's backward with structure gradients over the backward without: `with_structure` is the ratio.
void structure(benchmark::State& state) {
  Frame frame(wall(state.range(0)), view_of(static_cast<int32_t>(state.range(1)), static_cast<int32_t>(state.range(2))),
              0.25f);
  frame.forward();
  frame.backward();
  frame.structure_backward();
  std::vector<double> without, added;
  for ([[maybe_unused]] auto _ : state) {
    const double start = Frame::now();
    frame.backward();
    const double middle = Frame::now();
    frame.structure_backward();
    without.push_back(middle - start);
    added.push_back(Frame::now() - middle);
    state.SetIterationTime(without.back() + added.back());
  }
  state.counters["without_ms"] = 1e3 * least(without);
  state.counters["with_structure"] = 1 + least(added) / least(without);
}

/// A crop's cost over the whole photo's, against the share of the cloud's blocks that it sees.
void share_in_view(benchmark::State& state) {
  Wall& points = wall(state.range(0));
  Frame whole(points, view_of(photo_width_px, photo_height_px), 0);
  Frame crop(points, view_of(static_cast<int32_t>(state.range(1)), static_cast<int32_t>(state.range(2))), 0);
  const auto total = [](Frame& frame) {
    double sum = 0;
    for (const double t : frame.forward()) sum += t;
    return sum;
  };
  total(whole);
  total(crop);
  std::vector<double> whole_times, crop_times;
  for ([[maybe_unused]] auto _ : state) {
    whole_times.push_back(total(whole));
    crop_times.push_back(total(crop));
    state.SetIterationTime(crop_times.back());
  }
  state.counters["share_of_blocks"] = static_cast<double>(crop.blocks()) / static_cast<double>(points.points.blocks());
  state.counters["share_of_cost"] = least(crop_times) / least(whole_times);
}

void sizes(benchmark::internal::Benchmark* b) {
  for (const int64_t count : {100000, 1000000, 10000000}) {
    b->Args({count, photo_width_px, photo_height_px});
    b->Args({count, 384, 384});
  }
  b->ArgNames({"points", "width", "height"})->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(9);
}

BENCHMARK(forward)->Apply(sizes);
BENCHMARK(backward)->Apply(sizes);
BENCHMARK(structure)->Apply(sizes);
BENCHMARK(share_in_view)
    ->ArgNames({"points", "width", "height"})
    ->Args({10000000, 192, 112})
    ->Args({10000000, 608, 344})
    ->Args({10000000, 1360, 760})
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(9);

}  // namespace
}  // namespace ptl

BENCHMARK_MAIN();
