// Where a tensor's memory lies, as kernels/ want to know it.
#pragma once

#include <torch/torch.h>

#include <list>

#include "kernels/device.h"

namespace ptl {

/// LibTorch's caching allocator: buffers are tensors.
class TensorScratch final : public ScratchAllocator {
 public:
  explicit TensorScratch(torch::Device device) : device_(device) {}
  void* allocate(size_t bytes) override;
  void release(void* memory) override;

 private:
  torch::Device device_;
  std::list<torch::Tensor> buffers_;
};

/// A device of LibTorch's with its scratch memory, for one call: on the CPU the thread keeps it for the next one.
/// c10::Error, which names `caller`, for a device that this program has no kernels for.
class TensorDevice {
 public:
  TensorDevice(const char* caller, torch::Device device);
  /// The tensor's.
  TensorDevice(const char* caller, const torch::Tensor& tensor) : TensorDevice(caller, tensor.device()) {}
  TensorDevice(const TensorDevice&) = delete;
  TensorDevice& operator=(const TensorDevice&) = delete;
  operator const Device&() const { return device_; }

 private:
  TensorScratch tensor_scratch_;
  Device device_;
};

}  // namespace ptl
