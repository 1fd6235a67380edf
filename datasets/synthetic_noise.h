// Procedural noise of the synthetic scenes: functions of position and seed, no tables.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/hash.h"
#include "kernels/se3.h"

namespace ptl::synthetic {

using Float2 = Vec2<float>;
using Float3 = Vec3<float>;

inline float mix_value(float a, float b, float t) {
  return a + (b - a) * t;
}
inline Float3 mix_color(const Float3& a, const Float3& b, float t) {
  return a + (b - a) * t;
}
inline float clamp_unit(float x) {
  return x < 0 ? 0.0f : (x > 1 ? 1.0f : x);
}
inline float smooth_step(float from, float to, float x) {
  const float t = clamp_unit((x - from) / (to - from));
  return t * t * (3 - 2 * t);
}

/// Uniform in [0, 1) at a lattice cell.
inline float cell_value(int x, int y, int z, uint64_t seed) {
  const uint64_t key = static_cast<uint64_t>(static_cast<uint32_t>(x)) * 0x8da6b343ull ^
                       (static_cast<uint64_t>(static_cast<uint32_t>(y)) << 21) * 0xd8163841ull ^
                       (static_cast<uint64_t>(static_cast<uint32_t>(z)) << 42) * 0xcb1ab31full;
  return static_cast<float>(mix64(key ^ seed * 0x9e3779b97f4a7c15ull) >> 40) * (1.0f / 16777216.0f);
}

/// Smooth value noise in [0, 1] with lattice spacing 1.
float value_noise(const Float3& p, uint64_t seed);

/// Sum of octaves in about [0, 1], mean 0.5. `wavelength` is that of the first octave in metres; octaves fade to their
/// mean where the wavelength nears twice the pixel's `footprint_m`, as a mip-map would.
float fractal_noise(const Float3& p, float wavelength_m, int octaves, float footprint_m, uint64_t seed);

/// Distances to the nearest and the second nearest of jittered cell centres, and the nearest cell's own number.
struct CellularNoise {
  float nearest = 0, second = 0;
  float id = 0;  ///< uniform in [0, 1)
};
CellularNoise cellular_noise(const Float2& p, uint64_t seed);

}  // namespace ptl::synthetic
