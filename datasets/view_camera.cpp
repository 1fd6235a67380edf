#include "datasets/view_camera.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ptl {

CameraParams<double> pinhole_of_fov(double vertical_fov_deg, int width_px, int height_px) {
  using P = PinholeModel;
  CameraParams<double> camera;
  camera.width_px = width_px;
  camera.height_px = height_px;
  const double focal_px = 0.5 * height_px / std::tan(vertical_fov_deg * std::numbers::pi / 360);
  camera.value[P::fx] = camera.value[P::fy] = focal_px;
  camera.value[P::cx] = 0.5 * width_px;
  camera.value[P::cy] = 0.5 * height_px;
  update_valid_radius(camera);
  return camera;
}

CameraParams<double> lens_for_size(const CameraParams<double>& lens, int width_px, int height_px) {
  const double scale =
      std::min(static_cast<double>(width_px) / lens.width_px, static_cast<double>(height_px) / lens.height_px);
  CameraParams<double> camera = lens;
  camera.width_px = width_px;
  camera.height_px = height_px;
  visit_camera(camera.model, [&](auto model) {
    using Model = decltype(model);
    Model::scale(camera, scale, scale);
    Model::move(camera, 0.5 * (width_px - scale * lens.width_px), 0.5 * (height_px - scale * lens.height_px));
  });
  update_valid_radius(camera);
  return camera;
}

CameraParams<double> view_params(const ViewCamera& view, int width_px, int height_px) {
  return view.lens ? lens_for_size(*view.lens, width_px, height_px)
                   : pinhole_of_fov(view.vertical_fov_deg, width_px, height_px);
}

double vertical_fov_deg(const ViewCamera& view) {
  if (!view.lens) return view.vertical_fov_deg;
  if (view.lens->model == CameraModel::pinhole)
    return std::atan(0.5 * view.lens->height_px / view.lens->value[PinholeModel::fy]) * 360 / std::numbers::pi;
  // Of wide lenses as if a pixel spanned the same angle everywhere.
  return std::min(largest_fov_deg, view.lens->height_px / focal_length_px(*view.lens) * 180 / std::numbers::pi);
}

}  // namespace ptl
