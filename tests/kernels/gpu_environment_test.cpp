// Stage 4 on a GPU against the CPU.
#include <cmath>
#include <limits>

#include "tests/kernels/environment_case.h"
#include "tests/support/gpu.h"

namespace ptl::test {
namespace {

#if defined(PTL_CUDA)

/// Everything that stage 4 makes, forward and backward.
template <class T>
struct Results {
  std::vector<EmptyPixel<T>> empty;
  std::vector<T> output, grad_features, grad_rows;
  std::vector<int64_t> rows;
};

/// Forward and backward with this list of empty pixels in the GPU's memory.
template <class T>
void run_on_gpu(const RandomCase<T>& c, std::span<const EmptyPixel<T>> empty, const int32_t* weight, Results<T>& out) {
  const GpuArray<T> features(c.features), map(c.map), grad_output(c.grad_output);
  const GpuArray<T> output(static_cast<int64_t>(c.grad_output.size())), grad_features(features.count());
  environment_forward<T>(gpu(), c.shape, c.pixel_count, features.data(), weight, empty, map.data(), c.append_coverage,
                         output.data());
  const GpuArray<int64_t> rows(c.shape.height);
  const int64_t row_count = touched_rows<T>(gpu(), c.shape, empty, rows.data());
  const GpuArray<T> grad_rows(row_count * c.shape.width * c.shape.channels);
  environment_backward<T>(gpu(), c.shape, c.pixel_count, weight, empty, {rows.data(), static_cast<size_t>(row_count)},
                          grad_output.data(), c.append_coverage, grad_features.data(), grad_rows.data());
  out.output = output.read();
  out.grad_features = grad_features.read();
  out.grad_rows = grad_rows.read();
  out.rows = rows.read();
  out.rows.resize(static_cast<size_t>(row_count));
}

template <class T>
Results<T> run_on_gpu(const RandomCase<T>& c) {
  Results<T> out;
  const GpuArray<int32_t> weight(c.weight);
  const GpuArray<int64_t> run_first(empty_runs(c.pixel_count) + 1);
  const GpuArray<EmptyPixel<T>> empty(count_empty_pixels(gpu(), c.pixel_count, weight.data(), run_first.data()));
  const std::span<EmptyPixel<T>> list(empty.data(), static_cast<size_t>(empty.count()));
  find_empty_pixels<T>(gpu(), c.view, c.shape, c.pixel_count, weight.data(), run_first.data(), list);
  out.empty = empty.read();
  run_on_gpu<T>(c, list, weight.data(), out);
  return out;
}

template <class T>
Results<T> run_on_cpu(const RandomCase<T>& c) {
  Results<T> out;
  out.empty = find_empty(c.view, c.shape, c.weight);
  out.output.resize(c.grad_output.size());
  out.grad_features.resize(c.features.size());
  environment_forward<T>(cpu(), c.shape, c.pixel_count, c.features.data(), c.weight.data(), out.empty, c.map.data(),
                         c.append_coverage, out.output.data());
  out.rows.resize(static_cast<size_t>(c.shape.height));
  out.rows.resize(static_cast<size_t>(touched_rows<T>(cpu(), c.shape, out.empty, out.rows.data())));
  out.grad_rows.resize(out.rows.size() * static_cast<size_t>(c.shape.width * c.shape.channels));
  environment_backward<T>(cpu(), c.shape, c.pixel_count, c.weight.data(), out.empty, out.rows, c.grad_output.data(),
                          c.append_coverage, out.grad_features.data(), out.grad_rows.data());
  return out;
}

/// The GPU's list, whose angles differ by the last bits of atan2, against the CPU's. Directions have the same bits:
/// they are made of +, −, ×, ÷ and √. The GPU's atan2 is off by up to 3 units in the last place (CUDA's manual; 2 in
/// double), the CPU's by 1: 4 ε of the angle, which are 2 ε W columns of a circle's W and 2 ε H rows of a half circle's
/// H. From there to texels, rounding adds less than 3 ε of the size on either device: 8 ε. Texels and weights may jump
/// where a position crosses a texel's centre, so that positions are compared, and what is continuous in them: outputs
/// (neighbouring texels differ by at most 1) and texels' gradients (a texel's weight moves no more than the position;
/// |grad_output| ≤ 1/2).
template <class T>
void expect_near_cpu(const RandomCase<T>& c) {
  const Results<T> expected = run_on_cpu(c), found = run_on_gpu(c);
  const double epsilon = static_cast<double>(std::numeric_limits<T>::epsilon());
  const double most_columns = 8 * epsilon * c.shape.width, most_rows = 8 * epsilon * c.shape.height;
  ASSERT_EQ(found.empty.size(), expected.empty.size());
  for (size_t i = 0; i < found.empty.size(); ++i) {
    ASSERT_EQ(found.empty[i].pixel, expected.empty[i].pixel);
    const EnvironmentSample<T>&a = found.empty[i].sample, &b = expected.empty[i].sample;
    const double columns = std::fabs(a.x[0] + double{a.weight_x} - b.x[0] - double{b.weight_x});
    ASSERT_LE(std::min(columns, std::fabs(c.shape.width - columns)), most_columns);
    ASSERT_LE(std::fabs(a.y[0] + double{a.weight_y} - b.y[0] - double{b.weight_y}), most_rows);
    if (!c.shape.constant) {
      ASSERT_EQ(a.x[1], (a.x[0] + 1) % c.shape.width);
      ASSERT_EQ(a.y[1], std::min(a.y[0] + 1, c.shape.height - 1));
    }
  }
  ASSERT_EQ(found.output.size(), expected.output.size());
  for (size_t i = 0; i < found.output.size(); ++i)
    ASSERT_NEAR(found.output[i], expected.output[i], most_columns + most_rows + 8 * epsilon) << i;
  // A feature's gradient is a copy.
  EXPECT_TRUE(same_bits(found.grad_features, expected.grad_features));
  const std::vector<T> found_map = whole_map(c.shape, found.rows, found.grad_rows);
  const std::vector<T> expected_map = whole_map(c.shape, expected.rows, expected.grad_rows);
  const double most = (most_columns + most_rows + 8 * epsilon) * static_cast<double>(found.empty.size());
  for (size_t i = 0; i < found_map.size(); ++i) ASSERT_NEAR(found_map[i], expected_map[i], most) << i;

  // From the CPU's list, all the rest has the CPU's bits: its sums have the same order.
  Results<T> rest;
  const GpuArray<EmptyPixel<T>> list(expected.empty);
  const GpuArray<int32_t> weight(c.weight);
  run_on_gpu<T>(c, {list.data(), expected.empty.size()}, weight.data(), rest);
  EXPECT_TRUE(same_bits(rest.output, expected.output));
  EXPECT_EQ(rest.rows, expected.rows);
  EXPECT_TRUE(same_bits(rest.grad_features, expected.grad_features));
  EXPECT_TRUE(same_bits(rest.grad_rows, expected.grad_rows));

  const Results<T> again = run_on_gpu(c);
  EXPECT_TRUE(same_bits(again.empty, found.empty));
  EXPECT_TRUE(same_bits(again.output, found.output));
  EXPECT_EQ(again.rows, found.rows);
  EXPECT_TRUE(same_bits(again.grad_features, found.grad_features));
  EXPECT_TRUE(same_bits(again.grad_rows, found.grad_rows));
}

#endif

TEST(GpuEnvironment, NearTheCpuAndFromItsListTheSameBits) {
  PTL_SKIP_WITHOUT_GPU();
#if defined(PTL_CUDA)
  for_random_cases<float>([](const RandomCase<float>& c) { expect_near_cpu(c); });
  for_random_cases<double>([](const RandomCase<double>& c) { expect_near_cpu(c); });
#endif
}

TEST(GpuEnvironment, NothingToDo) {
  PTL_SKIP_WITHOUT_GPU();
#if defined(PTL_CUDA)
  RandomCase<float> c(1, {16, 32, 4, false}, true);
  c.pixel_count = 0;
  c.weight.clear();
  c.features.clear();
  c.grad_output.clear();
  const Results<float> found = run_on_gpu(c);
  EXPECT_TRUE(found.empty.empty() && found.rows.empty() && found.output.empty());
#endif
}

}  // namespace
}  // namespace ptl::test
