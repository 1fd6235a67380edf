// HDR photos: their values, what is refused, the range of a scene's photos, and their way through the cache.
#include "datasets/hdr_photo.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "datasets/image_cache.h"
#include "datasets/scene_loader.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/fit_scene.h"
#include "tests/support/projected.h"
#include "tests/support/temporary_folder.h"

namespace ptl::testing {
namespace {

namespace fs = std::filesystem;

Image radiance_of(int width, int height, std::initializer_list<float> values) {
  Image image(width, height, 3);
  image.pixels = values;
  return image;
}

TEST(LogRange, ByHand) {
  const LogRange range{-4, 4};
  EXPECT_EQ(log_value(1, range), 0.5f);
  EXPECT_EQ(log_value(4, range), 0.75f);
  for (const float dark : {0.0625f, 0.001f, 0.0f, -3.0f}) EXPECT_EQ(log_value(dark, range), 0);
  EXPECT_EQ(log_value(1e6f, range), 1);
  EXPECT_EQ(radiance_of_value(0.75f, range), 4);
  EXPECT_EQ(describe(range), "log-coded, 8 stops from 2^-4 to 2^4");
}

TEST(HdrPhoto, ValuesAreAveragedBeforeTheLogarithm) {
  const TemporaryFolder folder;
  write_exr(folder / "a.exr", radiance_of(2, 1, {1, 4, -1, 4, 1, 0.5f}));
  const LogRange range{-4, 4};
  const StoredImage whole = read_photo(folder / "a.exr", range);
  EXPECT_EQ(whole.bits, 16);
  EXPECT_EQ(whole.values16, (std::vector<uint16_t>{32768, 49151, 0, 49151, 32768, 24576}));
  const StoredImage half = read_photo(folder / "a.exr", range, 1, 1);
  for (size_t c = 0; c < 2; ++c)
    EXPECT_NEAR(half.values16[c] / 65535.0, (std::log2(2.5) + 4) / 8, 1e-5);  // not the mean of both logarithms, 0.625
  EXPECT_EQ(half.values16[2], 0);                                             // the mean of −1 and 0.5
  write_png(folder / "a.png", Image(2, 1, 3, 0.5f));
  EXPECT_EQ(read_photo(folder / "a.png", range).values8, read_image(folder / "a.png").values8);
}

TEST(HdrPhoto, IsRefusedWhereItHoldsNoRadiance) {
  const TemporaryFolder folder;
  const LogRange range{-4, 4};
  const auto read = [&](const Image& image) {
    write_exr(folder / "a.exr", image);
    read_photo(folder / "a.exr", range);
  };
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  expect_input_error(
      [&] {
        read(radiance_of(2, 1, {1, 1, 1, 1, nan, 1}));
      },
      {"a.exr", "pixel (1, 0)", "nan", "finite"});
  expect_input_error([&] { read(radiance_of(1, 2, {1, 1, 1, 1, 1, infinity})); }, {"a.exr", "pixel (0, 1)", "inf"});
  expect_input_error([&] { read(Image(2, 2, 1, 1.0f)); }, {"a.exr", "one channel", "R, G and B"});
  write_exr(folder / "a.exr", Image(2, 2, 3, 1.0f));
  expect_input_error([&] { read_photo(folder / "a.exr", std::nullopt); }, {"a.exr", "OpenEXR", "all of its photos"});
}

TEST(HdrPhoto, AlphaIsItsMask) {
  const TemporaryFolder folder;
  Image image(3, 1, 4, 1.0f);
  image.at(1, 0, 3) = 0.5f;
  image.at(2, 0, 3) = 0;
  write_exr(folder / "a.exr", image);
  EXPECT_EQ(read_alpha(folder / "a.exr").values16, (std::vector<uint16_t>{65535, 32768, 0}));
  write_exr(folder / "b.exr", Image(3, 1, 3, 1.0f));
  EXPECT_TRUE(read_alpha(folder / "b.exr").empty());
}

TEST(HdrPhoto, InTheCache) {
  const TemporaryFolder folder;
  write_exr(folder / "a.exr", Image(4, 2, 3, 2.0f));
  ImageSource source{folder / "a.exr", {}, 4, 2, 4, 2};
  source.range = LogRange{-4, 4};
  ImageCache cache({source}, 1 << 20);
  EXPECT_EQ(cache.get(0)->bytes(), 4u * 2 * 3 * 2);
  for (const float value : cache.photo(0).pixels) EXPECT_NEAR(value, 0.625f, 1e-5f);
}

class HdrSceneTest : public ::testing::Test {
 protected:
  void SetUp() override { write_fit_scene(folder_ / "scene", {10, 96, 72, 3000, true}); }
  fs::path photo(int i) const { return folder_ / "scene" / "images" / ("photo_00" + std::to_string(i) + ".exr"); }
  Scene load() const { return load_scene(folder_ / "scene"); }
  TemporaryFolder folder_;
};

TEST_F(HdrSceneTest, TheRangeIsThatOfThePhotosThatMayBeLearnedFrom) {
  Scene scene = load();
  EXPECT_TRUE(is_hdr(scene));
  EXPECT_FALSE(scene.photo_range);
  EXPECT_FALSE(says(scene, "EXIF"));
  // Colours c are 0.15 to 0.8, radiance 2^(20 c − 10): from 2^−7 to 2^6, and a stop more.
  choose_photo_range(scene, {1, 2, 3});
  ASSERT_TRUE(scene.photo_range);
  EXPECT_EQ(scene.photo_range->high, 7);
  EXPECT_GE(scene.photo_range->low, -8);
  EXPECT_LE(scene.photo_range->low, -7);
  EXPECT_TRUE(says(scene, "HDR (OpenEXR) and log-coded"));
  EXPECT_EQ(image_sources(scene).front().range, scene.photo_range);

  // A photo that is not among them changes nothing; pixels under a mask neither; negative values are counted.
  const LogRange before = *scene.photo_range;
  write_exr(photo(0), Image(96, 72, 3, 1e6f));
  Image spoiled = read_exr(photo(2));
  StoredImage mask = to_stored(Image(96, 72, 1, 1.0f));
  for (int x = 0; x < 48; ++x)
    for (int y = 0; y < 72; ++y) {
      for (int c = 0; c < 3; ++c) spoiled.at(x, y, c) = 1e5f;
      mask.values8[static_cast<size_t>(y * 96 + x)] = 0;
    }
  spoiled.at(90, 10, 1) = -0.01f;
  write_exr(photo(2), spoiled);
  write_png(folder_ / "scene" / "masks" / "photo_002.exr.png", mask);
  Scene masked = load();
  choose_photo_range(masked, {1, 2, 3});
  EXPECT_EQ(*masked.photo_range, before);
  EXPECT_TRUE(says(masked, "0 or less")) << masked.oddities.back();
}

// The points' colours are c, the photos' values a straight line of them.
TEST_F(HdrSceneTest, ColoursOfPointsBecomeThePhotosValues) {
  const Scene as_read = load();
  Scene scene = as_read;
  choose_photo_range(scene, {1, 2, 3, 4, 5, 6, 7, 9});
  double worst = 0;
  for (size_t i = 0; i < scene.cloud.size(); ++i)
    for (size_t c = 0; c < 3; ++c) {
      const float radiance = wall_radiance(static_cast<float>(as_read.cloud.color[i][c]) / 255);
      worst = std::max(worst, std::abs(static_cast<double>(log_value(radiance, *scene.photo_range)) -
                                       scene.cloud.color[i][c] / 255.0));
    }
  EXPECT_LT(worst, 0.06);  // the photos do not see all of the wall alike
}

TEST_F(HdrSceneTest, WhatIsRefused) {
  write_png(photo(4), Image(96, 72, 3, 0.5f));  // a file's first bytes say what it is
  expect_input_error([&] { load(); }, {"OpenEXR", "photo_004.exr is not", "or none"});
  for (int i = 0; i < 10; ++i) write_exr(photo(i), Image(96, 72, 3, 0.0f));
  Scene black = load();
  expect_input_error([&] { choose_photo_range(black, {1, 2}); }, {"images", "no radiance above 0"});
  Image broken(96, 72, 3, 1.0f);
  broken.at(5, 7, 2) = std::numeric_limits<float>::quiet_NaN();
  write_exr(photo(1), broken);
  expect_input_error([&] { choose_photo_range(black, {1, 2}); }, {"photo_001.exr", "(5, 7)"});
}

}  // namespace
}  // namespace ptl::testing
