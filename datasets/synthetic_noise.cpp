#include "datasets/synthetic_noise.h"

namespace ptl::synthetic {

float value_noise(const Float3& p, uint64_t seed) {
  const Float3 base(std::floor(p.x), std::floor(p.y), std::floor(p.z));
  const Float3 f = p - base;
  const Float3 w = f * f * (3.0f - 2.0f * f);
  const int x = static_cast<int>(base.x), y = static_cast<int>(base.y), z = static_cast<int>(base.z);
  float plane[2];
  for (int k = 0; k < 2; ++k) {
    const float low = mix_value(cell_value(x, y, z + k, seed), cell_value(x + 1, y, z + k, seed), w.x);
    const float high = mix_value(cell_value(x, y + 1, z + k, seed), cell_value(x + 1, y + 1, z + k, seed), w.x);
    plane[k] = mix_value(low, high, w.y);
  }
  return mix_value(plane[0], plane[1], w.z);
}

float fractal_noise(const Float3& p, float wavelength_m, int octaves, float footprint_m, uint64_t seed) {
  float sum = 0, weight = 0.5f, wavelength = wavelength_m;
  for (int i = 0; i < octaves; ++i) {
    const float visible = smooth_step(1.0f, 2.5f, wavelength / std::fmax(footprint_m, 1e-6f));
    if (visible <= 0) break;
    sum += weight * visible * (value_noise(p / wavelength, seed + static_cast<uint64_t>(i)) - 0.5f);
    weight *= 0.6f;
    wavelength *= 0.5f;
  }
  return 0.5f + sum;
}

CellularNoise cellular_noise(const Float2& p, uint64_t seed) {
  CellularNoise result{9, 9, 0};
  const int cx = static_cast<int>(std::floor(p.x)), cy = static_cast<int>(std::floor(p.y));
  for (int y = cy - 1; y <= cy + 1; ++y)
    for (int x = cx - 1; x <= cx + 1; ++x) {
      const Float2 centre(static_cast<float>(x) + 0.15f + 0.7f * cell_value(x, y, 1, seed),
                          static_cast<float>(y) + 0.15f + 0.7f * cell_value(x, y, 2, seed));
      const float distance = glm::length(p - centre);
      if (distance < result.nearest) {
        result.second = result.nearest;
        result.nearest = distance;
        result.id = cell_value(x, y, 3, seed);
      } else if (distance < result.second) {
        result.second = distance;
      }
    }
  return result;
}

}  // namespace ptl::synthetic
