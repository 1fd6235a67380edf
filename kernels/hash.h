// Randomness as a function of what it is for: no generator state, so a draw is the same in any order, on any device and
// after any resume. The mixing steps are those of SplitMix64 (Steele, Lea, Flood 2014).
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "kernels/hd.h"

namespace ptl {

/// What a draw is for. A new purpose gets a new number at the end: existing numbers are part of the model format.
enum class DrawPurpose : uint32_t {
  footprint_u = 1,        ///< the fixed u of a point (method section 1); counters: point id
  dropout = 2,            ///< training dropout; counters: step, image id, crop, point id
  crop = 3,               ///< crop position and zoom; counters: step, crop, try, which number
  image_order = 4,        ///< order of images within an epoch; counters: epoch, image id
  descriptor_init = 5,    ///< initial descriptors; counters: point id, channel
  network_init = 6,       ///< initial weights; counters: parameter number, element
  synthetic = 7,          ///< ray-traced scenes; counters: free
  densify = 8,            ///< jittered copies; counters: point id, copy, which number
  grow = 9,               ///< children of split points; counters: event, point id, child, which number
  refine_pose = 10,       ///< crops of a pose's refinement; counters: image id, step, which number
  pretrain = 11,          ///< what is wrong with the scenes of a pretraining; counters: stream, which number
  stereo = 12,            ///< planes that matching tries; counters: image id, pass, then row, number, column
  thin = 13,              ///< points of a cloud that is too large to be shown; counters: which point
};

PTL_HD inline uint64_t mix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

/// The state before the last counter: draw_bits(seed, purpose, a, b, c, d) == mix64(draw_prefix(seed, purpose, a, b, c) ^ d).
PTL_HD inline uint64_t draw_prefix(uint64_t seed, DrawPurpose purpose, uint64_t a, uint64_t b, uint64_t c) {
  uint64_t h = mix64(seed ^ (static_cast<uint64_t>(purpose) << 56));
  h = mix64(h ^ a);
  h = mix64(h ^ b);
  return mix64(h ^ c);
}

/// 64 well-mixed bits from a seed, a purpose and up to four counters.
PTL_HD inline uint64_t draw_bits(uint64_t seed, DrawPurpose purpose, uint64_t a, uint64_t b = 0, uint64_t c = 0,
                                 uint64_t d = 0) {
  return mix64(draw_prefix(seed, purpose, a, b, c) ^ d);
}

/// Uniform in (0, 1]: never 0, so that a division by it or by its root is safe.
PTL_HD inline float draw_unit(uint64_t seed, DrawPurpose purpose, uint64_t a, uint64_t b = 0, uint64_t c = 0,
                              uint64_t d = 0) {
  return static_cast<float>((draw_bits(seed, purpose, a, b, c, d) >> 40) + 1) * (1.0f / 16777216.0f);
}

/// A normally distributed number from two draws of draw_unit (Box and Muller 1958).
inline double normal_of(double u, double v) {
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

}  // namespace ptl
