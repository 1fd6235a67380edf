#include "datasets/scene_loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>

#include "datasets/image_io.h"
#include "datasets/ply.h"
#include "datasets/scene_info.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/projected.h"
#include "tests/support/tiny_scene.h"

namespace ptl {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryFolder;
using testing::expect_input_error;
using testing::says;
using testing::tiny_model;
using testing::write_contents;
using testing::write_tiny_scene;

TEST(SceneLoader, ReadsTheWholeScene) {
  TemporaryFolder folder;
  write_tiny_scene(folder.path());
  const Scene scene = load_scene(folder.path());
  ASSERT_EQ(scene.images.size(), 3u);
  EXPECT_TRUE(fs::exists(scene.images[1].photo_path));
  // log2(2² / 0.02) − log2(ISO / 100)
  ASSERT_TRUE(scene.images[0].exposure_ev && scene.images[2].exposure_ev);
  EXPECT_NEAR(*scene.images[0].exposure_ev, std::log2(200.0), 1e-6);
  EXPECT_NEAR(*scene.images[2].exposure_ev, std::log2(200.0) - 2, 1e-6);
  EXPECT_EQ(scene.cloud.size(), 5u);
  EXPECT_EQ(scene.cloud.color[1], (std::array<uint8_t, 3>{50, 128, 255}));
  EXPECT_EQ(scene.cloud_source, "the sparse points of sparse/0");
  EXPECT_TRUE(scene.oddities.empty()) << scene.oddities.front();
  const std::string info = describe_scene(scene);
  for (const char* part : {"64 x 48", "80 x 60", "2 images", "5 from the sparse points", "a range of 2.00 stops",
                           "photo 0.jpg to photo 2.jpg", "nothing"})
    EXPECT_NE(info.find(part), std::string::npos) << info;
}

TEST(SceneLoader, IntrinsicsFollowTheReducedSize) {
  TemporaryFolder folder;
  write_tiny_scene(folder.path());
  LoadOptions options;
  options.image_scale = 0.3;
  Scene scene = load_scene(folder.path(), options);
  const CameraParams<double>& first = scene.cameras[0].params;  // 64 x 48 · 0.3 = 19.2 x 14.4
  EXPECT_EQ(first.width_px, 19);
  EXPECT_EQ(first.height_px, 14);
  EXPECT_NEAR(first.value[0], 50 * 19.0 / 64, 1e-12);
  EXPECT_NEAR(first.value[1], 51 * 14.0 / 48, 1e-12);
  EXPECT_NEAR(first.value[2], 9.5, 1e-12);  // the middle stays the middle
  EXPECT_NEAR(first.value[3], 7, 1e-12);
  EXPECT_EQ(scene.cameras[1].params.value[5], 0.01);  // distortion stays
  EXPECT_EQ(scene.cameras[0].stored_width_px, 64);
  EXPECT_EQ(scene.cameras[0].colmap_params[0], 50);
  options = {};
  options.max_size_px = 40;
  scene = load_scene(folder.path(), options);
  EXPECT_EQ(scene.image_scale, 0.5);  // the largest photo has 80
  EXPECT_EQ(scene.cameras[1].params.width_px, 40);
  EXPECT_EQ(scene.cameras[0].params.width_px, 32);
  options.max_size_px = 4000;
  EXPECT_EQ(load_scene(folder.path(), options).image_scale, 1.0);
  EXPECT_EQ(scaled_size_px(5, 0.5), 3);
  EXPECT_EQ(scaled_size_px(1, 0.01), 1);
}

TEST(SceneLoader, CloudComesFromTheOptionThenTheFolderThenTheModel) {
  TemporaryFolder folder;
  const Vec3<double> shift(4.5e5, 5.4e6, 300);
  write_tiny_scene(folder.path(), testing::shifted(tiny_model(), shift));
  const Scene sparse = load_scene(folder.path());
  PointCloud cloud;
  cloud.position = {{0.001f, 0, 1}, {0.002f, 0, 1}};
  cloud.color = {{1, 2, 3}, {4, 5, 6}};
  write_ply(folder / "points.ply", cloud, sparse.origin_world);
  const Scene with_file = load_scene(folder.path());
  EXPECT_EQ(with_file.cloud_source, "points.ply");
  ASSERT_EQ(with_file.cloud.size(), 2u);
  EXPECT_NEAR(with_file.cloud.position[1].x, 0.002f, 1e-9);  // in double until the origin is gone
  cloud.position.push_back({0, 0, 2});
  cloud.color.push_back({7, 8, 9});
  write_ply(folder / "other.ply", cloud, sparse.origin_world);
  LoadOptions options;
  options.points_file = folder / "other.ply";
  EXPECT_EQ(load_scene(folder.path(), options).cloud.size(), 3u);
  write_contents(folder / "points.ply", "garbage");
  expect_input_error([&] { load_scene(folder.path()); }, {"points.ply", "expected a PLY file"});  // no silent fallback
}

TEST(SceneLoader, Masks) {
  TemporaryFolder folder;
  write_tiny_scene(folder.path());
  write_png(folder / "masks" / "photo 0.jpg.png", testing::grey_photo(64, 48, 255, 1));
  write_png(folder / "images" / "photo 2.mask.png", testing::grey_photo(80, 60, 255, 1));
  const Scene scene = load_scene(folder.path());
  EXPECT_EQ(scene.images[0].mask_path.filename(), "photo 0.jpg.png");
  EXPECT_TRUE(scene.images[1].mask_path.empty());
  EXPECT_EQ(scene.images[2].mask_path.filename(), "photo 2.mask.png");
  EXPECT_TRUE(says(scene, "1 of 3 photos have no mask"));
  write_png(folder / "masks" / "photo 1.png", testing::grey_photo(64, 40, 255, 1));
  expect_input_error([&] { load_scene(folder.path()); }, {"photo 1.png", "64 x 48", "found 64 x 40"});
  LoadOptions options;
  options.mask_folder = "stencils";
  expect_input_error([&] { load_scene(folder.path(), options); }, {"stencils", "no such folder", "--masks"});
  fs::create_directory(folder / "stencils");
  fs::remove(folder / "images" / "photo 2.mask.png");
  expect_input_error([&] { load_scene(folder.path(), options); }, {"stencils", "no mask", "photo 0.jpg.png"});
}

TEST(SceneLoader, OdditiesAreSaid) {
  TemporaryFolder folder;
  ColmapModel model = tiny_model();
  model.cameras.push_back({9, 1, 10, 10, {5, 5, 5, 5}});
  model.points[1].position = {0, 0, -50};
  write_tiny_scene(folder.path(), model);
  ExifFields turned;
  turned.orientation = 6;
  write_jpeg(folder / "images" / "photo 1.jpg", testing::grey_photo(64, 48), 90, make_exif_block(turned));
  write_jpeg(folder / "images" / "stray.jpg", testing::grey_photo(64, 48));
  write_colmap_model(model, folder / "sparse" / "1", ColmapFormat::binary);
  const Scene scene = load_scene(folder.path());
  EXPECT_TRUE(says(scene, "cameras without images: 9"));
  EXPECT_TRUE(says(scene, "1 of 5 points lie behind every camera"));
  EXPECT_TRUE(says(scene, "1 of 3 photos have no EXIF exposure"));
  EXPECT_TRUE(says(scene, "1 photos have an EXIF orientation"));
  EXPECT_TRUE(says(scene, "1 photos in images have no pose and are not used: stray.jpg"));
  EXPECT_TRUE(says(scene, "other models"));
  EXPECT_FALSE(scene.images[1].exposure_ev);
}

TEST(SceneLoader, WithoutPhotosWhenTheyAreNotNeeded) {
  TemporaryFolder folder;
  write_colmap_model(tiny_model(), folder.path(), ColmapFormat::text);
  LoadOptions options;
  options.photos_needed = false;
  EXPECT_EQ(load_scene(folder.path(), options).images.size(), 3u);
}

TEST(SceneLoaderErrors, Messages) {
  TemporaryFolder folder;
  write_tiny_scene(folder.path());
  const auto with_model = [&](const ColmapModel& model, std::initializer_list<const char*> parts) {
    TemporaryFolder own;
    write_tiny_scene(own.path(), model);
    expect_input_error([&] { load_scene(own.path()); }, parts);
  };
  expect_input_error([&] { load_scene(folder / "nowhere"); }, {"nowhere", "no such folder"});
  ColmapModel model = tiny_model();
  model.images.resize(1);
  with_model(model, {"sparse/0", "has 1 image;", "at least 2"});
  model = tiny_model();
  model.points.clear();
  with_model(model, {"has no points", "--points FILE.ply"});
  model = tiny_model();
  for (SparsePoint& point : model.points) point.position.z = -100 - point.position.z;
  with_model(model, {"all 5 points", "behind every camera", "same frame"});

  LoadOptions options;
  options.image_scale = 1.5;
  expect_input_error([&] { load_scene(folder.path(), options); }, {"--image-scale", "up to 1", "1.5"});
  options.image_scale = std::nan("");
  expect_input_error([&] { load_scene(folder.path(), options); }, {"--image-scale", "nan"});
  options = {};
  options.max_size_px = 7;
  expect_input_error([&] { load_scene(folder.path(), options); }, {"--max-size", "16", "7"});
  options = {};
  options.image_folder = "pictures";
  expect_input_error([&] { load_scene(folder.path(), options); }, {"pictures", "--images"});

  write_jpeg(folder / "images" / "photo 1.jpg", testing::grey_photo(48, 64));
  expect_input_error([&] { load_scene(folder.path()); },
                     {"photo 1.jpg", "expected 64 x 48", "camera 1", "found 48 x 64"});
  write_contents(folder / "images" / "photo 1.jpg", "not a photo");
  expect_input_error([&] { load_scene(folder.path()); }, {"photo 1.jpg"});
  fs::remove(folder / "images" / "photo 1.jpg");
  fs::remove(folder / "images" / "photo 2.jpg");
  expect_input_error([&] { load_scene(folder.path()); },
                     {"2 of the 3 photos", "missing: photo 1.jpg, photo 2.jpg", "--images"});
}

TEST(SceneLoaderErrors, OfPhotosAreCollectedWhereWanted) {
  TemporaryFolder folder;
  write_tiny_scene(folder.path());
  std::vector<std::string> faults;
  LoadOptions options;
  options.photo_faults = &faults;
  load_scene(folder.path(), options);
  EXPECT_TRUE(faults.empty()) << faults.front();
  write_contents(folder / "images" / "photo 0.jpg", "not a photo");
  write_jpeg(folder / "images" / "photo 1.jpg", testing::grey_photo(48, 64));
  fs::remove(folder / "images" / "photo 2.jpg");
  const Scene scene = load_scene(folder.path(), options);
  EXPECT_EQ(scene.images.size(), 3u);
  std::string all;
  for (const std::string& fault : faults) all += fault + "\n";
  for (const char* part : {"photo 0.jpg", "found 48 x 64", "missing: photo 2.jpg"})
    EXPECT_NE(all.find(part), std::string::npos) << all;
  fs::remove_all(folder / "images");
  faults.clear();
  EXPECT_EQ(load_scene(folder.path(), options).images.size(), 3u);
  EXPECT_FALSE(faults.empty());
  options.points_file = folder / "nowhere.ply";  // everything else is refused as ever
  expect_input_error([&] { load_scene(folder.path(), options); }, {"nowhere.ply"});
}

TEST(SceneLoaderRealScenes, AreAsTheirReadmeSays) {
  const char* data = std::getenv("PTL_TEST_DATA");
  if (!data) GTEST_SKIP() << "PTL_TEST_DATA names no folder with fox, plush and fountain";
  for (const auto& [name, images, points] :
       {std::tuple{"fox", 50, 11726}, std::tuple{"plush", 97, 18267}, std::tuple{"fountain", 11, 7269}}) {
    LoadOptions options;
    options.format = "colmap";  // fox has a transforms.json too
    const Scene scene = load_scene(fs::path(data) / name, options);
    EXPECT_EQ(scene.images.size(), static_cast<size_t>(images));
    EXPECT_EQ(scene.cloud.size(), static_cast<size_t>(points));
    EXPECT_EQ(scene.cloud_source, "points.ply");
    double lowest = INFINITY, highest = -INFINITY;
    for (const SceneImage& image : scene.images)
      if (image.exposure_ev) {
        lowest = std::min(lowest, *image.exposure_ev);
        highest = std::max(highest, *image.exposure_ev);
      }
    if (std::string(name) == "plush") {
      EXPECT_NEAR(highest - lowest, 2.09, 0.01);
    } else {
      EXPECT_TRUE(says(scene, "no photo has EXIF exposure"));
    }
    // points.ply holds the sparse points: the two readers must put them at the same places.
    ASSERT_EQ(scene.sparse_points.size(), scene.cloud.size());
    std::vector<double> sum_sparse(3), sum_cloud(3);
    for (size_t i = 0; i < scene.cloud.size(); ++i)
      for (int axis = 0; axis < 3; ++axis) {
        sum_sparse[static_cast<size_t>(axis)] += scene.sparse_points[i].position[axis];
        sum_cloud[static_cast<size_t>(axis)] += static_cast<double>(scene.cloud.position[i][axis]);
      }
    for (size_t axis = 0; axis < 3; ++axis) EXPECT_NEAR(sum_sparse[axis] / points, sum_cloud[axis] / points, 1e-5) << name;
    std::cout << describe_scene(scene);
  }
}

}  // namespace
}  // namespace ptl
