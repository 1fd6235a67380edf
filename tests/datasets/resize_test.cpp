#include "datasets/resize.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/support/expect_input_error.h"

namespace ptl {
namespace {

Image row_of(std::vector<float> values) {
  Image image(static_cast<int>(values.size()), 1, 1);
  image.pixels = std::move(values);
  return image;
}

TEST(Resize, HalvesByTheMeanOfTwoByTwo) {
  Image image(4, 2, 1);
  image.pixels = {1, 3, 5, 7,  //
                  2, 4, 8, 0};
  const Image half = reduce_area(image, 2, 1);
  EXPECT_EQ(half.pixels, (std::vector<float>{2.5f, 5.0f}));
}

TEST(Resize, ThreeToTwoByShares) {
  // Each output pixel covers 1.5 inputs: (a + b/2)/1.5 and (b/2 + c)/1.5.
  const Image result = reduce_area(row_of({3, 6, 9}), 2, 1);
  EXPECT_NEAR(result.pixels[0], (3 + 3) / 1.5, 1e-6);
  EXPECT_NEAR(result.pixels[1], (3 + 9) / 1.5, 1e-6);
}

TEST(Resize, FiveToThreeByShares) {
  const Image result = reduce_area(row_of({1, 0, 4, 2, 10}), 3, 1);
  EXPECT_NEAR(result.pixels[0], (1 + 0 * 2 / 3.0) / (5 / 3.0), 1e-6);
  EXPECT_NEAR(result.pixels[1], (0 / 3.0 + 4 + 2 / 3.0) / (5 / 3.0), 1e-6);
  EXPECT_NEAR(result.pixels[2], (2 * 2 / 3.0 + 10) / (5 / 3.0), 1e-6);
}

TEST(Resize, KeepsTheMeanAndConstants) {
  Image image(37, 23, 3);
  for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<float>((i * 7919) % 101) / 100.0f;
  const Image small = reduce_area(image, 11, 5);
  for (int c = 0; c < 3; ++c) {
    double before = 0, after = 0;
    for (int y = 0; y < image.height; ++y)
      for (int x = 0; x < image.width; ++x) before += image.at(x, y, c);
    for (int y = 0; y < small.height; ++y)
      for (int x = 0; x < small.width; ++x) after += small.at(x, y, c);
    EXPECT_NEAR(before / (37 * 23), after / (11 * 5), 1e-6);
  }
  const Image flat = reduce_area(Image(37, 23, 1, 0.3f), 7, 23);
  for (const float value : flat.pixels) EXPECT_NEAR(value, 0.3f, 1e-6);
}

TEST(Resize, TheOwnSizeIsACopy) {
  Image image(5, 4, 3);
  std::iota(image.pixels.begin(), image.pixels.end(), 0.0f);
  EXPECT_EQ(reduce_area(image, 5, 4).pixels, image.pixels);
}

TEST(Resize, IntegersRoundToNearest) {
  StoredImage image;
  image.width = 4, image.height = 1, image.channels = 1, image.bits = 8;
  image.values8 = {10, 11, 255, 255};
  EXPECT_EQ(reduce_area(image, 2, 1).values8, (std::vector<uint8_t>{11, 255}));
  image.bits = 16;
  image.values8.clear();
  image.values16 = {60000, 60001, 65535, 65535};
  EXPECT_EQ(reduce_area(image, 2, 1).values16, (std::vector<uint16_t>{60001, 65535}));
}

TEST(Resize, RefusesToEnlarge) {
  testing::expect_input_error([] { reduce_area(Image(4, 4, 1), 5, 4); }, {"4 × 4", "5 × 4"});
  testing::expect_input_error([] { reduce_area(Image(4, 4, 1), 0, 4); }, {"0 × 4"});
}

TEST(AxisTaps, WeightsAddUpAndStayInside) {
  for (const double step : {0.3, 1 / 1.5, 1.0, 1.01, 4.0 / 3, 2.0, 7.3})
    for (const double offset : {-3.7, 0.0, 0.25, 11.0}) {
      const AxisTaps taps = make_axis_taps(20, 30, step, offset);
      for (int i = 0; i < 30; ++i) {
        const double centre = (i + 0.5 + offset) * step;
        if (centre < 0 || centre >= 20) {
          EXPECT_EQ(taps.tap_count(i), 0);
          continue;
        }
        ASSERT_GT(taps.tap_count(i), 0);
        EXPECT_GE(taps.first_input[static_cast<size_t>(i)], 0);
        EXPECT_LE(taps.first_input[static_cast<size_t>(i)] + taps.tap_count(i), 20);
        double sum = 0;
        for (int k = 0; k < taps.tap_count(i); ++k)
          sum += taps.weight[static_cast<size_t>(taps.first_tap[static_cast<size_t>(i)] + k)];
        EXPECT_NEAR(sum, 1.0, 1e-6);
      }
    }
}

TEST(AxisTaps, BoxAndLinearAreTheSameAtStepOne) {
  const AxisTaps linear = make_axis_taps(10, 8, 1.0, 0.3), box = make_axis_taps(10, 8, 1.0 + 1e-9, 0.3);
  ASSERT_EQ(linear.first_input, box.first_input);
  ASSERT_EQ(linear.weight.size(), box.weight.size());
  for (size_t i = 0; i < box.weight.size(); ++i) EXPECT_NEAR(linear.weight[i], box.weight[i], 1e-6);
}

}  // namespace
}  // namespace ptl
