// Means and intervals against values computed by hand and by SciPy.
#include "research/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ptl::research {
namespace {

TEST(Statistics, MeanAndDeviationOfTheSample) {
  const Estimate four = estimate({1, 2, 3, 4});
  EXPECT_DOUBLE_EQ(four.mean, 2.5);
  EXPECT_NEAR(*four.deviation, std::sqrt(5.0 / 3), 1e-12);
  EXPECT_EQ(four.count, 4);
  const Estimate one = estimate({7});
  EXPECT_EQ(one.mean, 7);
  EXPECT_FALSE(one.deviation.has_value());
}

// scipy.stats.t.ppf(0.975, df), SciPy 1.14.
TEST(Statistics, StudentsQuantiles) {
  EXPECT_NEAR(student_t_975(1), 12.7062, 5e-4);
  EXPECT_NEAR(student_t_975(2), 4.30265, 5e-4);
  EXPECT_NEAR(student_t_975(10), 2.22814, 5e-4);
  EXPECT_NEAR(student_t_975(30), 2.04227, 5e-4);
  // Beyond the table never narrower than the truth.
  for (const auto& [degrees, truth] : {std::pair(35, 2.03011), {45, 2.01410}, {100, 1.98397}, {1000, 1.96234}}) {
    EXPECT_GE(student_t_975(degrees), truth) << degrees;
    EXPECT_LE(student_t_975(degrees), truth + 0.02) << degrees;
  }
}

TEST(Statistics, PairedDifferences) {
  const PairedDifference unclear = paired_difference({0.1, 0.3, 0.2});
  EXPECT_NEAR(unclear.mean, 0.2, 1e-12);
  EXPECT_NEAR(*unclear.half_width, 4.303 * 0.1 / std::sqrt(3.0), 1e-9);
  EXPECT_FALSE(unclear.is_clear());
  EXPECT_TRUE(paired_difference({0.30, 0.31, 0.29}).is_clear());
  EXPECT_TRUE(paired_difference({-0.30, -0.31, -0.29}).is_clear());
  const PairedDifference one = paired_difference({0.5});
  EXPECT_EQ(one.pairs, 1);
  EXPECT_FALSE(one.half_width.has_value());
  EXPECT_FALSE(one.is_clear());
}

}  // namespace
}  // namespace ptl::research
