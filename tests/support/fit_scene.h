// A small scene that can be fitted in seconds: cameras on an arc look at a bumpy, painted wall; every pixel of the photos
// is computed from the wall's equation.
#pragma once

#include <cmath>
#include <filesystem>

#include "datasets/colmap.h"
#include "datasets/exif.h"
#include "datasets/image_io.h"
#include "kernels/camera.h"
#include "kernels/hash.h"

namespace ptl::testing {

struct FitSceneOptions {
  int images = 10;
  int width_px = 96, height_px = 72;
  int points = 3000;
  bool hdr = false;  ///< photos are OpenEXR, of wall_radiance; else PNG
};

/// Colour of the wall z = 4 at (x, y), 0..1 as encoded.
inline Vec3<float> wall_color(float x, float y) {
  return {0.5f + 0.3f * std::sin(3 * x) * std::cos(2 * y), 0.5f + 0.3f * std::sin(2 * x + y), 0.45f + 0.3f * std::cos(4 * y)};
}

/// The wall as HDR photos show it: 13 stops.
inline float wall_radiance(float color) { return std::exp2(20 * color - 10); }

inline void write_fit_scene(const std::filesystem::path& folder, const FitSceneOptions& options = {}) {
  ColmapModel model;
  ColmapCamera camera;
  camera.id = 1;
  camera.model_id = 1;  // PINHOLE
  camera.width_px = static_cast<uint64_t>(options.width_px);
  camera.height_px = static_cast<uint64_t>(options.height_px);
  const double focal_px = options.width_px;
  camera.params = {focal_px, focal_px, options.width_px / 2.0, options.height_px / 2.0};
  model.cameras.push_back(camera);
  for (int i = 0; i < options.images; ++i) {
    ColmapImage image;
    image.id = static_cast<uint32_t>(i + 1);
    image.camera_id = 1;
    const double x = 0.3 * (i - options.images / 2.0), y = 0.1 * std::sin(i);
    image.translation = {-x, -y, 0};
    char name[32];
    std::snprintf(name, sizeof name, "photo_%03d.%s", i, options.hdr ? "exr" : "png");
    image.name = name;
    Image photo(options.width_px, options.height_px, 3);
    for (int row = 0; row < options.height_px; ++row)
      for (int column = 0; column < options.width_px; ++column) {
        const double u = (column + 0.5 - options.width_px / 2.0) / focal_px * 4, v = (row + 0.5 - options.height_px / 2.0) / focal_px * 4;
        const Vec3<float> color = wall_color(static_cast<float>(x + u), static_cast<float>(y + v));
        for (int c = 0; c < 3; ++c) photo.at(column, row, c) = options.hdr ? wall_radiance(color[c]) : color[c];
      }
    if (options.hdr)
      write_exr(folder / "images" / image.name, photo);
    else
      write_png(folder / "images" / image.name, photo);
    model.images.push_back(image);
  }
  for (int i = 0; i < options.points; ++i) {
    SparsePoint point;
    point.id = static_cast<uint64_t>(i + 1);
    const auto draw = [&](uint64_t n) { return draw_unit(7, DrawPurpose::synthetic, static_cast<uint64_t>(i), n); };
    const float x = -4 + 8 * draw(0), y = -2 + 4 * draw(1);
    point.position = {x, y, 4};
    const Vec3<float> color = wall_color(x, y);
    for (size_t c = 0; c < 3; ++c) point.color[c] = static_cast<uint8_t>(std::lround(255 * color[static_cast<int>(c)]));
    model.points.push_back(point);
  }
  write_colmap_model(model, folder / "sparse" / "0", ColmapFormat::binary);
}

}  // namespace ptl::testing
