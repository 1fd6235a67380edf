// Where the CPU and the GPU differ, and nowhere else: launches, scratch memory, sorting, scanning, atomics.
// Kernels are functors with a PTL_HD call operator, launched by parallel_for. No kernel allocates: scratch memory comes
// from the caller. Results never depend on the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/hd.h"

#if defined(__CUDACC__)
#include <cuda_runtime.h>

#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_scan.cuh>
#include <thrust/iterator/transform_iterator.h>
#endif

namespace ptl {

enum class DeviceType { cpu, cuda };

/// Which algorithm accumulates points into pixels. Both give the same bits.
enum class RasterDriver {
  automatic,  ///< tiles on the CPU, sorted on the GPU
  tiles,      ///< points binned by image tile, one thread a tile; CPU only
  sorted,     ///< contributions sorted by pixel, one thread a pixel; what the GPU runs, and the CPU can
};

/// Where kernels get temporary memory. Implementations: HeapScratch below, LibTorch's allocator in renderer/.
class ScratchAllocator {
 public:
  virtual ~ScratchAllocator() = default;
  virtual void* allocate(size_t bytes) = 0;
  virtual void release(void* memory) = 0;
};

/// Keeps released buffers for the next use (fresh pages cost more than the work on them). Not thread-safe; CPU memory.
class HeapScratch final : public ScratchAllocator {
 public:
  HeapScratch() = default;
  HeapScratch(const HeapScratch&) = delete;
  HeapScratch& operator=(const HeapScratch&) = delete;
  ~HeapScratch() override;
  void* allocate(size_t bytes) override;
  void release(void* memory) override;
  /// Bytes held, in use or not.
  size_t held_bytes() const;

 private:
  struct Buffer {
    void* memory = nullptr;
    size_t bytes = 0;
    bool in_use = false;
    Buffer* next = nullptr;
  };
  Buffer* first_ = nullptr;
};

struct Device {
  DeviceType type = DeviceType::cpu;
  void* stream = nullptr;              ///< cudaStream_t
  ScratchAllocator* scratch = nullptr; ///< memory of the device
};

/// A typed piece of scratch memory, given back at the end of its scope.
template <class T>
class Scratch {
 public:
  Scratch(const Device& device, int64_t count)
      : allocator_(device.scratch),
        data_(static_cast<T*>(device.scratch->allocate(static_cast<size_t>(count > 0 ? count : 1) * sizeof(T)))) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { allocator_->release(data_); }
  T* data() const { return data_; }

 private:
  ScratchAllocator* allocator_;
  T* data_;
};

/// Thrown when a CUDA call fails, and when CUDA is asked of a build without it.
[[noreturn]] void throw_device_error(const char* what, const char* why);

#if defined(__CUDACC__)
inline void check_cuda(cudaError_t result, const char* what) {
  if (result != cudaSuccess) throw_device_error(what, cudaGetErrorString(result));
}

template <class F>
__global__ void parallel_for_kernel(int64_t n, F f) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < n) f(i);
}
#endif

/// Work (elements, pixels, points) below which waking threads costs more than it saves.
inline constexpr int64_t worth_threads = 1 << 12;

/// f(i) for i in [0, n). The calls must be independent of each other, or order-independent (atomic_min).
/// work: of all calls together; little of it stays on the CPU's calling thread.
template <class F>
void parallel_for(const Device& device, const char* name, int64_t n, int64_t work, F f) {
  if (n <= 0) return;
  if (device.type == DeviceType::cuda) {
#if defined(__CUDACC__)
    constexpr int threads = 256;
    const int64_t blocks = (n + threads - 1) / threads;
    parallel_for_kernel<<<static_cast<unsigned>(blocks), threads, 0, static_cast<cudaStream_t>(device.stream)>>>(n, f);
    check_cuda(cudaGetLastError(), name);
    return;
#else
    throw_device_error(name, "this build has no CUDA; configure it with -DPTL_CUDA=ON (preset cuda-release)");
#endif
  }
#pragma omp parallel for schedule(static) if (work >= worth_threads)
  for (int64_t i = 0; i < n; ++i) f(i);
}

template <class F>
void parallel_for(const Device& device, const char* name, int64_t n, F f) {
  parallel_for(device, name, n, worth_threads, f);
}

/// In device.cpp, so that code which only the CPU's compiler sees can move data as well.
void copy_bytes_to_host(const Device& device, const void* from, size_t bytes, void* host);
void copy_bytes_to_device(const Device& device, const void* host, size_t bytes, void* to);

/// n values of the device's memory to the CPU's, after waiting for the work launched before.
template <class T>
void copy_to_host(const Device& device, const T* values, int64_t n, T* host) {
  if (n > 0) copy_bytes_to_host(device, values, static_cast<size_t>(n) * sizeof(T), host);
}

/// n values of the CPU's memory to the device's. The CPU's may change as soon as this returns.
template <class T>
void copy_to_device(const Device& device, const T* host, int64_t n, T* values) {
  if (n > 0) copy_bytes_to_device(device, host, static_cast<size_t>(n) * sizeof(T), values);
}

/// The smaller of *address and value, in any order of calls.
PTL_HD inline void atomic_min(uint32_t* address, uint32_t value) {
#if defined(__CUDA_ARCH__)
  atomicMin(address, value);
#else
  uint32_t current = __atomic_load_n(address, __ATOMIC_RELAXED);
  while (value < current &&
         !__atomic_compare_exchange_n(address, &current, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
#endif
}

/// The bits of a float. Positive floats order like their bits.
PTL_HD inline uint32_t float_bits(float value) {
#if defined(__CUDA_ARCH__)
  return __float_as_uint(value);
#else
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
#endif
}

PTL_HD inline float float_from_bits(uint32_t bits) {
#if defined(__CUDA_ARCH__)
  return __uint_as_float(bits);
#else
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
#endif
}

/// out[i] = in[0] + … + in[i−1] for i in [0, n]; returns out[n]. `out` has n + 1 entries and may not overlap `in`.
int64_t exclusive_scan(const Device& device, const uint32_t* in, int64_t n, int64_t* out);

/// Sorts by key, stable: equal keys keep their order. The result is in keys and values.
void sort_pairs(const Device& device, uint32_t* keys, uint32_t* values, int64_t n);

}  // namespace ptl
