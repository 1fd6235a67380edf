#include "kernels/device.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace ptl {

void throw_device_error(const char* what, const char* why) {
  throw std::runtime_error(std::string(what) + ": " + why);
}

HeapScratch::~HeapScratch() {
  while (first_) {
    Buffer* next = first_->next;
    std::free(first_->memory);
    delete first_;
    first_ = next;
  }
}

void* HeapScratch::allocate(size_t bytes) {
  Buffer* best = nullptr;
  for (Buffer* buffer = first_; buffer; buffer = buffer->next)
    if (!buffer->in_use && buffer->bytes >= bytes && (!best || buffer->bytes < best->bytes)) best = buffer;
  // A much larger buffer stays free for who needs it.
  if (best && best->bytes > 4 * bytes + (size_t{1} << 20)) best = nullptr;
  if (!best) {
    // Grow a free buffer that is too small, so that the number of buffers stays that of the live ones.
    for (Buffer* buffer = first_; buffer; buffer = buffer->next)
      if (!buffer->in_use && buffer->bytes < bytes && (!best || buffer->bytes > best->bytes)) best = buffer;
    if (!best) {
      best = new Buffer;
      best->next = first_;
      first_ = best;
    }
    std::free(best->memory);
    best->memory = nullptr;
    best->bytes = 0;
    const size_t rounded = (bytes + bytes / 8 + 63) / 64 * 64;
    best->memory = std::aligned_alloc(64, rounded);
    if (!best->memory) throw std::bad_alloc();
    best->bytes = rounded;
  }
  best->in_use = true;
  return best->memory;
}

void HeapScratch::release(void* memory) {
  for (Buffer* buffer = first_; buffer; buffer = buffer->next)
    if (buffer->memory == memory) buffer->in_use = false;
}

size_t HeapScratch::held_bytes() const {
  size_t total = 0;
  for (const Buffer* buffer = first_; buffer; buffer = buffer->next) total += buffer->bytes;
  return total;
}

#if defined(__CUDACC__)
namespace {

/// So that the sum is of 64 bits: CUB adds in the input's type.
struct Widen {
  __host__ __device__ int64_t operator()(uint32_t value) const { return value; }
};

}  // namespace
#endif

namespace {

/// Between the CPU's memory and the device's, after waiting for the work launched before.
void copy_bytes(const Device& device, const char* name, const void* from, size_t bytes, void* to, bool to_host) {
  if (device.type == DeviceType::cuda) {
#if defined(__CUDACC__)
    const auto stream = static_cast<cudaStream_t>(device.stream);
    check_cuda(cudaMemcpyAsync(to, from, bytes, to_host ? cudaMemcpyDeviceToHost : cudaMemcpyHostToDevice, stream),
               name);
    check_cuda(cudaStreamSynchronize(stream), name);
    return;
#else
    static_cast<void>(to_host);
    throw_device_error(name, "this build has no CUDA; configure it with -DPTL_CUDA=ON");
#endif
  }
  std::memcpy(to, from, bytes);
}

}  // namespace

void copy_bytes_to_host(const Device& device, const void* from, size_t bytes, void* host) {
  copy_bytes(device, "copy_to_host", from, bytes, host, true);
}

void copy_bytes_to_device(const Device& device, const void* host, size_t bytes, void* to) {
  copy_bytes(device, "copy_to_device", host, bytes, to, false);
}

int64_t exclusive_scan(const Device& device, const uint32_t* in, int64_t n, int64_t* out) {
  if (device.type == DeviceType::cuda) {
#if defined(__CUDACC__)
    const auto stream = static_cast<cudaStream_t>(device.stream);
    check_cuda(cudaMemsetAsync(out, 0, sizeof(int64_t), stream), "exclusive_scan");
    const auto wide = thrust::make_transform_iterator(in, Widen{});
    size_t bytes = 0;
    check_cuda(cub::DeviceScan::InclusiveSum(nullptr, bytes, wide, out + 1, n, stream), "exclusive_scan");
    const Scratch<char> temporary(device, static_cast<int64_t>(bytes));
    check_cuda(cub::DeviceScan::InclusiveSum(temporary.data(), bytes, wide, out + 1, n, stream), "exclusive_scan");
    int64_t total = 0;
    copy_to_host(device, out + n, 1, &total);
    return total;
#else
    throw_device_error("exclusive_scan", "this build has no CUDA; configure it with -DPTL_CUDA=ON");
#endif
  }
  int64_t total = 0;
  for (int64_t i = 0; i < n; ++i) {
    out[i] = total;
    total += in[i];
  }
  out[n] = total;
  return total;
}

void sort_pairs(const Device& device, uint32_t* keys, uint32_t* values, int64_t n) {
  if (n <= 1) return;
  const Scratch<uint32_t> other_keys(device, n), other_values(device, n);
  if (device.type == DeviceType::cuda) {
#if defined(__CUDACC__)
    const auto stream = static_cast<cudaStream_t>(device.stream);
    cub::DoubleBuffer<uint32_t> key_buffer(keys, other_keys.data()), value_buffer(values, other_values.data());
    size_t bytes = 0;
    check_cuda(cub::DeviceRadixSort::SortPairs(nullptr, bytes, key_buffer, value_buffer, n, 0, 32, stream),
               "sort_pairs");
    const Scratch<char> temporary(device, static_cast<int64_t>(bytes));
    check_cuda(cub::DeviceRadixSort::SortPairs(temporary.data(), bytes, key_buffer, value_buffer, n, 0, 32, stream),
               "sort_pairs");
    const size_t array_bytes = static_cast<size_t>(n) * sizeof(uint32_t);
    if (key_buffer.Current() != keys) {
      check_cuda(cudaMemcpyAsync(keys, key_buffer.Current(), array_bytes, cudaMemcpyDeviceToDevice, stream),
                 "sort_pairs");
      check_cuda(cudaMemcpyAsync(values, value_buffer.Current(), array_bytes, cudaMemcpyDeviceToDevice, stream),
                 "sort_pairs");
    }
    return;
#else
    throw_device_error("sort_pairs", "this build has no CUDA; configure it with -DPTL_CUDA=ON");
#endif
  }
  // Least significant digit first, 11 bits a pass; the third pass covers the upper 10.
  constexpr int digit_bits = 11, passes = 3;
  constexpr uint32_t digit_mask = (1u << digit_bits) - 1;
  uint32_t *from_keys = keys, *from_values = values, *to_keys = other_keys.data(), *to_values = other_values.data();
  std::vector<int64_t> start(digit_mask + 1);
  for (int pass = 0; pass < passes; ++pass) {
    const int shift = pass * digit_bits;
    std::fill(start.begin(), start.end(), 0);
    for (int64_t i = 0; i < n; ++i) ++start[(from_keys[i] >> shift) & digit_mask];
    int64_t total = 0;
    for (int64_t& s : start) total += std::exchange(s, total);
    for (int64_t i = 0; i < n; ++i) {
      const int64_t place = start[(from_keys[i] >> shift) & digit_mask]++;
      to_keys[place] = from_keys[i];
      to_values[place] = from_values[i];
    }
    std::swap(from_keys, to_keys);
    std::swap(from_values, to_values);
  }
  // An odd number of passes ends in the other buffers.
  std::memcpy(keys, from_keys, static_cast<size_t>(n) * sizeof(uint32_t));
  std::memcpy(values, from_values, static_cast<size_t>(n) * sizeof(uint32_t));
}

}  // namespace ptl
