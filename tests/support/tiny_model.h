// A small COLMAP model that is valid in every way: two cameras, three images around the origin, five points with tracks.
#pragma once

#include <cmath>

#include "datasets/colmap.h"

namespace ptl::testing {

inline ColmapModel tiny_model() {
  ColmapModel model;
  model.cameras = {{1, 1, 64, 48, {50, 51, 32, 24}},                                // PINHOLE
                   {7, 4, 80, 60, {70, 71, 40.5, 29.5, 0.01, -0.02, 1e-3, 2e-3}}};  // OPENCV
  for (uint32_t i = 0; i < 3; ++i) {
    ColmapImage image;
    image.id = 10 + i;
    const double half = 0.05 * (static_cast<double>(i) - 1);
    image.rotation_wxyz = {std::cos(half), 0, std::sin(half), 0};
    image.translation = {0.5 * static_cast<double>(i) - 0.5, 0.125, 4.0};
    image.camera_id = i == 2 ? 7 : 1;
    image.name = "photo " + std::to_string(i) + ".jpg";
    image.observations = {{10.5 + i, 20.25, 100}, {30.125, 11.0, UINT64_MAX}};
    model.images.push_back(image);
  }
  for (uint64_t i = 0; i < 5; ++i) {
    SparsePoint point;
    point.id = 100 + i * i;
    const auto t = static_cast<double>(i);
    point.position = {0.3 * t - 0.6, 0.1 * t, 0.2 * t * t};
    point.color = {static_cast<uint8_t>(50 * i), 128, 255};
    point.reprojection_error_px = 0.5 + 0.1 * t;
    if (i == 0) point.track = {{10, 0}, {11, 0}, {12, 0}};
    model.points.push_back(point);
  }
  return model;
}

/// The same model with the world moved by `shift`.
inline ColmapModel shifted(ColmapModel model, const Vec3<double>& shift) {
  for (SparsePoint& point : model.points) point.position += shift;
  for (ColmapImage& image : model.images) {
    const auto [w, x, y, z] = image.rotation_wxyz;
    const Vec3<double> v(x, y, z);
    const Vec3<double> rotated = shift + 2.0 * glm::cross(v, glm::cross(v, shift) + w * shift);
    for (int axis = 0; axis < 3; ++axis) image.translation[static_cast<size_t>(axis)] -= rotated[axis];
  }
  return model;
}

}  // namespace ptl::testing
