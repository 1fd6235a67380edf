// The structure gradient on a GPU against the CPU: the same bits, entries, sums and all.
#include "tests/kernels/structure_case.h"
#include "tests/support/gpu.h"

namespace ptl::test {
namespace {

#if defined(PTL_CUDA)

struct ChainResult {
  std::vector<StructureEntry> entries;
  std::vector<int64_t> rows;
  std::vector<float> grad_position;
  StructureSums sums;
};

std::vector<float> drawn_floats(size_t count, uint64_t purpose_counter) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = draw_unit(7, DrawPurpose::synthetic, purpose_counter, i) - 0.5f;
  return values;
}

ChainResult on_cpu(const RasterScene& scene, const RasterView& view, const StructureImage& image,
                   const StructureConfig& config) {
  HeapScratch scratch;
  const Device device{DeviceType::cpu, nullptr, &scratch};
  ChainResult result;
  result.entries.resize(static_cast<size_t>(image.count));
  const int64_t found = find_structure_entries(device, image, config, false, result.entries.data());
  result.entries.resize(static_cast<size_t>(found));
  result.rows.resize(result.entries.size());
  result.grad_position.resize(3 * result.entries.size());
  PointsView points;
  points.count = static_cast<int64_t>(scene.id.size());
  points.position = scene.position.data();
  result.sums = structure_chain(device, points, view, image.projected, result.entries.data(), found, result.rows.data(),
                                result.grad_position.data());
  return result;
}

ChainResult on_gpu(const RasterScene& scene, const RasterView& view, const RenderedImage& rendered,
                   const std::vector<float>& grad, const StructureImage& of_cpu, const StructureConfig& config) {
  const GpuArray<ProjectedPoint> projected(rendered.projected);
  const GpuArray<float> depth(rendered.min_depth_m), displayed(rendered.features), gradient(grad),
      descriptors(scene.descriptors), position(scene.position);
  const GpuArray<int32_t> weight(rendered.weight);
  StructureImage image = of_cpu;
  image.projected = projected.data();
  image.min_depth_m = depth.data();
  image.weight = weight.data();
  image.displayed = displayed.data();
  image.grad_displayed = gradient.data();
  image.descriptors = descriptors.data();
  const GpuArray<StructureEntry> entries(image.count);
  const int64_t found = find_structure_entries(gpu(), image, config, false, entries.data());
  const GpuArray<int64_t> rows(found);
  const GpuArray<float> grad_position(3 * found);
  PointsView points;
  points.count = static_cast<int64_t>(scene.id.size());
  points.position = position.data();
  ChainResult result;
  result.sums =
      structure_chain(gpu(), points, view, image.projected, entries.data(), found, rows.data(), grad_position.data());
  result.entries = entries.read();
  result.entries.resize(static_cast<size_t>(found));
  result.rows = rows.read();
  result.grad_position = grad_position.read();
  return result;
}

void expect_same(int channels, const StructureConfig& config, const std::string& what) {
  const auto seed = static_cast<uint64_t>(channels);
  RasterConfig raster;
  raster.layers = 1 + channels % 6;
  raster.dropout = 0.25f;
  raster.step = seed;
  RasterScene scene = random_scene(seed, 20000, channels);
  const RasterView view = random_view(seed, raster.layers);
  const RenderedImage rendered = render(scene, view, raster, RasterDriver::sorted);
  const std::vector<float> grad = drawn_floats(rendered.features.size(), seed);
  const StructureImage image = structure_input(scene, rendered, rendered.features, grad, raster.depth_tolerance);
  const ChainResult cpu = on_cpu(scene, view, image, config);
  const ChainResult gpu = on_gpu(scene, view, rendered, grad, image, config);
  ASSERT_GT(cpu.entries.size(), 20u) << what;
  ASSERT_EQ(gpu.entries.size(), cpu.entries.size()) << what;
  for (size_t k = 0; k < cpu.entries.size(); ++k) {
    const StructureEntry &a = cpu.entries[k], &b = gpu.entries[k];
    ASSERT_TRUE(a.projected == b.projected && a.gradient.x == b.gradient.x && a.gradient.y == b.gradient.y &&
                a.gradient.terms == b.gradient.terms)
        << what << ", entry " << k;
  }
  EXPECT_TRUE(same_bits(cpu.rows, gpu.rows)) << what;
  EXPECT_TRUE(same_bits(cpu.grad_position, gpu.grad_position)) << what;
  EXPECT_EQ(cpu.sums.terms, gpu.sums.terms) << what;
  for (int k = 0; k < 6; ++k) EXPECT_EQ(cpu.sums.pose[k], gpu.sums.pose[k]) << what << ", pose " << k;
  for (int k = 0; k < camera_param_capacity; ++k)
    EXPECT_EQ(cpu.sums.camera[k], gpu.sums.camera[k]) << what << ", camera parameter " << k;
}

#endif

TEST(GpuStructure, TheBitsOfTheCpuForAllChannelCountsPointsAndRules) {
  PTL_SKIP_WITHOUT_GPU();
#if defined(PTL_CUDA)
  for (int channels = 1; channels <= max_channels; ++channels)
    for (const StructurePoints points : {StructurePoints::ghosts, StructurePoints::drawn})
      for (const NeighbourRule rule : {NeighbourRule::tested, NeighbourRule::overriding})
        expect_same(channels, {points, rule},
                    std::to_string(channels) + " channels, points " + std::to_string(static_cast<int>(points)) +
                        ", rule " + std::to_string(static_cast<int>(rule)));
#endif
}

}  // namespace
}  // namespace ptl::test
