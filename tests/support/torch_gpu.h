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

#define PTL_SKIP_WITHOUT_TORCH_GPU() \
  if (const std::string why = ::ptl::test::why_no_torch_gpu(); !why.empty()) GTEST_SKIP() << why

}  // namespace ptl::test
