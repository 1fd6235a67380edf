#include "datasets/exif.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "datasets/image_io.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"

namespace ptl {
namespace {

ExifFields typical() {
  ExifFields fields;
  fields.exposure_time_s = 1.0 / 60;
  fields.f_number = 1.8;
  fields.iso = 400;
  return fields;
}

StoredImage small_image() { return to_stored(Image(8, 6, 3, 0.5f)); }

TEST(Exif, ExposureIsThatOfTheFormula) {
  ExifFields fields;
  fields.exposure_time_s = 1.0 / 64;
  fields.f_number = 4;
  fields.iso = 100;
  EXPECT_DOUBLE_EQ(exposure_ev(fields).value(), 10);  // log2(16 · 64)
  fields.iso = 400;                                   // a more sensitive sensor: a brighter photo, lower EV
  EXPECT_DOUBLE_EQ(exposure_ev(fields).value(), 8);
}

TEST(Exif, AnyMissingPieceGivesNothing) {
  ExifFields fields = typical();
  fields.iso.reset();
  EXPECT_FALSE(exposure_ev(fields));
  fields = typical();
  fields.exposure_time_s.reset();
  EXPECT_FALSE(exposure_ev(fields));
  fields = typical();
  fields.f_number.reset();
  EXPECT_FALSE(exposure_ev(fields));
}

TEST(Exif, JpegRoundTrip) {
  testing::TemporaryFolder folder;
  for (const double time : {1.0 / 24, 1.0 / 60, 1.0 / 8000, 0.0123456789, 2.5, 30.0}) {
    ExifFields fields = typical();
    fields.exposure_time_s = time;
    fields.f_number = 5.6;
    fields.iso = 150;
    fields.orientation = 6;
    fields.focal_length_35mm_mm = 28;
    write_jpeg(folder / "a.jpg", small_image(), 90, make_exif_block(fields));
    const ExifFields read = read_exif(folder / "a.jpg");
    ASSERT_TRUE(read.exposure_time_s && read.f_number && read.iso && read.orientation);
    EXPECT_NEAR(*read.exposure_time_s / time, 1, 1e-9);
    EXPECT_DOUBLE_EQ(*read.f_number, 5.6);
    EXPECT_EQ(*read.iso, 150);
    EXPECT_EQ(*read.orientation, 6);
    EXPECT_EQ(read.focal_length_35mm_mm, 28);
  }
}

TEST(Exif, MissingFieldsStayMissing) {
  testing::TemporaryFolder folder;
  ExifFields fields;
  fields.f_number = 2;
  write_jpeg(folder / "a.jpg", small_image(), 90, make_exif_block(fields));
  const ExifFields read = read_exif(folder / "a.jpg");
  EXPECT_EQ(read.f_number, 2);
  EXPECT_FALSE(read.exposure_time_s || read.iso || read.orientation || read.focal_length_35mm_mm);
  EXPECT_FALSE(read_exposure_ev(folder / "a.jpg"));
  write_jpeg(folder / "plain.jpg", small_image());
  EXPECT_FALSE(read_exif(folder / "plain.jpg").f_number);
}

TEST(Exif, ZeroIsNotAValue) {
  testing::TemporaryFolder folder;
  std::string block = make_exif_block(typical());
  // The exposure time's fraction stands first behind the second directory: 4 entries from offset 26 of the TIFF.
  const size_t numerator = 6 + 26 + 2 + 4 * 12 + 4;
  ASSERT_EQ(block[numerator], 1);
  block[numerator] = 0;
  write_jpeg(folder / "a.jpg", small_image(), 90, block);
  EXPECT_FALSE(read_exif(folder / "a.jpg").exposure_time_s);
  block = make_exif_block(typical());
  for (size_t i = 0; i < 4; ++i) block[numerator + 4 + i] = 0;  // division by zero
  write_jpeg(folder / "b.jpg", small_image(), 90, block);
  EXPECT_FALSE(read_exif(folder / "b.jpg").exposure_time_s);
}

/// A big-endian EXIF block made by hand: texts in the main directory and in the camera's.
using TextEntries = std::vector<std::pair<int, std::string>>;

std::string big_endian(uint32_t value, int bytes = 4) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 255);
  return text;
}

std::string text_directory(const TextEntries& entries, uint32_t start, const std::string& more = {}) {
  const uint32_t count = static_cast<uint32_t>(entries.size()) + (more.empty() ? 0 : 1);
  std::string bytes = big_endian(count, 2), behind;
  for (const auto& [tag, text] : entries) {
    const std::string value = text + '\0';
    bytes += big_endian(static_cast<uint32_t>(tag), 2) + big_endian(2, 2) +
             big_endian(static_cast<uint32_t>(value.size()));
    if (value.size() <= 4) {
      bytes += value + std::string(4 - value.size(), '\0');
    } else {
      bytes += big_endian(start + 2 + 12 * count + 4 + static_cast<uint32_t>(behind.size()));
      behind += value;
    }
  }
  return bytes + more + big_endian(0) + behind;
}

std::string text_block(const TextEntries& main, const TextEntries& camera) {
  const uint32_t main_start = 8;
  const auto pointer = [](uint32_t to) { return big_endian(0x8769, 2) + big_endian(4, 2) + big_endian(1) + big_endian(to); };
  const uint32_t camera_start = main_start + static_cast<uint32_t>(text_directory(main, main_start, pointer(0)).size());
  return std::string("Exif\0\0", 6) + "MM" + big_endian(42, 2) + big_endian(main_start) +
         text_directory(main, main_start, pointer(camera_start)) + text_directory(camera, camera_start);
}

constexpr int date_time = 0x0132, original = 0x9003, digitized = 0x9004;
constexpr int fraction = 0x9290, fraction_original = 0x9291, fraction_digitized = 0x9292;

std::optional<double> time_of(const TextEntries& main, const TextEntries& camera) {
  testing::TemporaryFolder folder;
  write_jpeg(folder / "a.jpg", small_image(), 90, text_block(main, camera));
  return read_exif(folder / "a.jpg").capture_time_s;
}

TEST(Exif, CaptureTimeInSecondsSince1970) {
  EXPECT_EQ(time_of({}, {{original, "1970:01:01 00:00:00"}}), 0.0);
  EXPECT_EQ(time_of({}, {{original, "1970:01:02 01:01:01"}}), 86400.0 + 3600 + 60 + 1);
  // 30 years of 365 days, 7 leap days (1972 … 1996), 31 + 28 days and the leap day of 2000: 1 March.
  EXPECT_EQ(time_of({}, {{original, "2000:03:01 00:00:00"}}), 86400.0 * (30 * 365 + 7 + 31 + 28 + 1));
}

TEST(Exif, CaptureTimeTakesTheBestOfThree) {
  const TextEntries main = {{date_time, "1970:01:01 00:00:03"}};
  EXPECT_EQ(time_of(main, {{original, "1970:01:01 00:00:01"}, {digitized, "1970:01:01 00:00:02"}}), 1.0);
  EXPECT_EQ(time_of(main, {{digitized, "1970:01:01 00:00:02"}}), 2.0);
  EXPECT_EQ(time_of(main, {}), 3.0);
  // A clock that was never set does not hide the next one.
  for (const char* unset : {"0000:00:00 00:00:00", "    :  :     :  :  ", "                   ", ""})
    EXPECT_EQ(time_of(main, {{original, unset}}), 3.0) << unset;
}

TEST(Exif, CaptureTimeHasFractionsOfItsOwn) {
  const TextEntries fractions = {{fraction, "1"}, {fraction_original, "25"}, {fraction_digitized, "125"}};
  const auto with = [&](TextEntries entries) {
    entries.insert(entries.end(), fractions.begin(), fractions.end());
    return entries;
  };
  const std::string time = "1970:01:01 00:01:00";
  EXPECT_NEAR(time_of({{date_time, time}}, fractions).value(), 60.1, 1e-9);
  EXPECT_NEAR(time_of({}, with({{original, time}})).value(), 60.25, 1e-9);
  EXPECT_NEAR(time_of({}, with({{digitized, time}})).value(), 60.125, 1e-9);
  EXPECT_NEAR(time_of({}, {{original, time}, {fraction_original, "050   "}}).value(), 60.05, 1e-9);
  EXPECT_EQ(time_of({}, {{original, time}, {fraction_original, "abc"}}), 60.0);
}

TEST(Exif, WhatIsNoTimeCountsAsNone) {
  for (const char* wrong :
       {"2001:02:29 00:00:00", "2001:13:01 00:00:00", "2001:00:01 00:00:00", "2001:01:00 00:00:00", "2001:01:01 24:00:00",
        "2001:01:01 00:60:00", "2001:01:01 00:00:61", "2001-01-01 00:00:00", "2001:01:01T00:00:00", "2001:01:01 00:00",
        "2001:01:01 00:00:00Z", "+001:01:01 00:00:00", "noon"})
    EXPECT_FALSE(time_of({}, {{original, wrong}})) << wrong;
  testing::TemporaryFolder folder;
  write_jpeg(folder / "a.jpg", small_image(), 90, make_exif_block(typical()));  // the library must not fill one in
  EXPECT_FALSE(read_exif(folder / "a.jpg").capture_time_s);
}

TEST(Exif, CaptureTimeRoundTrip) {
  testing::TemporaryFolder folder;
  for (const double time : {0.0, 951868799.875, 1717236000.25, 1717286399.999, 4102444800.0, -1.5}) {
    ExifFields fields = typical();
    fields.capture_time_s = time;
    write_jpeg(folder / "a.jpg", small_image(), 90, make_exif_block(fields));
    const ExifFields read = read_exif(folder / "a.jpg");
    EXPECT_NEAR(read.capture_time_s.value(), time, 1e-6);
    EXPECT_NEAR(exposure_ev(read).value(), exposure_ev(fields).value(), 1e-9);
  }
}

TEST(Exif, BrokenBlocksCountAsNone) {
  testing::TemporaryFolder folder;
  ExifFields fields = typical();
  fields.capture_time_s = 1717236000.25;
  const std::string block = make_exif_block(fields);
  for (size_t length = 6; length < block.size(); ++length) {
    write_jpeg(folder / "a.jpg", small_image(), 90, block.substr(0, length));
    const ExifFields read = read_exif(folder / "a.jpg");
    EXPECT_FALSE(read.capture_time_s && length < block.size() - 1) << length;
    EXPECT_FALSE(exposure_ev(read) && length < block.size() - 36) << length;  // 16 bytes of fractions, 20 of the time
  }
  for (size_t i = 6; i < block.size(); ++i) {  // any byte may be wrong: no crash, no exception
    std::string damaged = block;
    damaged[i] = static_cast<char>(0xff);
    write_jpeg(folder / "b.jpg", small_image(), 90, damaged);
    read_exif(folder / "b.jpg");
  }
}

uint32_t crc32_of(const std::string& bytes) {
  uint32_t crc = 0xffffffffu;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int k = 0; k < 8; ++k) crc = crc & 1 ? 0xedb88320u ^ (crc >> 1) : crc >> 1;
  }
  return ~crc;
}

TEST(Exif, PngBlockBehindThePixels) {
  testing::TemporaryFolder folder;
  std::string png = encode_png(small_image());
  const std::string contents = "eXIf" + make_exif_block(typical()).substr(6);
  const std::string chunk = big_endian(static_cast<uint32_t>(contents.size() - 4)) + contents +
                            big_endian(crc32_of(contents));
  png.insert(png.size() - 12, chunk);  // before IEND
  testing::write_contents(folder / "a.png", png);
  EXPECT_NEAR(read_exposure_ev(folder / "a.png").value(), std::log2(1.8 * 1.8 * 60) - 2, 1e-9);
  EXPECT_EQ(read_image(folder / "a.png").values8, small_image().values8);
}

TEST(Exif, AMissingFileIsAnError) {
  testing::expect_input_error([] { read_exif("no_such_folder/a.jpg"); }, {"no_such_folder/a.jpg"});
}

TEST(Exif, PhonePhotos) {
  const char* data = std::getenv("PTL_TEST_DATA");
  if (!data) GTEST_SKIP() << "PTL_TEST_DATA does not name a folder with the scene 'plush'";
  double least = 1e9, most = -1e9;
  int photos = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(data) / "plush" / "images")) {
    const ExifFields fields = read_exif(entry.path());
    ASSERT_TRUE(exposure_ev(fields)) << entry.path();
    EXPECT_GE(*fields.exposure_time_s, 1 / 60.5);
    EXPECT_LE(*fields.exposure_time_s, 1 / 23.5);
    EXPECT_GE(*fields.iso, 150);
    EXPECT_LE(*fields.iso, 850);
    least = std::min(least, *exposure_ev(fields));
    most = std::max(most, *exposure_ev(fields));
    ++photos;
  }
  EXPECT_GT(photos, 10);
  EXPECT_NEAR(most - least, 2.09, 0.01);
}

}  // namespace
}  // namespace ptl
