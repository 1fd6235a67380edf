// New points where pictures stay wrong: errors of several photos, traced back along their rays and agreed on in space. The
// idea is visual error tomography (Franke et al. 2023); here along the rays of wrong pixels instead of in a grid of voxels.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/camera.h"
#include "kernels/se3.h"

namespace ptl {

/// One pixel of a view: together, since a ray's steps jump from view to view.
struct WrongPixel {
  Vec3<float> color{0.0f};  ///< of the photo, as encoded, with exposure and white balance undone
  float error = 0;          ///< mean absolute difference to the photo, smoothed; 0 where masked
  float depth_m = std::numeric_limits<float>::infinity();  ///< on the finest layer that has a point; +∞: none on any
  uint32_t solid = 0;       ///< 1: that layer is among the finest two
};

/// How one training photo is shown now.
struct WrongView {
  CameraParams<double> camera;
  Pose<double> camera_from_world;
  Crop crop;                       ///< the whole photo, reduced
  std::vector<WrongPixel> pixels;  ///< [height, width] of the crop

  size_t index(int x, int y) const {
    return static_cast<size_t>(y) * static_cast<size_t>(crop.width_px) + static_cast<size_t>(x);
  }
};

struct ErrorRayOptions {
  double worst_share = 0.12;        ///< of all pixels: every other one of these is traced
  double least_error = 0.02;        ///< smaller ones never are
  int depths = 64;                  ///< along a ray, equally spaced in inverse depth
  int sources = 6;                  ///< other views that are asked
  int agreeing = 2;                 ///< of them must agree
  double least_agreement = 0.4;     ///< of at most agree/(agree + 1)
  double color_sigma = 0.06;        ///< difference of colours at which agreement is worth exp(−1/2)
  double depth_tolerance = 0.02;    ///< relative: nearer is in front of a surface, farther is behind it
  double distinct = 1.5;            ///< the best depth agrees this many times better than any beside its peak, and
  double peak_width = 0.25;         ///< the peak (at half its height) is this narrow, relative: otherwise many look alike
  double interpolated_share = 0.7;  ///< where they do: of the best agreement, what the depth of coarser layers needs
};

/// A place where a point is missing.
struct RayPoint {
  Vec3<float> position;
  Vec3<float> normal;     ///< unit, towards the camera of `view`
  float spacing_m = 0;    ///< of neighbouring rays at that depth
  float score = 0;        ///< error of the pixel times agreement
  uint32_t view = 0;
  uint32_t pixel = 0;     ///< of the view
};

/// The error above which a pixel is wrong: worst_share of the pixels are above it, and it is at least least_error.
double wrong_error(const std::vector<WrongView>& views, const ErrorRayOptions& options = {});

/// At most one point for each traced pixel (wrong: an error of at least `wrong`, from wrong_error()), in the order of views and pixels. Along its ray the depth counts at which most
/// other views agree in a patch of colours. A view agrees where it is wrong as well, or where it knows a surface there; it
/// contradicts where it shows something right that lies farther away; it has no say where the position is behind a surface.
/// The result does not depend on the number of threads.
std::vector<RayPoint> trace_errors(const std::vector<WrongView>& views, double wrong, const ErrorRayOptions& options = {});

/// Indices into `points`, best score first: of those in one cell (as wide as their spacing, a power of two) the best, and
/// only where points of `least_views` views lie within about three spacings.
std::vector<uint32_t> agreed_points(const std::vector<RayPoint>& points, int least_views = 2);

}  // namespace ptl
