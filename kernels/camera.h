// Camera models: how a point in the camera frame becomes a pixel, and back.
// A model is a struct of static functions (camera_pinhole.h is the pattern): project, pull_back, unproject,
// focal_length_px, valid_radius, and Param with param_count. To add one: an id in CameraModel, the struct, a case in
// visit_camera, a table of its parameters. Kernels are launched inside visit_camera, one launch per image, so that
// no branch on the model stands inside of a kernel.
#pragma once

#include "kernels/camera_params.h"
#include "kernels/camera_pinhole.h"

namespace ptl {

/// Calls f(Model{}) with the struct of the model. Host only. A value that is no model (a damaged file) must be
/// refused by
/// the reader: is_camera_model().
template <class F>
decltype(auto) visit_camera(CameraModel model, F&& f) {
  switch (model) {
    case CameraModel::pinhole:
      break;
  }
  return f(PinholeModel{});
}

inline bool is_camera_model(int32_t id) { return id == static_cast<int32_t>(CameraModel::pinhole); }

/// Parameters of a group share a learning rate (method section 8).
enum class CameraParamGroup { intrinsics, distortion };

struct CameraParamInfo {
  const char* name;
  CameraParamGroup group;
  double rate_factor;  ///< of its group's learning rate (method section 8); 0: not optimised
  double low, high;    ///< what can be right at all; focal lengths and centres as multiples of the image's longer side
  bool in_pixels;      ///< focal lengths, centres, skew
};

struct CameraTable {
  const char* name;
  int param_count;
  const CameraParamInfo* params;
};

inline const CameraTable& camera_table(CameraModel model) {
  using enum CameraParamGroup;
  static constexpr CameraParamInfo pinhole_params[] = {
      {"fx", intrinsics, 1, 1e-2, 1e3, true},    {"fy", intrinsics, 1, 1e-2, 1e3, true},
      {"cx", intrinsics, 1, -10, 10, true},      {"cy", intrinsics, 1, -10, 10, true},
      {"skew", intrinsics, 0, -1, 1, true},      {"k1", distortion, 1, -1e3, 1e3, false},
      {"k2", distortion, 1, -1e4, 1e4, false},   {"p1", distortion, 0.1, -10, 10, false},
      {"p2", distortion, 0.1, -10, 10, false},   {"k3", distortion, 0.25, -1e5, 1e5, false},
      {"k4", distortion, 0.1, -1e3, 1e3, false}, {"k5", distortion, 0.1, -1e4, 1e4, false},
      {"k6", distortion, 0.1, -1e5, 1e5, false}};
  static_assert(sizeof(pinhole_params) / sizeof(pinhole_params[0]) == PinholeModel::param_count);
  static constexpr CameraTable pinhole{"pinhole", PinholeModel::param_count, pinhole_params};
  switch (model) {
    case CameraModel::pinhole:
      break;
  }
  return pinhole;
}

/// Host-side conveniences; kernels call the model's functions directly.
template <class T>
Projection<T> project(const CameraParams<T>& camera, const Vec3<T>& x_camera) {
  return visit_camera(camera.model, [&](auto model) { return decltype(model)::project(camera, x_camera); });
}

/// Derivatives of project(); only where it is valid.
template <class T>
ProjectionJacobian<T> project_jacobian(const CameraParams<T>& camera, const Vec3<T>& x_camera) {
  return visit_camera(camera.model, [&](auto model) {
    using Model = decltype(model);
    ProjectionJacobian<T> jacobian;
    for (int row = 0; row < 2; ++row) {
      T point[3], params[Model::param_count];
      Model::pull_back(camera, x_camera.x, x_camera.y, x_camera.z, T(row == 0), T(row == 1), point, params);
      jacobian.point[row] = Vec3<T>(point[0], point[1], point[2]);
      for (int k = 0; k < Model::param_count; ++k) jacobian.params[row][k] = params[k];
    }
    return jacobian;
  });
}

/// Pixel of the whole photo → direction in the camera frame (not normalised); false where the model has none there.
template <class T>
bool unproject_ray(const CameraParams<T>& camera, T x_px, T y_px, Vec3<T>& ray) {
  return visit_camera(camera.model, [&](auto model) { return decltype(model)::unproject(camera, x_px, y_px, ray); });
}

/// Focal length for the footprint (method section 1), in pixels of the crop: the zoom is included.
template <class T>
T focal_length_px(const CameraParams<T>& camera, const Crop& crop = {}) {
  return static_cast<T>(crop.zoom) *
         visit_camera(camera.model, [&](auto model) { return decltype(model)::focal_length_px(camera); });
}

/// To be called whenever a parameter or the image's size has changed.
template <class T>
void update_valid_radius(CameraParams<T>& camera) {
  camera.valid_radius =
      visit_camera(camera.model, [&](auto model) { return decltype(model)::valid_radius(camera); });
}

/// Pixel of the whole photo → pixel of the crop.
template <class T>
PTL_HD Vec2<T> apply_crop(const Crop& crop, const Vec2<T>& photo_px) {
  return Vec2<T>(T(crop.zoom) * photo_px.x - T(crop.offset_x_px), T(crop.zoom) * photo_px.y - T(crop.offset_y_px));
}

/// Pixel of the crop → pixel of the whole photo.
template <class T>
PTL_HD Vec2<T> undo_crop(const Crop& crop, const Vec2<T>& crop_px) {
  return Vec2<T>((crop_px.x + T(crop.offset_x_px)) / T(crop.zoom), (crop_px.y + T(crop.offset_y_px)) / T(crop.zoom));
}

/// The crop that is the whole photo.
template <class T>
Crop whole_photo(const CameraParams<T>& camera) {
  Crop crop;
  crop.width_px = camera.width_px;
  crop.height_px = camera.height_px;
  return crop;
}

/// The same camera for photos of another size. Pixel corners are at whole numbers, so there is no half pixel to mind.
template <class T>
CameraParams<T> scale_camera(const CameraParams<T>& camera, int32_t width_px, int32_t height_px) {
  CameraParams<T> scaled = camera;
  scaled.width_px = width_px;
  scaled.height_px = height_px;
  const T x_ratio = static_cast<T>(width_px) / static_cast<T>(camera.width_px);
  const T y_ratio = static_cast<T>(height_px) / static_cast<T>(camera.height_px);
  switch (camera.model) {
    case CameraModel::pinhole:
      for (const int x : {PinholeModel::fx, PinholeModel::cx, PinholeModel::skew}) scaled.value[x] *= x_ratio;
      for (const int y : {PinholeModel::fy, PinholeModel::cy}) scaled.value[y] *= y_ratio;
      break;
  }
  update_valid_radius(scaled);
  return scaled;
}

template <class T, class S>
CameraParams<T> camera_cast(const CameraParams<S>& camera) {
  CameraParams<T> result;
  result.model = camera.model;
  result.width_px = camera.width_px;
  result.height_px = camera.height_px;
  for (int i = 0; i < camera_param_capacity; ++i) result.value[i] = static_cast<T>(camera.value[i]);
  result.valid_radius = static_cast<T>(camera.valid_radius);
  return result;
}

}  // namespace ptl
