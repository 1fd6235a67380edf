// Camera models: how a point in the camera frame becomes a pixel, and back.
// A model is a struct of static functions (camera_pinhole.h is the pattern, camera_wide.h for those that see further):
// project, pull_back, unproject, focal_length_px, least_depth_m, valid_radius, scale, move, and Param with param_count. To
// add one: an id in CameraModel, the struct, a case in visit_camera, a table of its parameters. Kernels are launched
// inside visit_camera, one launch per image, so that no branch on the model stands inside of a kernel.
#pragma once

#include "kernels/camera_division.h"
#include "kernels/camera_equirectangular.h"
#include "kernels/camera_eucm.h"
#include "kernels/camera_fisheye.h"
#include "kernels/camera_fov.h"
#include "kernels/camera_ocam.h"
#include "kernels/camera_params.h"
#include "kernels/camera_pinhole.h"
#include "kernels/camera_rad_tan_fisheye.h"

namespace ptl {

/// Calls f(Model{}) with the struct of the model. Host only. A value that is no model (a damaged file) must be refused
/// by the reader: is_camera_model().
template <class F>
decltype(auto) visit_camera(CameraModel model, F&& f) {
  switch (model) {
    case CameraModel::pinhole:
      break;
    case CameraModel::fisheye:
      return f(FisheyeModel{});
    case CameraModel::rad_tan_thin_prism_fisheye:
      return f(RadTanThinPrismFisheyeModel{});
    case CameraModel::fov:
      return f(FovModel{});
    case CameraModel::division:
      return f(DivisionModel{});
    case CameraModel::eucm:
      return f(EucmModel{});
    case CameraModel::equirectangular:
      return f(EquirectangularModel{});
    case CameraModel::ocam:
      return f(OcamModel{});
  }
  return f(PinholeModel{});
}

inline constexpr CameraModel all_camera_models[] = {CameraModel::pinhole,
                                                    CameraModel::fisheye,
                                                    CameraModel::rad_tan_thin_prism_fisheye,
                                                    CameraModel::fov,
                                                    CameraModel::division,
                                                    CameraModel::eucm,
                                                    CameraModel::equirectangular,
                                                    CameraModel::ocam};

inline bool is_camera_model(int32_t id) {
  return id >= static_cast<int32_t>(CameraModel::pinhole) && id <= static_cast<int32_t>(CameraModel::ocam);
}

/// Parameters of a group share a learning rate (method section 8).
enum class CameraParamGroup { intrinsics, distortion };

struct CameraParamInfo {
  const char* name;
  CameraParamGroup group;
  double rate_factor;  ///< of its group's learning rate (method section 8); 0: not optimised
  double low, high;    ///< what can be right at all; focal lengths and centres as multiples of the image's longer side
  bool in_pixels;      ///< focal lengths, centres, skew, polynomials in pixels
};

struct CameraTable {
  const char* name;
  int param_count;
  const CameraParamInfo* params;
};

namespace camera_tables {

using enum CameraParamGroup;

#define PTL_PLANE_PARAMS                                                                                               \
  {"fx", intrinsics, 1, 1e-2, 1e3, true}, {"fy", intrinsics, 1, 1e-2, 1e3, true},                                      \
      {"cx", intrinsics, 1, -10, 10, true}, {"cy", intrinsics, 1, -10, 10, true}, {"skew", intrinsics, 0, -1, 1, true}

inline constexpr CameraParamInfo pinhole[] = {PTL_PLANE_PARAMS,
                                              {"k1", distortion, 1, -1e3, 1e3, false},
                                              {"k2", distortion, 1, -1e4, 1e4, false},
                                              {"p1", distortion, 0.1, -10, 10, false},
                                              {"p2", distortion, 0.1, -10, 10, false},
                                              {"k3", distortion, 0.25, -1e5, 1e5, false},
                                              {"k4", distortion, 0.1, -1e3, 1e3, false},
                                              {"k5", distortion, 0.1, -1e4, 1e4, false},
                                              {"k6", distortion, 0.1, -1e5, 1e5, false}};
// Radial terms: the first two 1, the third 0.25, the others 0.1, as the pinhole's; what is not radial 0.1.
inline constexpr CameraParamInfo fisheye[] = {PTL_PLANE_PARAMS,
                                              {"k1", distortion, 1, -1e3, 1e3, false},
                                              {"k2", distortion, 1, -1e3, 1e3, false},
                                              {"p1", distortion, 0.1, -10, 10, false},
                                              {"p2", distortion, 0.1, -10, 10, false},
                                              {"k3", distortion, 0.25, -1e3, 1e3, false},
                                              {"k4", distortion, 0.1, -1e3, 1e3, false},
                                              {"sx1", distortion, 0.1, -10, 10, false},
                                              {"sy1", distortion, 0.1, -10, 10, false}};
inline constexpr CameraParamInfo rad_tan_thin_prism_fisheye[] = {PTL_PLANE_PARAMS,
                                                                 {"k0", distortion, 1, -1e3, 1e3, false},
                                                                 {"k1", distortion, 1, -1e3, 1e3, false},
                                                                 {"k2", distortion, 0.25, -1e3, 1e3, false},
                                                                 {"k3", distortion, 0.1, -1e3, 1e3, false},
                                                                 {"k4", distortion, 0.1, -1e3, 1e3, false},
                                                                 {"k5", distortion, 0.1, -1e3, 1e3, false},
                                                                 {"p0", distortion, 0.1, -10, 10, false},
                                                                 {"p1", distortion, 0.1, -10, 10, false},
                                                                 {"s0", distortion, 0.1, -10, 10, false},
                                                                 {"s1", distortion, 0.1, -10, 10, false},
                                                                 {"s2", distortion, 0.1, -10, 10, false},
                                                                 {"s3", distortion, 0.1, -10, 10, false}};
inline constexpr CameraParamInfo fov[] = {PTL_PLANE_PARAMS, {"omega", distortion, 1, -3.1, 3.1, false}};
inline constexpr CameraParamInfo division[] = {PTL_PLANE_PARAMS, {"k", distortion, 1, -1e3, 1e3, false}};
inline constexpr CameraParamInfo eucm[] = {
    PTL_PLANE_PARAMS, {"alpha", distortion, 1, 0, 1, false}, {"beta", distortion, 1, 1e-3, 1e3, false}};
#undef PTL_PLANE_PARAMS
// c is the pixels' shape, as fy/fx; d and e are a skew. The polynomial is of pixels, as focal lengths.
inline constexpr CameraParamInfo ocam[] = {{"c", intrinsics, 1, 1e-2, 1e2, false},
                                           {"d", intrinsics, 0, -1, 1, false},
                                           {"e", intrinsics, 0, -1, 1, false},
                                           {"row", intrinsics, 1, -10, 10, true},
                                           {"column", intrinsics, 1, -10, 10, true},
                                           {"cutoff", intrinsics, 0, -1.6, 1e9, false},
                                           {"a0", distortion, 1, -1e3, 1e3, true},
                                           {"a1", distortion, 1, -1e3, 1e3, true},
                                           {"a2", distortion, 0.25, -1e3, 1e3, true},
                                           {"a3", distortion, 0.1, -1e3, 1e3, true},
                                           {"a4", distortion, 0.1, -1e3, 1e3, true},
                                           {"a5", distortion, 0.1, -1e3, 1e3, true},
                                           {"a6", distortion, 0.1, -1e3, 1e3, true},
                                           {"a7", distortion, 0.1, -1e3, 1e3, true},
                                           {"a8", distortion, 0.1, -1e3, 1e3, true},
                                           {"a9", distortion, 0.1, -1e3, 1e3, true},
                                           {"a10", distortion, 0.1, -1e3, 1e3, true},
                                           {"a11", distortion, 0.1, -1e3, 1e3, true},
                                           {"a12", distortion, 0.1, -1e3, 1e3, true},
                                           {"a13", distortion, 0.1, -1e3, 1e3, true},
                                           {"a14", distortion, 0.1, -1e3, 1e3, true},
                                           {"a15", distortion, 0.1, -1e3, 1e3, true},
                                           {"a16", distortion, 0.1, -1e3, 1e3, true},
                                           {"a17", distortion, 0.1, -1e3, 1e3, true}};

/// A table whose length is the model's.
template <class Model, int N>
constexpr CameraTable table_of(const char* name, const CameraParamInfo (&params)[N]) {
  static_assert(N == Model::param_count && N <= camera_param_capacity);
  return {name, N, params};
}

// In the order of CameraModel.
inline constexpr CameraTable all[] = {table_of<PinholeModel>("pinhole", pinhole),
                                      table_of<FisheyeModel>("fisheye", fisheye),
                                      table_of<RadTanThinPrismFisheyeModel>("rad_tan_thin_prism_fisheye",
                                                                            rad_tan_thin_prism_fisheye),
                                      table_of<FovModel>("fov", fov),
                                      table_of<DivisionModel>("division", division),
                                      table_of<EucmModel>("eucm", eucm),
                                      {"equirectangular", 0, nullptr},
                                      table_of<OcamModel>("ocam", ocam)};

}  // namespace camera_tables

inline const CameraTable& camera_table(CameraModel model) {
  return camera_tables::all[is_camera_model(static_cast<int32_t>(model)) ? static_cast<int>(model) : 0];
}

/// The photo's right border is beside its left one: crops may begin left of the photo or end right of it, by less than a photo.
inline bool wraps_x(CameraModel model) {
  return visit_camera(model, [](auto m) { return decltype(m)::wraps_x; });
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
      T point[3], params[param_slots<Model>];
      Model::pull_back(camera, x_camera.x, x_camera.y, x_camera.z, T(row == 0), T(row == 1), point, params);
      jacobian.point[row] = Vec3<T>(point[0], point[1], point[2]);
      for (int k = 0; k < Model::param_count; ++k) jacobian.params[row][k] = params[k];
    }
    return jacobian;
  });
}

/// Pixel of the whole photo → direction in the camera frame, as long as a depth of 1; false where the model has none there.
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
  visit_camera(camera.model, [&](auto model) { decltype(model)::scale(scaled, x_ratio, y_ratio); });
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
