// Dense points from panoramas: all around, behind the camera too.
#include "dense/photo_faces.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "datasets/image_io.h"
#include "datasets/scene_loader.h"
#include "datasets/split.h"
#include "datasets/synthetic_write.h"
#include "dense/densify.h"
#include "tests/dense/true_surfaces.h"
#include "tests/support/temporary_folder.h"

namespace ptl {
namespace {

class DensePanorama : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new testing::TemporaryFolder;
    SyntheticOptions options;
    options.photos = 9;
    options.width_px = 416;
    options.height_px = 208;
    options.samples = 1;
    options.sparse_points = 3000;
    options.density = 0.1;
    options.camera = CameraModel::equirectangular;
    write_synthetic_scene(options, *folder_ / "scene");
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  static Scene scene() { return load_scene(*folder_ / "scene"); }
  static testing::TemporaryFolder* folder_;
};
testing::TemporaryFolder* DensePanorama::folder_ = nullptr;

TEST_F(DensePanorama, FacesShowWhatThePanoramaShows) {
  const Scene s = scene();
  HeapScratch scratch;
  Device device;
  device.scratch = &scratch;
  const PhotoFaces faces = split_wide_photos(device, s, {0, 3}, 100, *folder_ / "faces", {});
  ASSERT_EQ(faces.scene.images.size(), 12u);
  EXPECT_EQ(faces.image_of, (std::vector<int>{0, 0, 0, 0, 0, 0, 3, 3, 3, 3, 3, 3}));
  const SceneCamera& panorama = s.camera_of(s.images[0]);
  for (size_t i = 0; i < 6; ++i) {
    const SceneImage& face = faces.scene.images[i];
    const CameraParams<double>& pinhole = faces.scene.camera_of(face).params;
    ASSERT_EQ(pinhole.width_px, 100);
    EXPECT_LT(glm::length(camera_centre(face.camera_from_world) - camera_centre(s.images[0].camera_from_world)), 1e-9);
    // A keypoint of the panorama is, in the face, where its point of the scene is.
    int compared = 0;
    for (const Observation& observation : face.observations)
      for (const SparsePoint& point : s.sparse_points)
        if (point.id == observation.point_id) {
          const Projection<double> p = project(pinhole, face.camera_from_world * point.position);
          ASSERT_TRUE(p.valid);
          EXPECT_LT(std::hypot(p.x_px - observation.x_px, p.y_px - observation.y_px), 2);
          ++compared;
        }
    if (i < 4) {
      EXPECT_GT(compared, 20) << i;
    }
    // So are the pixels.
    const StoredImage shown = read_image(face.photo_path), photo = read_image(s.images[0].photo_path);
    for (const int at : {20, 50, 80}) {
      Vec3<double> ray;
      ASSERT_TRUE(unproject_ray(pinhole, at + 0.5, 40.5, ray));
      const Vec3<double> in_panorama =
          s.images[0].camera_from_world.rotation * (glm::transpose(face.camera_from_world.rotation) * ray);
      const Projection<double> p = project(panorama.params, in_panorama);
      double difference = 0;
      for (size_t c = 0; c < 3; ++c) {
        double mean = 0;  // of the panorama's pixels around, which the face averages
        for (int dy = -1; dy <= 1; ++dy)
          for (int dx = -1; dx <= 1; ++dx) {
            const int x = (static_cast<int>(p.x_px) + dx + photo.width) % photo.width,
                      y = std::clamp(static_cast<int>(p.y_px) + dy, 0, photo.height - 1);
            mean +=
                photo.values8[(static_cast<size_t>(y) * static_cast<size_t>(photo.width) + static_cast<size_t>(x)) * 3 +
                              c] /
                9.0;
          }
        difference += std::abs(mean - shown.values8[(40u * 100u + static_cast<size_t>(at)) * 3 + c]) / 3;
      }
      EXPECT_LT(difference, 40) << "face " << i << ", column " << at;
    }
  }
  // They are there for the next run.
  const auto written = std::filesystem::last_write_time(faces.scene.images[2].photo_path);
  const PhotoFaces again = split_wide_photos(device, s, {0, 3}, 100, *folder_ / "faces", {});
  EXPECT_EQ(again.scene.images[2].photo_path, faces.scene.images[2].photo_path);
  EXPECT_EQ(std::filesystem::last_write_time(again.scene.images[2].photo_path), written);
}

TEST_F(DensePanorama, PointsLieOnTheSurfacesAllAround) {
  const Scene s = scene();
  const Split split = make_split(s, "every8");
  const DenseResult result = densify(s, split.train, {}, *folder_ / "work");
  EXPECT_EQ(result.photos, split.train);
  const DenseCloud& dense = result.points;
  ASSERT_EQ(dense.first_seen.size(), dense.cloud.size() + 1);
  size_t behind = 0;
  for (size_t i = 0; i < dense.cloud.size(); ++i) {
    std::set<uint32_t> seen(dense.seen_by.begin() + static_cast<std::ptrdiff_t>(dense.first_seen[i]),
                            dense.seen_by.begin() + static_cast<std::ptrdiff_t>(dense.first_seen[i + 1]));
    ASSERT_EQ(seen.size(), dense.first_seen[i + 1] - dense.first_seen[i]) << "a photo counts once";
    ASSERT_FALSE(seen.empty());
    for (const uint32_t image : seen)
      ASSERT_TRUE(std::binary_search(split.train.begin(), split.train.end(), static_cast<int>(image)));
    behind += (s.images[*seen.begin()].camera_from_world * Vec3<double>(dense.cloud.position[i])).z < 0;
  }
  EXPECT_GT(static_cast<double>(behind), 0.15 * static_cast<double>(dense.cloud.size()));

  const CloudTruth truth = testing::truth_of(s, testing::world_positions(s, dense), 4000);
  RecordProperty("far_share", std::to_string(truth.far_share));
  EXPECT_LT(truth.far_share, 0.15);
  EXPECT_GT(truth.covered_pixels, 0.5);
}

}  // namespace
}  // namespace ptl
