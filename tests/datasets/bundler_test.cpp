#include "datasets/bundler.h"

#include <gtest/gtest.h>

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
using testing::grey_photo;
using testing::projected;
using testing::says;
using testing::TemporaryFolder;
using testing::write_contents;

/// Rx(0.2) Ry(−0.3) Rz(0.15), by rows, and a translation.
constexpr const char* pose =
    "0.9446090901 -0.1427637008 -0.2955202067\n0.0884077764 0.9778351192 -0.189796061\n"
    "0.3160660246 0.1531568001 0.9362933636\n0.3 -0.4 -5.0\n";

/// Three cameras, of which the second was not reconstructed, and two points.
std::string bundle() {
  return std::string("# Bundle file v0.3\n3 2\n") + "300 -0.12 0.05\n" + pose + "0 0 0\n" +
         "0 0 0\n0 0 0\n0 0 0\n0 0 0\n" + "310 0 0\n" + pose +
         "0.7 0.5 -0.6\n255 128 0\n3 0 17 60.5 15.25 1 5 0 0 2 4 -3 7.5\n"
         "0.1 -0.2 0.3\n1 2 3\n1 2 9 0 0\n";
}

struct Folder : TemporaryFolder {
  Folder() {
    write_contents(*this / "bundle" / "bundle.out", bundle());
    write_contents(*this / "bundle" / "bundle_001.out", "# Bundle file v0.3\n0 0\n");
    write_contents(*this / "list.txt", "./photos/a photo.jpg 0 700.5\r\n./photos/b.jpg\n./photos/c.jpg 0 0\n\n");
    for (const char* name : {"a photo.jpg", "b.jpg", "c.jpg"}) write_jpeg(*this / "photos" / name, grey_photo(80, 60));
  }
  void write(const std::string& contents) const { write_contents(*this / "bundle" / "bundle.out", contents); }
};

// Recorded: numpy, from the formulas of Bundler's README.
TEST(Bundler, AxesLensAndPoints) {
  const Folder folder;
  const Scene scene = load_scene(folder.path());
  ASSERT_EQ(scene.images.size(), 2u);
  EXPECT_EQ(scene.images[0].name, "a photo.jpg");
  EXPECT_EQ(scene.images[1].name, "c.jpg");
  EXPECT_TRUE(says(scene, "1 photos were not reconstructed and are left out: b.jpg"));
  const auto pixel = projected(scene, "a photo.jpg", {0.7, 0.5, -0.6});
  EXPECT_NEAR(pixel.x_px, 100.50614326803449, 1e-6);
  EXPECT_NEAR(pixel.y_px, 14.99301400234897, 1e-6);
  EXPECT_NEAR(pixel.depth_m, 5.263951400894478, 1e-9);
  EXPECT_EQ(scene.cameras[0].colmap_model_id, colmap_radial);
  ASSERT_EQ(scene.cloud.size(), 2u);
  EXPECT_EQ(scene.cloud.color[0], (std::array<uint8_t, 3>{255, 128, 0}));
  EXPECT_EQ(scene.cloud_source, "the points of bundle.out");
  // Sightings: from the middle, y up; the one of the camera that was left out is gone.
  ASSERT_EQ(scene.sparse_points[0].track.size(), 2u);
  EXPECT_EQ(scene.images[0].observations[0].x_px, 40 + 60.5);
  EXPECT_EQ(scene.images[0].observations[0].y_px, 30 - 15.25);
  EXPECT_EQ(scene.images[1].observations[1].point_id, 2u);
}

TEST(Bundler, IsRecognisedByItsContents) {
  const Folder folder;
  EXPECT_STREQ(choose_scene(folder.path()).format->name, "bundler");
  EXPECT_EQ(load_scene(folder / "bundle" / "bundle.out").images.size(), 2u);
  // VisualSFM's name, and a list as COLMAP's exporter calls it.
  fs::rename(folder / "bundle" / "bundle.out", folder / "model.bundle.out");
  fs::remove_all(folder / "bundle");
  fs::rename(folder / "list.txt", folder / "model.list.txt");
  EXPECT_EQ(load_scene(folder.path()).images.size(), 2u);
  write_contents(folder / "other.out", bundle());
  expect_input_error([&] { load_scene(folder.path()); }, {"2 ways", "model.bundle.out", "other.out", "name the file"});
  write_contents(folder / "other.out", "something else");
  EXPECT_EQ(load_scene(folder.path()).images.size(), 2u);
}

TEST(Bundler, PhotosOfAnotherFolder) {
  const Folder folder;
  write_contents(folder / "list.txt", "/nowhere/x/a photo.jpg\n/nowhere/x/b.jpg\n/nowhere/x/c.jpg\n");
  expect_input_error([&] { load_scene(folder.path()); }, {"2 of the 3 photos", "a photo.jpg", "sizes", "--images"});
  LoadOptions options;
  options.image_folder = "photos";
  EXPECT_EQ(load_scene(folder.path(), options).images.size(), 2u);
  fs::rename(folder / "photos", folder / "images");
  EXPECT_EQ(load_scene(folder.path()).images.size(), 2u);
}

TEST(BundlerErrors, Messages) {
  const Folder folder;
  const auto broken = [&](const std::string& from, const std::string& to, std::initializer_list<const char*> parts) {
    std::string text = bundle();
    ASSERT_NE(text.find(from), std::string::npos) << from;
    text.replace(text.find(from), from.size(), to);
    folder.write(text);
    expect_input_error([&] { load_scene(folder.path()); }, parts);
  };
  broken("v0.3", "v0.4", {"bundle.out, line 1", "v0.3", "found 'v0.4'"});
  broken("3 2\n", "900000000 2\n", {"line 2", "900000000 cameras", "at most"});
  broken("3 2\n", "3 900000000\n", {"line 2", "900000000 points", "at most"});
  broken("3 2\n", "-3 2\n", {"line 2", "a number for cameras", "'-3'"});
  broken("3 2\n", "2 2\n", {"has 2 cameras", "list.txt lists 3 photos"});
  broken("3 2\n", "3 1\n", {"expected the end after the points", "'0.1'"});
  broken("3 2\n", "3 3\n", {"ends before a point's position"});
  broken("300 ", "nan ", {"line 3", "a finite number for a camera's focal length", "nan"});
  broken("300 ", "-300 ", {"camera 0", "focal length above 0", "-300"});
  broken("0.9446090901", "2", {"camera 0", "a rotation matrix"});
  broken("0.9446090901", "x", {"line 4", "camera's rotation", "'x'"});
  broken("-5.0", "1e13", {"a photo.jpg", "1e12"});
  broken("255 128 0", "256 128 0", {"colour (0 to 255)", "'256'"});
  broken("3 0 17", "9999 0 17", {"9999 views"});
  broken("1 2 9", "1 7 9", {"a camera below 3", "'7'"});
  broken("0.1 -0.2 0.3", "inf -0.2 0.3", {"a finite number for a point's position"});
  folder.write(bundle());
  fs::remove(folder / "list.txt");
  expect_input_error([&] { load_scene(folder.path()); }, {"bundle.out", "list.txt"});
  write_contents(folder / "list.txt", "a.jpg\n\nb.jpg\n");
  expect_input_error([&] { load_scene(folder.path()); }, {"list.txt", "empty line"});
}

TEST(BundlerErrors, RandomDamage) {
  const Folder folder;
  EXPECT_GT(testing::damage_at_random(folder / "bundle" / "bundle.out", 400,
                                      [&] { load_scene(folder / "bundle" / "bundle.out"); }),
            100);
}

}  // namespace
}  // namespace ptl
