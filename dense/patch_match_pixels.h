// PatchMatch a thread a pixel: what a GPU runs, and the CPU can. And what is done once a photo on either device.
#pragma once

#include "dense/patch_formula.h"
#include "dense/stereo_camera.h"
#include "kernels/device.h"

namespace ptl {

/// Boards without planes, and the photo's luminance in its board (which `luminance` is the memory of).
void fill_boards(const Device& device, const PatchMatcher& matcher, const MatchPixels& photo, float* luminance);

/// start_pixel() of all pixels.
void start_by_pixels(const Device& device, const PatchMatcher& matcher);
/// improve_pixel() of the pixels of one colour.
void improve_by_pixels(const Device& device, const PatchMatcher& matcher, int color, int round);
/// judge_pixel() of all pixels.
void judge_by_pixels(const Device& device, const PatchMatcher& matcher);

/// From boards to images, [height, width]; 0 where there is no plane.
struct PatchImages {
  float *inverse_depth, *slant_x, *slant_y;
  uint8_t* match;
};
void read_boards(const Device& device, const PatchMatcher& matcher, const PatchImages& images);

}  // namespace ptl
