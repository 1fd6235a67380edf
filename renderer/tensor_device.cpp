#include "renderer/tensor_device.h"

namespace ptl {

void* TensorScratch::allocate(size_t bytes) {
  buffers_.push_back(torch::empty({static_cast<int64_t>(bytes)}, torch::dtype(torch::kByte).device(device_)));
  return buffers_.back().data_ptr();
}

void TensorScratch::release(void* memory) {
  buffers_.remove_if([&](const torch::Tensor& buffer) { return buffer.data_ptr() == memory; });
}

TensorDevice::TensorDevice(const char* caller, torch::Device device) : tensor_scratch_(device) {
  thread_local HeapScratch heap_scratch;
  if (device.is_cpu()) {
    device_ = {DeviceType::cpu, nullptr, &heap_scratch};
    return;
  }
#if defined(PTL_CUDA)
  TORCH_CHECK(device.is_cuda(), caller, ": expected cpu or cuda, found ", device);
  device_ = {DeviceType::cuda, nullptr, &tensor_scratch_};  // the default stream, which LibTorch uses as well
#else
  TORCH_CHECK(false, caller, ": asked of ", device,
              ", but this program was built without CUDA; configure it with the preset cuda-release");
#endif
}

}  // namespace ptl
