// Memory of a GPU for tests of kernels/ (no torch). In builds without CUDA, and where there is no GPU, tests skip.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/device.h"

#if defined(PTL_CUDA)
#include <cuda_runtime_api.h>
#endif

namespace ptl::test {

/// Why there is no GPU to test with; empty where there is one.
inline std::string why_no_gpu() {
#if defined(PTL_CUDA)
  int count = 0;
  const cudaError_t result = cudaGetDeviceCount(&count);
  if (result != cudaSuccess) return cudaGetErrorString(result);
  return count > 0 ? "" : "this machine has no GPU";
#else
  return "this build has no CUDA";
#endif
}

#define PTL_SKIP_WITHOUT_GPU() \
  if (const std::string why = ::ptl::test::why_no_gpu(); !why.empty()) GTEST_SKIP() << why

#if defined(PTL_CUDA)

inline void expect_cuda(cudaError_t result) {
  if (result != cudaSuccess) throw std::runtime_error(cudaGetErrorString(result));
}

/// New memory is filled with bytes 0xEE, so that what a kernel did not write shows.
class GpuScratch final : public ScratchAllocator {
 public:
  GpuScratch() = default;
  GpuScratch(const GpuScratch&) = delete;
  GpuScratch& operator=(const GpuScratch&) = delete;
  ~GpuScratch() override {
    for (const auto& [memory, bytes] : live_) cudaFree(memory);
  }
  void* allocate(size_t bytes) override {
    void* memory = nullptr;
    expect_cuda(cudaMalloc(&memory, bytes));
    expect_cuda(cudaMemset(memory, 0xEE, bytes));
    live_[memory] = bytes;
    return memory;
  }
  void release(void* memory) override {
    live_.erase(memory);
    expect_cuda(cudaFree(memory));
  }

 private:
  std::map<void*, size_t> live_;
};

/// The first GPU, its default stream.
inline Device gpu() {
  static GpuScratch scratch;
  return {DeviceType::cuda, nullptr, &scratch};
}

/// An array in the GPU's memory.
template <class T>
class GpuArray {
 public:
  explicit GpuArray(int64_t count) : scratch_(gpu(), count), count_(count) {}
  explicit GpuArray(const std::vector<T>& values) : GpuArray(static_cast<int64_t>(values.size())) {
    if (count_ > 0)
      expect_cuda(cudaMemcpy(scratch_.data(), values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice));
  }
  T* data() const { return scratch_.data(); }
  int64_t count() const { return count_; }
  std::vector<T> read() const {
    std::vector<T> values(static_cast<size_t>(count_));
    if (count_ > 0)
      expect_cuda(cudaMemcpy(values.data(), scratch_.data(), values.size() * sizeof(T), cudaMemcpyDeviceToHost));
    return values;
  }

 private:
  Scratch<T> scratch_;
  int64_t count_;
};

#endif

}  // namespace ptl::test
