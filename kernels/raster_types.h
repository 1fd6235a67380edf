// What the rasteriser's stages share: plain data, passed by value.
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/camera.h"
#include "kernels/hash.h"
#include "kernels/row_pose.h"

namespace ptl {

inline constexpr int points_per_block = 256;
inline constexpr int max_pyramid_layers = 10;

/// Points as the stages see them: pointers of the device, not owned. Block b is [256 b, min(256 b + 256, count)).
struct PointsView {
  int64_t count = 0;
  const float* position = nullptr;            ///< [count, 3], scene coordinates
  const float* radius_over_sqrt_u = nullptr;  ///< [count], falling within each block (method section 1)
  const int64_t* id = nullptr;                ///< [count]
  const float* normal = nullptr;              ///< [count, 3], unit; null: none
  const float* block_bounds = nullptr;        ///< [blocks, 6]: low x, y, z, high x, y, z of each block
  int64_t blocks() const { return (count + points_per_block - 1) / points_per_block; }
};

/// From where, with what.
struct RasterView {
  CameraParams<float> camera;
  Pose<double> camera_from_world;
  Crop crop;  ///< its size is layer 0's and is divisible by 2^(layers − 1)
  Tangent<double> readout_motion;  ///< of a rolling shutter (kernels/row_pose.h)
};

/// f(model, rolling_rows): the camera's model, and std::true_type where rows have poses of their own.
template <class F>
void visit_camera_rows(CameraModel camera, bool rolling, const F& f) {
  visit_camera(camera, [&](auto model) {
    if (rolling)
      f(model, std::true_type{});
    else
      f(model, std::false_type{});
  });
}

struct RasterConfig {
  int layers = 4;
  float footprint_threshold_px = 0.6f;  ///< τ (method section 1)
  float depth_tolerance = 0.01f;        ///< α (method section 3)
  bool cull_backfaces = false;
  float dropout = 0.0f;                 ///< probability; 0 in evaluation
  uint64_t seed = 0, step = 0, image_id = 0, crop_index = 0;  ///< counters of the dropout's draws
};

/// Layers one after another in one buffer: pixel (x, y) of layer l is number first(l) + y · width(l) + x.
struct PyramidShape {
  int32_t width_px = 0, height_px = 0;  ///< of layer 0, divisible by 2^(layers − 1)
  int32_t layers = 1;

  PTL_HD int32_t width(int l) const { return width_px >> l; }
  PTL_HD int32_t height(int l) const { return height_px >> l; }
  PTL_HD int64_t first(int l) const {
    int64_t sum = 0;
    for (int i = 0; i < l; ++i) sum += static_cast<int64_t>(width(i)) * height(i);
    return sum;
  }
  PTL_HD int64_t pixels() const { return first(layers); }
};

/// One point that falls into the image: the result of stage 1 and all that later stages know of it.
struct ProjectedPoint {
  uint32_t point;      ///< index into PointsView
  uint16_t x_px, y_px; ///< pixel of layer 0; of layer l: shifted right by l
  float depth_m;
  uint16_t layers;     ///< drawn on layers 0 .. layers − 1
  uint16_t ghost;      ///< 1: takes part in the depth pass but not in the blend (training dropout)
};
static_assert(sizeof(ProjectedPoint) == 16);

/// Called by the stages' hosts: throws std::invalid_argument that names the field.
void check_raster_config(const RasterConfig& config, const RasterView& view);

}  // namespace ptl
