#include "datasets/scene_formats.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "datasets/scene_loader.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/projected.h"
#include "tests/support/tiny_scene.h"

namespace ptl {
namespace {

namespace fs = std::filesystem;
using testing::expect_input_error;
using testing::TemporaryFolder;
using testing::says;
using testing::tiny_model;
using testing::write_contents;
using testing::write_tiny_scene;

TEST(SceneFormats, NamesAreUniqueAndSayWhatIsExpected) {
  std::set<std::string> names;
  for (const SceneFormat& format : scene_formats()) {
    EXPECT_TRUE(names.insert(format.name).second) << format.name;
    EXPECT_NE(std::string(format.expected), "");
  }
  EXPECT_STREQ(scene_formats().front().name, "colmap");
}

TEST(SceneFormats, ColmapIsFoundWhereverItIs) {
  for (const char* place : {"sparse/0", "sparse", "."})
    for (const ColmapFormat format : {ColmapFormat::binary, ColmapFormat::text}) {
      TemporaryFolder folder;
      write_colmap_model(tiny_model(), folder / place, format);
      const FoundScene found = choose_scene(folder.path());
      EXPECT_STREQ(found.format->name, "colmap");
      EXPECT_TRUE(fs::equivalent(found.file, folder / place));
      EXPECT_STREQ(choose_scene(folder.path(), "colmap").format->name, "colmap");
    }
}

TEST(SceneFormats, NothingAndUnknownFormatsAreSaid) {
  TemporaryFolder folder;
  expect_input_error([&] { choose_scene(folder.path()); },
                     {folder.path().c_str(), "no scene found", "run COLMAP", "colmap: a COLMAP model", "sparse/0"});
  expect_input_error([&] { choose_scene(folder / "none"); }, {"none", "no such folder"});
  expect_input_error([&] { choose_scene(folder.path(), "colmap"); }, {"format colmap", "sparse/0"});
  expect_input_error([&] { choose_scene(folder.path(), "blend"); }, {"--format blend", "expected one of colmap"});
  write_contents(folder / "notes.txt", "hello");
  expect_input_error([&] { choose_scene(folder / "notes.txt"); }, {"notes.txt", "no scene found"});
  // A part of a model is said to be one: the user meant it.
  write_tiny_scene(folder.path());
  fs::remove(folder / "sparse" / "0" / "images.bin");
  expect_input_error([&] { load_scene(folder.path()); }, {"incomplete", "images.bin missing"});
}

// COLMAP since 3.12 writes rigs and frames beside the model; poses stay in images.
TEST(SceneFormats, NewerColmapModelsWithRigsAndFrames) {
  for (const char* extension : {".bin", ".txt"}) {
    TemporaryFolder folder;
    write_tiny_scene(folder.path());
    if (extension == std::string(".txt")) {
      fs::remove_all(folder / "sparse");
      write_colmap_model(tiny_model(), folder / "sparse" / "0", ColmapFormat::text);
    }
    write_contents(folder / "sparse" / "0" / (std::string("rigs") + extension), std::string(40, '\1'));
    write_contents(folder / "sparse" / "0" / (std::string("frames") + extension), std::string(60, '\2'));
    const Scene scene = load_scene(folder.path());
    EXPECT_EQ(scene.images.size(), 3u);
    EXPECT_TRUE(scene.oddities.empty()) << scene.oddities.front();
  }
}

/// The tiny scene with its photos in `image_folder`, reduced to these sizes; cameras 1 (64 x 48) and 7 (80 x 60).
void write_reduced(const fs::path& folder, const std::string& image_folder, int w1, int h1, int w7, int h7) {
  for (const ColmapImage& image : tiny_model().images) {
    const bool first = image.camera_id == 1;
    write_jpeg(folder / image_folder / image.name, testing::grey_photo(first ? w1 : w7, first ? h1 : h7));
  }
}

TEST(ReducedPhotos, CamerasAreScaledToANamedFolder) {
  TemporaryFolder folder;
  write_tiny_scene(folder.path());
  write_reduced(folder.path(), "images_3", 21, 16, 27, 20);  // 64/3 = 21.3, 80/3 = 26.7: rounded
  LoadOptions options;
  options.image_folder = "images_3";
  const Scene scene = load_scene(folder.path(), options);
  EXPECT_EQ(scene.cameras[0].stored_width_px, 21);
  EXPECT_EQ(scene.cameras[0].params.height_px, 16);
  // PINHOLE 50 51 32 24 at 64 x 48: each axis by its own ratio.
  EXPECT_NEAR(scene.cameras[0].params.value[0], 50 * 21.0 / 64, 1e-12);
  EXPECT_NEAR(scene.cameras[0].params.value[1], 51 * 16.0 / 48, 1e-12);
  EXPECT_NEAR(scene.cameras[0].colmap_params[2], 10.5, 1e-12);
  EXPECT_EQ(scene.cameras[1].colmap_model_id, 4);
  EXPECT_EQ(scene.cameras[1].colmap_params[4], 0.01);  // distortion stays
  EXPECT_NEAR(scene.images[0].observations[0].x_px, 10.5 * 21 / 64, 1e-12);
  EXPECT_NEAR(scene.images[0].observations[0].y_px, 20.25 * 16 / 48, 1e-12);
  EXPECT_TRUE(says(scene, "camera 1 is scaled from 64 x 48 to the photos in images_3, 21 x 16"));
  // A point's pixel moves by the same ratios.
  LoadOptions whole_options;
  const Scene whole = load_scene(folder.path(), whole_options);
  const Vec3<double> x = scene.images[2].camera_from_world * scene.sparse_points[3].position;
  const auto there = project(whole.cameras[1].params, x), here = project(scene.cameras[1].params, x);
  EXPECT_NEAR(here.x_px, there.x_px * 27 / 80, 1e-9);
  EXPECT_NEAR(here.y_px, there.y_px * 20 / 60, 1e-9);
}

TEST(ReducedPhotos, OtherRatiosAndOtherFoldersAreRefused) {
  TemporaryFolder folder;
  write_tiny_scene(folder.path());
  write_reduced(folder.path(), "images_2", 32, 20, 40, 30);
  LoadOptions options;
  options.image_folder = "images_2";
  expect_input_error([&] { load_scene(folder.path(), options); }, {"photo 0.jpg", "64 x 48", "found 32 x 20"});
  write_reduced(folder.path(), "images_2", 128, 96, 160, 120);  // larger than the cameras, in the same ratio
  expect_input_error([&] { load_scene(folder.path(), options); }, {"photo 0.jpg", "64 x 48", "found 128 x 96"});
  write_reduced(folder.path(), "small", 32, 24, 40, 30);
  options.image_folder = "small";
  expect_input_error([&] { load_scene(folder.path(), options); }, {"photo 0.jpg", "64 x 48", "found 32 x 24"});
  write_reduced(folder.path(), "images_2", 32, 24, 40, 30);
  write_jpeg(folder / "images_2" / "photo 1.jpg", testing::grey_photo(16, 12));
  options.image_folder = "images_2";
  expect_input_error([&] { load_scene(folder.path(), options); }, {"photo 1.jpg", "32 x 24", "found 16 x 12"});
}

TEST(ReducedPhotos, TheFolderThatTheModelWasMadeFromIsFound) {
  TemporaryFolder folder;
  write_tiny_scene(folder.path());
  fs::rename(folder / "images", folder / "images_4");  // of the cameras' size
  write_reduced(folder.path(), "images", 256, 192, 320, 240);
  Scene scene = load_scene(folder.path());
  EXPECT_EQ(scene.images[0].photo_path.parent_path().filename(), "images_4");
  EXPECT_EQ(scene.cameras[0].stored_width_px, 64);
  EXPECT_TRUE(says(scene, "photos are taken from images_4"));
  // Only reduced photos are there: the largest of them.
  fs::remove_all(folder / "images_4");
  fs::remove_all(folder / "images");
  write_reduced(folder.path(), "images_4", 16, 12, 20, 15);
  write_reduced(folder.path(), "images_2", 32, 24, 40, 30);
  scene = load_scene(folder.path());
  EXPECT_EQ(scene.images[0].photo_path.parent_path().filename(), "images_2");
  EXPECT_EQ(scene.cameras[1].params.width_px, 40);
  EXPECT_TRUE(says(scene, "there is no whole size"));
}

}  // namespace
}  // namespace ptl
