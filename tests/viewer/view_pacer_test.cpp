// When pictures are asked for and how large; how long and how many points are drawn; their order in a drawn cloud.
#include "viewer/view_pacer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>

#include "viewer/cloud_pages.h"
#include "viewer/drawn_cloud.h"
#include "viewer/frame_budget.h"
#include "viewer/point_budget.h"
#include "viewer/point_cost.h"
#include "viewer/resolution.h"

namespace ptl {
namespace {

TEST(Resolution, FollowsFixedAndPixelCosts) {
  ResolutionChooser chooser(60);
  EXPECT_EQ(chooser.moving_scale(1e6), 0.25);  // nothing is known
  chooser.measured(1e6, 400);                  // one size: all by pixels, 150,000 fit
  EXPECT_EQ(chooser.moving_scale(1e6), 6.0 / 16);
  // 20 ms and 0.4 µs a pixel: 40 ms are left for 100,000 pixels, sqrt(0.1) of a side.
  chooser.forget();
  for (const double pixels : {1e6, 2.5e5, 4e4}) chooser.measured(pixels, 20 + 4e-4 * pixels);
  EXPECT_NEAR(chooser.predicted_ms(5e5), 220, 1e-6);
  EXPECT_EQ(chooser.moving_scale(1e6), 5.0 / 16);
  // A fixed part beyond the target: a third of it goes to pixels.
  chooser.forget();
  for (const double pixels : {1e6, 2.5e5}) chooser.measured(pixels, 120 + 4e-4 * pixels);
  EXPECT_EQ(chooser.moving_scale(1e6), 5.0 / 16);  // 40 ms again
  chooser.set_target_ms(1000);
  EXPECT_EQ(chooser.moving_scale(1e6), 1);
}

WantedView view_at(double x) {
  WantedView view;
  view.camera.camera_from_world.translation.x = x;
  view.width_px = 640;
  view.height_px = 480;
  view.wanted = {WantedPicture{}};
  return view;
}

Picture picture_of(const ViewRequest& request, double milliseconds) {
  Picture picture;
  picture.serial = request.serial;
  picture.scale = request.scale;
  picture.camera = request.camera;
  picture.milliseconds = milliseconds;
  return picture;
}

TEST(ViewPacer, MovingViewsGetSmallPicturesThatArriveAndRestingOnesASharpOne) {
  ViewPacer pacer(15);
  const auto first = pacer.next(view_at(0), 0);
  ASSERT_TRUE(first);
  EXPECT_LT(first->scale, 1);  // nothing is known of the time that it takes
  EXPECT_FALSE(pacer.next(view_at(0), 0.01));
  EXPECT_TRUE(pacer.arrived(picture_of(*first, 30)));  // 1/16 of the pixels
  const auto sharp = pacer.next(view_at(0), 0.05);
  ASSERT_TRUE(sharp);
  EXPECT_EQ(sharp->scale, 1);
  EXPECT_EQ(sharp->camera.width_px, 640);

  // It moves: the sharp one is given up at once, the small ones are let through.
  const auto moving = pacer.next(view_at(1), 0.1);
  ASSERT_TRUE(moving);
  EXPECT_LT(moving->scale, 1);
  EXPECT_FALSE(pacer.arrived(picture_of(*sharp, 480)));  // too late
  EXPECT_FALSE(pacer.next(view_at(2), 0.12));
  EXPECT_FALSE(pacer.next(view_at(3), 0.14));
  EXPECT_TRUE(pacer.arrived(picture_of(*moving, 60)));
  const auto later = pacer.next(view_at(4), 0.16);
  ASSERT_TRUE(later);
  EXPECT_EQ(later->camera_from_world.translation.x, 4);
  EXPECT_TRUE(pacer.arrived(picture_of(*later, 60)));
  EXPECT_FALSE(pacer.next(view_at(4), 0.2));  // not long enough at rest
  EXPECT_TRUE(pacer.moving());
  const auto rest = pacer.next(view_at(4), 0.16 + ViewPacer::rest_s + 0.01);
  ASSERT_TRUE(rest);
  EXPECT_FALSE(pacer.complete());
  if (rest->scale < 1) {  // slow ones come by a step of half the size
    EXPECT_TRUE(pacer.arrived(picture_of(*rest, 250)));
    const auto last = pacer.next(view_at(4), 0.6);
    ASSERT_TRUE(last);
    EXPECT_EQ(last->scale, 1);
    EXPECT_TRUE(pacer.arrived(picture_of(*last, 500)));
  } else {
    EXPECT_TRUE(pacer.arrived(picture_of(*rest, 500)));
  }
  EXPECT_FALSE(pacer.next(view_at(4), 1.5));
  EXPECT_TRUE(pacer.complete());
}

TEST(ViewPacer, NothingWantedIsComplete) {
  ViewPacer pacer;
  WantedView view = view_at(0);
  view.wanted.clear();
  EXPECT_FALSE(pacer.next(view, 0));
  EXPECT_TRUE(pacer.complete());
}

TEST(PointBudget, GoesByTheMeasuredRate) {
  PointBudget budget;
  EXPECT_EQ(budget.points_in(20), 40000u);
  budget.measured(70000, 10);  // faster little by little, from the beginning: 0.8 · 2000 + 0.2 · 7000
  EXPECT_NEAR(static_cast<double>(budget.points_in(20)), 60000, 1);
  for (int i = 0; i < 100; ++i) budget.measured(70000, 10);
  EXPECT_NEAR(static_cast<double>(budget.points_in(20)), 140000, 1);
  budget.measured(50000, 10);  // slower counts at once
  EXPECT_EQ(budget.points_in(20), 100000u);
  budget.measured(100000, 10);
  EXPECT_EQ(budget.points_in(20), 120000u);
  budget.measured(1000, 10);
  EXPECT_EQ(budget.points_in(20), 20000u);  // so that something is measured
}

TEST(FrameBudget, PointsGetWhatTheRestOfTheFrameLeaves) {
  FrameBudget budget;
  EXPECT_EQ(budget.points_ms(22), 22);  // nothing is known
  for (int i = 0; i < 5; ++i) budget.measured(8);
  EXPECT_EQ(budget.points_ms(22), 22);
  EXPECT_EQ(budget.points_ms(18), 18);
  budget.measured(90);  // once: by chance
  EXPECT_EQ(budget.points_ms(22), 22);
  for (int i = 0; i < 3; ++i) budget.measured(26);  // a window made larger
  EXPECT_EQ(budget.points_ms(22), 10);
  for (int i = 0; i < 5; ++i) budget.measured(60);
  EXPECT_EQ(budget.points_ms(22), FrameBudget::least_ms);
  for (int i = 0; i < 3; ++i) budget.measured(10);
  EXPECT_EQ(budget.points_ms(22), 22);
}

/// A square of points one unit apart, before a camera of focal length 100 px.
ViewCost cost_of_square(double away) {
  std::vector<Vec3<float>> positions;
  for (int i = 0; i < 128 * 128; ++i) positions.push_back({static_cast<float>(i % 128), static_cast<float>(i / 128), 0});
  const std::vector<std::array<uint8_t, 3>> colors(positions.size(), {1, 2, 3});
  const auto cloud = std::make_shared<const DrawnCloud>(arrange_cloud(positions, colors, false));
  CameraParams<double> camera;
  camera.width_px = camera.height_px = 200;
  camera.value[PinholeModel::fx] = camera.value[PinholeModel::fy] = 100;
  Pose<double> pose;
  pose.translation = {-63.5, -63.5, away};
  return PointCost(cloud).seen_by(camera, pose, std::vector<uint8_t>(cloud->blocks.size(), 1));
}

TEST(PointCost, PointsOfOnePixelCountOnceAndLargerOnesMore) {
  const double points = 128 * 128;
  EXPECT_NEAR(cost_of_square(1e5).of(0, 1, 1), points, 1e-6);         // far below a pixel apart
  EXPECT_NEAR(cost_of_square(1e5).of(0.25, 0.75, 1), points / 2, 1e-6);
  // 100 units away neighbours are about 1 px apart and 1.2 px large, of a quarter of the points 2.4 px: (1 + s²/4)/(1 + 1/4).
  EXPECT_NEAR(cost_of_square(100).of(0, 1, 1), points * (1 + 1.2 * 1.2 / 4) / 1.25, 0.1 * points);
  EXPECT_NEAR(cost_of_square(100).of(0, 0.25, 0.25), points / 4 * (1 + 2.4 * 2.4 / 4) / 1.25, 0.1 * points);
  EXPECT_NEAR(cost_of_square(10).of(0, 0.01, 0.01), points / 100 * (1 + 12 * 12 / 4) / 1.25, 1e-6) << "no larger than 12 px";
}

TEST(PointCost, TheShareThatFitsCostsWhatThereIs) {
  for (const double away : {20.0, 100.0, 500.0}) {
    const ViewCost cost = cost_of_square(away);
    EXPECT_EQ(cost.share_within(2 * cost.of(0, 1, 1)), 1);
    for (const double part : {0.3, 0.7}) {
      const double most = part * cost.of(0, 1, 1), share = cost.share_within(most);
      EXPECT_LE(cost.of(0, share, share), most);
      if (share > 2e-5) {
        EXPECT_NEAR(cost.of(0, share, share), most, 0.01 * most) << away;
      }
    }
  }
}

TEST(DrawnCloud, SpreadOrderIsAPermutationWithEvenBeginnings) {
  EXPECT_EQ(spread_order(8), (std::vector<uint32_t>{0, 4, 2, 6, 1, 5, 3, 7}));
  for (const uint32_t count : {1u, 2u, 5u, 1000u, 16384u}) {
    std::vector<uint32_t> order = spread_order(count), sorted = order;
    std::sort(sorted.begin(), sorted.end());
    std::vector<uint32_t> all(count);
    std::iota(all.begin(), all.end(), 0u);
    EXPECT_EQ(sorted, all);
  }
}

TEST(DrawnCloud, HoldsAllOrTheSameShareOfEveryBlock) {
  std::vector<Vec3<float>> positions;
  std::vector<std::array<uint8_t, 3>> colors;
  for (uint32_t i = 0; i < 40000; ++i) {
    positions.push_back({static_cast<float>(i % 256), static_cast<float>(i / 256), 0});
    colors.push_back({static_cast<uint8_t>(i % 251), 2, 3});
  }
  const DrawnCloud all = arrange_cloud(positions, colors, false);
  EXPECT_EQ(all.total, 40000u);
  ASSERT_EQ(all.blocks.size(), 3u);
  EXPECT_EQ(all.vertices.size(), 40000u);
  // Points one unit apart: their spacing is about that. Each is there once, with its colour.
  std::vector<int> seen(40000, 0);
  size_t about_one = 0;  // not all: a run of points may jump along the curve
  for (const CloudVertex& v : all.vertices) {
    const auto i = static_cast<size_t>(v.y) * 256 + static_cast<size_t>(v.x);
    ++seen[i];
    EXPECT_EQ(v.red, i % 251);
    about_one += std::abs(all.spacing_of(v.spacing_code) - 1) < 0.5f;
  }
  EXPECT_GT(about_one, 30000u);
  EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](int n) { return n == 1; }));
  const DrawnCloud some = arrange_cloud(positions, colors, false, 4000);
  EXPECT_NEAR(static_cast<double>(some.vertices.size()), 4000, 3);
  EXPECT_EQ(some.total, 40000u);
  for (size_t b = 0; b < 3; ++b) EXPECT_EQ(some.blocks[b].stands_for, all.blocks[b].count);
}

TEST(CloudPages, HoldEveryBlockOnceAndNoMoreThanAFrameCanTake) {
  std::vector<CloudBlock> blocks;
  uint32_t first = 0;
  for (const uint32_t count : {30u, 30u, 40u, 1u, 250u, 50u, 50u, 7u}) {
    CloudBlock block;
    block.first = first;
    block.count = count;
    first += count;
    blocks.push_back(block);
  }
  const std::vector<CloudPage> pages = cloud_pages(blocks, 100);
  // 30 + 30 + 40; 1; 250, larger than a page; 50 + 50; 7.
  ASSERT_EQ(pages.size(), 5u);
  const std::array<std::array<size_t, 4>, 5> expected = {
      {{0, 3, 0, 100}, {3, 4, 100, 1}, {4, 5, 101, 250}, {5, 7, 351, 100}, {7, 8, 451, 7}}};
  for (size_t p = 0; p < pages.size(); ++p)
    EXPECT_EQ((std::array<size_t, 4>{pages[p].first_block, pages[p].last_block, pages[p].first_vertex,
                                     pages[p].vertices}),
              expected[p]);
  EXPECT_TRUE(cloud_pages({}).empty());
}

TEST(CloudPages, OfALargeCloudAreOneMegabyte) {
  static_assert(page_vertices * sizeof(CloudVertex) == 1 << 20);
  // All points of 10 million, and the share of 50 million that is held: blocks are smaller then, pages are not larger.
  for (const uint32_t held : {cloud_block_points, 3933u}) {
    std::vector<CloudBlock> blocks(700);
    for (size_t b = 0; b < blocks.size(); ++b) {
      blocks[b].first = static_cast<uint32_t>(b) * held;
      blocks[b].count = held;
    }
    uint32_t next = 0;
    for (const CloudPage& page : cloud_pages(blocks)) {
      EXPECT_EQ(page.first_vertex, next);
      EXPECT_LE(page.vertices, page_vertices);
      next += page.vertices;
    }
    EXPECT_EQ(next, 700 * held);
  }
}

TEST(DrawnCloud, BlocksOfAModelMayHoldTheirPointsInAnyOrder) {
  // As datasets/prepare.h leaves them: blocks of 256 along the curve, within them by something else.
  std::vector<Vec3<float>> positions;
  for (int block = 0; block < 64; ++block)
    for (int i = 0; i < 256; ++i) {
      const int shuffled = (i * 167) % 256;
      positions.push_back({static_cast<float>(16 * (block % 8) + shuffled % 16),
                           static_cast<float>(16 * (block / 8) + shuffled / 16), 0});
    }
  const std::vector<std::array<uint8_t, 3>> colors(positions.size());
  const DrawnCloud cloud = arrange_cloud(positions, colors, true);
  const auto about_one = std::count_if(cloud.vertices.begin(), cloud.vertices.end(), [&](const CloudVertex& vertex) {
    return std::abs(cloud.spacing_of(vertex.spacing_code) - 1) < 0.5f;
  });
  EXPECT_GT(about_one, 12000);
}

}  // namespace
}  // namespace ptl
