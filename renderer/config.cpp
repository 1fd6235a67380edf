#include "renderer/config.h"

#include "datasets/error.h"
#include "renderer/check_range.h"

namespace ptl {

namespace {

GroupConfig group(const char* name, OptimizerKind kind, double learning_rate, double epsilon) {
  GroupConfig config;
  config.name = name;
  config.kind = kind;
  config.learning_rate = learning_rate;
  config.epsilon = epsilon;
  return config;
}

constexpr RangeCheck check_range{"configuration"};

}  // namespace

// Rates: network and photometric groups as method section 9 ("as TRIPS"); descriptors and network are faster than ADOP's
// since short fits make hundreds of times fewer steps (docs/presets.md).
GroupSettings::GroupSettings()
    : network(group("network", OptimizerKind::adam, 1.5e-3, 1e-8)),
      descriptors(group("descriptors", OptimizerKind::sparse_adam, 0.1, 1e-15)),
      background(group("background", OptimizerKind::adam, 4e-3, 1e-15)),
      environment(group("environment", OptimizerKind::sparse_adam, 0.05, 1e-15)),
      exposure(group("exposure", OptimizerKind::sparse_adam, 5e-4, 1e-15)),
      white_balance(group("white_balance", OptimizerKind::sparse_adam, 5e-4, 1e-15)),
      response(group("response", OptimizerKind::adam, 1e-3, 1e-15)),
      vignette(group("vignette", OptimizerKind::sparse_adam, 1e-4, 1e-15)),
      points(group("points", OptimizerKind::sparse_adam, 1e-5, 1e-15)),
      poses(group("poses", OptimizerKind::sparse_adam, 5e-4, 1e-15)),
      intrinsics(group("intrinsics", OptimizerKind::sparse_adam, 1e-4, 1e-15)),
      distortion(group("distortion", OptimizerKind::sparse_adam, 1e-3, 1e-15)),
      rolling_shutter(group("rolling_shutter", OptimizerKind::sparse_adam, 4e-3, 1e-15)),
      motion_blur(group("motion_blur", OptimizerKind::sparse_adam, 4e-3, 1e-15)) {
  for (GroupConfig* structure : {&points, &poses, &intrinsics, &distortion, &rolling_shutter, &motion_blur}) structure->frozen = true;
}

void FitConfig::check() const {
  check_range("steps", steps, int64_t{0}, int64_t{1} << 40);
  check_range("epochs", epochs, int64_t{0}, int64_t{1} << 30);
  check_range("minutes", minutes, 0.0, 1e6);
  check_range("photometric_lock", photometric_lock, 0.0, 1.0);
  check_range("raster.layers", raster.layers, 0, 10);
  check_range("raster.channels", raster.channels, 1, 16);
  check_range("raster.footprint_threshold", raster.footprint_threshold, 0.0, 100.0);
  check_range("raster.depth_tolerance", raster.depth_tolerance, 0.0, 10.0);
  check_range("raster.dropout", raster.dropout, 0.0, 0.99);
  check_range("raster.densify", raster.densify, 1, 64);
  check_range("network.lock", network.lock, 0.0, 1.0);
  check_range("environment.height", environment.height, 2, 16384);
  check_range("environment.width", environment.width, 2, 32768);
  check_range("crop.size_px", crop.size_px, 32, 4096);
  check_range("crop.images_per_step", crop.images_per_step, 1, 64);
  check_range("crop.crops_per_image", crop.crops_per_image, 1, 64);
  check_range("crop.zoom_low", crop.zoom_low, 0.05, 20.0);
  check_range("crop.zoom_high", crop.zoom_high, crop.zoom_low, 20.0);
  check_range("scene.image_scale", scene.image_scale, 1e-3, 1.0);
  check_range("scene.max_size_px", scene.max_size_px, 0, 1 << 20);
  check_range("dense.max_points", dense.max_points, int64_t{1}, int64_t{1} << 31);
  if (dense.stereo_size_px != 0) check_range("dense.stereo_size_px", dense.stereo_size_px, 64, 8192);
  check_range("grow.events", grow.events, 1, 100);
  check_range("grow.begin", grow.begin, 0.0, 1.0);
  check_range("grow.end", grow.end, grow.begin, 1.0);
  check_range("grow.points_per_event", grow.points_per_event, int64_t{0}, int64_t{1} << 30);
  check_range("grow.max_points", grow.max_points, int64_t{1}, int64_t{1} << 31);
  check_range("grow.photos", grow.photos, 2, 10000);
  check_range("grow.side_px", grow.side_px, 64, 8192);
  check_range("grow.drop_gain", grow.drop_gain, 0.0, 1.0);
  check_range("grow.drop_share", grow.drop_share, 0.0, 0.9);
  check_range("structure.lock", structure.lock, 0.0, 1.0);
  check_range("structure.motion_blur_lock", structure.motion_blur_lock, 0.0, 1.0);
  check_range("structure.max_pose_shift", structure.max_pose_shift, 0.0, 3.0);
  check_range("structure.max_point_shift", structure.max_point_shift, 0.0, 100.0);
  loss.check();
  schedule.check();
  if (loss.w_vgg > 0 && vgg_weights.empty())
    throw InputError("configuration: loss.w_vgg is {}, but no vgg_weights file is given; "
                     "scripts/experiments/export_vgg.py makes one", loss.w_vgg);
  for (const GroupConfig* group : GroupSettings(groups).all()) group->check();
}

void fix_light(FitConfig& config) {
  for (GroupConfig* light : {&config.groups.exposure, &config.groups.white_balance, &config.groups.response}) light->frozen = true;
}

FitConfig preset_config(const std::string& name) {
  FitConfig config;
  config.preset = name;
  if (name == "quick") {
    config.minutes = 5;
    return config;
  }
  if (name == "standard") {
    config.minutes = 60;
    config.crop.size_px = 320;
    config.crop.images_per_step = 2;
    config.schedule.hold = 0.3;
    return config;
  }
  if (name == "paper") {
    // Method section 9's table for LDR scenes: 400 epochs of each photo once with 4 crops, 16 crops of 512 a step.
    config.epochs = 400;
    config.network.kind = NetworkKind::unet;
    config.network.init = "random";
    config.raster.layers = 4;
    config.raster.channels = 4;
    config.raster.descriptor_init = DescriptorInit::uniform;
    config.raster.holes = HoleFill::background;
    config.crop = {512, 4, 4, 0.75, 1.5};
    config.grow.enabled = false;
    config.photometric_lock = 50.0 / 400.0;
    config.schedule.kind = ScheduleKind::plateau;
    config.groups.network.learning_rate = 2e-4;
    config.groups.descriptors.learning_rate = 0.08;
    config.groups.background.learning_rate = 4e-3;
    config.groups.environment.learning_rate = 0.02;
    config.groups.response.learning_rate = 1e-3;
    config.groups.white_balance.learning_rate = 1e-3;
    config.groups.exposure.kind = config.groups.vignette.kind = OptimizerKind::sgd;
    config.groups.exposure.learning_rate = 5e-4;
    config.groups.vignette.learning_rate = 5e-6;
    return config;
  }
  throw InputError("preset '{}' is not known; expected quick, standard or paper", name);
}

}  // namespace ptl
