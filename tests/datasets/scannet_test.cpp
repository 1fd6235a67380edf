#include "datasets/scannet.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "datasets/ply.h"
#include "datasets/scene_formats.h"
#include "datasets/scene_loader.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/projected.h"
#include "tests/support/random_damage.h"
#include "tests/support/tiny_scene.h"

namespace ptl {
namespace {

namespace fs = std::filesystem;
using testing::expect_input_error;
using testing::file_contents;
using testing::grey_photo;
using testing::projected;
using testing::says;
using testing::TemporaryFolder;
using testing::write_contents;

/// Ry(0.4) Rx(−0.1) Rz(0.2).
constexpr const char* pose =
    "0.89497743603 -0.22108858399 0.387472872633 1.0\n0.197676811654 0.975170327202 0.099833416647 2.0\n"
    "-0.399924076708 -0.012754253196 0.916459525508 -0.5\n0 0 0 1\n";
constexpr const char* identity = "1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n";

/// Millimetres everywhere, none in the first column.
StoredImage depth_map(uint16_t depth_mm) {
  StoredImage image;
  image.width = 40;
  image.height = 30;
  image.channels = 1;
  image.bits = 16;
  image.values16.assign(image.value_count(), depth_mm);
  for (int y = 0; y < 30; ++y) image.values16[static_cast<size_t>(y * 40)] = 0;
  return image;
}

/// Each pixel's colour says where it is: (3 x, 4 y, 7).
StoredImage photo() {
  StoredImage image = grey_photo(80, 60);
  for (int y = 0; y < 60; ++y)
    for (int x = 0; x < 80; ++x)
      for (int channel = 0; channel < 3; ++channel)
        image.values8[static_cast<size_t>((y * 80 + x) * 3 + channel)] = static_cast<uint8_t>(channel == 0   ? 3 * x
                                                                                              : channel == 1 ? 4 * y
                                                                                                             : 7);
  return image;
}

struct Folder : TemporaryFolder {
  Folder() {
    write_contents(*this / "intrinsic" / "intrinsic_color.txt", "100 0 39 0\n0 104 28.5 0\n0 0 1 0\n0 0 0 1\n");
    write_contents(*this / "intrinsic" / "intrinsic_depth.txt", "50 0 19.5 0\n0 52 14.25 0\n0 0 1 0\n0 0 0 1\n");
    write_contents(*this / "intrinsic" / "extrinsic_color.txt", identity);
    write_contents(*this / "intrinsic" / "extrinsic_depth.txt", identity);
    for (const char* name : {"0", "2", "10"}) {
      write_png(*this / "color" / (std::string(name) + ".png"), photo());
      write_contents(*this / "pose" / (std::string(name) + ".txt"), pose);
    }
    write_contents(*this / "pose" / "2.txt",
                   "-inf -inf -inf -inf\n-inf -inf -inf -inf\n-inf -inf -inf -inf\n-inf -inf -inf -inf\n");
    write_png(*this / "depth" / "0.png", depth_map(1500));
    write_png(*this / "depth" / "10.png", depth_map(1500));
  }
};

// Recorded: numpy; the depth pixel of column 12, row 7 at 1.5 m, unprojected as ScanNet's tools do, and where the
// colour camera sees it.
TEST(ScanNet, DepthPosesAndPixelCentres) {
  const Folder folder;
  const Scene scene = load_scene(folder.path());
  ASSERT_EQ(scene.images.size(), 2u);
  EXPECT_EQ(scene.images[1].name, "10.png");
  EXPECT_TRUE(says(scene, "1 photos have no pose and are left out: 2.png"));
  const Vec3<double> x_world(1.426076661821428, 1.9013309710344701, 0.9673395613579634);
  const auto pixel = projected(scene, "0.png", x_world);
  EXPECT_NEAR(pixel.x_px, 24.5, 1e-9);
  EXPECT_NEAR(pixel.y_px, 14.5, 1e-9);
  EXPECT_NEAR(pixel.depth_m, 1.5, 1e-9);
  EXPECT_EQ(scene.cloud_source, "2 depth maps");
  EXPECT_EQ(scene.cloud_photos, (std::vector<std::string>{"0.png", "10.png"}));
  ASSERT_EQ(scene.cloud.size(), 2u * 39 * 30);  // all but those without depth
  const auto near =
      std::min_element(scene.sparse_points.begin(), scene.sparse_points.end(), [&](const auto& a, const auto& b) {
        const Vec3<double> x = x_world - scene.origin_world;
        return glm::length(a.position - x) < glm::length(b.position - x);
      });
  EXPECT_LT(glm::length(near->position + scene.origin_world - x_world), 1e-9);
  EXPECT_EQ(near->color, (std::array<uint8_t, 3>{3 * 24, 4 * 14, 7}));
}

TEST(ScanNet, EdgesOfDepthGiveNoPoints) {
  const Folder folder;
  StoredImage step = depth_map(1500);
  for (int y = 0; y < 30; ++y)
    for (int x = 20; x < 40; ++x) step.values16[static_cast<size_t>(y * 40 + x)] = 3000;
  write_png(folder / "depth" / "0.png", step);
  EXPECT_EQ(load_scene(folder.path()).cloud.size(), 39u * 30 + 37u * 30);  // a column on each side is missing
}

TEST(ScanNet, WithoutDepth) {
  const Folder folder;
  fs::remove_all(folder / "depth");
  fs::remove(folder / "intrinsic" / "intrinsic_depth.txt");
  expect_input_error([&] { load_scene(folder.path()); }, {"no points", "--points"});
  PointCloud cloud;
  cloud.position = {{1.4f, 1.9f, 1.0f}};
  cloud.color = {{1, 2, 3}};
  write_ply(folder / "points.ply", cloud);
  EXPECT_EQ(load_scene(folder.path()).cloud_source, "points.ply");
}

TEST(ScanNet, ManyFramesAreThinned) {
  const Folder folder;
  for (int i = 11; i < 100; ++i) {
    const std::string name = std::to_string(i);
    write_png(folder / "color" / (name + ".png"), photo());
    write_contents(folder / "pose" / (name + ".txt"), pose);
    write_png(folder / "depth" / (name + ".png"), depth_map(1500));
  }
  const Scene scene = load_scene(folder.path());
  EXPECT_EQ(scene.images.size(), 91u);
  EXPECT_EQ(scene.cloud_source, "64 depth maps");
  EXPECT_EQ(scene.cloud_photos[1], "10.png");  // 2 is lost; by number
}

TEST(ScanNet, IsRecognisedByItsContents) {
  const Folder folder;
  EXPECT_STREQ(choose_scene(folder.path()).format->name, "scannet");
  fs::rename(folder / "intrinsic", folder / "intrinsics");
  EXPECT_EQ(load_scene(folder.path()).images.size(), 2u);
  fs::remove_all(folder / "pose");
  expect_input_error([&] { choose_scene(folder.path()); }, {"no scene found", "scannet: color/"});
}

TEST(ScanNetErrors, Messages) {
  const Folder folder;
  const auto broken = [&](const char* file, const std::string& contents, std::initializer_list<const char*> parts) {
    const std::string sound = file_contents(folder / file);
    write_contents(folder / file, contents);
    expect_input_error([&] { load_scene(folder.path()); }, parts);
    write_contents(folder / file, sound);
  };
  broken("pose/0.txt", "1 0 0\n", {"0.txt, line 2", "ends before a 4 x 4 matrix", "ScanNet's reader"});
  broken("pose/0.txt", std::string(identity) + "7", {"0.txt, line 5", "the end after a 4 x 4 matrix", "'7'"});
  broken("pose/0.txt", "x 0 0 0\n", {"0.txt, line 1", "a number", "'x'"});
  broken("pose/0.txt", "2 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n", {"0.txt", "a rotation and a translation"});
  broken("pose/0.txt", "1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 1 1\n", {"0.txt", "0 0 0 1"});
  broken("pose/0.txt", "1 0 0 1e13\n0 1 0 0\n0 0 1 0\n0 0 0 1\n", {"0.png", "1e12"});
  broken("pose/0.txt", std::string("1\0", 2), {"0.txt", "zero bytes"});
  broken("intrinsic/intrinsic_color.txt", identity + std::string("1"), {"intrinsic_color.txt", "the end"});
  broken("intrinsic/intrinsic_color.txt", "-100 0 39 0\n0 104 28.5 0\n0 0 1 0\n0 0 0 1\n",
         {"focal lengths above 0", "-100"});
  broken("intrinsic/intrinsic_color.txt", "nan 0 39 0\n0 104 28.5 0\n0 0 1 0\n0 0 0 1\n",
         {"intrinsic_color.txt", "finite"});
  broken("intrinsic/intrinsic_color.txt", "100 3 39 0\n0 104 28.5 0\n0 0 1 0\n0 0 0 1\n", {"without skew", "3"});
  broken("intrinsic/intrinsic_depth.txt", "0 0 39 0\n0 104 28.5 0\n0 0 1 0\n0 0 0 1\n",
         {"intrinsic_depth.txt", "above 0"});
  broken("intrinsic/extrinsic_depth.txt", "1 0 0 0.1\n0 1 0 0\n0 0 1 0\n0 0 0 1\n",
         {"extrinsic_depth.txt", "identity", "0.1"});
  write_png(folder / "depth" / "10.png", grey_photo(40, 30, 9, 1));
  expect_input_error([&] { load_scene(folder.path()); }, {"10.png", "16 bits", "found 8"});
  StoredImage small = depth_map(1000);
  small.height = 20;
  small.values16.resize(small.value_count());
  write_png(folder / "depth" / "10.png", small);
  expect_input_error([&] { load_scene(folder.path()); }, {"10.png", "40 x 30", "found 40 x 20"});
  write_png(folder / "depth" / "10.png", depth_map(1500));
  write_png(folder / "color" / "10.png", grey_photo(40, 30));
  expect_input_error([&] { load_scene(folder.path()); }, {"10.png", "80 x 60", "found 40 x 30"});
  for (const char* name : {"0.txt", "10.txt"}) fs::remove(folder / "pose" / name);
  expect_input_error([&] { load_scene(folder.path()); }, {"none of the 3 photos", "at least 2"});
}

TEST(ScanNetErrors, RandomDamage) {
  const Folder folder;
  for (const char* file :
       {"pose/0.txt", "intrinsic/intrinsic_color.txt", "intrinsic/intrinsic_depth.txt", "depth/0.png"})
    EXPECT_GT(testing::damage_at_random(folder / file, 100, [&] { load_scene(folder.path()); }), 10) << file;
}

}  // namespace
}  // namespace ptl
