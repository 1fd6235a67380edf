// Sampling photos at another size: the area filter of --image-scale and --max-size, and the filter of training crops.
//
// Values are averaged as they are stored, sRGB-encoded, not in linear light: so do the tools and the published data sets
// that our figures are held against, and the tone mapper's response works per pixel on the result either way.
#pragma once

#include <cstdint>
#include <vector>

#include "datasets/image.h"

namespace ptl {

/// One axis of a separable filter: output pixel i is Σ_k weight[first_tap[i] + k] · input[first_input[i] + k] for
/// k < first_tap[i+1] − first_tap[i]. Weights of a pixel add up to 1; a pixel whose centre is outside has no taps.
struct AxisTaps {
  std::vector<int> first_input;
  std::vector<int> first_tap;  ///< one more entry than output pixels
  std::vector<float> weight;
  int tap_count(int i) const {
    return first_tap[static_cast<size_t>(i) + 1] - first_tap[static_cast<size_t>(i)];
  }
};

/// Output pixel i covers [(i + offset) · step, (i + 1 + offset) · step) of the input axis, in input pixels (the centre of
/// the first input pixel is 0.5). step > 1: the exact share of each input pixel in that box, as far as it lies inside.
/// step ≤ 1: linear interpolation at the box's centre, the border repeated. At step 1 both are the same function.
AxisTaps make_axis_taps(int input_size, int output_size, double step, double offset);

/// The same for an axis whose end is beside its beginning: boxes are moved by whole input sizes to where their centres are inside. One
/// that reaches over the seam is that part of it which holds its centre.
AxisTaps make_wrapped_axis_taps(int input_size, int output_size, double step, double offset);

/// Area filter: each output pixel is the mean of the input over the box that it covers; any ratio ≥ 1 on each axis.
/// Throws InputError when an output size is < 1 or larger than the input's.
Image reduce_area(const Image& image, int width_px, int height_px);

/// The same, rounded to the image's own bit depth.
StoredImage reduce_area(const StoredImage& image, int width_px, int height_px);

/// Filters `image` by taps of both axes into `output` [rows of y, columns of x, image.channels], values 0..1; pixels
/// without taps become 0.
void sample_separable(const StoredImage& image, const AxisTaps& x, const AxisTaps& y, float* output);

}  // namespace ptl
