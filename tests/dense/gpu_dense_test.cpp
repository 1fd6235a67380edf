// The stereo on a GPU against the CPU: the same bits, since both compute the same formulas without contraction.
#include <algorithm>

#include "datasets/scene_loader.h"
#include "datasets/synthetic_write.h"
#include "dense/consistency.h"
#include "dense/densify.h"
#include "dense/resample.h"
#include "tests/dense/stereo_case.h"
#include "tests/support/gpu.h"
#include "tests/support/temporary_folder.h"

namespace ptl::test {
namespace {

TEST(GpuDense, PlanesAndCorrelationsHaveTheBitsOfTheCpu) {
  PTL_SKIP_WITHOUT_GPU();
#if defined(PTL_CUDA)
  for (const auto& [width, height] : {std::pair{96, 64}, {321, 200}, {97, 61}, {50, 33}, {7, 5}, {1, 1}}) {
    const StereoCase c(width, height, static_cast<uint64_t>(width));
    for (const size_t count : {size_t{0}, size_t{1}, size_t{3}, c.sources.size()}) {
      const std::vector<Matched> on_cpu = matched_twice(cpu(), c, count, ImageDriver::automatic);
      const std::vector<Matched> on_gpu = matched_twice(gpu(), c, count, ImageDriver::automatic);
      for (size_t pass = 0; pass < on_cpu.size(); ++pass)
        EXPECT_TRUE(same_bits(on_cpu[pass], on_gpu[pass]))
            << width << " × " << height << ", " << count << " sources, pass " << pass;
    }
  }
#endif
}

TEST(GpuDense, CheckedDepthsHaveTheBitsOfTheCpu) {
  PTL_SKIP_WITHOUT_GPU();
#if defined(PTL_CUDA)
  DepthMap map = map_of_plane(camera_at({0, 0, 0}, 201, 150), 4);
  std::vector<std::shared_ptr<const DepthMap>> others;
  for (int i = 0; i < 10; ++i)
    others.push_back(std::make_shared<const DepthMap>(
        map_of_plane(camera_at({0.2 * i - 0.7, 0.1 * i, 0.05 * i}, 190 + i, 160 - i), 4 + 0.02 * i)));
  for (size_t i = 0; i < map.depth_m.size(); ++i) {
    map.depth_m[i] *= 0.98f + 0.03f * draw_unit(1, DrawPurpose::synthetic, i);
    if (draw_unit(2, DrawPurpose::synthetic, i) < 0.1f) map.depth_m[i] = 0;
    map.match[i] = static_cast<uint8_t>(255 * draw_unit(3, DrawPurpose::synthetic, i));
  }
  DepthMap on_gpu = map;
  check_depths(cpu(), map, others, {});
  check_depths(gpu(), on_gpu, others, {});
  EXPECT_TRUE(same_bits(map.depth_m, on_gpu.depth_m));
  EXPECT_TRUE(same_bits(map.agreeing, on_gpu.agreeing));
  const auto kept = std::count_if(map.depth_m.begin(), map.depth_m.end(), [](float d) { return d > 0; });
  EXPECT_GT(kept, 1000);
  EXPECT_LT(kept, static_cast<int64_t>(map.depth_m.size()) - 1000);
#endif
}

#if defined(PTL_CUDA)
struct SyntheticScene {
  testing::TemporaryFolder folder;
  SyntheticScene() {
    SyntheticOptions options;
    options.photos = 8;
    options.width_px = 160;
    options.height_px = 112;
    options.samples = 4;
    options.sparse_points = 2000;
    options.density = 0.2;
    write_synthetic_scene(options, folder / "scene");
  }
  Scene scene() const { return load_scene(folder / "scene"); }
};
#endif

TEST(GpuDense, ViewsHaveTheBitsOfTheCpu) {
  PTL_SKIP_WITHOUT_GPU();
#if defined(PTL_CUDA)
  const SyntheticScene synthetic;
  Scene scene = synthetic.scene();
  CameraParams<double>& params = scene.cameras.front().params;
  params.value[PinholeModel::k1] = -0.1, params.value[PinholeModel::p1] = 0.01;
  update_valid_radius(params);
  ImageCache photos = stereo_photos(scene, 0.9);
  const StereoView on_cpu = make_stereo_view(cpu(), scene, 2, 0.9, photos);
  const StereoView on_gpu = make_stereo_view(gpu(), scene, 2, 0.9, photos);
  EXPECT_TRUE(same_bits(on_cpu.luminance, on_gpu.luminance));
  EXPECT_TRUE(same_bits(on_cpu.color, on_gpu.color));
  EXPECT_TRUE(same_bits(on_cpu.valid, on_gpu.valid));
#endif
}

TEST(GpuDense, TheWholeChainGivesTheSamePoints) {
  PTL_SKIP_WITHOUT_GPU();
#if defined(PTL_CUDA)
  const SyntheticScene synthetic;
  const Scene scene = synthetic.scene();
  const std::vector<int> photos = {0, 1, 2, 3, 4, 5};
  DenseOptions options;
  const DenseResult on_cpu = densify(scene, photos, options, synthetic.folder / "cpu");
  options.device = gpu();
  const DenseResult first = densify(scene, photos, options, synthetic.folder / "first");
  const DenseResult second = densify(scene, photos, options, synthetic.folder / "second");
  EXPECT_EQ(first.reused, 0);
  for (const DenseResult* result : {&first, &second}) {
    EXPECT_TRUE(same_bits(on_cpu.points.cloud.position, result->points.cloud.position));
    EXPECT_TRUE(same_bits(on_cpu.points.cloud.normal, result->points.cloud.normal));
    EXPECT_TRUE(same_bits(on_cpu.points.cloud.color, result->points.cloud.color));
    EXPECT_TRUE(same_bits(on_cpu.points.confidence, result->points.confidence));
  }
  // What one device has left, the other goes on with.
  EXPECT_EQ(densify(scene, photos, options, synthetic.folder / "cpu").reused, 6);
#endif
}

}  // namespace
}  // namespace ptl::test
