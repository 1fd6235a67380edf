// Points that come and go during a fit: the rearrangement, the events, what is dropped and what is filled.
#include "renderer/grow.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "datasets/prepare.h"
#include "datasets/scene_loader.h"
#include "datasets/split.h"
#include "renderer/fit.h"
#include "renderer/point_exchange.h"
#include "tests/support/fit_scene.h"
#include "tests/support/temporary_folder.h"

namespace ptl::testing {
namespace {

constexpr float wall_z = 4;

class GrowTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_fit_scene(folder_ / "scene", {.images = 10, .width_px = 128, .height_px = 96, .points = 6000});
    scene_ = load_scene(folder_ / "scene");
    config_ = preset_config("quick");
    config_.crop.size_px = 64;
    config_.raster.layers = 4;
    config_.environment.enabled = false;
  }
  SceneModel model() {
    return make_scene_model(scene_, make_split(scene_, "every8"), prepare_points(scene_, {}), config_, 4);
  }
  /// Removes the points of the cloud that `leave` names.
  template <class F>
  void remove_points(F&& leave) {
    PointCloud& cloud = scene_.cloud;
    PointCloud kept;
    for (size_t i = 0; i < cloud.size(); ++i) {
      if (leave(cloud.position[i])) continue;
      kept.position.push_back(cloud.position[i]);
      kept.color.push_back(cloud.color[i]);
    }
    cloud = std::move(kept);
  }
  TemporaryFolder folder_;
  Scene scene_;
  FitConfig config_;
};

std::vector<Vec3<float>> positions_of(const SceneModel& model) { return model_cloud(model).position; }

TEST_F(GrowTest, EditKeepsRowsInBlocksWithTheirIds) {
  SceneModel edited = model();
  const int64_t before = edited.points.size();
  const torch::Tensor old_ids = edited.points.id.clone(), old_descriptors = edited.descriptors.detach().clone(),
                      old_position = edited.points.position.clone();
  std::vector<uint8_t> dropped(static_cast<size_t>(before), 0);
  for (size_t i = 0; i < dropped.size(); i += 3) dropped[i] = 1;
  NewPoints added;
  for (int i = 0; i < 2; ++i) {
    added.position.emplace_back(0.1f * static_cast<float>(i), 0.2f, 3.5f);
    added.normal.emplace_back(0.0f, 0.0f, -1.0f);
    added.radius.push_back(0.5f);
    added.color.push_back({10, 20, 30});
    added.descriptor.insert(added.descriptor.end(), static_cast<size_t>(edited.descriptors.size(1)), 0.25f);
    added.parent.push_back(i == 0 ? 7 : -1);
  }
  const torch::Tensor rows = exchange_points(edited, dropped, added, 2);
  const int64_t count = edited.points.size();
  EXPECT_EQ(count, before - (before + 2) / 3 + 2);
  ASSERT_EQ(rows.size(0), count);
  std::set<int64_t> ids, seen;
  int fresh = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t id = edited.points.id[i].item<int64_t>(), row = rows[i].item<int64_t>();
    ids.insert(id);
    if (id >= first_grown_id(2)) {
      ++fresh;
      EXPECT_EQ(row, id == first_grown_id(2) ? 7 : -1);
      EXPECT_FLOAT_EQ(edited.descriptors[i][0].item<float>(), 0.25f);
      EXPECT_EQ(edited.point_color[i][2].item<int>(), 30);
      const float u = footprint_u(0, static_cast<uint64_t>(id));
      EXPECT_FLOAT_EQ(edited.points.radius_over_sqrt_u[i].item<float>(), 0.5f / std::sqrt(u));
      continue;
    }
    seen.insert(row);
    ASSERT_NE(row % 3, 0);
    ASSERT_EQ(id, old_ids[row].item<int64_t>());
    ASSERT_TRUE(torch::equal(edited.descriptors.detach()[i], old_descriptors[row]));
    ASSERT_TRUE(torch::equal(edited.points.position[i], old_position[row]));
  }
  EXPECT_EQ(fresh, 2);
  EXPECT_EQ(static_cast<int64_t>(ids.size()), count);
  EXPECT_EQ(static_cast<int64_t>(seen.size()), count - 2);
  EXPECT_TRUE(edited.descriptors.is_leaf() && edited.descriptors.requires_grad());
  // Blocks: falling radius, and bounds that hold their points.
  const std::vector<Vec3<float>> position = positions_of(edited);
  ASSERT_EQ(edited.points.block_bounds.size(0), (count + 255) / 256);
  for (int64_t i = 0; i < count; ++i) {
    if (i % 256 != 0) {
      ASSERT_GE(edited.points.radius_over_sqrt_u[i - 1].item<float>(), edited.points.radius_over_sqrt_u[i].item<float>());
    }
    const float* bounds = edited.points.block_bounds.const_data_ptr<float>() + 6 * (i / 256);
    for (int axis = 0; axis < 3; ++axis) {
      ASSERT_GE(position[static_cast<size_t>(i)][axis], bounds[axis]);
      ASSERT_LE(position[static_cast<size_t>(i)][axis], bounds[3 + axis]);
    }
  }
}

TEST(Grow, EventsFollowTheBudget) {
  GrowConfig config;
  config.events = 3;
  config.begin = 0.2;
  config.end = 0.6;
  std::vector<int64_t> steps;
  for (int64_t step = 0; step < 100; ++step)
    if (const auto event = grow_event_before(config, step, 100)) {
      EXPECT_EQ(*event, static_cast<int64_t>(steps.size()));
      steps.push_back(step);
    }
  EXPECT_EQ(steps, (std::vector<int64_t>{20, 40, 60}));
  EXPECT_FALSE(grow_event_before(config, 0, 1));
  config.points_per_event = 10;
  config.max_points = 1000;
  constexpr int64_t many_px = 1 << 20;
  EXPECT_EQ(most_points(config, 100, many_px), 130);
  EXPECT_EQ(most_points(config, 990, many_px), 1000);
  EXPECT_EQ(most_points(config, 5000, many_px), 5000);
  EXPECT_EQ(most_points(config, 100, 0), 100);
}

TEST(GrowPlan, DenseCloudsGrowOnlyIfAskedTo) {
  GrowConfig config;
  EXPECT_TRUE(points_grow(config, 4.1));
  EXPECT_TRUE(points_grow(config, 0));  // not known
  EXPECT_FALSE(points_grow(config, 4.0));
  config.dense = true;
  EXPECT_TRUE(points_grow(config, 1));
  config.enabled = false;
  EXPECT_FALSE(points_grow(config, 1));
  EXPECT_FALSE(points_grow(config, 100));
}

bool in_box(const Vec3<float>& p) { return std::abs(p.x) < 0.7f && std::abs(p.y) < 0.6f; }

/// A box cut out of the cloud is filled again, on the wall.
TEST_F(GrowTest, AnEmptiedBoxFillsAgain) {
  remove_points(in_box);
  SceneModel fitted = model();
  ASSERT_EQ(std::ranges::count_if(positions_of(fitted), in_box), 0);
  ImageCache photos(image_sources(scene_), 64 << 20);
  Fitter fitter(fitted, photos, 200);
  int64_t traced = 0;
  for (int64_t step = 0; step < 140; ++step) {
    if (const auto event = fitter.grow_before(step)) {
      traced += event->traced;
      EXPECT_EQ(event->points, fitted.points.size());
      EXPECT_EQ(fitted.descriptors.size(0), fitted.points.size());
    }
    ASSERT_EQ(fitter.step(step).problem, "");
  }
  EXPECT_GT(traced, 0);
  std::vector<float> off_the_wall;
  for (const Vec3<float>& p : positions_of(fitted))
    if (in_box(p)) off_the_wall.push_back(std::abs(p.z - wall_z));
  ASSERT_GT(off_the_wall.size(), 100u);
  std::ranges::sort(off_the_wall);
  EXPECT_LT(off_the_wall[off_the_wall.size() / 2], 0.05f);
}

/// A cloud that floats before the wall hides another part of it in each view: it goes, and little else does.
TEST_F(GrowTest, StrayPointsGo) {
  const size_t own = scene_.cloud.size(), strays = 1200;
  for (size_t i = 0; i < strays; ++i) {
    const auto draw = [&](uint64_t n) { return draw_unit(11, DrawPurpose::synthetic, i, n); };
    scene_.cloud.position.emplace_back(-0.4f + 0.8f * draw(0), -0.4f + 0.8f * draw(1), 2.4f + 0.2f * draw(2));
    scene_.cloud.color.push_back({255, 0, 255});
  }
  config_.grow.points_per_event = 0;
  config_.raster.remove_isolated = false;
  SceneModel fitted = model();
  ImageCache photos(image_sources(scene_), 64 << 20);
  constexpr int64_t budget = 600;
  Fitter fitter(fitted, photos, budget);
  for (int64_t step = 0; step <= budget * 6 / 10; ++step) {
    fitter.grow_before(step);
    fitter.step(step);
  }
  size_t strays_left = 0, own_left = 0;
  for (const Vec3<float>& p : positions_of(fitted)) ++(p.z < 3.6f ? strays_left : own_left);
  const double strays_gone = 1 - static_cast<double>(strays_left) / static_cast<double>(strays);
  const double own_gone = 1 - static_cast<double>(own_left) / static_cast<double>(own);
  EXPECT_GT(strays_gone, 5 * own_gone);
  EXPECT_GT(strays_gone, 0.3);
}

TEST_F(GrowTest, OffChangesNothing) {
  config_.grow.enabled = false;
  SceneModel fitted = model();
  const int64_t before = fitted.points.size();
  ImageCache photos(image_sources(scene_), 64 << 20);
  Fitter fitter(fitted, photos, 30);
  for (int64_t step = 0; step < 30; ++step) {
    EXPECT_FALSE(fitter.grow_before(step));
    fitter.step(step);
  }
  EXPECT_EQ(fitted.points.size(), before);
  // Nor where the cloud is dense.
  config_.grow.enabled = true;
  SceneModel dense = model();
  dense.point_spacing_px = 1;
  Fitter of_dense(dense, photos, 30);
  for (int64_t step = 0; step < 30; ++step) EXPECT_FALSE(of_dense.grow_before(step));
}

}  // namespace
}  // namespace ptl::testing
