// PatchMatch multi-view stereo: the other candidate for dense/'s matching, built to be measured against it
// (docs/dense.md). A pixel's hypothesis is a plane: inverse depth w at the pixel and its change g per pixel. Inverse
// depth is affine in the image on any plane, so a neighbour's plane reads  w(x, y) = w_n + g · (x − x_n, y − y_n) here,
// without a division. Pixels of one colour of a checkerboard take over the best plane of each of eight regions of the
// other colour (Xu and Tao 2019 after Galliani et al. 2015) and try changes that shrink. A hypothesis' cost is one
// minus the correlation of the window, warped by the plane, mean over the better sources.
#pragma once

#include <cstdint>
#include <vector>

#include "dense/depth_map.h"
#include "dense/plane_sweep.h"
#include "dense/stereo_view.h"

namespace ptl {

struct PatchMatchOptions {
  int radius = 2;   ///< the window has (2 radius + 1)² samples,
  int spacing = 1;  ///< this many pixels apart
  float color_sigma =
      0;  ///< bilateral weights exp(−|difference of luminance|/sigma − distance/(2 reach)); 0: all alike
  int iterations = 2;     ///< over both colours
  int better = 0;         ///< sources that count; 0: the better half, at most three, as in the plane sweep
  int random_starts = 2;  ///< beside those from sparse points
  int refinements = 2;    ///< per iteration: each changes depth, slant and both
  float depth_change_px =
      4;  ///< of the first change, in pixels of motion of the source that moves most; halved each time
  float slant_change = 0.5f;      ///< of the first change of f g/w, the slope against the image plane
  int random_rounds = 2;          ///< first iterations in which a wholly random plane is tried as well
  float geometric_weight = 0.1f;  ///< of the disagreement with the sources' depths, per pixel
  float geometric_cap_px = 2;
  uint64_t seed = 1;
};

/// A photo prepared once for all that match with it: the four values that bilinear interpolation needs, a byte each.
struct PatchView {
  StereoView view;
  std::vector<uint32_t> quads;  ///< [height, width]; 0 where one of the four is not valid

  explicit PatchView(StereoView stereo_view);
};

/// A plane for every pixel.
struct PlaneField {
  std::vector<float> inverse_depth, slant_x, slant_y;  ///< [height, width]; inverse depth 0: none
  std::vector<float> cost;                             ///< 1 − correlation (without the geometric part)
};

/// A source, and for the geometric part its depths as the last pass left them.
struct PatchSource {
  const PatchView* view = nullptr;
  const PlaneField* planes = nullptr;  ///< nothing: photometric only
  double step = 0;                     ///< of the source's own inverse depth, that moves its sources by a pixel
};

/// A sparse point in the reference.
struct SeedDepth {
  int x = 0, y = 0;
  float inverse_depth = 0;
};

/// `range.step`: a pixel of motion (choose_planes). `image` names the draws. `start`: planes to go on from, else the
/// seeds and random ones. The result depends on nothing but the arguments: any number of threads gives the same.
PlaneField match_patches(const PatchView& reference, const std::vector<PatchSource>& sources,
                         const InversePlanes& range, uint64_t image, const std::vector<SeedDepth>& seeds,
                         const PlaneField* start, const PatchMatchOptions& options);

/// Planes by the nearest seed (parallel to the image) and by the membrane through all seeds. Empty without seeds.
std::vector<PlaneField> planes_of_seeds(const StereoCamera& camera, const std::vector<SeedDepth>& seeds);

}  // namespace ptl
