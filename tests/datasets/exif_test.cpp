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
    write_jpeg(folder / "a.jpg", small_image(), 90, make_exif_block(fields));
    const ExifFields read = read_exif(folder / "a.jpg");
    ASSERT_TRUE(read.exposure_time_s && read.f_number && read.iso && read.orientation);
    EXPECT_NEAR(*read.exposure_time_s / time, 1, 1e-9);
    EXPECT_DOUBLE_EQ(*read.f_number, 5.6);
    EXPECT_EQ(*read.iso, 150);
    EXPECT_EQ(*read.orientation, 6);
  }
}

TEST(Exif, MissingFieldsStayMissing) {
  testing::TemporaryFolder folder;
  ExifFields fields;
  fields.f_number = 2;
  write_jpeg(folder / "a.jpg", small_image(), 90, make_exif_block(fields));
  const ExifFields read = read_exif(folder / "a.jpg");
  EXPECT_EQ(read.f_number, 2);
  EXPECT_FALSE(read.exposure_time_s || read.iso || read.orientation);
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

TEST(Exif, BrokenBlocksCountAsNone) {
  testing::TemporaryFolder folder;
  const std::string block = make_exif_block(typical());
  for (size_t length = 6; length < block.size(); ++length) {
    write_jpeg(folder / "a.jpg", small_image(), 90, block.substr(0, length));
    EXPECT_FALSE(read_exposure_ev(folder / "a.jpg") && length < block.size() - 16) << length;
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

std::string big_endian(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 255);
  return bytes;
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
