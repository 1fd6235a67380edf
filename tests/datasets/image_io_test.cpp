#include "datasets/image_io.h"

#include <gtest/gtest.h>
#include <png.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "datasets/exif.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"

namespace ptl {
namespace {

using testing::expect_input_error;
using testing::file_contents;
using testing::write_contents;

StoredImage pattern(int width, int height, int channels, int bits) {
  StoredImage image;
  image.width = width, image.height = height, image.channels = channels, image.bits = bits;
  for (size_t i = 0; i < image.value_count(); ++i) {
    if (bits == 8) image.values8.push_back(static_cast<uint8_t>(i * 37 + i / 7));
    else image.values16.push_back(static_cast<uint16_t>(i * 7919 + 13));
  }
  return image;
}

/// Smooth, so that JPEG changes it little.
Image gradient(int width, int height) {
  Image image(width, height, 3);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      image.at(x, y, 0) = static_cast<float>(x) / static_cast<float>(width);
      image.at(x, y, 1) = static_cast<float>(y) / static_cast<float>(height);
      image.at(x, y, 2) = 0.25f;
    }
  return image;
}

TEST(Png, RoundTripsAreExact) {
  testing::TemporaryFolder folder;
  for (const int bits : {8, 16})
    for (const int channels : {1, 3}) {
      const StoredImage image = pattern(13, 7, channels, bits);
      write_png(folder / "a.png", image);
      const StoredImage read = read_image(folder / "a.png", channels);
      EXPECT_EQ(read.bits, bits);
      EXPECT_EQ(read.values8, image.values8);
      EXPECT_EQ(read.values16, image.values16);
      const ImageInfo info = read_image_info(folder / "a.png");
      EXPECT_EQ(info.format, ImageFormat::png);
      EXPECT_EQ(info.size.width_px, 13);
      EXPECT_EQ(info.size.height_px, 7);
      EXPECT_EQ(info.bits, bits);
      EXPECT_FALSE(info.has_alpha);
    }
}

TEST(Png, FloatsRoundToNearestAndClamp) {
  Image image(6, 1, 1);
  image.pixels = {-1.0f, 0.5f, 1.0f, 2.0f, std::numeric_limits<float>::quiet_NaN(), 100.4f / 255};
  EXPECT_EQ(to_stored(image).values8, (std::vector<uint8_t>{0, 128, 255, 255, 0, 100}));
  const StoredImage all = pattern(16, 16, 1, 8);
  EXPECT_EQ(to_stored(to_float(all)).values8, all.values8);
  const StoredImage deep = pattern(256, 256, 1, 16);
  EXPECT_EQ(to_stored(to_float(deep), 16).values16, deep.values16);
}

TEST(Png, AlphaIsLeftOut) {
  testing::TemporaryFolder folder;
  StoredImage image = pattern(3, 2, 4, 8);
  write_png(folder / "a.png", image);
  const StoredImage read = read_image(folder / "a.png");
  for (size_t i = 0; i < 6; ++i)
    for (size_t c = 0; c < 3; ++c) EXPECT_EQ(read.values8[3 * i + c], image.values8[4 * i + c]);
  EXPECT_TRUE(read_image_info(folder / "a.png").has_alpha);
}

TEST(Png, GreyAndColourBecomeEachOther) {
  testing::TemporaryFolder folder;
  StoredImage grey = pattern(4, 1, 1, 8);
  write_png(folder / "grey.png", grey);
  const StoredImage rgb = read_image(folder / "grey.png", 3);
  for (size_t i = 0; i < 12; ++i) EXPECT_EQ(rgb.values8[i], grey.values8[i / 3]);
  StoredImage colour = pattern(2, 1, 3, 8);
  colour.values8 = {255, 0, 0, 10, 20, 30};
  write_png(folder / "colour.png", colour);
  EXPECT_EQ(read_image(folder / "colour.png", 1).values8, (std::vector<uint8_t>{76, 18}));  // 76.2, 18.15
}

/// libpng's simplified interface, as an independent writer: palette (8-bit colour map).
TEST(Png, PalettesBecomeColours) {
  testing::TemporaryFolder folder;
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.width = 2;
  image.height = 2;
  image.format = PNG_FORMAT_RGB_COLORMAP;
  image.colormap_entries = 3;
  const uint8_t colours[] = {10, 20, 30, 200, 100, 50, 1, 2, 3};
  const uint8_t pixels[] = {0, 1, 2, 1};
  ASSERT_TRUE(png_image_write_to_file(&image, (folder / "a.png").c_str(), 0, pixels, 0, colours));
  EXPECT_EQ(read_image(folder / "a.png").values8,
            (std::vector<uint8_t>{10, 20, 30, 200, 100, 50, 1, 2, 3, 200, 100, 50}));
}

TEST(Png, TruncatedOrDamagedIsAnError) {
  testing::TemporaryFolder folder;
  const std::string whole = encode_png(pattern(40, 30, 3, 8));
  for (const size_t length : {size_t{8}, size_t{20}, whole.size() / 2, whole.size() - 13, whole.size() - 4}) {
    write_contents(folder / "a.png", whole.substr(0, length));
    expect_input_error([&] { read_image(folder / "a.png"); }, {"a.png", "PNG"});
  }
  std::string damaged = whole;
  damaged[whole.size() / 2] = static_cast<char>(damaged[whole.size() / 2] ^ 0x55);
  write_contents(folder / "b.png", damaged);
  expect_input_error([&] { read_image(folder / "b.png"); }, {"b.png", "damaged"});
}

TEST(Jpeg, RoundTripIsClose) {
  testing::TemporaryFolder folder;
  const Image image = gradient(64, 48);
  write_jpeg(folder / "a.jpg", image, 95);
  const Image read = to_float(read_image(folder / "a.jpg"));
  ASSERT_EQ(read.pixels.size(), image.pixels.size());
  float worst = 0;
  for (size_t i = 0; i < read.pixels.size(); ++i) worst = std::max(worst, std::abs(read.pixels[i] - image.pixels[i]));
  EXPECT_LT(worst, 0.02f);
  EXPECT_EQ(read_image_size(folder / "a.jpg").width_px, 64);
  EXPECT_EQ(read_image_size(folder / "a.jpg").height_px, 48);
}

TEST(Jpeg, GreyStaysGrey) {
  testing::TemporaryFolder folder;
  write_jpeg(folder / "a.jpg", Image(16, 16, 1, 0.5f), 100);
  EXPECT_EQ(read_image(folder / "a.jpg", 1).values8, std::vector<uint8_t>(256, 128));
  EXPECT_EQ(read_image(folder / "a.jpg", 3).values8, std::vector<uint8_t>(768, 128));
}

TEST(Jpeg, TruncatedIsAnErrorWhereTheLibraryOnlyWarns) {
  testing::TemporaryFolder folder;
  const std::string whole = encode_jpeg(pattern(80, 60, 3, 8), 90);
  for (const size_t length : {size_t{3}, size_t{30}, whole.size() / 2, whole.size() - 40}) {
    write_contents(folder / "a.jpg", whole.substr(0, length));
    expect_input_error([&] { read_image(folder / "a.jpg"); }, {"a.jpg", "damaged or truncated JPEG"});
  }
  std::string damaged = whole;
  for (size_t i = whole.size() / 2; i < whole.size() / 2 + 60; ++i) damaged[i] = static_cast<char>(0xff);
  write_contents(folder / "b.jpg", damaged);
  expect_input_error([&] { read_image(folder / "b.jpg"); }, {"b.jpg", "damaged"});
}

TEST(Jpeg, BytesBehindTheEndAreFine) {
  testing::TemporaryFolder folder;
  const StoredImage image = pattern(20, 20, 3, 8);
  write_contents(folder / "a.jpg", encode_jpeg(image) + "some cameras append a second picture here");
  write_contents(folder / "b.jpg", encode_jpeg(image));
  EXPECT_EQ(read_image(folder / "a.jpg").values8, read_image(folder / "b.jpg").values8);
}

TEST(Jpeg, OrientationIsIgnored) {
  testing::TemporaryFolder folder;
  ExifFields turned;
  turned.orientation = 6;
  write_jpeg(folder / "turned.jpg", gradient(32, 16), 95, make_exif_block(turned));
  write_jpeg(folder / "plain.jpg", gradient(32, 16), 95);
  EXPECT_EQ(read_exif(folder / "turned.jpg").orientation, 6);
  EXPECT_EQ(read_image_size(folder / "turned.jpg").width_px, 32);
  EXPECT_EQ(read_image(folder / "turned.jpg").values8, read_image(folder / "plain.jpg").values8);
}

TEST(ImageIo, ContentsCountNotNames) {
  testing::TemporaryFolder folder;
  const StoredImage image = pattern(5, 4, 3, 8);
  write_png(folder / "a.jpg", image);
  EXPECT_EQ(read_image(folder / "a.jpg").values8, image.values8);
  write_contents(folder / "b.jpg", "GIF89a and so on");
  expect_input_error([&] { read_image(folder / "b.jpg"); }, {"b.jpg", "JPEG, PNG"});
  expect_input_error([&] { read_image_size(folder / "b.jpg"); }, {"b.jpg", "JPEG, PNG"});
  write_contents(folder / "empty.png", "");
  expect_input_error([&] { read_image(folder / "empty.png"); }, {"empty.png"});
  expect_input_error([&] { read_image(folder / "missing.png"); }, {"missing.png", "No such file"});
  expect_input_error([&] { read_image(folder.path()); }, {"is a folder"});
}

TEST(ImageIo, AHeaderMayNotAskForAllMemory) {
  testing::TemporaryFolder folder;
  std::string bytes = encode_jpeg(pattern(16, 16, 3, 8));
  const size_t frame = bytes.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  for (size_t i = 0; i < 4; ++i) bytes[frame + 5 + i] = static_cast<char>(i % 2 ? 0xff : 0xf0);
  write_contents(folder / "a.jpg", bytes);
  expect_input_error([&] { read_image(folder / "a.jpg"); }, {"a.jpg", "61695"});
}

TEST(ImageIo, NothingIsLeftWhereWritingFails) {
  if (::geteuid() == 0) {
    testing::TemporaryFolder folder;
    write_contents(folder / "file", "x");
    expect_input_error([&] { write_png(folder / "file" / "a.png", Image(4, 4, 3)); }, {"a.png"});
    EXPECT_EQ(file_contents(folder / "file"), "x");
    return;
  }
  expect_input_error([] { write_png("/proc/a.png", Image(4, 4, 3)); }, {"/proc/a.png"});
}

TEST(Exr, RoundTripsAreExact) {
  testing::TemporaryFolder folder;
  for (const int channels : {1, 3})
    for (const int width : {5, 40}) {
      Image image(width, 33, channels);
      for (size_t i = 0; i < image.pixels.size(); ++i)
        image.pixels[i] = std::ldexp(static_cast<float>(i % 1000) - 100.0f, static_cast<int>(i % 20) - 6);
      write_exr(folder / "a.exr", image);
      const Image read = read_exr(folder / "a.exr");
      EXPECT_EQ(read.channels, channels);
      EXPECT_EQ(read.pixels, image.pixels);
      EXPECT_EQ(read_image_size(folder / "a.exr").width_px, width);
      EXPECT_EQ(read_image_info(folder / "a.exr").bits, 32);
    }
  Image with_alpha(20, 20, 4, 0.25f);
  write_exr(folder / "b.exr", with_alpha);
  EXPECT_TRUE(read_image_info(folder / "b.exr").has_alpha);
  EXPECT_EQ(read_exr(folder / "b.exr").pixels, std::vector<float>(1200, 0.25f));
}

TEST(Exr, DamagedOrAskedForAsAPhoto) {
  testing::TemporaryFolder folder;
  write_exr(folder / "a.exr", gradient(64, 64));
  expect_input_error([&] { read_image(folder / "a.exr"); }, {"a.exr", "OpenEXR"});
  const std::string whole = file_contents(folder / "a.exr");
  for (const size_t length : {size_t{6}, size_t{60}, whole.size() / 2}) {
    write_contents(folder / "b.exr", whole.substr(0, length));
    expect_input_error([&] { read_exr(folder / "b.exr"); }, {"b.exr", "OpenEXR"});
  }
}

TEST(ImageIo, RealPhotos) {
  const char* data = std::getenv("PTL_TEST_DATA");
  if (!data) GTEST_SKIP() << "PTL_TEST_DATA does not name a folder with the scene 'plush'";
  int photos = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(data) / "plush" / "images")) {
    const ImageSize size = read_image_size(entry.path());
    if (photos++ % 16 != 0) continue;
    const StoredImage image = read_image(entry.path());
    EXPECT_EQ(image.width, size.width_px);
    EXPECT_EQ(image.height, size.height_px);
  }
  EXPECT_GT(photos, 0);
}

}  // namespace
}  // namespace ptl
