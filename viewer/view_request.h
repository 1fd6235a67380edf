// What the interface asks of the render thread, and what it gets back: plain data, never changed once it is sent.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "datasets/image.h"
#include "kernels/camera.h"
#include "kernels/se3.h"
#include "viewer/device_picture.h"
#include "viewer/view_mode.h"

namespace ptl {

/// Light of a picture (renderer/picture.h, in words that need no LibTorch).
struct ViewLight {
  int64_t image = 0;                 ///< whose camera's vignette and response are used
  bool by_hand = false;              ///< false: exposure and white balance are the image's own
  double exposure_ev = 0;            ///< by hand: relative to the scene's mean, brighter as it falls
  double white_balance[2] = {1, 1};  ///< by hand: gains of red and blue
  bool automatic = false;            ///< the exposure is chosen from the picture
  double brighter_stops = 0;         ///< on top of any of these
  std::optional<double> path_exposure_ev;  ///< a frame of a camera path: this exposure and nothing on top
  bool vignette = true, response = true;
  bool operator==(const ViewLight&) const = default;
};

/// One kind of picture of a view.
struct WantedPicture {
  ViewMode mode = ViewMode::neural;
  int layer = 0;
  std::array<int, 3> channels = {0, 1, 2};
  int64_t photo = -1;  ///< error: image whose photo is compared with
  bool operator==(const WantedPicture&) const = default;
};

struct ViewRequest {
  uint64_t serial = 0;          ///< rises with each request
  CameraParams<double> camera;  ///< at the size that is to be rendered
  Pose<double> camera_from_world;
  double scale = 1;  ///< rendered size / shown size, for the status line and the resolution's choice
  ViewLight light;
  std::vector<WantedPicture> wanted;  ///< one, or the two of a split view
};

/// Counts of a picture's values.
struct Histogram {
  std::array<std::array<uint32_t, 64>, 3> count = {};  ///< red, green, blue; 64 equal bins of 0..255
  double clipped_low = 0, clipped_high = 0;            ///< share of pixels with a channel at 0, at 255
};

/// A finished picture.
struct Picture {
  uint64_t serial = 0;
  size_t slot = 0;  ///< which of the request's wanted pictures
  WantedPicture wanted;
  double scale = 1;
  StoredImage pixels;                        ///< 8 bits, 3 channels
  std::shared_ptr<const DevicePicture> on_gpu;  ///< the same, where it was rendered; null: not on a GPU, or not asked for
  double shown_width = 1, shown_height = 1;  ///< share of the pixels that belongs to the view (layers are enlarged)
  double exposure_ev = 0;                    ///< the exposure that was used
  double white_balance[2] = {1, 1};
  Histogram histogram;
  double milliseconds = 0;      ///< of the whole request up to here
  CameraParams<double> camera;  ///< what it shows
  Pose<double> camera_from_world;
  std::shared_ptr<const Image> depth_m;  ///< 1 channel, of this view; +∞ where no point is
  std::string message;                   ///< not empty: why there is no picture
};

}  // namespace ptl
