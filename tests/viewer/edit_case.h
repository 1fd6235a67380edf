// What tests of editing points share: a view whose rays are easy to tell, a box that stands askew.
#pragma once

#include <gtest/gtest.h>

#include "datasets/view_camera.h"
#include "kernels/hash.h"
#include "viewer/drawn_cloud.h"
#include "viewer/edit_box.h"
#include "viewer/point_editing.h"

namespace ptl::testing {

using Vec = Vec3<double>;
using Kind = PointEdit::Kind;

inline constexpr double pi = 3.14159265358979323846;

/// Looks along z from the origin; 90° high: a pixel at (x, y) is the ray ((x − 100) / 100, (y − 100) / 100, 1).
inline EditView straight_view() {
  return {pinhole_of_fov(90, 200, 200), Pose<double>{}};
}

inline Vec2<double> pixel_of(const EditView& view, const Vec& x) {
  const Projection<double> p = project(view.camera, view.camera_from_scene * x);
  EXPECT_TRUE(p.valid);
  return {p.x_px, p.y_px};
}

inline EditBox turned_box() {
  EditBox box;
  box.centre = Vec(0.3, -0.2, 5);
  box.half_size = Vec(1, 0.5, 0.8);
  box.box_from_scene = glm::transpose(exp(Tangent<double>{Vec(0), Vec(0.3, 0.5, 0.2)}).rotation);
  return box;
}

inline void expect_near(const Vec& a, const Vec& b, double tolerance = 1e-9) {
  EXPECT_LT(glm::distance(a, b), tolerance)
      << a.x << ' ' << a.y << ' ' << a.z << " against " << b.x << ' ' << b.y << ' ' << b.z;
}

inline PointEdit box_edit(Kind kind, const EditBox& box) {
  PointEdit edit;
  edit.kind = kind;
  edit.box = box;
  return edit;
}

inline DrawnCloud cloud_of(const std::vector<Vec3<float>>& points, uint64_t most = most_drawn_points) {
  return arrange_cloud(points, std::vector<std::array<uint8_t, 3>>(points.size()), /*in_order=*/false, most);
}

/// Points in a slab that leans, and a few far away.
inline std::vector<Vec3<float>> scattered(size_t count) {
  std::vector<Vec3<float>> points;
  for (uint64_t i = 0; i < count; ++i) {
    const auto draw = [&](uint64_t n) { return 2 * draw_unit(3, DrawPurpose::synthetic, i, n) - 1; };
    const float far = i % 500 == 0 ? 40.f : 1.f;
    points.push_back({4 * draw(0) * far, 3 * draw(1) * far, 6 + 2 * draw(2) + draw(0)});
  }
  return points;
}

}  // namespace ptl::testing
