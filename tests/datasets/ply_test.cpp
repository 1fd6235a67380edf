#include "datasets/ply.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "kernels/hash.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"

namespace ptl {
namespace {

using testing::TemporaryFolder;
using testing::expect_input_error;
using testing::file_contents;
using testing::write_contents;

template <class T>
void put(std::string& bytes, T value, bool big) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  if (big) std::reverse(raw, raw + sizeof(T));
  bytes.append(raw, sizeof(T));
}

TEST(Ply, AsciiWithColoursAndNormals) {
  TemporaryFolder folder;
  write_contents(folder / "a.ply",
                 "ply\r\nformat ascii 1.0\r\ncomment made by hand\r\nelement vertex 2\r\nproperty float x\r\n"
                 "property float y\r\nproperty float z\r\nproperty float nx\r\nproperty float ny\r\nproperty float nz\r\n"
                 "property uchar red\r\nproperty uchar green\r\nproperty uchar blue\r\nend_header\r\n"
                 "1 2 3 0 0 2 255 0 7\r\n-1.5 +2e-1 .25 3 0 4 1 2 3");
  const PlyContents ply = read_ply(folder / "a.ply");
  ASSERT_EQ(ply.cloud.size(), 2u);
  EXPECT_EQ(ply.comments, (std::vector<std::string>{"made by hand"}));
  EXPECT_TRUE(ply.has_color);
  EXPECT_EQ(ply.cloud.position[1], Vec3<float>(-1.5f, 0.2f, 0.25f));
  EXPECT_EQ(ply.cloud.color[0], (std::array<uint8_t, 3>{255, 0, 7}));
  EXPECT_EQ(ply.cloud.normal[0], Vec3<float>(0, 0, 1));
  EXPECT_EQ(ply.cloud.normal[1], Vec3<float>(0.6f, 0, 0.8f));
}

TEST(Ply, BothByteOrdersDoublesListsAndOtherElements) {
  for (const bool big : {false, true}) {
    std::string bytes = std::string("ply\nformat ") + (big ? "binary_big_endian" : "binary_little_endian") +
                        " 1.0\nobj_info x\nelement camera 1\nproperty list uchar double pose\nproperty short k\n"
                        "element vertex 2\nproperty list uint ushort views\nproperty double z\nproperty double y\n"
                        "property double x\nproperty ushort diffuse_red\nproperty ushort diffuse_green\n"
                        "property ushort diffuse_blue\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n";
    put<uint8_t>(bytes, 2, big);
    put<double>(bytes, 1, big);
    put<double>(bytes, 2, big);
    put<int16_t>(bytes, 9, big);
    for (int i = 0; i < 2; ++i) {
      put<uint32_t>(bytes, static_cast<uint32_t>(i), big);
      for (int j = 0; j < i; ++j) put<uint16_t>(bytes, 5, big);
      put<double>(bytes, 300.25 + i, big);
      put<double>(bytes, 5.4e6 + 0.001, big);
      put<double>(bytes, 4.5e5 - 0.002, big);
      for (const int c : {65535, 257, 0}) put<uint16_t>(bytes, static_cast<uint16_t>(c), big);
    }
    put<uint8_t>(bytes, 1, big);
    put<int32_t>(bytes, 0, big);
    TemporaryFolder folder;
    write_contents(folder / "b.ply", bytes);
    const PlyContents ply = read_ply(folder / "b.ply", Vec3<double>(4.5e5, 5.4e6, 300));
    ASSERT_EQ(ply.cloud.size(), 2u);
    // In single precision 5400000.001 would be 5400000: the origin goes first.
    EXPECT_NEAR(ply.cloud.position[1].x, -0.002f, 1e-9);
    EXPECT_NEAR(ply.cloud.position[1].y, 0.001f, 1e-9);
    EXPECT_EQ(ply.cloud.position[1].z, 1.25f);
    EXPECT_EQ(ply.cloud.color[1], (std::array<uint8_t, 3>{255, 1, 0}));
    EXPECT_TRUE(ply.cloud.normal.empty());
  }
}

TEST(Ply, FloatColoursAndNone) {
  const auto with = [](const char* properties, const char* rows) {
    return std::string("ply\nformat ascii 1.0\nelement vertex 2\nproperty float x\nproperty float y\nproperty float z\n") +
           properties + "end_header\n" + rows;
  };
  TemporaryFolder folder;
  const char* floats = "property float r\nproperty float g\nproperty float b\n";
  write_contents(folder / "a.ply", with(floats, "0 0 0 0 0.5 1\n1 0 0 0.2 0.2 0.2\n"));
  EXPECT_EQ(read_ply(folder / "a.ply").cloud.color[0], (std::array<uint8_t, 3>{0, 128, 255}));
  write_contents(folder / "a.ply", with(floats, "0 0 0 0 127.4 255\n1 0 0 0.2 0.2 0.2\n"));
  EXPECT_EQ(read_ply(folder / "a.ply").cloud.color[0], (std::array<uint8_t, 3>{0, 127, 255}));
  write_contents(folder / "a.ply", with("", "0 0 0\n1 0 0\n"));
  EXPECT_FALSE(read_ply(folder / "a.ply").has_color);
  EXPECT_EQ(read_ply(folder / "a.ply").cloud.color[1], (std::array<uint8_t, 3>{128, 128, 128}));
  // One normal of length 0: none can be trusted.
  write_contents(folder / "a.ply", with("property float nx\nproperty float ny\nproperty float nz\n",
                                        "0 0 0 1 0 0\n1 0 0 0 0 0\n"));
  EXPECT_TRUE(read_ply(folder / "a.ply").cloud.normal.empty());
}

TEST(Ply, RoundTrip) {
  TemporaryFolder folder;
  PointCloud cloud;
  for (uint64_t i = 0; i < 70000; ++i) {  // more than one buffer
    const auto draw = [&](uint64_t n) { return draw_unit(3, DrawPurpose::synthetic, i, n); };
    cloud.position.emplace_back(draw(0) - 0.5f, draw(1), draw(2));
    cloud.color.push_back({static_cast<uint8_t>(i), static_cast<uint8_t>(i / 256), 3});
    cloud.normal.emplace_back(0, i % 2 ? 1 : -1, 0);
  }
  write_ply(folder / "a.ply", cloud, Vec3<double>(0), {.comments = {"origin 0"}, .confidence = {}, .seen_by = {}});
  PlyContents back = read_ply(folder / "a.ply");
  EXPECT_EQ(back.cloud.position, cloud.position);
  EXPECT_EQ(back.cloud.color, cloud.color);
  EXPECT_EQ(back.cloud.normal, cloud.normal);
  EXPECT_EQ(back.comments, (std::vector<std::string>{"origin 0"}));
  const Vec3<double> origin(4.5e5, 5.4e6, 300);
  write_ply(folder / "a.ply", cloud, origin);
  back = read_ply(folder / "a.ply", origin);
  for (size_t i = 0; i < cloud.size(); ++i)
    EXPECT_LT(glm::length(back.cloud.position[i] - cloud.position[i]), 2e-9f);
}

TEST(Ply, ThePhotosThatSawAPoint) {
  TemporaryFolder folder;
  PointCloud cloud;
  PlyExtras extras;
  extras.seen_by.first.push_back(0);
  for (uint32_t i = 0; i < 300; ++i) {
    cloud.position.emplace_back(i, 0, 0);
    cloud.color.push_back({1, 2, 3});
    extras.confidence.push_back(0.5f);
    for (uint32_t k = 0; k < i % 4; ++k) extras.seen_by.image_id.push_back(4000000000u + i + k);
    extras.seen_by.first.push_back(extras.seen_by.image_id.size());
  }
  write_ply(folder / "a.ply", cloud, Vec3<double>(0), extras);
  PlyContents back = read_ply(folder / "a.ply");
  EXPECT_EQ(back.cloud.position, cloud.position);
  EXPECT_EQ(back.confidence, extras.confidence);
  EXPECT_EQ(back.seen_by.first, extras.seen_by.first);
  EXPECT_EQ(back.seen_by.image_id, extras.seen_by.image_id);

  // The list's length is a byte.
  cloud.position.resize(1);
  cloud.color.resize(1);
  extras.confidence.clear();
  extras.seen_by.first = {0, 300};
  extras.seen_by.image_id.assign(300, 7);
  write_ply(folder / "a.ply", cloud, Vec3<double>(0), extras);
  EXPECT_EQ(read_ply(folder / "a.ply").seen_by.image_id.size(), 255u);

  write_contents(folder / "b.ply",
                 "ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\nproperty float z\n"
                 "property list uchar uint seen_by\nproperty list uchar uint seen_by\nend_header\n1 2 3 2 5 6 1 7\n");
  EXPECT_TRUE(read_ply(folder / "b.ply").seen_by.first.empty());
}

TEST(PlyErrors, Messages) {
  TemporaryFolder folder;
  const auto refuse = [&](const std::string& contents, std::initializer_list<const char*> parts) {
    write_contents(folder / "a.ply", contents);
    expect_input_error([&] { read_ply(folder / "a.ply"); }, parts);
  };
  const std::string xyz = "property float x\nproperty float y\nproperty float z\n";
  const std::string ascii = "ply\nformat ascii 1.0\nelement vertex 2\n" + xyz + "end_header\n";
  expect_input_error([&] { read_ply(folder / "none.ply"); }, {"none.ply", "no such file"});
  expect_input_error([&] { read_ply(folder.path()); }, {folder.path().c_str(), "expected a PLY file"});
  refuse("", {"a.ply", "expected a PLY file"});
  refuse("\x89PNG\r\n\x1a\n and more", {"a.ply", "expected a PLY file"});
  refuse("ply\nformat ascii 1.0\n", {"no end_header"});
  refuse("ply\nformat binary 1.0\n" + xyz, {"expected format ascii", "format binary 1.0"});
  refuse("ply\nelement vertex 1\n" + xyz + "end_header\n1 2 3", {"no format line"});
  refuse("ply\nformat ascii 1.0\nelement vertex -3\n" + xyz + "end_header\n", {"element NAME COUNT", "-3"});
  refuse("ply\nformat ascii 1.0\nelement vertex 1\nproperty half x\nend_header\n", {"unknown number type 'half'"});
  refuse("ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\nend_header\n1 2 3 4 5",
         {"no property 'z'"});
  refuse("ply\nformat ascii 1.0\nelement vertex 0\n" + xyz + "end_header\n", {"expected points", "--points"});
  refuse("ply\nformat ascii 1.0\nelement vertex 900000000000\n" + xyz + "end_header\n1 2 3\n",
         {"900000000000 items of 'vertex'", "can hold at most 1"});
  refuse("ply\nformat binary_little_endian 1.0\nelement vertex 2\n" + xyz + "end_header\n" + std::string(23, 'x'),
         {"2 items of 'vertex'", "23 bytes", "can hold at most 1"});
  refuse(ascii + "1.25 2.25 3.25\n4.25 5.25\n", {"ends in the middle of vertex 1"});
  refuse(ascii + "1 2 3\n4 five 6\n", {"expected a number", "'five'"});
  refuse(ascii + "1 2 3\n4 nan 6\n", {"vertex 1", "nan", "must be finite"});
  refuse(ascii + "1 2 3\n4 -inf 6\n", {"vertex 1", "-inf", "must be finite"});
  refuse("ply\nformat binary_little_endian 1.0\nelement face 1\nproperty list uint int i\nelement vertex 1\n" + xyz +
             "end_header\n" + std::string(30, '\xff'),
         {"a list of 'i' says 4294967295"});
}

TEST(PlyErrors, RandomDamageNeverCrashes) {
  TemporaryFolder folder;
  PointCloud cloud;
  for (int i = 0; i < 20; ++i) {
    cloud.position.emplace_back(i, 2 * i, 3);
    cloud.color.push_back({1, 2, 3});
  }
  write_ply(folder / "good.ply", cloud);
  const std::string good = file_contents(folder / "good.ply");
  int refused = 0;
  for (uint64_t trial = 0; trial < 2000; ++trial) {
    const auto draw = [&](uint64_t n, uint64_t below) { return draw_bits(2, DrawPurpose::synthetic, trial, n) % below; };
    std::string bad = good;
    if (draw(0, 3) == 0) bad.resize(draw(1, bad.size()));
    for (uint64_t flip = 0; flip < draw(2, 4) && !bad.empty(); ++flip)
      bad[draw(10 + flip, bad.size())] ^= static_cast<char>(1u << draw(20 + flip, 8));
    write_contents(folder / "bad.ply", bad);
    try {
      EXPECT_LE(read_ply(folder / "bad.ply").cloud.size(), 100u);
    } catch (const InputError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 500);
}

TEST(PlyRealScenes, HaveTheListedNumberOfPoints) {
  const char* data = std::getenv("PTL_TEST_DATA");
  if (!data) GTEST_SKIP() << "PTL_TEST_DATA names no folder with fox, plush and fountain";
  for (const auto& [name, points] : {std::pair{"fox", 11726}, std::pair{"plush", 18267}, std::pair{"fountain", 7269}}) {
    const PlyContents ply = read_ply(std::filesystem::path(data) / name / "points.ply");
    EXPECT_EQ(ply.cloud.size(), static_cast<size_t>(points)) << name;
    EXPECT_TRUE(ply.has_color);
    EXPECT_TRUE(ply.cloud.normal.empty());
  }
}

}  // namespace
}  // namespace ptl
