#include "renderer/raster_call.h"

namespace ptl {
namespace {

constexpr size_t integer_count = 12, real_count = 1 + camera_param_capacity + 12 + 6 + 3 + 3;

}  // namespace

std::vector<int64_t> raster_integers(const CameraParams<double>& camera, const Crop& crop, const RasterConfig& config,
                                     RasterDriver driver) {
  return {static_cast<int64_t>(camera.model),
          camera.width_px,
          camera.height_px,
          crop.width_px,
          crop.height_px,
          config.layers,
          config.cull_backfaces,
          static_cast<int64_t>(config.seed),
          static_cast<int64_t>(config.step),
          static_cast<int64_t>(config.image_id),
          static_cast<int64_t>(config.crop_index),
          static_cast<int64_t>(driver)};
}

std::vector<double> raster_reals(const CameraParams<double>& camera, const RowPoses& poses, const Crop& crop,
                                 const RasterConfig& config) {
  std::vector<double> reals = {camera.valid_radius};
  reals.insert(reals.end(), camera.value, camera.value + camera_param_capacity);
  for (int column = 0; column < 3; ++column)
    for (int row = 0; row < 3; ++row) reals.push_back(poses.camera_from_world.rotation[column][row]);
  for (const Vec3<double>& v : {poses.camera_from_world.translation, poses.readout_motion.translation, poses.readout_motion.rotation})
    reals.insert(reals.end(), {v.x, v.y, v.z});
  reals.insert(reals.end(), {crop.zoom, crop.offset_x_px, crop.offset_y_px, config.footprint_threshold_px,
                             config.depth_tolerance, config.dropout});
  return reals;
}

RasterCall raster_call_from(at::IntArrayRef integers, at::ArrayRef<double> reals) {
  TORCH_CHECK(integers.size() == integer_count && reals.size() == real_count, "rasterize: expected ", integer_count,
              " integers and ", real_count, " reals, found ", integers.size(), " and ", reals.size());
  TORCH_CHECK(is_camera_model(static_cast<int32_t>(integers[0])), "rasterize: no such camera model: ", integers[0]);
  RasterCall call;
  CameraParams<float>& camera = call.view.camera;
  camera.model = static_cast<CameraModel>(integers[0]);
  camera.width_px = static_cast<int32_t>(integers[1]);
  camera.height_px = static_cast<int32_t>(integers[2]);
  camera.valid_radius = static_cast<float>(reals[0]);
  const double* next = reals.data() + 1;
  for (float& value : camera.value) value = static_cast<float>(*next++);
  for (int column = 0; column < 3; ++column)
    for (int row = 0; row < 3; ++row) call.view.camera_from_world.rotation[column][row] = *next++;
  Tangent<double>& motion = call.view.readout_motion;
  for (Vec3<double>* const v : {&call.view.camera_from_world.translation, &motion.translation, &motion.rotation})
    for (int row = 0; row < 3; ++row) (*v)[row] = *next++;
  call.view.crop = {static_cast<float>(next[0]), static_cast<float>(next[1]), static_cast<float>(next[2]),
                    static_cast<int32_t>(integers[3]), static_cast<int32_t>(integers[4])};
  call.config.layers = static_cast<int>(integers[5]);
  call.config.cull_backfaces = integers[6] != 0;
  call.config.seed = static_cast<uint64_t>(integers[7]);
  call.config.step = static_cast<uint64_t>(integers[8]);
  call.config.image_id = static_cast<uint64_t>(integers[9]);
  call.config.crop_index = static_cast<uint64_t>(integers[10]);
  call.driver = static_cast<RasterDriver>(integers[11]);
  call.config.footprint_threshold_px = static_cast<float>(next[3]);
  call.config.depth_tolerance = static_cast<float>(next[4]);
  call.config.dropout = static_cast<float>(next[5]);
  return call;
}

void check_raster_tensor(const char* caller, const char* name, const torch::Tensor& t, torch::ScalarType type,
                         at::IntArrayRef shape, const torch::Tensor& like) {
  bool fits = t.defined() && t.scalar_type() == type && t.dim() == static_cast<int64_t>(shape.size());
  for (size_t i = 0; fits && i < shape.size(); ++i) fits = t.size(static_cast<int64_t>(i)) == shape[i];
  TORCH_CHECK(fits, caller, ": ", name, ": expected ", type, " ", shape, ", found ",
              t.defined() ? c10::str(t.scalar_type(), " ", t.sizes()) : std::string("nothing"));
  TORCH_CHECK(t.is_contiguous(), caller, ": ", name, ": expected a contiguous tensor");
  TORCH_CHECK(t.device() == like.device(), caller, ": ", name, ": expected device ", like.device(), ", found ",
              t.device());
}

}  // namespace ptl
