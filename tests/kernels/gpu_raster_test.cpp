// Stages 1 to 3 on a GPU against the CPU: the same bits, since both run the same functors without contraction.
#include "tests/reference/raster_reference.h"
#include "tests/support/gpu.h"

namespace ptl::test {
namespace {

#if defined(PTL_CUDA)

/// render() of raster_reference.h on the GPU.
RenderedImage render_on_gpu(RasterScene& scene, const RasterView& view, const RasterConfig& config) {
  const Device device = gpu();
  PointsView points = scene.view();
  const GpuArray<float> position(scene.position), radius(scene.radius), bounds(scene.bounds), normal(scene.normal),
      descriptors(scene.descriptors);
  const GpuArray<int64_t> id(scene.id);
  points.position = position.data();
  points.radius_over_sqrt_u = radius.data();
  points.block_bounds = bounds.data();
  points.normal = scene.normal.empty() ? nullptr : normal.data();
  points.id = id.data();
  RenderedImage image;
  image.shape = {view.crop.width_px, view.crop.height_px, config.layers};
  const int64_t pixels = image.shape.pixels();
  const GpuArray<uint32_t> visible(points.blocks());
  const int64_t blocks = find_visible_blocks(device, points, view, visible.data());
  const GpuArray<ProjectedPoint> projected(blocks * points_per_block);
  const GpuArray<float> depth(pixels), features(pixels * scene.channels);
  const GpuArray<int32_t> weight(pixels);
  const int64_t count = project_points(device, points, view, config, visible.data(), blocks, projected.data());
  depth_pass(device, image.shape, projected.data(), count, depth.data());
  blend(device, image.shape, projected.data(), count, depth.data(), config.depth_tolerance, descriptors.data(),
        scene.channels, features.data(), weight.data());
  image.projected = projected.read();
  image.projected.resize(static_cast<size_t>(count));
  image.features = features.read();
  image.min_depth_m = depth.read();
  image.weight = weight.read();
  return image;
}

/// By projected point.
std::vector<float> backward_on_gpu(const RenderedImage& image, const RasterConfig& config, int channels,
                                   const std::vector<float>& grad_features) {
  const GpuArray<ProjectedPoint> projected(image.projected);
  const GpuArray<float> depth(image.min_depth_m), grad(grad_features);
  const GpuArray<int32_t> weight(image.weight);
  const GpuArray<float> out(projected.count() * channels);
  blend_backward(gpu(), image.shape, projected.data(), projected.count(), depth.data(), config.depth_tolerance,
                 weight.data(), grad.data(), channels, out.data());
  return out.read();
}

std::vector<float> backward_on_cpu(const RenderedImage& image, const RasterConfig& config, int channels,
                                   const std::vector<float>& grad_features) {
  std::vector<float> out(image.projected.size() * static_cast<size_t>(channels));
  blend_backward(Device{}, image.shape, image.projected.data(), static_cast<int64_t>(image.projected.size()),
                 image.min_depth_m.data(), config.depth_tolerance, image.weight.data(), grad_features.data(), channels,
                 out.data());
  return out;
}

void expect_same(RasterScene& scene, const RasterView& view, const RasterConfig& config, const std::string& what) {
  const RenderedImage cpu = render(scene, view, config, RasterDriver::sorted);
  const RenderedImage on_gpu = render_on_gpu(scene, view, config);
  ASSERT_EQ(on_gpu.projected.size(), cpu.projected.size()) << what;
  for (size_t i = 0; i < cpu.projected.size(); ++i) {
    const ProjectedPoint &a = cpu.projected[i], &b = on_gpu.projected[i];
    ASSERT_TRUE(a.point == b.point && a.x_px == b.x_px && a.y_px == b.y_px && a.layers == b.layers && a.ghost == b.ghost &&
                a.depth_m == b.depth_m)
        << what << " projected point " << i;
  }
  EXPECT_TRUE(same_bits(cpu.min_depth_m, on_gpu.min_depth_m)) << what;
  EXPECT_TRUE(same_bits(cpu.weight, on_gpu.weight)) << what;
  EXPECT_TRUE(same_bits(cpu.features, on_gpu.features)) << what;
  std::vector<float> grad_features(cpu.features.size());
  for (size_t i = 0; i < grad_features.size(); ++i)
    grad_features[i] = draw_unit(7, DrawPurpose::synthetic, 3, i) - 0.5f;
  EXPECT_TRUE(same_bits(backward_on_cpu(cpu, config, scene.channels, grad_features),
                        backward_on_gpu(cpu, config, scene.channels, grad_features)))
      << what;
}

#endif

TEST(GpuRaster, TheBitsOfTheCpuForAllChannelCountsCamerasAndCrops) {
  PTL_SKIP_WITHOUT_GPU();
#if defined(PTL_CUDA)
  for (int channels = 1; channels <= max_channels; ++channels) {
    const auto seed = static_cast<uint64_t>(channels);
    RasterConfig config;
    config.layers = 1 + channels % 6;
    config.dropout = channels % 2 ? 0.25f : 0.0f;
    config.cull_backfaces = channels % 4 == 0;
    config.step = seed;
    RasterScene scene = random_scene(seed, 6000, channels);
    expect_same(scene, random_view(seed, config.layers), config, std::to_string(channels) + " channels");
  }
#endif
}

TEST(GpuRaster, TheBitsOfTheCpuOnALargeCloud) {
  PTL_SKIP_WITHOUT_GPU();
#if defined(PTL_CUDA)
  RasterScene scene = random_scene(9, 300000, 8, 0.5f);
  expect_same(scene, random_view(8, 4), {}, "a large cloud");
#endif
}

TEST(GpuRaster, EmptyCloudsAndViews) {
  PTL_SKIP_WITHOUT_GPU();
#if defined(PTL_CUDA)
  RasterScene behind, none;
  behind.add(0, 0, -1, 1);
  for (RasterScene* scene : {&behind, &none}) {
    const RenderedImage image = render_on_gpu(*scene, simple_view(64, 32, 20), {});
    EXPECT_TRUE(image.projected.empty());
    EXPECT_EQ(std::count(image.weight.begin(), image.weight.end(), 0), image.shape.pixels());
    EXPECT_EQ(std::count(image.features.begin(), image.features.end(), 0.0f), image.shape.pixels() * 4);
    EXPECT_EQ(std::count(image.min_depth_m.begin(), image.min_depth_m.end(), std::numeric_limits<float>::infinity()),
              image.shape.pixels());
  }
#endif
}

TEST(GpuRaster, TwoRunsGiveTheSameBits) {
  PTL_SKIP_WITHOUT_GPU();
#if defined(PTL_CUDA)
  RasterScene scene = random_scene(4, 100000, 4, 0.5f);
  const RasterView view = random_view(6, 5);
  RasterConfig config;
  config.layers = 5;
  const RenderedImage first = render_on_gpu(scene, view, config);
  for (int run = 0; run < 3; ++run) {
    const RenderedImage again = render_on_gpu(scene, view, config);
    EXPECT_TRUE(same_bits(first.projected, again.projected));
    EXPECT_TRUE(same_bits(first.features, again.features));
    EXPECT_TRUE(same_bits(first.weight, again.weight));
  }
#endif
}

TEST(GpuDevice, ScansPast32BitsAndSortsStably) {
  PTL_SKIP_WITHOUT_GPU();
#if defined(PTL_CUDA)
  const GpuArray<uint32_t> in(std::vector<uint32_t>{3, 0, 5, 4294967295u});
  const GpuArray<int64_t> out(5);
  EXPECT_EQ(exclusive_scan(gpu(), in.data(), 4, out.data()), 8 + 4294967295ll);
  EXPECT_EQ(out.read(), (std::vector<int64_t>{0, 3, 3, 8, 8 + 4294967295ll}));
  EXPECT_EQ(exclusive_scan(gpu(), in.data(), 0, out.data()), 0);
  EXPECT_EQ(out.read()[0], 0);
  std::vector<uint32_t> key, value;
  for (uint32_t i = 0; i < 100000; ++i) {
    key.push_back(static_cast<uint32_t>(draw_bits(1, DrawPurpose::synthetic, i)) % (i % 2 ? 1000u : 4294967295u));
    value.push_back(i);
  }
  const GpuArray<uint32_t> gpu_key(key), gpu_value(value);
  sort_pairs(gpu(), gpu_key.data(), gpu_value.data(), gpu_key.count());
  HeapScratch scratch;
  sort_pairs({DeviceType::cpu, nullptr, &scratch}, key.data(), value.data(), static_cast<int64_t>(key.size()));
  EXPECT_EQ(gpu_key.read(), key);
  EXPECT_EQ(gpu_value.read(), value);
#endif
}

}  // namespace
}  // namespace ptl::test
