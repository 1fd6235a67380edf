#include "renderer/scene_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "datasets/error.h"
#include "kernels/tone.h"
#include "renderer/structure_steps.h"

namespace ptl {

std::vector<int64_t> SceneModel::training_images() const {
  std::vector<int64_t> indices;
  for (size_t i = 0; i < images.size(); ++i)
    if (!images[i].held_out) indices.push_back(static_cast<int64_t>(i));
  return indices;
}

std::vector<int64_t> SceneModel::held_out_images() const {
  std::vector<int64_t> indices;
  for (size_t i = 0; i < images.size(); ++i)
    if (images[i].held_out) indices.push_back(static_cast<int64_t>(i));
  return indices;
}

std::vector<int64_t> SceneModel::neighbour_order() const {
  std::vector<int64_t> order(images.size());
  std::iota(order.begin(), order.end(), 0);
  const auto timed = [](const ModelImage& image) { return image.capture_time_s.has_value(); };
  if (std::all_of(images.begin(), images.end(), timed))
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return *images[static_cast<size_t>(a)].capture_time_s < *images[static_cast<size_t>(b)].capture_time_s;
    });
  return order;
}

int64_t SceneModel::image_index(const std::string& name) const {
  std::string near;
  int shown = 0;
  for (size_t i = 0; i < images.size(); ++i) {
    if (images[i].name == name) return static_cast<int64_t>(i);
    if (shown < 5 && images[i].name.find(name) != std::string::npos) {
      near += (shown ? ", " : "") + images[i].name;
      ++shown;
    }
  }
  throw InputError("image '{}' is not one of the model's {} images{}", name, images.size(),
                   near.empty() ? "; the first is " + images.front().name : "; did you mean " + near + "?");
}

std::string name_of(const Scene& scene) {
  const std::filesystem::path folder = std::filesystem::absolute(scene.folder).lexically_normal();
  return folder.filename().empty() ? folder.parent_path().filename().string() : folder.filename().string();
}

float color_descriptor(float srgb, double radiance_ev, bool log_descriptors) {
  const float linear = std::pow(std::max(srgb, 0.0f), static_cast<float>(initial_response_gamma)) * static_cast<float>(std::exp2(radiance_ev));
  return log_descriptors ? std::log(std::max(linear, 1e-3f)) : linear;
}

double radiance_ev_of(const std::vector<Vec3<float>>& color_srgb) {
  std::vector<float> luminance;
  luminance.reserve(color_srgb.size());
  for (const Vec3<float>& color : color_srgb)
    luminance.push_back(0.2126f * color_descriptor(color.x, 0, false) + 0.7152f * color_descriptor(color.y, 0, false) +
                        0.0722f * color_descriptor(color.z, 0, false));
  if (luminance.empty()) return 0;
  const auto middle = luminance.begin() + static_cast<std::ptrdiff_t>(luminance.size() / 2);
  std::nth_element(luminance.begin(), middle, luminance.end());
  return std::clamp(std::log2(pretrained_luminance / std::max(1e-6, static_cast<double>(*middle))), -4.0, 4.0);
}

double initial_exposure_ev(const SceneModel& model, const ModelImage& image) {
  if (image.first_exposure_ev) return *image.first_exposure_ev;
  if (model.photo_range) return 0;  // the files are in one scale, and a value of the middle is as bright as networks know it
  return (image.exif_ev ? *image.exif_ev - model.mean_exposure_ev : 0.0) + model.radiance_ev;
}

PointCloud model_cloud(const SceneModel& model) {
  const auto count = static_cast<size_t>(model.points.size());
  const auto rows = [&](const torch::Tensor& tensor, std::vector<Vec3<float>>& out) {
    out.resize(count);
    const torch::Tensor on_cpu = tensor.to(torch::kCPU);
    std::copy_n(on_cpu.const_data_ptr<float>(), 3 * count, &out[0].x);
  };
  PointCloud cloud;
  rows(model.points.position, cloud.position);
  if (model.points.normal.defined()) rows(model.points.normal, cloud.normal);
  cloud.color.resize(count);
  std::copy_n(model.point_color.const_data_ptr<uint8_t>(), 3 * count, cloud.color[0].data());
  return cloud;
}

NetworkConfig network_config(const FitConfig& config, int layers) {
  NetworkConfig network;
  network.kind = config.network.kind;
  network.levels = layers;
  network.in_channels = config.raster.channels + (config.raster.coverage_channel ? 1 : 0);
  network.feature_factor = config.network.feature_factor;
  network.light_channels = config.network.light_channels;
  network.check();
  return network;
}

void make_modules(SceneModel& model, torch::Device device) {
  const FitConfig& config = model.config;
  EnvironmentMapOptions background;
  background.environment = config.environment.enabled;
  background.height = config.environment.height;
  background.width = config.environment.width;
  background.channels = config.raster.channels;
  background.log_descriptors = config.raster.log_descriptors;
  model.background = EnvironmentMap(background);
  model.background->to(device);

  ToneMapperOptions tone;
  tone.num_images = static_cast<int64_t>(model.images.size());
  tone.num_cameras = static_cast<int64_t>(model.cameras.size());
  for (const ModelImage& image : model.images) {
    tone.camera_of_image.push_back(image.camera);
    tone.exposure_ev.push_back(initial_exposure_ev(model, image));
  }
  tone.training_images = model.training_images();
  tone.log_stops = model.photo_range ? model.photo_range->stops() : 0;
  model.tone = ToneMapper(tone);

  model.network = std::make_shared<NeuralRenderer>(network_config(config, model.layers),
                                                   static_cast<uint64_t>(config.seed), device);
}

namespace {

torch::Tensor initial_descriptors(const PreparedPoints& points, const FitConfig& config, double radiance_ev) {
  const auto count = static_cast<int64_t>(points.size());
  const int channels = config.raster.channels;
  torch::Tensor descriptors = torch::empty({count, channels}, torch::kFloat);
  float* out = descriptors.mutable_data_ptr<float>();
  const DescriptorInit init = config.raster.descriptor_init;
  for (int64_t i = 0; i < count; ++i)
    for (int c = 0; c < channels; ++c) {
      float& value = out[i * channels + c];
      if (init != DescriptorInit::uniform && c < 3)
        value = color_descriptor(points.color_srgb[static_cast<size_t>(i)][c], radiance_ev, config.raster.log_descriptors);
      else if (config.raster.log_descriptors)
        value = std::log(0.5f);
      else if (init == DescriptorInit::color_only)
        value = 0;
      else
        value = draw_unit(static_cast<uint64_t>(config.seed), DrawPurpose::descriptor_init,
                          points.id[static_cast<size_t>(i)], static_cast<uint64_t>(c));
    }
  return descriptors;
}

/// Behind points that begin with their colours, their mean colour: black holes would take a short fit long to fill. The
/// other channels stay recognisable (method section 4). Summed in order, whatever the number of threads.
void color_background(SceneModel& model) {
  constexpr int colors = 3;
  const int64_t count = model.descriptors.size(0), channels = model.descriptors.size(1);
  const torch::Tensor descriptors = model.descriptors.detach().to(torch::kCPU).contiguous();
  const float* value = descriptors.const_data_ptr<float>();
  torch::NoGradGuard no_gradient;
  for (int64_t c = 0; c < std::min<int64_t>(colors, channels); ++c) {
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(value[i * channels + c]);
    model.background->texels.select(-1, c).fill_(sum / static_cast<double>(count));
  }
}

template <class T>
torch::Tensor copied(const std::vector<T>& values, std::vector<int64_t> shape, torch::ScalarType type) {
  torch::Tensor tensor = torch::empty(shape, type);
  std::memcpy(tensor.mutable_data_ptr(), values.data(), values.size() * sizeof(T));
  return tensor;
}

}  // namespace

SceneModel make_scene_model(const Scene& scene, const Split& split, const PreparedPoints& points,
                            const FitConfig& config, int layers, torch::Device device) {
  SceneModel model;
  model.config = config;
  model.scene_name = name_of(scene);
  model.scene_folder = std::filesystem::absolute(scene.folder).lexically_normal().string();
  model.cloud_source = scene.cloud_source;
  model.origin_world = scene.origin_world;
  model.layers = config.raster.layers ? config.raster.layers : layers;

  for (const SceneCamera& camera : scene.cameras)
    model.cameras.push_back({camera.id, camera.params, camera.params, camera.colmap_model_id});
  for (const SceneImage& image : scene.images) {
    ModelImage entry;
    entry.id = image.id;
    entry.name = image.name;
    entry.camera = &scene.camera_of(image) - scene.cameras.data();
    entry.camera_from_world = entry.given_camera_from_world = image.camera_from_world;
    entry.exif_ev = image.exposure_ev;
    entry.capture_time_s = image.capture_time_s;
    model.images.push_back(std::move(entry));
  }
  for (const int index : split.held_out) {
    ModelImage& image = model.images[static_cast<size_t>(index)];
    image.held_out = true;
    model.cloud_held_out += std::count(scene.cloud_photos.begin(), scene.cloud_photos.end(), image.name);
  }
  double sum = 0;
  int known = 0;
  for (const ModelImage& image : model.images)
    if (!image.held_out && image.exif_ev) {
      sum += *image.exif_ev;
      ++known;
    }
  model.mean_exposure_ev = known ? sum / known : 0.0;
  model.photo_range = scene.photo_range;
  if (config.raster.descriptor_init == DescriptorInit::color_only && !model.photo_range) model.radiance_ev = radiance_ev_of(points.color_srgb);

  const auto count = static_cast<int64_t>(points.size());
  model.points.position = copied(points.position, {count, 3}, torch::kFloat).to(device);
  model.points.radius_over_sqrt_u = copied(points.radius_over_sqrt_u, {count}, torch::kFloat).to(device);
  model.points.id = copied(points.id, {count}, torch::kLong).to(device);
  if (!points.normal.empty()) model.points.normal = copied(points.normal, {count, 3}, torch::kFloat).to(device);
  torch::Tensor bounds = torch::empty({static_cast<int64_t>(points.blocks()), 6}, torch::kFloat);
  for (size_t b = 0; b < points.blocks(); ++b)
    for (int axis = 0; axis < 3; ++axis) {
      bounds.mutable_data_ptr<float>()[6 * b + static_cast<size_t>(axis)] = points.block_low[b][axis];
      bounds.mutable_data_ptr<float>()[6 * b + 3 + static_cast<size_t>(axis)] = points.block_high[b][axis];
    }
  model.points.block_bounds = bounds.to(device);
  model.median_depth_m = median_depth_m(model);
  model.point_color = torch::empty({count, 3}, torch::kByte);
  for (int64_t i = 0; i < count; ++i)
    for (int c = 0; c < 3; ++c)
      model.point_color.mutable_data_ptr<uint8_t>()[3 * i + c] = static_cast<uint8_t>(
          std::lround(std::clamp(points.color_srgb[static_cast<size_t>(i)][c], 0.0f, 1.0f) * 255.0f));
  model.descriptors = initial_descriptors(points, config, model.radiance_ev).to(device).requires_grad_(true);
  make_modules(model, device);
  if (config.raster.descriptor_init != DescriptorInit::uniform) color_background(model);
  return model;
}

}  // namespace ptl
