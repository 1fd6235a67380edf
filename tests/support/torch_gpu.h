// A GPU for tests with LibTorch. In builds without CUDA, and where there is no GPU, tests skip.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "datasets/error.h"
#include "renderer/device_setup.h"

namespace ptl::test {

/// Opens cuda as the program does. Why it cannot; empty where it can.
inline std::string why_no_torch_gpu() {
  try {
    open_device("cuda");
    return "";
  } catch (const InputError& error) {
    return error.what();
  }
}

/// Asked before any test runs: LibTorch remembers whether there is CUDA from the first time that anything wants to know, and
/// seeding a generator is enough.
inline const std::string no_torch_gpu = why_no_torch_gpu();

#define PTL_SKIP_WITHOUT_TORCH_GPU() \
  if (!::ptl::test::no_torch_gpu.empty()) GTEST_SKIP() << ::ptl::test::no_torch_gpu

}  // namespace ptl::test
