// Threads and devices of the process.
#include "renderer/device_setup.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <vector>

#include "datasets/error.h"

namespace ptl {
namespace {

TEST(SetThreads, DenormalNumbersAreZeroOnEveryThread) {
  set_threads(3);
  std::vector<float> product(3, 1.0f);
  volatile float small = 1e-30f;
#pragma omp parallel
  product[static_cast<size_t>(omp_get_thread_num())] = small * 1e-10f;
  EXPECT_EQ(product, (std::vector<float>{0, 0, 0}));
  // Also on threads that come later.
  std::vector<float> later(5, 1.0f);
#pragma omp parallel num_threads(5)
  later[static_cast<size_t>(omp_get_thread_num())] = small * 1e-10f;
  EXPECT_EQ(later, (std::vector<float>{0, 0, 0, 0, 0}));
}

TEST(SetThreads, TheNumberIsThatOfBothRuntimes) {
  set_threads(3);
  EXPECT_EQ(omp_get_max_threads(), 3);
  EXPECT_EQ(torch::get_num_threads(), 3);
  set_threads(0);
  EXPECT_EQ(omp_get_max_threads(), omp_get_num_procs());
  EXPECT_THROW(set_threads(-1), InputError);
}

TEST(OpenDevice, NamesAreChecked) {
  EXPECT_TRUE(open_device("cpu").is_cpu());
  EXPECT_THROW(open_device("gpu"), InputError);
}

}  // namespace
}  // namespace ptl
