// Arrays of the CPU as a device reads them.
#pragma once

#include <optional>
#include <vector>

#include "kernels/device.h"

namespace ptl {

/// The CPU's own memory on the CPU, which must outlive this; a copy in scratch memory on a GPU.
template <class T>
class DeviceCopy {
 public:
  DeviceCopy(const Device& device, const T* host, int64_t n) : data_(host) {
    if (device.type == DeviceType::cpu) return;
    memory_.emplace(device, n);
    copy_to_device(device, host, n, memory_->data());
    data_ = memory_->data();
  }
  DeviceCopy(const Device& device, const std::vector<T>& host)
      : DeviceCopy(device, host.data(), static_cast<int64_t>(host.size())) {}
  const T* data() const { return data_; }

 private:
  std::optional<Scratch<T>> memory_;
  const T* data_;
};

}  // namespace ptl
