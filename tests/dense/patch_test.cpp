// PatchMatch as an executable specification: lanes, boards and draws by hand, costs against a slow reference in double,
// both drivers against each other, planes that must be found, and the files between the passes.
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "dense/patch_candidates.h"
#include "dense/patch_match.h"
#include "dense/plane_file.h"
#include "tests/dense/stereo_case.h"
#include "tests/support/temporary_folder.h"

namespace ptl {
namespace {

using namespace test;

constexpr uint64_t draws = 77;

/// A field of one plane: inverse depth w at the pixel (x0, y0).
PlaneField field_of(const StereoCamera& camera, double w, double slant_x, double slant_y, double x0, double y0) {
  PlaneField field;
  for (int y = 0; y < camera.height_px; ++y)
    for (int x = 0; x < camera.width_px; ++x) {
      field.inverse_depth.push_back(static_cast<float>(w + slant_x * (x - x0) + slant_y * (y - y0)));
      field.slant_x.push_back(static_cast<float>(slant_x));
      field.slant_y.push_back(static_cast<float>(slant_y));
    }
  return field;
}

/// The plane z = 4 + slope · x and the views of it.
struct SlantedPlane {
  static constexpr double slope = 0.4;
  PatchView reference{view_of_plane(camera_at({0, 0, 0}), 4, slope)};
  PatchView a{view_of_plane(camera_at({0.35, 0, 0}), 4, slope, 0.6)};
  PatchView b{view_of_plane(camera_at({-0.2, 0.3, 0}), 4, slope, 1.3)};
  std::vector<PatchSourceView> sources{{&a, nullptr, 1}, {&b, nullptr, 1}};
  SearchRange range = search_range(reference.view.camera, std::vector{a.view.camera, b.view.camera}, 2.5, 8);

  double true_w(int x, int y) const { return (1 - slope * reference.view.camera.ray(x + 0.5, y + 0.5).x) / 4; }
  PlaneField truth() const { return field_of(reference.view.camera, true_w(0, 0), -slope / 4 / 80, 0, 0, 0); }
};

TEST(PatchBoard, EveryPixelHasACellOfItsOwnColour) {
  for (const auto& [width, height] : {std::pair{7, 5}, {8, 4}, {1, 1}}) {
    const PatchBoard board{width, height};
    std::set<int64_t> cells;
    constexpr int reach = line_last_px;
    for (int y = -reach; y < height + reach; ++y)
      for (int x = -reach; x < width + reach + 2 * PatchBoard::most_lanes; ++x) {
        const int64_t at = board.at(x, y);
        EXPECT_GE(at, 0);
        EXPECT_LT(at, board.count());
        cells.insert(at);
        EXPECT_EQ(board.at(x + 2, y), at + 1);  // the next of its colour lies beside it
        EXPECT_NE(PatchBoard::color_of(x, y), PatchBoard::color_of(x + 1, y));
        EXPECT_NE(PatchBoard::color_of(x, y), PatchBoard::color_of(x, y + 1));
      }
    const auto looked_at = static_cast<size_t>((width + 2 * reach + 2 * PatchBoard::most_lanes) * (height + 2 * reach));
    EXPECT_EQ(cells.size(), looked_at);
    for (int color = 0; color < 2; ++color)
      for (int y = 0; y < height; ++y) EXPECT_EQ(PatchBoard::color_of(PatchBoard::first_x(color, y), y), color);
  }
}

TEST(PatchLanes, QuadsByHand) {
  const std::vector<uint32_t> quads = {0, 0, 0, 10u | 20u << 8 | 30u << 16 | 255u << 24};
  const int32_t u = (1 << 16) + (1 << 14), v = (1 << 16) + (1 << 15);  // (1.25, 1.5): place 1 · 2 + 1
  EXPECT_EQ(OneLane::fixed_place(u, v, 2), 3);
  const int32_t quad = OneLane::gather_quad(quads.data(), 3);
  EXPECT_EQ(OneLane::mix_quad(quad, u, v) * quad_unit, 0.5f * (12.5f + (30 * 0.75f + 255 * 0.25f)));
  EXPECT_EQ(OneLane::to_fixed(1.25f), 5 << 14);
  EXPECT_EQ(OneLane::to_fixed(0.5f / 65536), 0);  // a half goes to the even number
  EXPECT_EQ(OneLane::to_fixed(1.5f / 65536), 2);
  EXPECT_EQ(signed_draw(0, 0), -1);
  EXPECT_EQ(signed_draw(uint64_t{1} << 21, 0), 0);
  EXPECT_LT(signed_draw(~uint64_t{0}, 2), 1);
}

#if defined(PTL_EIGHT_PIXELS)
TEST(PatchLanes, EightHaveTheBitsOfEachOne) {
  std::vector<uint32_t> quads;
  std::vector<float> values;
  for (uint64_t i = 0; i < 64; ++i) {
    quads.push_back(static_cast<uint32_t>(draw_bits(5, DrawPurpose::synthetic, i)));
    values.push_back(draw_unit(6, DrawPurpose::synthetic, i) - 0.5f);
  }
  alignas(32) float at_u[8], at_v[8], mixed[8], second[8];
  for (uint64_t k = 0; k < 50; ++k) {
    for (uint64_t lane = 0; lane < 8; ++lane) {
      at_u[lane] = 7 * draw_unit(1, DrawPurpose::synthetic, k, lane);
      at_v[lane] = 7 * draw_unit(2, DrawPurpose::synthetic, k, lane);
    }
    const auto u = EightLanes::to_fixed(_mm256_load_ps(at_u)), v = EightLanes::to_fixed(_mm256_load_ps(at_v));
    const auto quad = EightLanes::gather_quad(quads.data(), EightLanes::fixed_place(u, v, 8));
    _mm256_store_ps(mixed, EightLanes::mix_quad(quad, u, v));
    EightLanes::Real drawn[3];
    EightLanes::draw(k, 9, drawn);
    _mm256_store_ps(second, EightLanes::load_second(values.data(), 40, 50));
    for (int lane = 0; lane < 8; ++lane) {
      const int32_t one_u = OneLane::to_fixed(at_u[lane]), one_v = OneLane::to_fixed(at_v[lane]);
      const int32_t one_quad = OneLane::gather_quad(quads.data(), OneLane::fixed_place(one_u, one_v, 8));
      EXPECT_EQ(mixed[lane], OneLane::mix_quad(one_quad, one_u, one_v));
      float one_drawn[3];
      OneLane::draw(k, 9 + 2 * lane, one_drawn);
      for (int which = 0; which < 3; ++which) EXPECT_EQ(drawn[which][lane], one_drawn[which]);
      EXPECT_EQ(second[lane], 40 + 2 * lane < 50 ? values[static_cast<size_t>(40 + 2 * lane)] : 0.0f);
    }
  }
}
#endif

/// The matching of planes that are given: no round.
MatchedPhoto judged(const SlantedPlane& c, const PlaneField& planes, const std::vector<PatchSourceView>& sources) {
  return match_patches(cpu(), c.reference, sources, c.range, {planes}, draws, {.rounds = 0, .random_starts = 0});
}

TEST(PatchCost, IsThatOfTheSlowReference) {
  const SlantedPlane c;
  for (const double off : {0.0, 0.002, -0.006}) {
    PlaneField planes = c.truth();
    for (float& w : planes.inverse_depth) w += static_cast<float>(off);
    for (const PatchSourceView& source : c.sources) {
      const MatchedPhoto found = judged(c, planes, {source});
      for (const int y : {20, 31, 45})
        for (const int x : {25, 48, 70}) {
          const size_t at = c.reference.view.camera.index(x, y);
          const double slow = slow_correlation(c.reference.view, source.photo->view, x, y, c.true_w(x, y) + off,
                                               -SlantedPlane::slope / 4 / 80, 0);
          EXPECT_NEAR(found.match[at], 255 * std::max(0.0, slow), 4) << x << ' ' << y << ' ' << off;
        }
    }
  }
}

TEST(PatchCost, ATruePlaneFitsAndSkyDoesNot) {
  const SlantedPlane c;
  const StereoCamera& camera = c.reference.view.camera;
  const MatchedPhoto right = judged(c, c.truth(), c.sources);
  EXPECT_GT(right.match[camera.index(48, 32)], 250);
  EXPECT_EQ(right.planes.inverse_depth[camera.index(48, 32)], static_cast<float>(c.true_w(48, 32)));
  EXPECT_EQ(right.planes.inverse_depth[camera.index(0, 0)], 0);  // its window leaves every source
  EXPECT_EQ(right.match[camera.index(0, 0)], 0);
  for (const double w : {1.06 / 2.5, 0.49 / 8})  // out of the range
    for (const float found : judged(c, field_of(camera, w, 0, 0, 0, 0), c.sources).planes.inverse_depth)
      ASSERT_EQ(found, 0);
}

TEST(PatchCost, TheBetterHalfOfTheSourcesCounts) {
  const SlantedPlane c;
  const PatchView hidden(view_of_plane(camera_at({-0.3, 0, 0}), 9, 0));  // sees something else
  const size_t at = c.reference.view.camera.index(48, 32);
  const double alone =
      slow_correlation(c.reference.view, hidden.view, 48, 32, c.true_w(48, 32), -SlantedPlane::slope / 4 / 80, 0);
  EXPECT_LT(alone, 0.5);
  EXPECT_GT(judged(c, c.truth(), {{&c.a, nullptr, 1}, {&hidden, nullptr, 1}, {&c.b, nullptr, 1}}).match[at], 250);
  const auto mean_of_two = judged(c, c.truth(), {{&c.a, nullptr, 1}, {&hidden, nullptr, 1}, {&hidden, nullptr, 1}});
  EXPECT_NEAR(mean_of_two.match[at], 255 * 0.5 * (1 + alone), 4);
}

TEST(PatchCost, DisagreementWithASourcesDepthCosts) {
  const SlantedPlane c;
  const StereoCamera& camera = c.reference.view.camera;
  const size_t at = camera.index(48, 32);
  // Two planes to start from, of which the photos prefer the first and the depths the second.
  PlaneField wrong = c.truth();
  for (float& w : wrong.inverse_depth) w += 0.02f;
  std::vector<float> depths(c.a.view.camera.pixel_count());
  for (size_t i = 0; i < depths.size(); ++i) {  // camera a stands beside the reference: z is the same
    const int x = static_cast<int>(i) % camera.width_px;
    depths[i] =
        static_cast<float>((1 - SlantedPlane::slope * camera.ray(x + 0.5, 0).x) / (4 + SlantedPlane::slope * 0.35)) +
        0.02f;
  }
  const auto chosen = [&](const std::vector<float>* source_depths, float cost) {
    const MatchedPhoto found =
        match_patches(cpu(), c.reference, {{&c.a, source_depths, 0.001}}, c.range, {c.truth(), wrong}, draws,
                      {.rounds = 0, .random_starts = 0, .disagreement_cost = cost, .most_disagreement_px = 4});
    return found.planes.inverse_depth[at];
  };
  EXPECT_EQ(chosen(nullptr, 1), c.truth().inverse_depth[at]);
  EXPECT_EQ(chosen(&depths, 0.001f), c.truth().inverse_depth[at]);  // next to nothing
  EXPECT_EQ(chosen(&depths, 1), wrong.inverse_depth[at]);
  // What is handed on is the photos' correlation, whatever the depths cost.
  const auto match = [&](const std::vector<float>* source_depths) {
    return match_patches(cpu(), c.reference, {{&c.a, source_depths, 0.001}}, c.range, {wrong}, draws,
                         {.rounds = 0, .random_starts = 0, .disagreement_cost = 0.3f})
        .match[at];
  };
  const std::vector<float> none(depths.size(), 0.0f);
  EXPECT_EQ(match(&none), match(nullptr));
}

TEST(PatchCandidates, NeighboursPlanesReadAsPlanes) {
  // One plane on all pixels of the other colour: every region hands on that plane, as it reads at this pixel.
  const PatchBoard board{64, 64};
  const auto count = static_cast<size_t>(board.count());
  std::vector<float> w(count, 0.0f), slant_x(count, 0.0f), slant_y(count, 0.0f), cost(count, no_patch_cost);
  PatchMatcher m{};
  m.board = board;
  m.w = w.data(), m.slant_x = slant_x.data(), m.slant_y = slant_y.data(), m.cost = cost.data();
  constexpr int x = 31, y = 30;
  for (int py = 0; py < 64; ++py)
    for (int px = 0; px < 64; ++px) {
      if (PatchBoard::color_of(px, py) == PatchBoard::color_of(x, y)) continue;
      const auto at = static_cast<size_t>(board.at(px, py));
      w[at] = 1.0f + 0.01f * static_cast<float>(px) - 0.02f * static_cast<float>(py);
      slant_x[at] = 0.01f, slant_y[at] = -0.02f, cost[at] = 0.5f;
    }
  for (int region = 0; region < patch_regions; ++region) {
    const PatchPlane<OneLane> plane = best_of_region<OneLane>(m, region, x, y);
    EXPECT_NEAR(plane.w, 1 + 0.01 * x - 0.02 * y, 1e-6) << region;
    EXPECT_EQ(plane.slant_x, 0.01f);
    EXPECT_EQ(plane.slant_y, -0.02f);
  }
  // The best of a region is found wherever it is, in the one region that has it.
  const std::pair<int, int> places[] = {{0, -1}, {1, -2}, {-3, -4}, {0, -3}, {0, -23}, {0, 1}, {2, 3}, {0, 21},
                                        {-1, 0}, {-4, 3}, {-23, 0}, {1, 0},  {2, -1},  {4, 3}, {19, 0}};
  const int regions[] = {0, 0, 0, 1, 1, 2, 2, 3, 4, 4, 5, 6, 6, 6, 7};
  for (size_t i = 0; i < std::size(places); ++i) {
    const auto at = static_cast<size_t>(board.at(x + places[i].first, y + places[i].second));
    cost[at] = 0.1f;
    for (int region = 0; region < patch_regions; ++region) {
      slant_x[at] = 0.7f;
      EXPECT_EQ(best_of_region<OneLane>(m, region, x, y).slant_x == 0.7f, region == regions[i]) << i << ' ' << region;
      slant_x[at] = 0.01f;
    }
    cost[at] = 0.5f;
  }
}

TEST(PatchCandidates, RandomPlanesStayInTheRangeAndLookAtTheCamera) {
  const SlantedPlane c;
  PatchMatcher m{};
  m.pass.draws = draws;
  m.pass.range_middle_w = 0.3f, m.pass.range_half_w = 0.1f;
  m.pass.focal_px = 80, m.pass.centre_x_px = 48, m.pass.centre_y_px = 32;
  double sum = 0, slope = 0;
  for (int y = 0; y < 60; ++y)
    for (int x = 0; x < 90; ++x) {
      float three[3], again[3], other[3];
      draw_at<OneLane>(m, x, y, 3, three);
      draw_at<OneLane>(m, x, y, 3, again);
      draw_at<OneLane>(m, x, y, 4, other);
      EXPECT_EQ(three[0], again[0]);  // a function, not a state
      EXPECT_NE(three[0], other[0]);
      const PatchPlane<OneLane> plane = random_plane<OneLane>(m, x, y, three);
      EXPECT_GE(plane.w, 0.2f);
      EXPECT_LE(plane.w, 0.4f);
      sum += static_cast<double>(plane.w) / 5400;
      slope += static_cast<double>(plane.slant_x * 80 / plane.w) / 5400;
    }
  EXPECT_NEAR(sum, 0.3, 0.005);
  EXPECT_NEAR(slope, 0, 0.05);
  const float none[3] = {0, 0, 0};
  const PatchPlane<OneLane> across = random_plane<OneLane>(m, 87, 31, none);
  // Across the line of sight through (87.5, 31.5): its normal is that line.
  const double ray_x = 39.5 / 80, ray_y = -0.5 / 80, square = 1 + ray_x * ray_x + ray_y * ray_y;
  EXPECT_NEAR(across.slant_x, 0.3 / 80 * ray_x / square, 1e-8);
  EXPECT_NEAR(across.slant_y, 0.3 / 80 * ray_y / square, 1e-8);
}

TEST(PatchMatch, EachColourLearnsFromTheOther) {
  // One colour starts without planes; the step over it takes the other's.
  const SlantedPlane c;
  const StereoCamera& camera = c.reference.view.camera;
  for (int missing = 0; missing < 2; ++missing) {
    PlaneField start = c.truth();
    for (int y = 0; y < camera.height_px; ++y)
      for (int x = 0; x < camera.width_px; ++x)
        if (PatchBoard::color_of(x, y) == missing) start.inverse_depth[camera.index(x, y)] = 0;
    const MatchedPhoto found = match_patches(cpu(), c.reference, c.sources, c.range, {start}, draws,
                                             {.rounds = 1, .random_starts = 0, .random_planes = 0, .changes = 0});
    for (int y = 10; y < 54; ++y)
      for (int x = 20; x < 76; ++x)
        ASSERT_NEAR(found.planes.inverse_depth[camera.index(x, y)], c.true_w(x, y), 1e-6) << x << ' ' << y;
  }
}

TEST(PatchMatch, FindsASlantedPlaneFromNothing) {
  const SlantedPlane c;
  const StereoCamera& camera = c.reference.view.camera;
  const PatchMatchOptions options;
  PatchPassOptions first = options.first;
  first.rounds = options.rounds_without_points;
  const MatchedPhoto coarse = match_patches(cpu(), c.reference, c.sources, c.range, {}, draws, first);
  const MatchedPhoto fine =
      match_patches(cpu(), c.reference, c.sources, c.range, {coarse.planes}, draws + 1, options.second);
  int good = 0, all = 0;
  double before = 0, after = 0, slant = 0;
  for (int y = 6; y < 58; ++y)
    for (int x = 14; x < 82; ++x) {
      const size_t at = camera.index(x, y);
      const auto error = [&](const MatchedPhoto& m) {
        return std::min(0.05, std::fabs(static_cast<double>(m.planes.inverse_depth[at]) / c.true_w(x, y) - 1));
      };
      ++all;
      good += error(fine) < 0.02;
      before += error(coarse), after += error(fine);
      slant += static_cast<double>(fine.planes.slant_x[at]);
    }
  EXPECT_GT(good, 0.95 * all);
  EXPECT_LT(after, before);  // changes are smaller now
  EXPECT_NEAR(slant / all, -SlantedPlane::slope / 4 / 80, 4e-4);
}

TEST(PatchMatch, BothDriversGiveTheSameBits) {
  // Sizes that are no multiple of the groups, smaller than a window, one pixel; invalid pixels (noisy_view) everywhere.
  for (const auto& [width, height] :
       {std::pair{96, 64}, {97, 61}, {50, 33}, {17, 16}, {16, 17}, {7, 5}, {5, 4}, {1, 1}}) {
    const StereoCase c(width, height, static_cast<uint64_t>(width));
    for (const size_t count : {size_t{0}, size_t{1}, size_t{3}, c.sources.size()}) {
      const std::vector<Matched> rows = matched_twice(cpu(), c, count, ImageDriver::rows);
      const std::vector<Matched> pixels = matched_twice(cpu(), c, count, ImageDriver::pixels);
      for (size_t pass = 0; pass < rows.size(); ++pass) {
        SCOPED_TRACE(::testing::Message() << width << " × " << height << ", " << count << " sources, pass " << pass);
        EXPECT_TRUE(same_bits(rows[pass], pixels[pass]));
        if (count == 0 || width < 50) continue;
        const auto& w = rows[pass].planes.inverse_depth;
        const auto known = std::count_if(w.begin(), w.end(), [](float v) { return v > 0; });
        EXPECT_GT(known, static_cast<int64_t>(w.size()) / 4);  // there was something to compare
      }
    }
  }
}

TEST(PatchMatch, ThreadsChangeNothing) {
  const StereoCase c(97, 61, 3);
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const std::vector<Matched> one = matched_twice(cpu(), c, 4, ImageDriver::rows);
  for (const ImageDriver driver : {ImageDriver::rows, ImageDriver::pixels}) {
    omp_set_num_threads(3);
    const std::vector<Matched> three = matched_twice(cpu(), c, 4, driver);
    for (size_t pass = 0; pass < one.size(); ++pass) EXPECT_TRUE(same_bits(one[pass], three[pass]));
  }
  omp_set_num_threads(threads);
}

TEST(PlaneFiles, ComeBackRoundedOrNotAtAll) {
  const testing::TemporaryFolder folder;
  const StereoCamera camera = camera_at({0, 0, 0});
  PlaneField planes = field_of(camera, 0.3, 1e-4, -3e-7, 0, 0);
  planes.inverse_depth[5] = 0;
  const size_t pixels = camera.pixel_count();
  write_planes(folder / "a.bin", planes, 80, 7);
  const auto back = read_planes(folder / "a.bin", pixels, 80, 7);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->inverse_depth, planes.inverse_depth);
  for (size_t i = 6; i < pixels; ++i) {
    ASSERT_NEAR(back->slant_x[i], planes.slant_x[i], 1e-4 / 2048);
    ASSERT_NEAR(back->slant_y[i], planes.slant_y[i], 3e-7 / 100);
  }
  EXPECT_EQ(back->slant_x[5], 0);
  write_planes(folder / "again.bin", *back, 80, 7);  // rounding twice changes nothing more
  const auto twice = read_planes(folder / "again.bin", pixels, 80, 7);
  EXPECT_EQ(twice->slant_x, back->slant_x);
  InverseDepthStore store({folder / "a.bin"}, 7, 1);
  EXPECT_EQ(*store.get(0, pixels), planes.inverse_depth);
  EXPECT_TRUE(has_planes(folder / "a.bin", pixels, 7));
  EXPECT_FALSE(has_planes(folder / "a.bin", pixels, 8));
  EXPECT_FALSE(has_planes(folder / "a.bin", pixels + 1, 7));
  EXPECT_FALSE(has_planes(folder / "b.bin", pixels, 7));
  const std::string contents = testing::file_contents(folder / "a.bin");
  testing::write_contents(folder / "a.bin", contents.substr(0, contents.size() / 2));
  EXPECT_FALSE(read_planes(folder / "a.bin", pixels, 80, 7).has_value());
}

}  // namespace
}  // namespace ptl
