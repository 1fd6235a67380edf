#include "datasets/colmap_cameras.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <stdexcept>
#include <string>

#include "datasets/error.h"

namespace ptl {
namespace {

// Numbers, names and counts as COLMAP's documentation of its camera models and its file format give them.
constexpr ColmapCameraModel models[] = {
    {0, "SIMPLE_PINHOLE", 3, true},
    {1, "PINHOLE", 4, true},
    {2, "SIMPLE_RADIAL", 4, true},
    {3, "RADIAL", 5, true},
    {4, "OPENCV", 8, true},
    {5, "OPENCV_FISHEYE", 8, false},
    {6, "FULL_OPENCV", 12, true},
    {7, "FOV", 5, false},
    {8, "SIMPLE_RADIAL_FISHEYE", 4, false},
    {9, "RADIAL_FISHEYE", 5, false},
    {10, "THIN_PRISM_FISHEYE", 12, false},
    {11, "RAD_TAN_THIN_PRISM_FISHEYE", 16, false},
    {12, "SIMPLE_DIVISION", 4, false},
    {13, "DIVISION", 5, false},
    {14, "SIMPLE_FISHEYE", 3, false},
    {15, "FISHEYE", 4, false},
    {16, "EUCM", 6, false},
    {17, "EQUIRECTANGULAR", 2, false},
};

std::string supported_names() {
  std::string names;
  for (const ColmapCameraModel& model : models)
    if (model.supported) names += (names.empty() ? "" : ", ") + std::string(model.name);
  return names;
}

using P = PinholeModel;

/// Which of our parameters each of COLMAP's is, in its order; empty for models that are not supported.
const std::vector<int>& parameter_order(int id) {
  static const std::vector<int> orders[] = {
      {P::fx, P::cx, P::cy},
      {P::fx, P::fy, P::cx, P::cy},
      {P::fx, P::cx, P::cy, P::k1},
      {P::fx, P::cx, P::cy, P::k1, P::k2},
      {P::fx, P::fy, P::cx, P::cy, P::k1, P::k2, P::p1, P::p2},
      {},
      {P::fx, P::fy, P::cx, P::cy, P::k1, P::k2, P::p1, P::p2, P::k3, P::k4, P::k5, P::k6}};
  return orders[id];
}

/// Whether a supported model can say what the camera's parameters are.
bool can_express(int id, const CameraParams<double>& camera) {
  const std::vector<int>& order = parameter_order(id);
  const auto has = [&](int parameter) { return std::find(order.begin(), order.end(), parameter) != order.end(); };
  constexpr double rounding = 1e-12;  // of a reduced photo's focal lengths scaled back
  if (!has(P::fy) && std::abs(camera.value[P::fy] - camera.value[P::fx]) > rounding * camera.value[P::fx]) return false;
  for (int k = P::cx; k < P::param_count; ++k)
    if (!has(k) && camera.value[k] != 0) return false;
  return true;
}

}  // namespace

const ColmapCameraModel* find_colmap_camera_model(int id) {
  for (const ColmapCameraModel& model : models)
    if (model.id == id) return &model;
  return nullptr;
}

const ColmapCameraModel* find_colmap_camera_model(std::string_view name) {
  for (const ColmapCameraModel& model : models)
    if (name == model.name) return &model;
  return nullptr;
}

const ColmapCameraModel& colmap_camera_model(int id, const std::filesystem::path& file) {
  if (const ColmapCameraModel* model = find_colmap_camera_model(id)) return *model;
  throw InputError("{}: expected the number of one of COLMAP's camera models (0 to {}), found {}; is the file damaged?",
                   file.string(), models[std::size(models) - 1].id, id);
}

const ColmapCameraModel& colmap_camera_model(std::string_view name, const std::filesystem::path& file) {
  if (const ColmapCameraModel* model = find_colmap_camera_model(name)) return *model;
  throw InputError("{}: expected the name of one of COLMAP's camera models, found '{}'; supported are {}",
                   file.string(), name, supported_names());
}

CameraParams<double> camera_from_colmap(int id, const std::vector<double>& params, int width_px, int height_px,
                                        const std::filesystem::path& model_folder) {
  const std::string where = model_folder.string() + " (cameras.bin or cameras.txt)";
  const ColmapCameraModel& model = colmap_camera_model(id, where);
  if (!model.supported)
    throw InputError(
        "{}: camera model {} is not supported; expected one of {}; undistort the photos "
        "(colmap image_undistorter) or reconstruct with one of these",
        where, model.name, supported_names());
  if (static_cast<int>(params.size()) != model.param_count)
    throw InputError("{}: expected {} parameters for camera model {}, found {}", where, model.param_count, model.name,
                     params.size());
  const std::vector<int>& order = parameter_order(id);
  CameraParams<double> camera;
  camera.width_px = width_px;
  camera.height_px = height_px;
  for (size_t i = 0; i < params.size(); ++i) {
    if (!std::isfinite(params[i]))
      throw InputError("{}: expected finite camera parameters, found {}", where, params[i]);
    camera.value[order[i]] = params[i];
  }
  if (order[1] != P::fy) camera.value[P::fy] = camera.value[P::fx];
  if (!(camera.value[P::fx] > 0 && camera.value[P::fy] > 0))
    throw InputError("{}: expected a focal length greater than 0, found {} × {} px", where, camera.value[P::fx],
                     camera.value[P::fy]);
  update_valid_radius(camera);
  return camera;
}

CameraFreedom camera_freedom(int colmap_model_id) {
  const ColmapCameraModel* const model = find_colmap_camera_model(colmap_model_id);
  if (!model || !model->supported)
    throw std::invalid_argument("camera_freedom: camera model " + std::to_string(colmap_model_id) +
                                " is not supported");
  CameraFreedom freedom;
  const std::vector<int>& order = parameter_order(colmap_model_id);
  for (const int parameter : order) freedom.moves[parameter] = true;
  freedom.one_focal_length = !freedom.moves[P::fy];
  if (!freedom.moves[P::k1])
    for (const int parameter : {P::k1, P::k2, P::p1, P::p2}) freedom.moves[parameter] = true;
  return freedom;
}

ColmapParams camera_to_colmap(const CameraParams<double>& camera, int preferred_id) {
  for (const int id : {preferred_id, 1, 4, 6}) {
    const ColmapCameraModel* model = find_colmap_camera_model(id);
    if (!model || !model->supported || !can_express(id, camera)) continue;
    ColmapParams result{id, {}};
    for (const int parameter : parameter_order(id)) result.params.push_back(camera.value[parameter]);
    return result;
  }
  throw std::invalid_argument("camera_to_colmap: none of COLMAP's camera models has skew");
}

}  // namespace ptl
