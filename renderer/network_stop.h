// A way out of a network's forward pass that nobody needs any more.
#pragma once

#include <atomic>

namespace ptl {

/// While it lives, convolutions that this thread starts on the CPU (renderer/network_ops.h) look at `stop` before each
/// row. Once it is true they skip the rows that are left, and what they return is good for nothing: whoever set it
/// throws the result away. Not an argument of the operators, since it changes no result, only whether there is one.
/// LibTorch's operators (CUDA) do not look. Not while gradients are wanted.
class NetworkStop {
 public:
  explicit NetworkStop(const std::atomic<bool>* stop);
  NetworkStop(const NetworkStop&) = delete;
  NetworkStop& operator=(const NetworkStop&) = delete;
  ~NetworkStop();

 private:
  const std::atomic<bool>* before_;
};

}  // namespace ptl
