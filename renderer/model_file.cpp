#include "renderer/model_file.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "datasets/colmap_cameras.h"
#include "datasets/error.h"
#include "kernels/point_blocks.h"
#include "renderer/config_io.h"
#include "renderer/structure_steps.h"

namespace ptl {

using nlohmann::json;

NamedTensors model_parameters(const SceneModel& model) {
  NamedTensors out;
  out.emplace_back("descriptors", model.descriptors);
  out.emplace_back("background/texels", model.background->texels);
  out.emplace_back("tone/exposure_ev", model.tone->exposure_ev);
  out.emplace_back("tone/white_balance", model.tone->white_balance);
  out.emplace_back("tone/vignette", model.tone->vignette);
  out.emplace_back("tone/response", model.tone->response);
  for (const auto& [name, tensor] : model.network->named_parameters()) out.emplace_back("network/" + name, tensor);
  return out;
}

NamedTensors model_tensors(const SceneModel& model) {
  NamedTensors out;
  out.emplace_back("points/position", model.points.position);
  out.emplace_back("points/radius_over_sqrt_u", model.points.radius_over_sqrt_u);
  out.emplace_back("points/id", model.points.id);
  out.emplace_back("points/color", model.point_color);
  if (model.points.normal.defined()) out.emplace_back("points/normal", model.points.normal);
  if (model.given_position.defined()) out.emplace_back("points/given_position", model.given_position);
  if (model.pose_from_steps.defined()) out.emplace_back("structure/pose_from_steps", model.pose_from_steps);
  for (const auto& [name, tensor] : model_parameters(model)) out.emplace_back(name, tensor.detach());
  return out;
}

namespace {

json pose_json(const Pose<double>& pose) {
  json rows = json::array();
  for (int row = 0; row < 3; ++row)
    rows.push_back({pose.rotation[0][row], pose.rotation[1][row], pose.rotation[2][row], pose.translation[row]});
  return rows;
}

Pose<double> pose_from(const json& rows) {
  Pose<double> pose;
  for (int row = 0; row < 3; ++row) {
    for (int column = 0; column < 3; ++column) pose.rotation[column][row] = rows.at(row).at(column).get<double>();
    pose.translation[row] = rows.at(row).at(3).get<double>();
  }
  return pose;
}

json tangent_json(const Tangent<double>& t) {
  return {t.translation.x, t.translation.y, t.translation.z, t.rotation.x, t.rotation.y, t.rotation.z};
}

void require(bool condition, const SafetensorsFile& file, const std::string& what) {
  if (!condition)
    throw InputError("{}: this model file is damaged: {}; fetch or fit it again", file.path().string(), what);
}

void require_finite(const torch::Tensor& tensor, const SafetensorsFile& file, const std::string& name) {
  if (tensor.is_floating_point()) require(torch::isfinite(tensor).all().item<bool>(), file, name + " is not finite");
}

ModelCamera camera_from(const json& entry, const SafetensorsFile& file) {
  ModelCamera camera;
  camera.id = entry.at("id").get<uint32_t>();
  const int32_t model = entry.at("model").get<int32_t>();
  require(is_camera_model(model), file, fmt::format("camera model {} is not known", model));
  camera.params.model = static_cast<CameraModel>(model);
  camera.params.width_px = entry.at("width_px").get<int32_t>();
  camera.params.height_px = entry.at("height_px").get<int32_t>();
  require(camera.params.width_px > 0 && camera.params.height_px > 0 && camera.params.width_px <= 65535 &&
              camera.params.height_px <= 65535, file, "a camera's size is out of range");
  // Earlier files hold fewer of the zeros behind a model's own parameters.
  const auto read_params = [&](const json& numbers, double* value) {
    const size_t least = static_cast<size_t>(camera_table(camera.params.model).param_count);
    require(numbers.size() >= least && numbers.size() <= camera_param_capacity, file, "a camera has a wrong number of parameters");
    for (size_t i = 0; i < numbers.size(); ++i) {
      value[i] = numbers.at(i).get<double>();
      require(std::isfinite(value[i]), file, "a camera parameter is not finite");
    }
  };
  read_params(entry.at("params"), camera.params.value);
  update_valid_radius(camera.params);
  camera.given = camera.params;
  if (const auto given = entry.find("given_params"); given != entry.end()) {
    read_params(*given, camera.given.value);
    update_valid_radius(camera.given);
  }
  camera.colmap_model_id = entry.value("colmap_model", 6);  // files without it: all parameters, as they were fitted
  const ColmapCameraModel* const known = find_colmap_camera_model(camera.colmap_model_id);
  require(known && known->supported, file, fmt::format("COLMAP's camera model {} is not known", camera.colmap_model_id));
  return camera;
}

ModelImage image_from(const json& entry, size_t cameras, const SafetensorsFile& file) {
  ModelImage image;
  image.id = entry.at("id").get<uint32_t>();
  image.name = entry.at("name").get<std::string>();
  image.camera = entry.at("camera").get<int64_t>();
  require(image.camera >= 0 && image.camera < static_cast<int64_t>(cameras), file, "an image's camera does not exist");
  image.camera_from_world = image.given_camera_from_world = pose_from(entry.at("camera_from_world"));
  if (const auto given = entry.find("given_camera_from_world"); given != entry.end())
    image.given_camera_from_world = pose_from(*given);
  for (const auto& [key, motion] : {std::pair{"readout_motion", &image.readout_motion}, std::pair{"exposure_motion", &image.exposure_motion}})
    if (const auto numbers = entry.find(key); numbers != entry.end()) {
      require(numbers->size() == 6, file, "an image's motion has not six numbers");
      for (int k = 0; k < 6; ++k) {
        double& value = k < 3 ? motion->translation[k] : motion->rotation[k - 3];
        value = numbers->at(static_cast<size_t>(k)).get<double>();
        require(std::isfinite(value), file, "an image's motion is not finite");
      }
    }
  if (!entry.at("exif_ev").is_null()) image.exif_ev = entry.at("exif_ev").get<double>();
  if (const auto time = entry.find("capture_time_s"); time != entry.end()) {
    image.capture_time_s = time->get<double>();
    require(std::isfinite(*image.capture_time_s), file, "an image's time is not finite");
  }
  image.held_out = entry.at("held_out").get<bool>();
  return image;
}

}  // namespace

std::map<std::string, std::string> model_metadata(const SceneModel& model) {
  json cameras = json::array(), images = json::array();
  const auto list = [](const CameraParams<double>& camera) {
    return std::vector<double>(camera.value, camera.value + camera_param_capacity);
  };
  for (const ModelCamera& camera : model.cameras) {
    cameras.push_back({{"id", camera.id},
                       {"model", static_cast<int32_t>(camera.params.model)},
                       {"width_px", camera.params.width_px},
                       {"height_px", camera.params.height_px},
                       {"params", list(camera.params)},
                       {"colmap_model", camera.colmap_model_id}});
    if (list(camera.given) != list(camera.params)) cameras.back()["given_params"] = list(camera.given);
  }
  for (const ModelImage& image : model.images) {
    images.push_back({{"id", image.id},
                      {"name", image.name},
                      {"camera", image.camera},
                      {"camera_from_world", pose_json(image.camera_from_world)},
                      {"exif_ev", image.exif_ev ? json(*image.exif_ev) : json()},
                      {"held_out", image.held_out}});
    if (image.capture_time_s) images.back()["capture_time_s"] = *image.capture_time_s;
    if (moves(image.readout_motion)) images.back()["readout_motion"] = tangent_json(image.readout_motion);
    if (moves(image.exposure_motion)) images.back()["exposure_motion"] = tangent_json(image.exposure_motion);
    if (pose_json(image.given_camera_from_world) != images.back()["camera_from_world"])
      images.back()["given_camera_from_world"] = pose_json(image.given_camera_from_world);
  }
  json scene = {{"name", model.scene_name},
                {"folder", model.scene_folder},
                {"cloud_source", model.cloud_source},
                {"cloud_held_out", model.cloud_held_out},
                {"origin_world", {model.origin_world.x, model.origin_world.y, model.origin_world.z}},
                {"mean_exposure_ev", model.mean_exposure_ev},
                {"radiance_ev", model.radiance_ev},
                {"layers", model.layers},
                {"point_spacing_px", model.point_spacing_px},
                {"median_depth_m", model.median_depth_m}};
  // Not among the images: those are what a scene's fingerprint is made of.
  for (const ModelImage& image : model.images)
    if (image.first_exposure_ev) scene["first_exposure_ev"][image.name] = *image.first_exposure_ev;
  if (model.photo_range) scene["photo_range"] = {model.photo_range->low, model.photo_range->high};
  return {{"format", "pointillist model"},
          {"format_version", std::to_string(model_format_version)},
          {"config", to_toml(model.config)},
          {"scene", scene.dump()},
          {"cameras", cameras.dump()},
          {"images", images.dump()}};
}

void write_model(const std::filesystem::path& path, const SceneModel& model) {
  write_safetensors(path, model_tensors(model), model_metadata(model));
}

SceneModel read_model(const std::filesystem::path& path, torch::Device device) {
  return read_model(SafetensorsFile(path), device);
}

FitConfig read_model_config(const SafetensorsFile& file) {
  const std::string path = file.path().string();
  const auto format = file.metadata().find("format");
  if (format == file.metadata().end() || format->second != "pointillist model")
    throw InputError("{}: not a pointillist model (its metadata has no format 'pointillist model')", path);
  const std::string& version = file.metadata_value("format_version");
  if (version.empty() || version.size() > 6 || version.find_first_not_of("0123456789") != std::string::npos ||
      std::stoi(version) < 1)
    throw InputError("{}: format_version is '{}', expected a whole number from 1", path, version);
  if (std::stoi(version) > model_format_version)
    throw InputError("{}: made by a newer program (format version {}, this one reads up to {}); update pointillist", path,
                     version, model_format_version);
  FitConfig config;
  if (std::stoi(version) < 2) config.raster.holes = HoleFill::background;
  if (std::stoi(version) < 3) config.grow.enabled = false;
  if (std::stoi(version) < 5) config.grow.dense = true, config.structure.even_pose_steps = false;
  if (std::stoi(version) < 6) config.network.init = "random", config.scene.format = "colmap";
  read_toml_string(file.metadata_value("config"), path + ", metadata 'config'", config);
  config.check();
  return config;
}

SceneModel read_model(const SafetensorsFile& file, torch::Device device) {
  const std::string path = file.path().string();
  SceneModel model;
  model.config = read_model_config(file);
  try {
    const json scene = json::parse(file.metadata_value("scene"));
    model.scene_name = scene.at("name").get<std::string>();
    model.scene_folder = scene.at("folder").get<std::string>();
    model.cloud_source = scene.at("cloud_source").get<std::string>();
    model.cloud_held_out = scene.value("cloud_held_out", int64_t{0});
    for (int axis = 0; axis < 3; ++axis) model.origin_world[axis] = scene.at("origin_world").at(axis).get<double>();
    model.mean_exposure_ev = scene.at("mean_exposure_ev").get<double>();
    model.radiance_ev = scene.value("radiance_ev", 0.0);
    require(std::abs(model.radiance_ev) <= 64, file, "radiance_ev is out of range");
    if (scene.contains("photo_range")) {
      const json& range = scene.at("photo_range");
      model.photo_range = LogRange{range.at(0).get<double>(), range.at(1).get<double>()};
      require(std::abs(model.photo_range->low) <= 200 && std::abs(model.photo_range->high) <= 200 && model.photo_range->stops() >= 1,
              file, "photo_range is out of range");
    }
    model.layers = scene.at("layers").get<int>();
    require(model.layers >= 1 && model.layers <= max_pyramid_layers, file, "layers is out of range");
    model.point_spacing_px = scene.value("point_spacing_px", 0.0);
    model.median_depth_m = scene.value("median_depth_m", 0.0);
    const json cameras = json::parse(file.metadata_value("cameras")), images = json::parse(file.metadata_value("images"));
    require(cameras.is_array() && !cameras.empty() && images.is_array() && !images.empty(), file,
            "no cameras or no images");
    for (const json& entry : cameras) model.cameras.push_back(camera_from(entry, file));
    for (const json& entry : images) model.images.push_back(image_from(entry, model.cameras.size(), file));
    if (scene.contains("first_exposure_ev"))
      for (ModelImage& image : model.images)
        if (const auto first = scene.at("first_exposure_ev").find(image.name); first != scene.at("first_exposure_ev").end()) {
          image.first_exposure_ev = first->get<double>();
          require(std::abs(*image.first_exposure_ev) <= 64, file, "an image's first exposure is out of range");
        }
  } catch (const json::exception& error) {
    throw InputError("{}: this model file is damaged: {}", path, error.what());
  }

  const torch::Tensor position = file.read("points/position", torch::kFloat, {-1, 3});
  const int64_t count = position.size(0);
  require(count > 0, file, "it has no points");
  require_finite(position, file, "points/position");
  torch::Tensor bounds = torch::empty({(count + points_per_block - 1) / points_per_block, 6}, torch::kFloat);
  compute_block_bounds(Device{}, position.const_data_ptr<float>(), count, bounds.mutable_data_ptr<float>());
  model.points.position = position.to(device);
  model.points.block_bounds = bounds.to(device);
  model.points.radius_over_sqrt_u = file.read("points/radius_over_sqrt_u", torch::kFloat, {count}).to(device);
  model.points.id = file.read("points/id", torch::kLong, {count}).to(device);
  if (file.contains("points/normal"))
    model.points.normal = file.read("points/normal", torch::kFloat, {count, 3}).to(device);
  if (file.contains("points/given_position")) {
    model.given_position = file.read("points/given_position", torch::kFloat, {count, 3}).to(device);
    require_finite(model.given_position, file, "points/given_position");
  }
  if (file.contains("structure/pose_from_steps")) {
    model.pose_from_steps =
        file.read("structure/pose_from_steps", torch::kDouble, {static_cast<int64_t>(model.images.size()), 6, 6});
    require_finite(model.pose_from_steps, file, "structure/pose_from_steps");
  }
  if (!(model.median_depth_m > 0)) model.median_depth_m = median_depth_m(model);  // of a file before version 4
  model.point_color = file.read("points/color", torch::kByte, {count, 3});
  model.descriptors = torch::empty({count, model.config.raster.channels}, torch::kFloat).to(device).requires_grad_(true);
  make_modules(model, device);
  torch::NoGradGuard no_gradient;
  for (auto& [name, tensor] : model_parameters(model)) {
    const torch::Tensor value = file.read(name, tensor.scalar_type(), tensor.sizes().vec());
    require_finite(value, file, name);
    torch::Tensor target = tensor;
    target.copy_(value);
  }
  return model;
}

}  // namespace ptl
