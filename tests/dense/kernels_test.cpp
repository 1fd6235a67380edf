// The stereo's kernels: exact cases by hand, slow references in double, and both drivers against each other.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "dense/plane_sweep_formula.h"
#include "dense/resample.h"
#include "dense/semi_global_formula.h"
#include "tests/dense/stereo_case.h"

namespace ptl {
namespace {

using namespace test;

TEST(PlaneSweepFormula, TheBetterHalfByHand) {
  BestCosts best;
  EXPECT_EQ(best.combined(), unknown_cost);
  best.insert(no_cost);
  EXPECT_EQ(best.combined(), unknown_cost);
  best.insert(30);
  EXPECT_EQ(best.combined(), 30);
  best.insert(10);
  EXPECT_EQ(best.combined(), 10);  // of two the better one
  best.insert(40);
  EXPECT_EQ(best.combined(), 20);  // (10 + 30)/2 of three
  best.insert(5);
  EXPECT_EQ(best.combined(), 7);  // (5 + 10)/2 of four, rounded down
  best.insert(254);
  EXPECT_EQ(best.combined(), 15);  // (5 + 10 + 30)/3 of five
}

TEST(PlaneSweepFormula, ValuesBetweenPixelsByHand) {
  const std::vector<float> luminance = {128, 138, 148, 158};  // 2 × 2
  const std::vector<uint8_t> valid = {1, 1, 1, 1};
  const MatchPixels photo{2, 2, luminance.data(), valid.data()};
  std::vector<float> values;
  for (int y = -1; y <= 2; ++y)
    for (int x = -1; x <= 2; ++x) values.push_back(plate_value(photo, x, y));
  const Plate plate(photo, values.data());
  EXPECT_EQ(plate.count(), 16);
  EXPECT_EQ(plate.row(1)[0], 20);
  RowInSource row;
  row.base[0] = 0.5f, row.base[1] = 0.5f, row.base[2] = 1;  // the centre of the upper-left pixel
  row.step[0] = 0.5f, row.step[1] = 0.25f, row.step[2] = 0;
  EXPECT_EQ(warped_value(plate, row, 0), 0);
  EXPECT_EQ(warped_value(plate, row, 1), 5 + 5);         // half a pixel right, a quarter down
  EXPECT_TRUE(std::isnan(warped_value(plate, row, 3)));  // beside the photo
  row.base[2] = -1;                                      // behind the source
  EXPECT_TRUE(std::isnan(warped_value(plate, row, 0)));
}

TEST(PlaneSweepFormula, CostsByHand) {
  EXPECT_EQ(matching_cost(0, 97, 97, 0, 1 / std::sqrt(100.0f)), 4);  // 97/100: 127.5 − 123.19
  EXPECT_EQ(matching_cost(0, 97, -97, 0, 1 / std::sqrt(100.0f)), 250);
  EXPECT_EQ(matching_cost(5, 25, 10, 2, 1), unknown_cost);  // an even source
  EXPECT_EQ(matching_cost(not_known, 0, 0, 0, 1), no_cost);
}

TEST(PlaneSweep, BothDriversGiveTheSameBits) {
  // Widths that are no multiple of the vectors', heights around the strips', numbers of planes that do not divide.
  for (const auto& [width, height, planes] :
       Sizes{{96, 64, 32}, {97, 61, 21}, {50, 33, 6}, {23, 17, 16}, {7, 5, 3}, {5, 4, 5}}) {
    const StereoCase c(width, height, static_cast<uint64_t>(width));
    const InversePlanes range{1 / 9.0, 0.3 / planes, planes};
    for (const size_t count : {size_t{0}, size_t{1}, size_t{3}, c.sources.size()}) {
      const std::vector<const StereoView*> sources(c.sources.begin(),
                                                   c.sources.begin() + static_cast<std::ptrdiff_t>(count));
      const Costs rows = swept(cpu(), c.reference, sources, range, ImageDriver::rows);
      const Costs pixels = swept(cpu(), c.reference, sources, range, ImageDriver::pixels);
      EXPECT_TRUE(same_bits(rows.cost, pixels.cost)) << width << " × " << height << ", " << count << " sources";
      if (count == 0 || width < 20) continue;
      const auto known =
          rows.cost.size() - static_cast<size_t>(std::count(rows.cost.begin(), rows.cost.end(), unknown_cost));
      EXPECT_GT(known, rows.cost.size() / 4);  // there was something to compare
    }
  }
}

/// Hirschmüller's recursion again, a direction after the other, in whole numbers without bounds.
std::vector<double> slow_planes(const Costs& costs, const StereoView& view, const SemiGlobalOptions& options) {
  const int width = costs.width, height = costs.height, count = costs.planes;
  const auto at = [&](int x, int y) { return static_cast<size_t>(y * width + x); };
  std::vector<std::vector<long>> sum(at(0, height), std::vector<long>(static_cast<size_t>(count)));
  for (int dy = -1; dy <= 1; ++dy)
    for (int dx = -1; dx <= 1; ++dx) {
      if (dx == 0 && dy == 0) continue;
      auto path = sum;
      const bool forward = dy > 0 || (dy == 0 && dx > 0);
      for (int i = 0; i < width * height; ++i) {
        const int pixel = forward ? i : width * height - 1 - i, x = pixel % width, y = pixel / width;
        const int qx = x - dx, qy = y - dy;
        const bool inside = qx >= 0 && qy >= 0 && qx < width && qy < height;
        for (int k = 0; k < count; ++k) {
          long value = costs.at(x, y)[k];
          if (inside) {
            const std::vector<long>& before = path[at(qx, qy)];
            const long least = *std::min_element(before.begin(), before.end());
            const double edge = std::fabs(static_cast<double>(view.luminance[at(x, y)] - view.luminance[at(qx, qy)]));
            const long jump =
                std::max<long>(options.least_large_step, static_cast<long>(options.large_step / (1 + edge / 10)));
            long best = std::min(before[static_cast<size_t>(k)], least + jump);
            if (k > 0) best = std::min(best, before[static_cast<size_t>(k) - 1] + options.small_step);
            if (k + 1 < count) best = std::min(best, before[static_cast<size_t>(k) + 1] + options.small_step);
            value += best - least;
          }
          path[at(x, y)][static_cast<size_t>(k)] = value;
          sum[at(x, y)][static_cast<size_t>(k)] += value;
        }
      }
    }
  std::vector<double> plane;
  for (size_t i = 0; i < sum.size(); ++i) {
    const auto best = std::min_element(sum[i].begin(), sum[i].end());
    if (!view.valid[i] || best == sum[i].begin() || best + 1 == sum[i].end()) {
      plane.push_back(-1);
      continue;
    }
    const double before = static_cast<double>(best[-1]), least = static_cast<double>(*best),
                 after = static_cast<double>(best[1]);
    const double curve = before + after - 2 * least;
    plane.push_back(static_cast<double>(best - sum[i].begin()) + (curve > 0 ? 0.5 * (before - after) / curve : 0));
  }
  return plane;
}

/// Costs without any order, and luminance in tens, so that penalties are the same in float and double.
Costs noisy_costs(StereoView& view, int planes, uint64_t seed) {
  Costs costs{view.camera.width_px, view.camera.height_px, planes, {}};
  costs.cost.resize(view.camera.pixel_count() * static_cast<size_t>(planes));
  for (size_t i = 0; i < costs.cost.size(); ++i)
    costs.cost[i] = static_cast<uint8_t>(255 * draw_unit(seed, DrawPurpose::synthetic, i, 2));
  for (size_t i = 0; i < view.luminance.size(); ++i)
    view.luminance[i] = 10 * std::floor(25 * draw_unit(seed, DrawPurpose::synthetic, i, 3) *
                                        draw_unit(seed, DrawPurpose::synthetic, i, 4));
  return costs;
}

TEST(SemiGlobal, PathsByHand) {
  SemiGlobalOptions options;
  EXPECT_EQ(jump_penalty(100, 100, options), 350);
  EXPECT_EQ(jump_penalty(100, 110, options), 175);
  EXPECT_EQ(jump_penalty(255, 0, options), 50);
  EXPECT_EQ(path_value(7, 30, 90, 40, 20, 35, 350), 7 + 65 - 20);    // from the plane beside it
  EXPECT_EQ(path_value(7, 300, 25, 300, 20, 35, 350), 7 + 25 - 20);  // straight on
  EXPECT_EQ(path_value(7, 3000, 2500, 3000, 20, 35, 350), 7 + 350);  // from anywhere
  const uint16_t sums[] = {90, 50, 20, 30, 90}, first[] = {1, 5, 5}, last[] = {5, 5, 1};
  EXPECT_FLOAT_EQ(least_plane(sums, 5), 2 + 0.5f * 20 / 40);
  EXPECT_EQ(least_plane(first, 3), -1);
  EXPECT_EQ(least_plane(last, 3), -1);
}

TEST(SemiGlobal, BothDriversAreTheSlowReference) {
  for (const auto& [width, height, planes] :
       Sizes{{11, 9, 32}, {8, 12, 16}, {13, 5, 7}, {1, 6, 16}, {6, 1, 16}, {1, 1, 3}}) {
    StereoView view = noisy_view(camera_at({0, 0, 0}, width, height), 5);
    const Costs costs = noisy_costs(view, planes, static_cast<uint64_t>(10 * width + height));
    const std::vector<double> slow = slow_planes(costs, view, {});
    const std::vector<float> rows = matched(cpu(), costs, view, {}, ImageDriver::rows);
    EXPECT_TRUE(same_bits(rows, matched(cpu(), costs, view, {}, ImageDriver::pixels))) << width << " × " << height;
    for (size_t i = 0; i < slow.size(); ++i)
      EXPECT_NEAR(rows[i], slow[i], 1e-5) << i << " of " << width << " × " << height;
  }
}

/// The plane z = 4 + slope · x from three places, and where it lies among planes about a pixel of motion apart.
struct RefineCase {
  static constexpr double slope = 0.3, slant = -slope / 80 / 4;  ///< the latter: of inverse depth, a pixel
  StereoView reference = view_of_plane(camera_at({0, 0, 0}), 4, slope);
  StereoView a = view_of_plane(camera_at({0.35, 0.1, 0}), 4, slope, 0.6),
             b = view_of_plane(camera_at({-0.2, 0.3, 0.05}), 4, slope, 1.3);
  InversePlanes planes{1 / 8.0, 0.03, 64};

  double true_w(int x, int y) const { return (1 - slope * reference.camera.ray(x + 0.5, y + 0.5).x) / 4; }
  /// `off` planes too near.
  std::vector<float> start(double off) const {
    std::vector<float> plane;
    for (int y = 0; y < 64; ++y)
      for (int x = 0; x < 96; ++x)
        plane.push_back(static_cast<float>((true_w(x, y) - planes.first) / planes.step + off));
    return plane;
  }
  Refined refine(double off) const { return refined(cpu(), reference, {&a, &b}, planes, start(off)); }
};

TEST(Refine, DepthsAndCorrelationsAreThoseOfTheSlowReference) {
  const RefineCase c;
  const Refined found = c.refine(0.3);
  for (const int y : {20, 31, 45})
    for (const int x : {25, 48, 70}) {
      const size_t at = c.reference.camera.index(x, y);
      double w = c.true_w(x, y) + 0.3 * c.planes.step, best = 0;
      const auto mean = [&](double depth_w) {
        return 0.5 * (slow_correlation(c.reference, c.a, x, y, depth_w, c.slant, 0) +
                      slow_correlation(c.reference, c.b, x, y, depth_w, c.slant, 0));
      };
      for (const double share : {0.5, 0.2}) {
        const double h = share * c.planes.step, before = mean(w - h), middle = mean(w), after = mean(w + h);
        best = std::max({before, middle, after});
        const double curve = before + after - 2 * middle;
        w += h * (curve < 0 ? std::clamp(0.5 * (before - after) / curve, -1.0, 1.0) : before > after ? -1.0 : 1.0);
      }
      EXPECT_NEAR(1 / static_cast<double>(found.depth_m[at]), w, 0.02 * c.planes.step) << x << ' ' << y;
      EXPECT_NEAR(w, c.true_w(x, y), 0.05 * c.planes.step) << x << ' ' << y;
      EXPECT_NEAR(found.match[at], 255 * best, 1.5) << x << ' ' << y;
    }
}

TEST(Refine, MovesByAHalfAndAFifthOfAPlaneAtMost) {
  const RefineCase c;
  const Refined found = c.refine(1.5);
  for (const int y : {20, 31, 45})
    for (const int x : {25, 48, 70})
      EXPECT_NEAR(1 / static_cast<double>(found.depth_m[c.reference.camera.index(x, y)]),
                  c.true_w(x, y) + (1.5 - 0.5 - 0.2) * c.planes.step, 1e-6)
          << x << ' ' << y;
  EXPECT_EQ(found.match[0], 0);  // the window leaves the photo: the plane's own depth
  EXPECT_NEAR(1 / static_cast<double>(found.depth_m[0]), c.true_w(0, 0) + 1.5 * c.planes.step, 1e-6);
}

TEST(Resample, PixelsBetweenPixelsByHand) {
  CameraParams<double> params;
  params.width_px = 3, params.height_px = 2;
  params.value[PinholeModel::fx] = params.value[PinholeModel::fy] = 2;
  params.value[PinholeModel::cx] = 1.5, params.value[PinholeModel::cy] = 1;
  StereoCamera camera;
  camera.width_px = 3, camera.height_px = 2;
  camera.focal_x_px = camera.focal_y_px = 2;
  camera.centre_x_px = 1, camera.centre_y_px = 1;  // half a pixel to the right in the photo
  std::vector<uint8_t> values8;
  std::vector<uint16_t> values16;
  for (int i = 0; i < 18; ++i)
    values8.push_back(static_cast<uint8_t>(10 * i)), values16.push_back(static_cast<uint16_t>(2570 * i));
  const std::vector<uint8_t> mask_values = {255, 128, 127, 255, 255, 255};
  const StoredPixels mask{3, 2, 1, mask_values.data(), nullptr};
  for (const StoredPixels& photo :
       {StoredPixels{3, 2, 3, values8.data(), nullptr}, StoredPixels{3, 2, 3, nullptr, values16.data()}}) {
    const GuardedOutput<float> luminance(cpu(), 6);
    const GuardedOutput<uint8_t> color(cpu(), 18), valid(cpu(), 6);
    resample_photo(cpu(), params, photo, mask, camera, luminance.data(), color.data(), valid.data());
    // Pixel (0, 0) lies between photo pixels 0 and 1, (1, 0) between 1 and 2, (2, 0) at the photo's right side:
    // outside.
    EXPECT_EQ(valid.read(), (std::vector<uint8_t>{1, 0, 0, 1, 1, 0}));  // (1, 0) is masked: it lies in pixel 2
    EXPECT_EQ(color.read(),
              (std::vector<uint8_t>{15, 25, 35, 0, 0, 0, 0, 0, 0, 105, 115, 125, 135, 145, 155, 0, 0, 0}));
    EXPECT_NEAR(luminance.read()[0], 0.299 * 15 + 0.587 * 25 + 0.114 * 35, 1e-4);
    EXPECT_EQ(luminance.read()[2], 0);
  }
}

}  // namespace
}  // namespace ptl
