// TIFF photos: files of other programs and files written here by the format's specification.
#include <gtest/gtest.h>

#include <fstream>

#include "datasets/error.h"
#include "datasets/exif.h"
#include "datasets/image_io.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"

namespace ptl::testing {
namespace {

namespace fs = std::filesystem;

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

fs::path write(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
  return file;
}

// By Pillow 12 and tifffile 2025: 4 × 2 pixels with the values 0, 10, 20, … 230 in RGB, or 0, 7000, … 49000 in grey.
const char* const lzw_rgb =
    "49492a00260000008000014140f0a0643c23140b464371e1048c4b28154b45f321a4dc7340400a000001030001000000040000000101030001000000020000000201"
    "030003000000a40000000301030001000000050000000601030001000000020000001101040001000000080000001501030001000000030000001601030001000000"
    "0200000017010400010000001e0000001c010300010000000100000000000000080008000800";
const char* const deflated_grey_16_big_endian =
    "4d4d002a00000008000d0100000400000001000000040101000400000001000000020102000300000001001000000103000300000001000800000106000300000001"
    "000100000111000400000001000000d001150003000000010001000001160004000000010000000201170004000000010000001b011a000500000001000000aa011b"
    "000500000001000000b2012800030000000100010000013100020000000c000000ba00000000000000010000000100000001000000017469666666696c652e707900"
    "00000000000000000000789c011000efff00001b5836b052086d6088b8a410bf68250c059c";
const char* const planes =
    "49492a00080000000e000001040001000000040000000101040001000000020000000201030003000000b60000000301030001000000010000000601030001000000"
    "020000001101040003000000bc0000001501030001000000030000001601040001000000020000001701030003000000c80000001a01050001000000ce0000001b01"
    "050001000000d60000001c0103000100000002000000280103000100000001000000310102000c000000de00000000000000080008000800f0000000f80000000001"
    "0000080008000800010000000100000001000000010000007469666666696c652e707900000000000000001e3c5a7896b4d20a28466482a0bedc1432506e8caac8e6";
const char* const floating =
    "49492a00080000000e000001040001000000040000000101040001000000020000000201030001000000200000000301030001000000010000000601030001000000"
    "010000001101040001000000e00000001501030001000000010000001601040001000000020000001701040001000000200000001a01050001000000b60000001b01"
    "050001000000be000000280103000100000001000000310102000c000000c60000005301030001000000030000000000000001000000010000000100000001000000"
    "7469666666696c652e70790000000000000000000000000000000000000000c0da4500c05a460010a44600c0da4600b808470010244700683f47";

// A little-endian file of one strip: entries are {tag, type, count, value}, type 3 short, 4 long.
struct Entry {
  uint32_t tag, type, count, value;
};
void put(std::string& bytes, uint32_t value, int size) {
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> 8 * i & 255);
}
std::string tiff(int width, int height, int samples, const std::string& pixels, bool alpha, const std::string& behind = "",
                 std::vector<Entry> more = {}) {
  const auto pixel_bytes = static_cast<uint32_t>(pixels.size());
  std::vector<Entry> entries = {{256, 3, 1, static_cast<uint32_t>(width)}, {257, 3, 1, static_cast<uint32_t>(height)},
                                {258, 3, 1, 8}, {259, 3, 1, 1}, {262, 3, 1, samples >= 3 ? 2u : 1u}, {273, 4, 1, 8},
                                {277, 3, 1, static_cast<uint32_t>(samples)}, {278, 3, 1, static_cast<uint32_t>(height)},
                                {279, 4, 1, pixel_bytes}};
  if (alpha) entries.push_back({338, 3, 1, 2});
  entries.insert(entries.end(), more.begin(), more.end());
  std::string bytes = "II";
  put(bytes, 42, 2);
  put(bytes, 8 + pixel_bytes, 4);
  bytes += pixels;
  put(bytes, static_cast<uint32_t>(entries.size()), 2);
  for (const Entry& entry : entries) {
    put(bytes, entry.tag, 2);
    put(bytes, entry.type, 2);
    put(bytes, entry.count, 4);
    put(bytes, entry.value, 4);
  }
  put(bytes, 0, 4);
  return bytes + behind;
}

TEST(ImageTiff, FilesOfOtherPrograms) {
  const TemporaryFolder folder;
  for (const char* hex : {lzw_rgb, planes}) {
    const fs::path file = write(folder / "rgb.tif", from_hex(hex));
    EXPECT_EQ(image_format(file), ImageFormat::tiff);
    const ImageInfo info = read_image_info(file);
    EXPECT_EQ(info.size.width_px, 4);
    EXPECT_EQ(info.size.height_px, 2);
    EXPECT_EQ(info.bits, 8);
    EXPECT_FALSE(info.has_alpha);
    const StoredImage image = read_image(file);
    ASSERT_EQ(image.values8.size(), 24u);
    for (size_t i = 0; i < 24; ++i) EXPECT_EQ(image.values8[i], 10 * i) << i;
    EXPECT_TRUE(read_alpha(file).empty());
  }
  const fs::path grey = write(folder / "grey.tiff", from_hex(deflated_grey_16_big_endian));
  EXPECT_EQ(read_image_info(grey).bits, 16);
  const StoredImage image = read_image(grey, 1);
  ASSERT_EQ(image.values16.size(), 8u);
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(image.values16[i], 7000 * i) << i;
  EXPECT_EQ(read_image(grey, 3).values16[3 * 5 + 1], 35000);
}

TEST(ImageTiff, AlphaIsThere) {
  const TemporaryFolder folder;
  const std::string pixels = from_hex("010203ff040506800708090010111240");
  const fs::path file = write(folder / "rgba.tif", tiff(4, 1, 4, pixels, true));
  EXPECT_TRUE(read_image_info(file).has_alpha);
  EXPECT_EQ(read_image(file).values8, (std::vector<uint8_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 0x10, 0x11, 0x12}));
  EXPECT_EQ(read_alpha(file).values8, (std::vector<uint8_t>{0xff, 0x80, 0, 0x40}));
  EXPECT_EQ(read_alpha(file).channels, 1);
  const fs::path grey = write(folder / "ga.tif", tiff(2, 2, 2, from_hex("0aff0bfe0cfd0dfc"), true));
  EXPECT_EQ(read_image(grey, 1).values8, (std::vector<uint8_t>{10, 11, 12, 13}));
  EXPECT_EQ(read_alpha(grey).values8, (std::vector<uint8_t>{255, 254, 253, 252}));
}

TEST(ImageTiff, ExposureFromItsExifDirectory) {
  const TemporaryFolder folder;
  const std::string pixels(2 * 1 * 3, '\x50');
  // 9 + 1 entries, so the EXIF directory begins at 8 + 6 + 2 + 120 + 4.
  const uint32_t start = 8 + 6 + 2 + 10 * 12 + 4;
  std::string exif;
  put(exif, 3, 2);
  for (const Entry& entry : {Entry{0x829a, 5, 1, start + 2 + 36 + 4}, Entry{0x829d, 5, 1, start + 2 + 36 + 12}, Entry{0x8827, 3, 1, 200}}) {
    put(exif, entry.tag, 2);
    put(exif, entry.type, 2);
    put(exif, entry.count, 4);
    put(exif, entry.value, 4);
  }
  put(exif, 0, 4);
  for (const uint32_t value : {1u, 50u, 4u, 1u}) put(exif, value, 4);
  const fs::path file = write(folder / "photo.tif", tiff(2, 1, 3, pixels, false, exif, {{0x8769, 4, 1, start}}));
  const ExifFields fields = read_exif(file);
  EXPECT_EQ(fields.exposure_time_s, 0.02);
  EXPECT_EQ(fields.f_number, 4.0);
  EXPECT_EQ(fields.iso, 200.0);
  EXPECT_NEAR(*read_exposure_ev(file), 8.643856189774724, 1e-12);  // log2(16 · 50) − 1
  EXPECT_FALSE(read_exposure_ev(write(folder / "none.tif", tiff(2, 1, 3, pixels, false))));
}

TEST(ImageTiff, DamageIsNamed) {
  const TemporaryFolder folder;
  const std::string whole = from_hex(lzw_rgb);
  expect_input_error([&] { read_image(write(folder / "float.tif", from_hex(floating))); }, {"float.tif", "32 bits", "floating point"});
  expect_input_error([&] { read_image_info(write(folder / "head.tif", whole.substr(0, 20))); }, {"head.tif", "damaged or truncated TIFF"});
  // The last plane is missing.
  const std::string all = from_hex(planes);
  expect_input_error([&] { read_image(write(folder / "strip.tif", all.substr(0, all.size() - 8))); }, {"strip.tif", "damaged or truncated TIFF"});
  expect_input_error([&] { read_image_info(write(folder / "huge.tif", tiff(65535, 65535, 3, "", false))); }, {"huge.tif", "65535"});
  for (size_t size = 0; size < whole.size(); size += 7) {
    const fs::path file = write(folder / "part.tif", whole.substr(0, size));
    try {
      read_image(file);
    } catch (const InputError&) {
    }
  }
}

}  // namespace
}  // namespace ptl::testing
