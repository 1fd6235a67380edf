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
    {5, "OPENCV_FISHEYE", 8, true},
    {6, "FULL_OPENCV", 12, true},
    {7, "FOV", 5, true},
    {8, "SIMPLE_RADIAL_FISHEYE", 4, true},
    {9, "RADIAL_FISHEYE", 5, true},
    {10, "THIN_PRISM_FISHEYE", 12, true},
    {11, "RAD_TAN_THIN_PRISM_FISHEYE", 16, true},
    {12, "SIMPLE_DIVISION", 4, true},
    {13, "DIVISION", 5, true},
    {14, "SIMPLE_FISHEYE", 3, true},
    {15, "FISHEYE", 4, true},
    {16, "EUCM", 6, true},
    {17, "EQUIRECTANGULAR", 2, true},
    {ocam_model_id, "OCAM", OcamModel::param_count, true},
};
constexpr int largest_colmap_id = 17;

std::string supported_names() {
  std::string names;
  for (const ColmapCameraModel& model : models)
    if (model.id <= largest_colmap_id) names += (names.empty() ? "" : ", ") + std::string(model.name);
  return names;
}

using P = PinholeModel;
using F = FisheyeModel;

/// Which of our models one of COLMAP's is, and which of its parameters each of COLMAP's is, in its order.
struct Mapping {
  CameraModel model;
  std::vector<int> order;
};

std::vector<int> in_order(int count, bool without_skew = true) {
  std::vector<int> order;
  for (int k = 0; k < count; ++k)
    if (!without_skew || k != P::skew) order.push_back(k);
  return order;
}

const Mapping& mapping_of(int id) {
  using enum CameraModel;
  static const Mapping mappings[] = {
      {pinhole, {P::fx, P::cx, P::cy}},
      {pinhole, {P::fx, P::fy, P::cx, P::cy}},
      {pinhole, {P::fx, P::cx, P::cy, P::k1}},
      {pinhole, {P::fx, P::cx, P::cy, P::k1, P::k2}},
      {pinhole, {P::fx, P::fy, P::cx, P::cy, P::k1, P::k2, P::p1, P::p2}},
      {fisheye, {F::fx, F::fy, F::cx, F::cy, F::k1, F::k2, F::k3, F::k4}},
      {pinhole, {P::fx, P::fy, P::cx, P::cy, P::k1, P::k2, P::p1, P::p2, P::k3, P::k4, P::k5, P::k6}},
      {fov, in_order(FovModel::param_count)},
      {fisheye, {F::fx, F::cx, F::cy, F::k1}},
      {fisheye, {F::fx, F::cx, F::cy, F::k1, F::k2}},
      {fisheye, in_order(F::param_count)},
      {rad_tan_thin_prism_fisheye, in_order(RadTanThinPrismFisheyeModel::param_count)},
      {division, {DivisionModel::fx, DivisionModel::cx, DivisionModel::cy, DivisionModel::k}},
      {division, in_order(DivisionModel::param_count)},
      {fisheye, {F::fx, F::cx, F::cy}},
      {fisheye, {F::fx, F::fy, F::cx, F::cy}},
      {eucm, in_order(EucmModel::param_count)},
      {equirectangular, {}}};
  static const Mapping of_ocam{ocam, in_order(OcamModel::param_count, false)};
  return id == ocam_model_id ? of_ocam : mappings[id];
}

bool has_focal_length(CameraModel model) { return model != CameraModel::equirectangular && model != CameraModel::ocam; }

/// Whether a model can say what the camera's parameters are.
bool can_express(int id, const CameraParams<double>& camera) {
  const Mapping& mapping = mapping_of(id);
  if (mapping.model != camera.model) return false;
  const auto has = [&](int parameter) {
    return std::find(mapping.order.begin(), mapping.order.end(), parameter) != mapping.order.end();
  };
  if (!has_focal_length(camera.model)) return true;
  constexpr double rounding = 1e-12;  // of a reduced photo's focal lengths scaled back
  if (!has(P::fy) && std::abs(camera.value[P::fy] - camera.value[P::fx]) > rounding * camera.value[P::fx]) return false;
  for (int k = P::cx; k < camera_table(camera.model).param_count; ++k)
    if (!has(k) && camera.value[k] != 0) return false;
  return true;
}

/// What a model's numbers cannot be, where its formula has no meaning then.
void check_range(const ColmapCameraModel& model, const CameraParams<double>& camera, const std::string& where) {
  const auto expect = [&](const char* name, double value, double low, double high) {
    if (!(value >= low && value <= high))
      throw InputError("{}: expected {} of camera model {} from {} to {}, found {}; calibrate the camera again", where,
                       name, model.name, low, high, value);
  };
  if (camera.model == CameraModel::eucm) {
    expect("alpha", camera.value[EucmModel::alpha], 0, 1);
    expect("beta", camera.value[EucmModel::beta], 1e-3, 1e3);
  }
  if (camera.model == CameraModel::fov) expect("omega", camera.value[FovModel::omega], -3.1, 3.1);
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
  const ColmapCameraModel* const model = find_colmap_camera_model(id);
  if (model && model->id <= largest_colmap_id) return *model;
  if (model)
    throw InputError("{}: COLMAP has no camera model for the lens {}; write another format", file.string(), model->name);
  throw InputError("{}: expected the number of one of COLMAP's camera models (0 to {}), found {}; is the file damaged?",
                   file.string(), largest_colmap_id, id);
}

const ColmapCameraModel& colmap_camera_model(std::string_view name, const std::filesystem::path& file) {
  const ColmapCameraModel* const model = find_colmap_camera_model(name);
  if (model && model->id <= largest_colmap_id) return *model;
  throw InputError("{}: expected the name of one of COLMAP's camera models, found '{}'; supported are {}",
                   file.string(), name, supported_names());
}

CameraParams<double> camera_from_colmap(int id, const std::vector<double>& params, int width_px, int height_px,
                                        const std::filesystem::path& model_folder) {
  const std::string where = model_folder.string() + " (cameras.bin or cameras.txt)";
  const ColmapCameraModel* const known = find_colmap_camera_model(id);
  const ColmapCameraModel& model = known ? *known : colmap_camera_model(id, where);
  if (static_cast<int>(params.size()) != model.param_count)
    throw InputError("{}: expected {} parameters for camera model {}, found {}", where, model.param_count, model.name,
                     params.size());
  const Mapping& mapping = mapping_of(id);
  CameraParams<double> camera;
  camera.model = mapping.model;
  camera.width_px = width_px;
  camera.height_px = height_px;
  for (const double value : params)
    if (!std::isfinite(value)) throw InputError("{}: expected finite camera parameters, found {}", where, value);
  for (size_t i = 0; i < mapping.order.size(); ++i) camera.value[mapping.order[i]] = params[i];
  if (camera.model == CameraModel::equirectangular && (params[0] != width_px || params[1] != height_px))
    throw InputError(
        "{}: expected a camera of the model {} to be of its photo's size, {} x {}, found {} x {}; crop or enlarge the "
        "photos to the whole sphere",
        where, model.name, width_px, height_px, params[0], params[1]);
  if (has_focal_length(camera.model)) {
    if (mapping.order[1] != P::fy) camera.value[P::fy] = camera.value[P::fx];
    if (!(camera.value[P::fx] > 0 && camera.value[P::fy] > 0))
      throw InputError("{}: expected a focal length greater than 0, found {} × {} px", where, camera.value[P::fx],
                       camera.value[P::fy]);
  }
  check_range(model, camera, where);
  update_valid_radius(camera);
  return camera;
}

CameraFreedom camera_freedom(int colmap_model_id) {
  if (!find_colmap_camera_model(colmap_model_id))
    throw std::invalid_argument("camera_freedom: camera model " + std::to_string(colmap_model_id) +
                                " is not supported");
  CameraFreedom freedom;
  const Mapping& mapping = mapping_of(colmap_model_id);
  if (mapping.model == CameraModel::ocam) {
    using O = OcamModel;
    for (const int parameter : {O::c, O::centre_row, O::centre_column}) freedom.moves[parameter] = true;
    for (int k = O::a0; k < O::a0 + 6; ++k) freedom.moves[k] = true;
    return freedom;
  }
  for (const int parameter : mapping.order) freedom.moves[parameter] = true;
  freedom.one_focal_length = has_focal_length(mapping.model) && !freedom.moves[P::fy];
  const bool distorted = mapping.order.size() > (freedom.one_focal_length ? 3 : 4);
  if (mapping.model == CameraModel::pinhole && !distorted)
    for (const int parameter : {P::k1, P::k2, P::p1, P::p2}) freedom.moves[parameter] = true;
  if (mapping.model == CameraModel::fisheye && !distorted)
    for (const int parameter : {F::k1, F::k2, F::k3, F::k4}) freedom.moves[parameter] = true;
  return freedom;
}

ColmapParams camera_to_colmap(const CameraParams<double>& camera, int preferred_id) {
  if (camera.model == CameraModel::equirectangular)
    return {17, {static_cast<double>(camera.width_px), static_cast<double>(camera.height_px)}};
  for (const int id : {preferred_id, 1, 4, 6, 15, 5, 10, 13, 7, 11, 16, ocam_model_id}) {
    if (!find_colmap_camera_model(id) || !can_express(id, camera)) continue;
    ColmapParams result{id, {}};
    for (const int parameter : mapping_of(id).order) result.params.push_back(camera.value[parameter]);
    return result;
  }
  throw std::invalid_argument("camera_to_colmap: none of COLMAP's camera models has skew");
}

}  // namespace ptl
