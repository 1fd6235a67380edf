// Everything that a fit optimises and everything that a rendering needs: points, cameras, images, network, background,
// tone mapping. One file of it renders anywhere (renderer/model_file.h).
#pragma once

#include <torch/torch.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "datasets/prepare.h"
#include "datasets/scene.h"
#include "datasets/split.h"
#include "renderer/config.h"
#include "renderer/environment_map.h"
#include "renderer/network.h"
#include "renderer/rasterize.h"
#include "renderer/tone_mapper.h"

namespace ptl {

struct ModelCamera {
  uint32_t id = 0;
  CameraParams<double> params;  ///< at the used resolution, as fitted
  CameraParams<double> given;   ///< as read
  int32_t colmap_model_id = 6;  ///< as read: which parameters there are to fit (datasets/colmap_cameras.h)
};

struct ModelImage {
  uint32_t id = 0;
  std::string name;
  int64_t camera = 0;  ///< index into SceneModel::cameras
  Pose<double> camera_from_world;        ///< as fitted
  Pose<double> given_camera_from_world;  ///< as read
  Tangent<double> readout_motion;        ///< of a rolling shutter (kernels/row_pose.h); zero unless it was fitted
  Tangent<double> exposure_motion;       ///< motion blur (renderer/motion_blur.h); zero unless it was fitted
  std::optional<double> exif_ev;
  std::optional<double> first_exposure_ev;  ///< relative to the scene's mean: what a fit began with, where not with EXIF's (first_light.h)
  std::optional<double> capture_time_s;
  bool held_out = false;
};

struct SceneModel {
  FitConfig config;
  std::string scene_name;
  std::string scene_folder;        ///< where the photos were; eval --scene says where they went
  std::string cloud_source;
  int64_t cloud_held_out = 0;      ///< held-out photos among those that the cloud's file says it was made from
  Vec3<double> origin_world{0};
  double mean_exposure_ev = 0;     ///< of the training images with EXIF: the zero of ToneMapper's exposures
  double radiance_ev = 0;          ///< stops by which the model's radiance is brighter than the photos' (initial_exposure_ev)
  std::optional<LogRange> photo_range;  ///< of HDR photos: what the values are that the tone mapper makes (datasets/log_range.h)
  int layers = 4;                  ///< of the pyramid, chosen or configured
  double point_spacing_px = 0;     ///< of the points as read, in the training photos (datasets/prepare.h); 0: not known
  double median_depth_m = 1;       ///< of points in training images, as read (renderer/structure_steps.h)
  std::vector<ModelCamera> cameras;
  std::vector<ModelImage> images;  ///< in capture order
  PointTensors points;
  torch::Tensor point_color;       ///< [N, 3] uint8, sRGB, as read
  torch::Tensor given_position;    ///< [N, 3] float: where points began, in fits that move them; else undefined
  torch::Tensor pose_from_steps;   ///< [images, 6, 6] double: how poses step, in fits that move them (renderer/pose_steps.h)
  torch::Tensor descriptors;       ///< [N, C], trainable
  EnvironmentMap background{nullptr};
  ToneMapper tone{nullptr};
  std::shared_ptr<NeuralRenderer> network;

  torch::Device device() const { return descriptors.device(); }
  const ModelCamera& camera_of(int64_t image) const {
    return cameras[static_cast<size_t>(images[static_cast<size_t>(image)].camera)];
  }
  std::vector<int64_t> training_images() const;
  std::vector<int64_t> held_out_images() const;
  /// Indices of the images in the order in which neighbours are looked for: by EXIF time where all images have it, else by
  /// name (method section 9).
  std::vector<int64_t> neighbour_order() const;
  /// Index of the image with this name. InputError that lists near names.
  int64_t image_index(const std::string& name) const;
};

/// The points without what is fitted to them: positions, colours, normals where there are any; on the CPU.
PointCloud model_cloud(const SceneModel& model);

/// The last part of the folder's path: what figures call the scene.
std::string name_of(const Scene& scene);

/// Where a colour channel of a descriptor begins, from the photo's value: linear, since the network's output is (the
/// response's initial exponent undone), and brighter by radiance_ev stops.
float color_descriptor(float srgb, double radiance_ev, bool log_descriptors);

/// Stops from the points' own brightness to the one that pretrained networks know: their median luminance, linear, becomes
/// pretrained_luminance. Within ±4.
double radiance_ev_of(const std::vector<Vec3<float>>& color_srgb);
inline constexpr double pretrained_luminance = 0.18;

/// Where the exposure of an image begins, relative to the model's radiance.
double initial_exposure_ev(const SceneModel& model, const ModelImage& image);

/// How the network of a configuration is built.
NetworkConfig network_config(const FitConfig& config, int layers);

/// The model before its first step. `layers`: used where the configuration leaves them open.
SceneModel make_scene_model(const Scene& scene, const Split& split, const PreparedPoints& points,
                            const FitConfig& config, int layers, torch::Device device = torch::kCPU);

/// Modules with the right shapes for `model`'s config, images and cameras; parameters at their initial values.
void make_modules(SceneModel& model, torch::Device device);

}  // namespace ptl
