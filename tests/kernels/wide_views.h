// Views through cameras of every model, and points on all sides of them.
#pragma once

#include "tests/kernels/wide_cameras.h"
#include "tests/reference/raster_reference.h"

namespace ptl::test {

/// Poses that look anywhere; the whole photo, or crops of any place, size and zoom, also beyond the photo.
inline RasterView random_wide_view(uint64_t seed, const CameraParams<double>& camera, int layers) {
  const auto draw = [&](uint64_t which) { return draw_unit(seed, DrawPurpose::synthetic, 1u << 21, which) - 0.5f; };
  RasterView view;
  view.camera = camera_cast<float>(camera);
  view.camera_from_world = exp(
      Tangent<double>{{0.5 * draw(0), 0.5 * draw(1), 0.5 * draw(2)}, {6.0 * draw(3), 6.0 * draw(4), 6.0 * draw(5)}});
  view.crop = whole_photo(view.camera);
  const int unit = 1 << (layers - 1);
  const auto whole_units = [&](float size_px) { return unit * std::max(1, static_cast<int>(size_px) / unit); };
  if (seed % 3) {
    view.crop.zoom = std::exp(1.4f * draw(6));
    const auto width = view.crop.zoom * static_cast<float>(camera.width_px);
    const auto height = view.crop.zoom * static_cast<float>(camera.height_px);
    const float share = seed % 3 == 1 ? 0.15f : 0.6f;
    view.crop.width_px = whole_units(share * width * (1 + draw(7)));
    view.crop.height_px = whole_units(share * height * (1 + draw(8)));
    view.crop.offset_x_px = width * (draw(9) + 0.4f);
    view.crop.offset_y_px = height * (draw(10) + 0.4f);
  } else {
    view.crop.width_px = (camera.width_px + unit - 1) / unit * unit;
    view.crop.height_px = (camera.height_px + unit - 1) / unit * unit;
  }
  return view;
}

/// Points in all directions, blocks sorted as prepared clouds are.
inline RasterScene scene_around(uint64_t seed, int64_t count, int channels) {
  const auto draw = [&](int64_t i, uint64_t which) {
    return draw_unit(seed, DrawPurpose::synthetic, static_cast<uint64_t>(i), which);
  };
  RasterScene scene;
  scene.channels = channels;
  std::vector<float> radius;
  for (int64_t i = 0; i < count; ++i) radius.push_back(0.3f * std::pow(draw(i, 0), 4.0f));
  for (int64_t b = 0; b < count; b += points_per_block)
    std::sort(radius.begin() + b, radius.begin() + std::min(count, b + points_per_block), std::greater<float>());
  for (int64_t i = 0; i < count; ++i) {
    const Vec3<double> way = direction_on_sphere(static_cast<int>(i), static_cast<int>(count));
    const double distance = draw(i, 1) < 0.7f ? 3 + 0.02 * draw(i, 2) : 0.5 + 6 * draw(i, 2);
    const Vec3<float> at(way * distance);
    scene.add(at.x, at.y, at.z, radius[static_cast<size_t>(i)]);
    Vec3<float> normal(draw(i, 5) - 0.5f, draw(i, 6) - 0.5f, draw(i, 7) - 0.5f);
    normal /= glm::length(normal);
    scene.normal.insert(scene.normal.end(), {normal.x, normal.y, normal.z});
    for (int c = 0; c < channels; ++c)
      scene.descriptors[static_cast<size_t>(i * channels + c)] = 2 * draw(i, 10 + static_cast<uint64_t>(c)) - 1;
  }
  return scene;
}

}  // namespace ptl::test
