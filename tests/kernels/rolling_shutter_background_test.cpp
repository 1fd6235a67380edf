// Rows with poses of their own: what is behind the points.
#include <algorithm>
#include <cmath>

#include "kernels/row_pose.h"
#include "tests/kernels/environment_case.h"

namespace ptl::test {
namespace {

TEST(RollingShutter, TheBackgroundOfARowIsThatOfItsPose) {
  // Each row against a camera that stands still in that row's pose.
  EnvironmentView<double> view;
  view.camera.width_px = 24;
  view.camera.height_px = 16;
  for (const auto& [k, value] : {std::pair{PinholeModel::fx, 20.0}, std::pair{PinholeModel::fy, 21.0}, std::pair{PinholeModel::cx, 12.0},
                                 std::pair{PinholeModel::cy, 8.0}})
    view.camera.value[k] = value;
  update_valid_radius(view.camera);
  const Mat3<double> camera_from_world = exp(Tangent<double>{{0, 0, 0}, {0.4, 0.9, -0.3}}).rotation;
  view.world_from_camera = glm::transpose(camera_from_world);
  view.crop = whole_photo(view.camera);
  view.layers = {{24, 16, 0}};
  const EnvironmentShape shape{64, 128, 1, false};
  std::vector<int32_t> weight(24 * 16, 0);
  const Vec3<double> rotation(0.03, -0.05, 0.02);
  view.readout_rotation = rotation;
  const std::vector<EmptyPixel<double>> rolling = find_empty(view, shape, weight);
  view.readout_rotation = Vec3<double>(0);
  const std::vector<EmptyPixel<double>> standing = find_empty(view, shape, weight);
  double differs = 0;
  const auto place = [](const EnvironmentSample<double>& s) { return Vec2<double>(s.x[0] + s.weight_x, s.y[0] + s.weight_y); };
  for (int row = 0; row < 16; ++row) {
    const double t = (row + 0.5) / 16 - 0.5;
    view.world_from_camera = glm::transpose(exp(Tangent<double>{Vec3<double>(0), t * rotation}).rotation * camera_from_world);
    const std::vector<EmptyPixel<double>> expected = find_empty(view, shape, weight);
    for (size_t i = static_cast<size_t>(24 * row); i < static_cast<size_t>(24 * row + 24); ++i) {
      const Vec2<double> off = place(rolling[i].sample) - place(expected[i].sample);
      EXPECT_LT(glm::length(off), 1e-3) << row;
      differs = std::max(differs, glm::length(place(rolling[i].sample) - place(standing[i].sample)));
    }
  }
  EXPECT_GT(differs, 0.4);
}

}  // namespace
}  // namespace ptl::test
