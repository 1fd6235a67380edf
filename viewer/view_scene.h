// What the interface knows of a scene or a run: plain data that the render thread hands over whole, and never changes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "datasets/image_cache.h"
#include "kernels/camera.h"
#include "kernels/se3.h"
#include "viewer/drawn_cloud.h"

namespace ptl {

struct ViewImage {
  std::string name;
  CameraParams<double> camera;
  Pose<double> camera_from_world;  ///< scene coordinates
  bool held_out = false;
  double exposure_ev = 0;  ///< as fitted, or by EXIF: relative to the scene's mean
  double white_balance[2] = {1, 1};
  std::optional<double> psnr_db;  ///< of the run's evaluation
};

struct ViewScene {
  uint64_t generation = 0;  ///< rises with each one that is loaded
  std::string name;
  std::string path;  ///< as the user gave it, absolute
  std::string scene_folder;  ///< of a run: the folder of the scene that was fitted; empty: path itself
  bool has_model = false;
  bool coarse = false; ///< the same with more points comes soon
  bool fitted = true;  ///< false: what the model shows is the built-in network's picture of the points as they are
  int layers = 0, channels = 0;       ///< of the pyramid; channels of a layer as the network sees it
  std::string network;                ///< "light", "unet"
  std::string device;                 ///< "cpu", "cuda"
  int64_t step = 0, step_budget = 0;  ///< of a fit that goes on; 0: not known
  std::string source_file;            ///< what the model was read from
  Vec3<double> origin_world{0};
  std::vector<ViewImage> images;
  std::shared_ptr<const DrawnCloud> cloud;
  std::shared_ptr<ImageCache> photos;  ///< in the order of images; null: not there
  std::string photos_missing;          ///< why
  std::vector<std::string> remarks;
};

}  // namespace ptl
