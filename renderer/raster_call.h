// A view and the rasteriser's settings as the numbers that an operator's signature can hold, and back; checks of
// tensors.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "kernels/device.h"
#include "kernels/raster_types.h"

namespace ptl {

struct RasterCall {
  RasterView view;
  RasterConfig config;
  RasterDriver driver = RasterDriver::automatic;

  PyramidShape shape() const { return {view.crop.width_px, view.crop.height_px, config.layers}; }
  /// Tiles or sorted: what the driver means on this device.
  bool tiles(bool on_cpu) const {
    return driver == RasterDriver::tiles || (driver == RasterDriver::automatic && on_cpu);
  }
};

/// Camera model, photo width, height, crop width, height, layers, cull_backfaces, seed, step, image id, crop index,
/// driver.
std::vector<int64_t> raster_integers(const CameraParams<double>& camera, const Crop& crop, const RasterConfig& config,
                                     RasterDriver driver);

/// Valid radius, 16 camera parameters, camera_from_world (rotation by columns, translation), readout motion (translation,
/// rotation), zoom, offset x, offset y, τ, α, dropout.
std::vector<double> raster_reals(const CameraParams<double>& camera, const RowPoses& poses,
                                 const Crop& crop, const RasterConfig& config);

/// The inverse of both. TORCH_CHECK.
RasterCall raster_call_from(at::IntArrayRef integers, at::ArrayRef<double> reals);

/// TORCH_CHECK: "CALLER: NAME: expected …, found …" unless the tensor is contiguous, of this type and shape, and where
/// `like` is.
void check_raster_tensor(const char* caller, const char* name, const torch::Tensor& t, torch::ScalarType type,
                         at::IntArrayRef shape, const torch::Tensor& like);

}  // namespace ptl
