#include "kernels/device.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "kernels/device_copy.h"
#include "kernels/hash.h"

namespace ptl {
namespace {

TEST(HeapScratch, LiveBuffersAreApartAlignedAndReused) {
  HeapScratch scratch;
  const Device device{DeviceType::cpu, nullptr, &scratch};
  void* address = nullptr;
  {
    const Scratch<float> a(device, 1000), b(device, 1000);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(a.data()) % 64, 0u);
    EXPECT_TRUE(a.data() + 1000 <= b.data() || b.data() + 1000 <= a.data());
    std::fill(a.data(), a.data() + 1000, 1.0f);
    std::fill(b.data(), b.data() + 1000, 2.0f);
    EXPECT_EQ(std::accumulate(a.data(), a.data() + 1000, 0.0f), 1000.0f);
    address = a.data();
  }
  const size_t held = scratch.held_bytes();
  EXPECT_GE(held, 8000u);
  {
    const Scratch<float> c(device, 900), d(device, 1000);
    EXPECT_TRUE(c.data() == address || d.data() == address);
  }
  EXPECT_EQ(scratch.held_bytes(), held);  // nothing new was needed
}

TEST(HeapScratch, GrowsInsteadOfPilingUp) {
  HeapScratch scratch;
  for (size_t bytes = 1000; bytes < 2000000; bytes *= 2) scratch.release(scratch.allocate(bytes));
  EXPECT_LT(scratch.held_bytes(), 3000000u);
}

TEST(HeapScratch, AnEmptyRequestIsUsable) {
  HeapScratch scratch;
  const Device device{DeviceType::cpu, nullptr, &scratch};
  const Scratch<int64_t> nothing(device, 0);
  nothing.data()[0] = 1;
  EXPECT_NE(nothing.data(), nullptr);
}

TEST(ExclusiveScan, ByHandAndEmpty) {
  const Device device;
  const uint32_t in[] = {3, 0, 5, 4294967295u};
  int64_t out[5];
  EXPECT_EQ(exclusive_scan(device, in, 4, out), 8 + 4294967295ll);
  EXPECT_EQ(std::vector<int64_t>(out, out + 5), (std::vector<int64_t>{0, 3, 3, 8, 8 + 4294967295ll}));
  EXPECT_EQ(exclusive_scan(device, in, 0, out), 0);
  EXPECT_EQ(out[0], 0);
}

TEST(SortPairs, IsStableOverAllBits) {
  HeapScratch scratch;
  const Device device{DeviceType::cpu, nullptr, &scratch};
  for (const int64_t n : {0, 1, 2, 1000, 20000}) {
    for (const uint32_t mask : {0x7u, 0x7ffu, 0xffc00000u, 0xffffffffu}) {
      std::vector<uint32_t> keys, values;
      std::vector<std::pair<uint32_t, uint32_t>> expected;
      for (int64_t i = 0; i < n; ++i) {
        keys.push_back(static_cast<uint32_t>(mix64(static_cast<uint64_t>(i))) & mask);
        values.push_back(static_cast<uint32_t>(i));
        expected.push_back({keys.back(), values.back()});
      }
      std::stable_sort(expected.begin(), expected.end(), [](auto& a, auto& b) { return a.first < b.first; });
      sort_pairs(device, keys.data(), values.data(), n);
      for (size_t i = 0; i < expected.size(); ++i) {
        ASSERT_EQ(keys[i], expected[i].first);
        ASSERT_EQ(values[i], expected[i].second);
      }
    }
  }
}

TEST(Atomics, MinimumOverAllThreads) {
  uint32_t minimum = float_bits(std::numeric_limits<float>::infinity());
  parallel_for(Device{}, "test", 100000, [&](int64_t i) {
    atomic_min(&minimum, float_bits(1.0f + static_cast<float>((i * 7919) % 100003)));
  });
  EXPECT_EQ(float_from_bits(minimum), 1.0f);
}

TEST(Device, PositiveFloatsOrderLikeTheirBits) {
  const float rising[] = {0.0f, 1e-40f, 1e-30f, 0.5f, 1.0f, 1.0000001f, 3e38f, std::numeric_limits<float>::infinity()};
  for (size_t i = 1; i < std::size(rising); ++i) {
    EXPECT_LT(float_bits(rising[i - 1]), float_bits(rising[i]));
    EXPECT_EQ(float_from_bits(float_bits(rising[i])), rising[i]);
  }
}

TEST(Device, CopiesThereAndBack) {
  HeapScratch scratch;
  const Device device{DeviceType::cpu, nullptr, &scratch};
  const std::vector<int> values = {3, 1, 4, 1, 5};
  const Scratch<int> there(device, 5);
  copy_to_device(device, values.data(), 5, there.data());
  std::vector<int> back(6, 9);
  copy_to_host(device, there.data(), 4, back.data() + 1);
  EXPECT_EQ(back, (std::vector<int>{9, 3, 1, 4, 1, 9}));
  copy_to_host(device, there.data(), 0, static_cast<int*>(nullptr));
  EXPECT_EQ(DeviceCopy<int>(device, values).data(), values.data());  // the CPU needs no copy
  EXPECT_EQ(scratch.held_bytes(), 64u);
}

TEST(Device, CudaAskedOfACpuBuildSaysWhatToDo) {
#if defined(PTL_CUDA)
  GTEST_SKIP() << "this build has CUDA";
#else
  Device device;
  device.type = DeviceType::cuda;
  uint32_t in = 0;
  int64_t out[2];
  try {
    exclusive_scan(device, &in, 1, out);
    FAIL() << "expected an error";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("-DPTL_CUDA=ON"), std::string::npos) << error.what();
  }
  EXPECT_THROW(parallel_for(device, "test", 1, [](int64_t) {}), std::runtime_error);
  EXPECT_THROW(copy_to_host(device, &in, 1, &in), std::runtime_error);
  EXPECT_THROW(copy_to_device(device, &in, 1, &in), std::runtime_error);
#endif
}

}  // namespace
}  // namespace ptl
