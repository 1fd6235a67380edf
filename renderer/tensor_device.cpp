#include "renderer/tensor_device.h"

namespace ptl {

void* TensorScratch::allocate(size_t bytes) {
  buffers_.push_back(torch::empty({static_cast<int64_t>(bytes)}, torch::dtype(torch::kByte).device(device_)));
  return buffers_.back().data_ptr();
}

void TensorScratch::release(void* memory) {
  buffers_.remove_if([&](const torch::Tensor& buffer) { return buffer.data_ptr() == memory; });
}

TensorDevice::TensorDevice(const char* caller, const torch::Tensor& tensor) : tensor_scratch_(tensor.device()) {
  thread_local HeapScratch heap_scratch;
  if (tensor.is_cpu()) {
    device_ = {DeviceType::cpu, nullptr, &heap_scratch};
    return;
  }
#if defined(PTL_CUDA)
  TORCH_CHECK(tensor.is_cuda(), caller, ": expected tensors on cpu or cuda, found ", tensor.device());
  device_ = {DeviceType::cuda, nullptr, &tensor_scratch_};  // the default stream, which LibTorch uses as well
#else
  TORCH_CHECK(false, caller, ": the tensors are on ", tensor.device(),
              ", but this program was built without CUDA; configure it with the preset cuda-release");
#endif
}

}  // namespace ptl
