// Which points of a drawn cloud the edits remove, decided block by block on a thread.
#include "viewer/edit_filter.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "datasets/point_filter.h"
#include "kernels/hash.h"
#include "tests/viewer/edit_case.h"

namespace ptl::testing {
namespace {

PointEdit some_stroke(uint64_t seed) {
  PointEdit edit;
  edit.kind = Kind::remove_cylinders;
  for (uint64_t i = 0; i < 40; ++i) {
    const auto draw = [&](uint64_t n) {
      return 2 * static_cast<double>(draw_unit(seed, DrawPurpose::synthetic, i, n)) - 1;
    };
    const Vec at(4 * draw(0), 3 * draw(1), 6 + 2 * draw(2));
    edit.cylinders.push_back({at, at * 1.1, 0.2});
  }
  return edit;
}

/// What the thread says of each vertex, after all blocks were decided.
struct Decided {
  std::vector<uint8_t> removed;
  EditFilter::Status status;
  size_t blocks = 0;  ///< that were decided anew
};
void wait_for(EditFilter& filter, const DrawnCloud& cloud, uint64_t version, Decided& all) {
  all.removed.resize(cloud.vertices.size());
  all.blocks = 0;
  do {
    all.status = filter.status();
    for (const EditFilter::Decided& decided : filter.take(100000)) {
      ASSERT_EQ(decided.removed.size(), cloud.blocks[decided.block].count);
      // Around all that changed: the picture is drawn again there and nowhere else.
      const uint32_t first = cloud.blocks[decided.block].first;
      for (uint32_t i = 0; i < decided.removed.size(); ++i) {
        if (decided.removed[i] == all.removed[first + i]) continue;
        const CloudVertex& v = cloud.vertices[first + i];
        ASSERT_TRUE(v.x >= decided.low.x && v.y >= decided.low.y && v.z >= decided.low.z && v.x <= decided.high.x &&
                    v.y <= decided.high.y && v.z <= decided.high.z);
      }
      std::copy(decided.removed.begin(), decided.removed.end(),
                all.removed.begin() + cloud.blocks[decided.block].first);
      ++all.blocks;
    }
    if (all.status.version != version || !all.status.taken) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  } while (all.status.version != version || !all.status.taken);
}

/// Block by block and change by change the same as every point asked alone.
TEST(EditFilter, DecidesAsThePointFilterDoes) {
  const auto cloud = std::make_shared<DrawnCloud>(cloud_of(scattered(100000)));
  ASSERT_GE(cloud->blocks.size(), 6u);
  EditFilter filter(nullptr);
  filter.set_cloud(cloud);
  EditBox large = turned_box();
  large.half_size = Vec(3, 2, 2);
  large.centre.z = 6;
  EditBox all;
  all.half_size = Vec(1000);
  EditBox nowhere;
  nowhere.centre = Vec(0, 0, -500);
  const std::vector<PointEdits> lists = {
      {},
      {some_stroke(1)},
      {some_stroke(1), box_edit(Kind::remove_box, turned_box())},
      {some_stroke(1), box_edit(Kind::remove_box, turned_box()), box_edit(Kind::keep_box, large)},
      {box_edit(Kind::keep_box, large), some_stroke(2)},
      {box_edit(Kind::keep_box, large), box_edit(Kind::keep_box, nowhere)},
      {box_edit(Kind::keep_box, all), some_stroke(2)},
      {box_edit(Kind::keep_box, nowhere)},
      {box_edit(Kind::remove_box, all)},
      {}};
  Decided decided;
  uint64_t version = 0, most = 0;
  for (const PointEdits& edits : lists) {
    filter.request(edits, ++version);
    wait_for(filter, *cloud, version, decided);
    const PointFilter reference(edits);
    uint64_t removed = 0;
    for (size_t i = 0; i < cloud->vertices.size(); ++i) {
      const CloudVertex& v = cloud->vertices[i];
      const bool gone = !reference.keeps(Vec(Vec3<float>(v.x, v.y, v.z)));
      ASSERT_EQ(decided.removed[i] != 0, gone) << version << ' ' << i;
      removed += gone;
    }
    EXPECT_EQ(decided.status.removed, removed);
    EXPECT_TRUE(decided.status.exact);
    most = std::max(most, removed);
  }
  EXPECT_EQ(most, 100000u);
}

TEST(EditFilter, LooksOnlyAtBlocksThatAnEditTouches) {
  const auto cloud = std::make_shared<DrawnCloud>(cloud_of(scattered(200000)));
  EditFilter filter(nullptr);
  filter.set_cloud(cloud);
  PointEdits edits = {some_stroke(1)};
  filter.request(edits, 1);
  Decided decided;
  wait_for(filter, *cloud, 1, decided);
  EXPECT_GT(decided.blocks, 2u);
  PointEdit dab;
  dab.kind = Kind::remove_cylinders;
  const CloudVertex& v = cloud->vertices[5];
  dab.cylinders = {{Vec(v.x, v.y, v.z - 0.01), Vec(v.x, v.y, v.z + 0.01), 0.01}};
  edits.push_back(dab);
  filter.request(edits, 2);
  wait_for(filter, *cloud, 2, decided);
  EXPECT_GE(decided.blocks, 1u);
  EXPECT_LE(decided.blocks, 4u) << "of " << cloud->blocks.size();
  EXPECT_EQ(decided.removed[5], 1);
  filter.request(edits, 3);  // the same again
  wait_for(filter, *cloud, 3, decided);
  EXPECT_EQ(decided.blocks, 0u);
}

TEST(EditFilter, SharesOfCloudsAreScaledAndOtherCloudsBeginAnew) {
  const auto cloud = std::make_shared<DrawnCloud>(cloud_of(scattered(100000), 25000));
  EditFilter filter(nullptr);
  filter.set_cloud(cloud);
  EditBox half;
  half.centre = Vec(500, 0, 0);
  half.half_size = Vec(500);
  filter.request({box_edit(Kind::remove_box, half)}, 1);
  Decided decided;
  wait_for(filter, *cloud, 1, decided);
  EXPECT_FALSE(decided.status.exact);
  EXPECT_NEAR(static_cast<double>(decided.status.removed), 50000, 1000);
  const auto other = std::make_shared<DrawnCloud>(cloud_of({{-1, 0, 0}, {1, 0, 0}, {2, 0, 0}}));
  filter.set_cloud(other);
  filter.request({box_edit(Kind::remove_box, half)}, 2);
  decided.removed.clear();
  wait_for(filter, *other, 2, decided);
  EXPECT_EQ(decided.status.removed, 2u);
  EXPECT_TRUE(decided.status.exact);
}

}  // namespace
}  // namespace ptl::testing
