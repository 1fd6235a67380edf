#include "datasets/image_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <thread>

#include "datasets/image_io.h"
#include "datasets/resize.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"

namespace ptl {
namespace {

using testing::expect_input_error;

constexpr int width = 24, height = 16;
constexpr uint64_t photo_bytes = width * height * 3;

Image photo_number(int number) {
  Image image(width, height, 3);
  for (size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = static_cast<float>((i * 31 + static_cast<size_t>(number) * 57) % 256) / 255.0f;
  return image;
}

std::vector<ImageSource> write_photos(const testing::TemporaryFolder& folder, int count) {
  std::vector<ImageSource> sources;
  for (int i = 0; i < count; ++i) {
    const auto path = folder / ("photo" + std::to_string(i) + ".png");
    write_png(path, photo_number(i));
    sources.push_back({path, {}, width, height, width, height});
  }
  return sources;
}

TEST(ImageCache, HoldsTheBoundAndDropsTheOneUsedLeastRecently) {
  testing::TemporaryFolder folder;
  ImageCache cache(write_photos(folder, 4), 3 * photo_bytes);
  for (const int image : {0, 1, 2}) cache.get(image);
  EXPECT_EQ(cache.statistics().bytes, 3 * photo_bytes);
  cache.get(0);  // now 1 is the oldest
  EXPECT_EQ(cache.statistics().reused, 1u);
  cache.get(3);
  EXPECT_EQ(cache.statistics().decoded, 4u);
  for (const int image : {0, 2, 3}) cache.get(image);
  EXPECT_EQ(cache.statistics().decoded, 4u);
  cache.get(1);
  EXPECT_EQ(cache.statistics().decoded, 5u);
  EXPECT_LE(cache.statistics().peak_bytes, 3 * photo_bytes);
}

TEST(ImageCache, APhotoLargerThanTheBoundIsHeldAlone) {
  testing::TemporaryFolder folder;
  ImageCache cache(write_photos(folder, 2), 10);
  cache.get(0);
  cache.get(1);
  EXPECT_EQ(cache.statistics().bytes, photo_bytes);
  EXPECT_EQ(cache.statistics().peak_bytes, photo_bytes);
}

TEST(ImageCache, TheBoundChangesNoResult) {
  testing::TemporaryFolder folder;
  const auto sources = write_photos(folder, 5);
  ImageCache small(sources, photo_bytes), large(sources, 100 * photo_bytes);
  const Crop crop{0.8f, 3.25f, 1.5f, 12, 10};
  for (const int image : {0, 3, 1, 3, 4, 2, 0}) {
    std::vector<float> a(360), b(360), mask_a(120), mask_b(120);
    small.sample_crop(image, crop, a.data(), mask_a.data());
    large.sample_crop(image, crop, b.data(), mask_b.data());
    EXPECT_EQ(a, b);
    EXPECT_EQ(mask_a, mask_b);
  }
}

TEST(ImageCache, TheIdentityCropIsThePhoto) {
  testing::TemporaryFolder folder;
  ImageCache cache(write_photos(folder, 1), 1 << 20);
  std::vector<float> rgb(photo_bytes), mask(width * height);
  cache.sample_crop(0, Crop{1.0f, 0.0f, 0.0f, width, height}, rgb.data(), mask.data());
  EXPECT_EQ(rgb, photo_number(0).pixels);
  EXPECT_EQ(cache.photo(0).pixels, rgb);
  EXPECT_EQ(mask, std::vector<float>(width * height, 1.0f));
  EXPECT_EQ(cache.mask(0).pixels, mask);
}

TEST(ImageCache, CropsBeyondThePhotoAreMaskedOut) {
  testing::TemporaryFolder folder;
  ImageCache cache(write_photos(folder, 1), 1 << 20);
  std::vector<float> rgb(5 * 4 * 3), mask(5 * 4);
  cache.sample_crop(0, Crop{1.0f, -2.0f, height - 1.0f, 5, 4}, rgb.data(), mask.data());
  const Image photo = photo_number(0);
  for (int y = 0; y < 4; ++y)
    for (int x = 0; x < 5; ++x) {
      const bool inside = x >= 2 && y == 0;
      EXPECT_EQ(mask[static_cast<size_t>(y * 5 + x)], inside ? 1.0f : 0.0f);
      for (int c = 0; c < 3; ++c)
        EXPECT_EQ(rgb[static_cast<size_t>((y * 5 + x) * 3 + c)], inside ? photo.at(x - 2, height - 1, c) : 0.0f);
    }
}

/// A photo that is linear in x and y: a sampling that has the coordinates right gives the linear function's value at
/// ((x, y) + 0.5 + offset)/zoom; exactly when bilinear and for boxes of whole pixels, else within 1/8 px (the mean of a box
/// over pixels that are constant within themselves).
TEST(ImageCache, CropGeometryOnALinearPhoto) {
  testing::TemporaryFolder folder;
  Image ramp(64, 48, 3);
  for (int y = 0; y < 48; ++y)
    for (int x = 0; x < 64; ++x)
      for (int c = 0; c < 3; ++c)
        ramp.at(x, y, c) = 0.05f + 0.008f * (static_cast<float>(x) + 0.5f) + 0.006f * (static_cast<float>(y) + 0.5f);
  write_png(folder / "ramp.png", ramp, 16);
  ImageCache cache({{folder / "ramp.png", {}, 64, 48, 64, 48}}, 1 << 20);
  for (const float zoom : {0.5f, 0.75f, 0.9f, 1.0f, 1.2f, 1.5f, 3.0f}) {
    const Crop crop{zoom, 8.3f * zoom, 5.7f * zoom, 20, 16};
    const double tolerance = zoom >= 1.0f || zoom == 0.5f ? 3e-5 : (0.008 + 0.006) / 8;
    std::vector<float> rgb(20 * 16 * 3), mask(20 * 16);
    cache.sample_crop(0, crop, rgb.data(), mask.data());
    for (int y = 0; y < 16; ++y)
      for (int x = 0; x < 20; ++x) {
        const double photo_x = (x + 0.5 + crop.offset_x_px) / zoom, photo_y = (y + 0.5 + crop.offset_y_px) / zoom;
        EXPECT_EQ(mask[static_cast<size_t>(y * 20 + x)], 1.0f);
        EXPECT_NEAR(rgb[static_cast<size_t>((y * 20 + x) * 3)], 0.05 + 0.008 * photo_x + 0.006 * photo_y, tolerance);
      }
  }
}

TEST(ImageCache, ZoomOfOneHalfIsTheMeanOfTwoByTwo) {
  testing::TemporaryFolder folder;
  ImageCache cache(write_photos(folder, 1), 1 << 20);
  std::vector<float> rgb(photo_bytes / 4), mask(width * height / 4);
  cache.sample_crop(0, Crop{0.5f, 0.0f, 0.0f, width / 2, height / 2}, rgb.data(), mask.data());
  const Image expected = reduce_area(photo_number(0), width / 2, height / 2);
  for (size_t i = 0; i < rgb.size(); ++i) EXPECT_NEAR(rgb[i], expected.pixels[i], 1e-6);
}

TEST(ImageCache, SoftMasksAreSampledLikeThePhoto) {
  testing::TemporaryFolder folder;
  auto sources = write_photos(folder, 1);
  Image mask_image(width, height, 1);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) mask_image.at(x, y, 0) = x < 10 ? 1.0f : x < 12 ? 0.6f : 0.0f;
  write_png(folder / "mask.png", mask_image);
  sources[0].mask_path = folder / "mask.png";
  ImageCache cache(sources, 1 << 20);
  EXPECT_EQ(cache.get(0)->bytes(), photo_bytes + width * height);
  std::vector<float> rgb(12 * 8 * 3), mask(12 * 8);
  cache.sample_crop(0, Crop{0.5f, 1.0f, 0.0f, 12, 8}, rgb.data(), mask.data());
  for (int x = 0; x < 12; ++x) {  // crop pixel x covers the photo's columns 2x + 2 and 2x + 3
    const float expected = x < 4 ? 1.0f : x == 4 ? 0.6f : 0.0f;
    EXPECT_NEAR(mask[static_cast<size_t>(x)], expected, 1e-6) << x;
  }
  EXPECT_NEAR(cache.mask(0).at(10, 3, 0), 0.6f, 1e-6);
}

TEST(ImageCache, ReducesToTheUsedSize) {
  testing::TemporaryFolder folder;
  auto sources = write_photos(folder, 1);
  sources[0].width_px = 9;
  sources[0].height_px = 5;
  ImageCache cache(sources, 1 << 20);
  EXPECT_EQ(cache.get(0)->photo.values8, reduce_area(to_stored(photo_number(0)), 9, 5).values8);
  EXPECT_EQ(cache.statistics().bytes, 9u * 5 * 3);
}

TEST(ImageCache, AnotherSizeThanTheCamerasIsAnError) {
  testing::TemporaryFolder folder;
  auto sources = write_photos(folder, 1);
  sources[0].stored_width_px = height;
  sources[0].stored_height_px = width;
  ImageCache cache(sources, 1 << 20);
  expect_input_error([&] { cache.get(0); }, {"photo0.png", "24 × 16", "16 × 24"});
  expect_input_error([&] { cache.get(0); }, {"photo0.png"});  // and again: nothing half done is held
  EXPECT_EQ(cache.statistics().bytes, 0u);
  sources = write_photos(folder, 1);
  write_png(folder / "mask.png", Image(3, 3, 1));
  sources[0].mask_path = folder / "mask.png";
  ImageCache with_mask(sources, 1 << 20);
  expect_input_error([&] { with_mask.get(0); }, {"mask.png", "mask", "3 × 3"});
}

TEST(ImageCache, APhotosAlphaIsItsMask) {
  testing::TemporaryFolder folder;
  StoredImage photo;
  photo.width = 4;
  photo.height = 2;
  photo.channels = 4;
  for (int i = 0; i < 8; ++i)
    for (const int value : {10 * i, 20, 30, i == 3 ? 0 : i == 5 ? 51 : 255}) photo.values8.push_back(static_cast<uint8_t>(value));
  write_png(folder / "rgba.png", photo);
  write_png(folder / "opaque.png", Image(4, 2, 3, 0.5f));
  std::vector<ImageSource> sources;
  for (const char* name : {"rgba.png", "opaque.png"}) sources.push_back({folder / name, folder / name, 4, 2, 4, 2});
  ImageCache cache(sources, 1 << 20);
  const Image mask = cache.mask(0);
  for (int i = 0; i < 8; ++i) EXPECT_FLOAT_EQ(mask.pixels[static_cast<size_t>(i)], i == 3 ? 0.0f : i == 5 ? 0.2f : 1.0f) << i;
  EXPECT_FLOAT_EQ(cache.photo(0).pixels[3 * 5], 50 / 255.0f);  // as stored
  for (const float value : cache.mask(1).pixels) EXPECT_EQ(value, 1.0f);
}

TEST(ImageCache, ThreadsGetTheRightPhotos) {
  testing::TemporaryFolder folder;
  ImageCache cache(write_photos(folder, 6), 2 * photo_bytes);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 60; ++i) {
        const int image = (i * 5 + t) % 6;
        std::vector<float> rgb(photo_bytes), mask(width * height);
        cache.sample_crop(image, Crop{1.0f, 0.0f, 0.0f, width, height}, rgb.data(), mask.data());
        if (rgb != photo_number(image).pixels) ++wrong;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(cache.statistics().peak_bytes, 2 * photo_bytes);
}

}  // namespace
}  // namespace ptl
