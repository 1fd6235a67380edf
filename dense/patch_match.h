// PatchMatch multi-view stereo of one photo: a plane for every pixel. It starts from planes that are given and from
// random ones; then pixels of one colour of a checkerboard take over the best planes of the other colour and try
// changes (patch_formula.h, patch_candidates.h). Two drivers with the same bits: eight pixels at a time on the CPU, a
// thread a pixel on a GPU (patch_match_pixels.h).
#pragma once

#include <cstdint>
#include <vector>

#include "dense/source_map.h"
#include "dense/stereo_view.h"
#include "kernels/image_driver.h"

namespace ptl {

/// One pass over a photo.
struct PatchPassOptions {
  int rounds = 1;               ///< over both colours
  int random_starts = 2;        ///< random planes at the start
  int random_planes = 1;        ///< and in each round
  int changes = 2;              ///< in each round: of depth, of slant and of both, each half as large as the one before
  float depth_change_px = 4;    ///< the first one, in pixels of motion in the source that moves most
  float slant_change = 0.5f;    ///< the first one, of the slope against the image plane
  float disagreement_cost = 0;  ///< of a pixel by which a source's own depth disagrees
  float most_disagreement_px = 2;  ///< what is more, and a missing depth, costs as much
};

/// The first pass sees photos alone, the second one the sources' depths as well. Measured in docs/dense.md.
struct PatchMatchOptions {
  PatchPassOptions first;
  PatchPassOptions second{
      .random_starts = 0, .random_planes = 0, .depth_change_px = 1, .slant_change = 0.1f, .disagreement_cost = 0.1f};
  int rounds_without_points = 2;  ///< first.rounds of a photo that saw no sparse points
  uint64_t seed = 1;
};

/// A photo prepared once for all that match with it.
struct PatchView {
  StereoView view;
  std::vector<uint32_t> quads;  ///< [height, width] the four values that an interpolation needs, a byte each, 1..255;
                                ///< 0 where one of them is not valid

  explicit PatchView(StereoView stereo_view);
};

/// A plane for every pixel, [height, width]: inverse depth (0: none), and its change per pixel.
struct PlaneField {
  std::vector<float> inverse_depth, slant_x, slant_y;
};

struct MatchedPhoto {
  PlaneField planes;
  std::vector<uint8_t> match;  ///< correlation with the better sources, 0..255 for 0..1
};

/// A photo to match with.
struct PatchSourceView {
  const PatchView* photo = nullptr;
  const std::vector<float>* inverse_depth = nullptr;  ///< its own, [height, width]; nothing: the photos alone count
  double step_w = 1;                                  ///< of its own search range
};

/// `starts`: planes to start from, most_patch_starts at most. `draws` names the draws: a prefix of seed, pass and
/// photo. Of the sources the first most_patch_sources are looked at; all of them have depths, or none. The result
/// depends on nothing but the arguments: not on threads, device or driver.
MatchedPhoto match_patches(const Device& device, const PatchView& reference,
                           const std::vector<PatchSourceView>& sources, const SearchRange& range,
                           const std::vector<PlaneField>& starts, uint64_t draws, const PatchPassOptions& options,
                           ImageDriver driver = ImageDriver::automatic);

/// Wider or higher photos cannot be matched (places have 16 bits).
inline constexpr int most_patch_side_px = 32767;

}  // namespace ptl
