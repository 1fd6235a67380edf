#include "kernels/structure_grad.h"

#include "tests/kernels/structure_case.h"

namespace ptl::test {
namespace {

constexpr float alpha = 0.01f;

/// A pyramid of one channel set by hand: empty, nothing displayed, no gradient.
struct HandImage {
  PyramidShape shape;
  std::vector<float> min_depth_m, displayed, grad, descriptors;
  std::vector<int32_t> weight;
  std::vector<ProjectedPoint> projected;

  explicit HandImage(PyramidShape s, int channels = 1) : shape(s) {
    const auto pixels = static_cast<size_t>(shape.pixels());
    min_depth_m.assign(pixels, std::numeric_limits<float>::infinity());
    displayed.assign(pixels * static_cast<size_t>(channels), 0.0f);
    grad = displayed;
    weight.assign(pixels, 0);
    descriptors.assign(static_cast<size_t>(channels), 0.0f);
  }
  size_t pixel(int layer, int x, int y) const {
    return static_cast<size_t>(shape.first(layer) + static_cast<int64_t>(y) * shape.width(layer) + x);
  }
  /// What is at a pixel: its number of points and their depth, what it shows, the gradient there.
  void set(int layer, int x, int y, int32_t points, float depth_m, float value, float gradient) {
    const size_t i = pixel(layer, x, y);
    weight[i] = points;
    min_depth_m[i] = depth_m;
    displayed[i] = value;
    grad[i] = gradient;
  }
  void point(int x, int y, float depth_m, int layers, bool ghost) {
    projected.push_back(
        {0, static_cast<uint16_t>(x), static_cast<uint16_t>(y), depth_m, static_cast<uint16_t>(layers), ghost});
    for (int l = 0; l < layers; ++l) min_depth_m[pixel(l, x >> l, y >> l)] = depth_m;
  }
  StructureImage view(int channels = 1) const {
    StructureImage image;
    image.shape = shape;
    image.projected = projected.data();
    image.count = static_cast<int64_t>(projected.size());
    image.min_depth_m = min_depth_m.data();
    image.weight = weight.data();
    image.displayed = displayed.data();
    image.displayed_stride = channels;
    image.grad_displayed = grad.data();
    image.descriptors = descriptors.data();
    image.channels = channels;
    image.depth_tolerance = alpha;
    return image;
  }
  PixelGradient gradient(const StructureConfig& config = {}, int channels = 1) const {
    return structure_pixel_gradient(view(channels), config, 0);
  }
};

void expect_gradient(const PixelGradient& found, float x, float y, int32_t terms) {
  EXPECT_FLOAT_EQ(found.x, x);
  EXPECT_FLOAT_EQ(found.y, y);
  EXPECT_EQ(found.terms, terms);
}

/// A ghost with descriptor 2 at depth 1 in pixel (3, 3) of 8 × 8.
HandImage one_ghost(int layers = 1) {
  HandImage image({8, 8, layers});
  image.descriptors = {2};
  image.point(3, 3, 1.0f, layers, true);
  return image;
}

TEST(StructureGradient, ItTakesTheLossDownTheSlopeOfItsNeighbours) {
  HandImage image = one_ghost();
  image.set(0, 4, 3, 0, INFINITY, 0.5f, 3);  // empty: what is behind shows
  expect_gradient(image.gradient(), 0.5f * (2 - 0.5f) * 3, 0, 1);
  image.set(0, 2, 3, 0, INFINITY, 1, 10);  // to the left: the sign turns
  expect_gradient(image.gradient(), 0.5f * (1.5f * 3 - 1 * 10), 0, 1);
  image.set(0, 3, 4, 0, INFINITY, 0, 1);
  image.set(0, 3, 2, 0, INFINITY, 0, 4);
  expect_gradient(image.gradient(), 0.5f * (1.5f * 3 - 1 * 10), 0.5f * (2 * 1 - 2 * 4), 1);
}

TEST(StructureGradient, OverrideBlendAndHidden) {
  HandImage image = one_ghost();
  image.set(0, 4, 3, 3, 2.0f, 0.5f, 3);  // three points far behind: replaced
  expect_gradient(image.gradient(), 0.5f * 1.5f * 3, 0, 1);
  image.set(0, 4, 3, 3, 1.005f, 0.5f, 3);  // three points at the same depth: a fourth of the way
  expect_gradient(image.gradient(), 0.5f * 1.5f / 4 * 3, 0, 1);
  image.set(0, 4, 3, 3, 0.995f, 0.5f, 3);  // just before it, within the tolerance
  expect_gradient(image.gradient(), 0.5f * 1.5f / 4 * 3, 0, 1);
  image.set(0, 4, 3, 3, 0.5f, 0.5f, 3);  // before it
  expect_gradient(image.gradient(), 0, 0, 1);
  image.set(0, 4, 3, 0, 0.5f, 0.5f, 3);  // before it, and only ghosts: weight 0, and yet it hides
  expect_gradient(image.gradient(), 0, 0, 1);
  const StructureConfig adop{StructurePoints::ghosts, NeighbourRule::overriding};
  expect_gradient(image.gradient(adop), 0.5f * 1.5f * 3, 0, 1);
  image.set(0, 4, 3, 3, 1.005f, 0.5f, 3);
  expect_gradient(image.gradient(adop), 0.5f * 1.5f * 3, 0, 1);
}

TEST(StructureGradient, GhostsOrDrawnPoints) {
  HandImage image = one_ghost();
  image.set(0, 4, 3, 0, INFINITY, 0, 1);
  const StructureConfig drawn{StructurePoints::drawn, NeighbourRule::tested};
  expect_gradient(image.gradient(), 1, 0, 1);
  expect_gradient(image.gradient(drawn), 0, 0, 0);
  image.projected[0].ghost = 0;
  expect_gradient(image.gradient(), 0, 0, 0);
  expect_gradient(image.gradient(drawn), 1, 0, 1);
}

TEST(StructureGradient, NoneWhereItIsHiddenItself) {
  HandImage image = one_ghost();
  image.set(0, 4, 3, 0, INFINITY, 0, 1);
  image.set(0, 3, 3, 1, 0.5f, 0, 0);
  expect_gradient(image.gradient(), 0, 0, 0);
  image.set(0, 3, 3, 1, 0.995f, 0, 0);
  expect_gradient(image.gradient(), 1, 0, 1);
}

TEST(StructureGradient, NotWithinTwoPixelsOfTheBorder) {
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 8; ++x) {
      HandImage image({8, 8, 1});
      image.descriptors = {2};
      image.point(x, y, 1.0f, 1, true);
      std::fill(image.grad.begin(), image.grad.end(), 1.0f);
      EXPECT_EQ(image.gradient().terms, x >= 2 && x <= 5 && y >= 2 && y <= 5) << x << " " << y;
    }
}

TEST(StructureGradient, EachLayerByItsScale) {
  for (int only = 0; only < 3; ++only) {
    HandImage image({32, 32, 3});
    image.descriptors = {2};
    image.point(13, 14, 1.0f, 3, true);
    image.set(only, (13 >> only) + 1, 14 >> only, 0, INFINITY, 0, 8);
    expect_gradient(image.gradient(), 8.0f / static_cast<float>(1 << only), 0, 3);
  }
  HandImage fine({32, 32, 3});  // drawn on layer 0 only: the others have no say
  fine.descriptors = {2};
  fine.point(13, 14, 1.0f, 1, true);
  fine.set(1, 7, 7, 0, INFINITY, 0, 8);
  expect_gradient(fine.gradient(), 0, 0, 1);
}

TEST(StructureGradient, DividedByTheChannels) {
  HandImage image({8, 8, 1}, 2);
  image.descriptors = {2, 5};
  image.point(3, 3, 1.0f, 1, true);
  const size_t q = image.pixel(0, 4, 3);
  image.displayed[2 * q] = 1;
  image.displayed[2 * q + 1] = -1;
  image.grad[2 * q] = 10;
  image.grad[2 * q + 1] = 100;
  expect_gradient(image.gradient({}, 2), 0.5f * ((2 - 1) * 10.0f + (5 + 1) * 100.0f) / 2, 0, 1);
}

/// What a pixel of a layer displays: the mean of its contributors, one of them perhaps moved here; `behind` where none.
std::vector<double> displayed_at(const RasterScene& scene, const RenderedImage& image, int layer, int x, int y,
                                 const ProjectedPoint* moved, double behind) {
  const auto channels = static_cast<size_t>(scene.channels);
  std::vector<const ProjectedPoint*> here;
  for (const ProjectedPoint& p : image.projected)
    if (layer < p.layers && (p.x_px >> layer) == x && (p.y_px >> layer) == y) here.push_back(&p);
  double nearest = std::numeric_limits<double>::infinity();
  for (const ProjectedPoint* p : here) nearest = std::min(nearest, static_cast<double>(p->depth_m));
  if (moved) nearest = std::min(nearest, static_cast<double>(moved->depth_m));
  std::vector<double> sum(channels, 0.0);
  int count = 0;
  const auto add = [&](const ProjectedPoint& p, bool shown) {
    if (!shown || p.depth_m > (1 + static_cast<double>(alpha)) * nearest) return;
    ++count;
    for (size_t c = 0; c < channels; ++c) sum[c] += static_cast<double>(scene.descriptors[p.point * channels + c]);
  };
  for (const ProjectedPoint* p : here) add(*p, !p->ghost);
  if (moved) add(*moved, true);
  for (double& value : sum) value = count ? value / count : behind;
  return sum;
}

// The definition: the loss with the ghost really drawn one pixel further on a layer, against the loss without it. Left
// out, as the method says: where the moved point would also evict the deepest contributors.
TEST(StructureGradient, IsItsDefinitionReRendered) {
  constexpr double behind = -1;
  int64_t compared = 0, not_zero = 0;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    const int channels = 1 + static_cast<int>(seed);
    RasterConfig config;
    config.layers = 3;
    config.dropout = 0.25f;
    config.step = seed;
    RasterScene scene = random_scene(seed, 3000, channels);
    const RasterView view = random_view(seed, config.layers);
    const RenderedImage image = render(scene, view, config);
    const auto n = static_cast<size_t>(channels);
    std::vector<float> displayed = image.features, grad(image.features.size());
    for (size_t i = 0; i < grad.size(); ++i) {
      if (image.weight[i / n] == 0) displayed[i] = static_cast<float>(behind);
      grad[i] = draw_unit(seed, DrawPurpose::synthetic, 6, i) - 0.5f;
    }
    const StructureImage input = structure_input(scene, image, displayed, grad, alpha);
    std::vector<PixelGradient> found(image.projected.size());
    for (const StructureEntry& entry : entries_of(input, image.projected.size(), 2))
      found[entry.projected] = entry.gradient;
    for (size_t i = 0; i < found.size(); ++i) {
      const ProjectedPoint& p = image.projected[i];
      if (!p.ghost) {
        ASSERT_EQ(found[i].terms, 0);
        continue;
      }
      double expected[2] = {0, 0};
      int terms = 0;
      bool evicts = false;
      for (int l = 0; l < p.layers; ++l) {
        const int x = p.x_px >> l, y = p.y_px >> l, width = image.shape.width(l), height = image.shape.height(l);
        const auto number = [&](int px, int py) {
          return static_cast<size_t>(image.shape.first(l) + static_cast<int64_t>(py) * width + px);
        };
        if (x < 2 || y < 2 || x >= width - 2 || y >= height - 2) continue;
        if (p.depth_m > (1 + alpha) * image.min_depth_m[number(x, y)]) continue;
        ++terms;
        const auto change = [&](int px, int py) {
          const float nearest = image.min_depth_m[number(px, py)];
          evicts |= p.depth_m < nearest && (1 + alpha) * p.depth_m >= nearest;
          const auto with = displayed_at(scene, image, l, px, py, &p, behind);
          const auto without = displayed_at(scene, image, l, px, py, nullptr, behind);
          double sum = 0;
          for (size_t c = 0; c < n; ++c)
            sum += (with[c] - without[c]) * static_cast<double>(grad[number(px, py) * n + c]);
          return sum;
        };
        const double scale = 0.5 / channels / (1 << l);
        expected[0] += scale * (change(x + 1, y) - change(x - 1, y));
        expected[1] += scale * (change(x, y + 1) - change(x, y - 1));
      }
      ASSERT_EQ(found[i].terms, terms);
      if (evicts) continue;
      ++compared;
      not_zero += expected[0] != 0;
      ASSERT_NEAR(found[i].x, expected[0], 2e-6) << "seed " << seed << " projected point " << i;
      ASSERT_NEAR(found[i].y, expected[1], 2e-6) << "seed " << seed << " projected point " << i;
    }
  }
  EXPECT_GT(compared, 500);
  EXPECT_GT(not_zero, 300);
}

}  // namespace
}  // namespace ptl::test
