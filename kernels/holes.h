// Stage 4, its first half where holes are filled: an empty pixel (weight 0) takes the value of the next coarser layer, which
// was filled before it; only those of the coarsest layer look at the background (kernels/environment.h). Not in ADOP: with
// clouds that leave holes, a network learns much faster from layers without any (docs/presets.md).
#pragma once

#include <cstdint>
#include <span>

#include "kernels/environment.h"

namespace ptl {

/// What an empty pixel gets.
enum class HoleFill {
  background,  ///< environment map or background descriptor, on every layer (ADOP)
  coarser,     ///< the next coarser layer, bilinear; the background on the coarsest
};

// All pointers are memory of the device. Each layer is twice as wide and high as the next; otherwise std::invalid_argument.

/// features [P, C] and weight [P] → output [P, C], or [P, C + 1] with the coverage (1 where weight > 0) last, of all layers
/// but the coarsest, which `output` holds already.
template <class T>
void fill_holes(const Device& device, std::span<const PyramidLayer> layers, const int32_t* weight, const T* features,
                int channels, bool append_coverage, T* output);

/// The adjoint: grad_output as output → grad_features [P, C] of all layers but the coarsest (0 where empty), and
/// grad_coarsest [pixels of the coarsest layer, C]; both are overwritten. Sums in a fixed order, on a GPU too.
template <class T>
void fill_holes_backward(const Device& device, std::span<const PyramidLayer> layers, const int32_t* weight,
                         const T* grad_output, int channels, bool append_coverage, T* grad_features, T* grad_coarsest);

/// grad_displayed [P, C]: the gradient with respect to what each pixel displays, covered or not: its own, and what the holes
/// of finer layers hand on that show it. For structure gradients, which ask what another value in a pixel would change.
template <class T>
void displayed_gradient(const Device& device, std::span<const PyramidLayer> layers, const int32_t* weight,
                        const T* grad_output, int channels, bool append_coverage, T* grad_displayed);

}  // namespace ptl
