// What both tests of structure gradients share.
#pragma once

#include "kernels/structure_grad.h"
#include "tests/reference/raster_reference.h"

namespace ptl::test {

/// What the structure gradient looks at in a rendered image.
inline StructureImage structure_input(const RasterScene& scene, const RenderedImage& image,
                                      const std::vector<float>& displayed, const std::vector<float>& grad,
                                      float depth_tolerance) {
  StructureImage input;
  input.shape = image.shape;
  input.projected = image.projected.data();
  input.count = static_cast<int64_t>(image.projected.size());
  input.min_depth_m = image.min_depth_m.data();
  input.weight = image.weight.data();
  input.displayed = displayed.data();
  input.displayed_stride = scene.channels;
  input.grad_displayed = grad.data();
  input.descriptors = scene.descriptors.data();
  input.channels = scene.channels;
  input.depth_tolerance = depth_tolerance;
  return input;
}

/// All entries, with sentinels around them.
inline std::vector<StructureEntry> entries_of(const StructureImage& image, size_t count, int threads,
                                              bool by_tile = true) {
  omp_set_num_threads(threads);
  HeapScratch scratch;
  const Device device{DeviceType::cpu, nullptr, &scratch};
  Guarded<StructureEntry> entries(static_cast<int64_t>(count));
  const int64_t found = find_structure_entries(device, image, {}, by_tile, entries.data());
  EXPECT_TRUE(entries.intact());
  return {entries.data(), entries.data() + found};
}

}  // namespace ptl::test
