// Both passes over all photos, and their files: what is made, kept, made anew, and when. And the planes that sparse
// points give.
#include "dense/match_photos.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <stdexcept>

#include "datasets/scene_loader.h"
#include "datasets/synthetic_write.h"
#include "dense/plane_file.h"
#include "dense/sparse_planes.h"
#include "tests/dense/stereo_case.h"
#include "tests/support/temporary_folder.h"

namespace ptl {
namespace {

namespace fs = std::filesystem;
using namespace test;

class MatchPhotos : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new testing::TemporaryFolder;
    SyntheticOptions options;
    options.photos = 6;
    options.width_px = 96;
    options.height_px = 64;
    options.samples = 2;
    options.sparse_points = 600;
    options.density = 0.2;
    write_synthetic_scene(options, *folder_ / "scene");
    scene_ = new Scene(load_scene(*folder_ / "scene"));
    plans_ = new std::vector<ViewPlan>(select_views(*scene_, {0, 1, 2, 3, 4, 5}, {}));
  }
  static void TearDownTestSuite() {
    delete plans_;
    delete scene_;
    delete folder_;
  }
  static MatchFiles files(const std::string& name, const std::vector<ViewPlan>& plans = *plans_) {
    MatchFiles files;
    files.key = match_key(*scene_, plans, {});
    for (size_t i = 0; i < plans.size(); ++i) {
      files.planes.push_back(*folder_ / name / ("planes" + std::to_string(i)));
      files.depths.push_back(*folder_ / name / ("depth" + std::to_string(i)));
    }
    return files;
  }
  static std::vector<DepthMap> maps(const MatchFiles& files) {
    std::vector<DepthMap> maps;
    for (const fs::path& path : files.depths) maps.push_back(read_depth_map(path, files.key).value());
    return maps;
  }
  static void expect_same(const std::vector<DepthMap>& a, const std::vector<DepthMap>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_TRUE(same_bits(a[i].depth_m, b[i].depth_m)) << i;
      EXPECT_TRUE(same_bits(a[i].match, b[i].match)) << i;
    }
  }
  static int run(const MatchFiles& files, const std::vector<ViewPlan>& plans = *plans_) {
    return match_photos(*scene_, plans, {}, files, {});
  }

  static testing::TemporaryFolder* folder_;
  static Scene* scene_;
  static std::vector<ViewPlan>* plans_;
};
testing::TemporaryFolder* MatchPhotos::folder_ = nullptr;
Scene* MatchPhotos::scene_ = nullptr;
std::vector<ViewPlan>* MatchPhotos::plans_ = nullptr;

TEST_F(MatchPhotos, ThreadsChangeNothingAndPlanesAreGoneAtTheEnd) {
  const MatchFiles one = files("one"), three = files("three");
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  EXPECT_EQ(run(one), 0);
  omp_set_num_threads(3);
  EXPECT_EQ(run(three), 0);
  omp_set_num_threads(threads);
  expect_same(maps(one), maps(three));
  for (const fs::path& path : three.planes) EXPECT_FALSE(fs::exists(path));
  size_t known = 0;
  for (const DepthMap& map : maps(one))
    known += map.depth_m.size() - static_cast<size_t>(std::count(map.depth_m.begin(), map.depth_m.end(), 0.0f));
  EXPECT_GT(known, maps(one).front().depth_m.size() * 3);
}

/// Interrupted after so many steps of each pass, it goes on with what is there and gives the same.
TEST_F(MatchPhotos, InterruptionsInBothPassesChangeNothing) {
  const MatchFiles whole = files("whole");
  run(whole);
  for (const std::string wanted : {"matching (1 of 2)", "matching (2 of 2)"}) {
    const MatchFiles broken = files("broken " + wanted);
    const auto stop = [&](const char* step, int done, int) {
      if (step == wanted && done == 3) throw std::runtime_error("stopped");
    };
    EXPECT_THROW(match_photos(*scene_, *plans_, {}, broken, stop), std::runtime_error);
    const auto there = [](const std::vector<fs::path>& paths) {
      return std::count_if(paths.begin(), paths.end(), [](const fs::path& path) { return fs::exists(path); });
    };
    const bool second = wanted == "matching (2 of 2)";
    EXPECT_GE(there(broken.planes), second ? 6 : 3);
    EXPECT_GE(there(broken.depths), second ? 3 : 0);
    EXPECT_LT(there(broken.depths), 6);
    std::map<fs::path, fs::file_time_type> times;
    for (const fs::path& path : broken.depths)
      if (fs::exists(path)) times[path] = fs::last_write_time(path);
    const auto planes = there(broken.planes), depths = there(broken.depths);
    std::map<std::string, int> made;
    const int reused = match_photos(*scene_, *plans_, {}, broken, [&](const char* step, int, int) { ++made[step]; });
    EXPECT_EQ(reused, depths);
    EXPECT_EQ(made["matching (1 of 2)"], 6 - planes);
    EXPECT_EQ(made["matching (2 of 2)"], 6 - depths);
    for (const auto& [path, time] : times) EXPECT_EQ(fs::last_write_time(path), time);
    expect_same(maps(whole), maps(broken));
  }
}

TEST_F(MatchPhotos, BrokenFilesAreMadeAnew) {
  const MatchFiles f = files("damaged");
  run(f);
  const std::vector<DepthMap> before = maps(f);
  testing::write_contents(f.depths[2], "damaged");
  testing::write_contents(f.planes[2], "damaged");
  fs::remove(f.depths[4]);
  EXPECT_EQ(run(f), 4);
  expect_same(before, maps(f));
  EXPECT_EQ(run(f), 6);
}

TEST_F(MatchPhotos, TheOrderOfThePhotosChangesNothing) {
  const MatchFiles f = files("forward");
  run(f);
  std::vector<ViewPlan> reversed(plans_->rbegin(), plans_->rend());
  const MatchFiles backward = files("backward", reversed);
  run(backward, reversed);
  std::vector<DepthMap> found = maps(backward);
  std::reverse(found.begin(), found.end());
  expect_same(maps(f), found);
}

TEST_F(MatchPhotos, APhotoWithoutSourcesStaysEmpty) {
  std::vector<ViewPlan> plans = *plans_;
  plans[1].sources.clear();  // others match with it
  const MatchFiles f = files("alone", plans);
  run(f, plans);
  const std::vector<DepthMap> found = maps(f);
  EXPECT_EQ(std::count(found[1].depth_m.begin(), found[1].depth_m.end(), 0.0f),
            static_cast<int64_t>(found[1].depth_m.size()));
  EXPECT_FALSE(found[1].color.empty());
  EXPECT_GT(std::count_if(found[0].depth_m.begin(), found[0].depth_m.end(), [](float d) { return d > 0; }), 1000);
}

TEST_F(MatchPhotos, TheKeyNamesWhatDepthsDependOn) {
  const uint64_t key = match_key(*scene_, *plans_, {});
  EXPECT_EQ(match_key(*scene_, *plans_, {}), key);
  MatchPhotosOptions options;
  options.patches.second.disagreement_cost = 0.2f;
  EXPECT_NE(match_key(*scene_, *plans_, options), key);
  options = {};
  options.strict_split = true;
  EXPECT_NE(match_key(*scene_, *plans_, options), key);
  Scene moved = *scene_;
  moved.sparse_points[7].position.x += 0.01;
  EXPECT_NE(match_key(moved, *plans_, {}), key);
}

TEST(SparsePlanes, NearestPointAndMembraneByHand) {
  const StereoCamera camera = camera_at({0, 0, 0});
  EXPECT_TRUE(planes_of_points(camera, {}).empty());
  const std::vector<PlaneField> fields = planes_of_points(camera, {{8, 32, 0.2f}, {88, 32, 0.4f}});
  ASSERT_EQ(fields.size(), 2u);
  const PlaneField &nearest = fields[0], &membrane = fields[1];
  for (int y = 0; y < camera.height_px; ++y)
    for (int x = 0; x < camera.width_px; ++x) {
      const size_t at = camera.index(x, y);
      if (x != 48) {
        EXPECT_EQ(nearest.inverse_depth[at], x < 48 ? 0.2f : 0.4f) << x << ' ' << y;
      }
      EXPECT_EQ(nearest.slant_x[at], 0);
      EXPECT_GE(membrane.inverse_depth[at], 0.2f);
      EXPECT_LE(membrane.inverse_depth[at], 0.4f);
    }
  EXPECT_NEAR(membrane.inverse_depth[camera.index(8, 32)], 0.2, 1e-6);
  EXPECT_NEAR(membrane.inverse_depth[camera.index(88, 32)], 0.4, 1e-6);
  const size_t middle = camera.index(48, 32);
  EXPECT_NEAR(membrane.inverse_depth[middle], 0.3, 0.03);
  EXPECT_GT(membrane.slant_x[middle], 0.001f);  // its slant is its own change per pixel
  EXPECT_NEAR(membrane.inverse_depth[middle + 1] - membrane.inverse_depth[middle], membrane.slant_x[middle], 1e-6);
}

/// Points that only held-out photos and one of the photos saw, with and without --strict-split.
TEST(SparsePlanes, AStrictSplitLeavesOutPointsOfOnePhoto) {
  Scene scene;
  scene.images.resize(3);
  for (uint32_t i = 0; i < 3; ++i) scene.images[i].id = 10 + i;
  scene.sparse_points.resize(3);
  scene.sparse_points[0].position = {0, 0, 4};
  scene.sparse_points[0].track = {{10, 0}, {12, 0}};  // of the photos only the first
  scene.sparse_points[1].position = {0.5, 0, 4};
  scene.sparse_points[1].track = {{10, 1}, {11, 0}, {10, 2}};
  scene.sparse_points[2].position = {0, 0, -4};  // behind
  scene.sparse_points[2].track = {{10, 3}, {11, 1}};
  const StereoCamera camera = camera_at({0, 0, 0});
  EXPECT_EQ(SeenPoints(scene, {0, 1}, false).in_view(0, camera).size(), 2u);
  const std::vector<SeenDepth> strict = SeenPoints(scene, {0, 1}, true).in_view(0, camera);
  ASSERT_EQ(strict.size(), 1u);
  EXPECT_EQ(strict[0].x, 58);
  EXPECT_EQ(strict[0].y, 32);
  EXPECT_EQ(strict[0].inverse_depth, 0.25f);
}

}  // namespace
}  // namespace ptl
