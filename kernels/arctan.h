// Angles in plain arithmetic, so that the CPU and the GPU give the same bits in float and a loop becomes vector code;
// in double the library's functions.
//   |t| ≤ tan(π/8): atan t = t + t³ P(t²); above it atan t = π/4 + atan((t − 1)/(t + 1)); P has 4 coefficients.
//   |h| ≤ π/4: tan h = h + h³ Q(h²), 6 coefficients.
// The coefficients minimise the largest relative error over these ranges: least squares on 4000 Chebyshev points, with
// each point's weight multiplied by its error and all that 400 times over (Lawson's iteration). As polynomials they are
// off by 2e-8 at most, with a float's rounding by 8e-8 (atan) and 9e-8 (tan).
#pragma once

#include <cmath>

#include "kernels/hd.h"

namespace ptl {

/// The angle of (x, y) in (−π, π], like std::atan2; 0 for (0, 0). NaN gives NaN.
PTL_HD inline double arctan2(double y, double x) { return std::atan2(y, x); }
PTL_HD inline float arctan2(float y, float x) {
  const float size_y = std::fabs(y), size_x = std::fabs(x);
  const bool steep = size_y > size_x;
  const float less = steep ? size_x : size_y, more = steep ? size_y : size_x;
  const bool upper = less > 0.41421356f * more;
  const float up = upper ? less - more : less, down = upper ? less + more : more;
  const float t = up / (down == 0.0f ? 1.0f : down), s = t * t;
  const float p = ((0.0805372074f * s - 0.138776779f) * s + 0.199777097f) * s - 0.333329499f;
  float angle = t + t * s * p;
  angle = upper ? 0.785398163f + angle : angle;
  angle = steep ? 1.57079633f - angle : angle;
  angle = x < 0.0f ? 3.14159265f - angle : angle;
  return y < 0.0f ? -angle : angle;
}

/// tan(angle / 2) for angles in [0, π).
PTL_HD inline double tan_half(double angle) { return std::tan(0.5 * angle); }
PTL_HD inline float tan_half(float angle) {
  const float h = 0.25f * angle, s = h * h;  // at most π/4
  const float q =
      ((((0.00938564818f * s + 0.00311950222f) * s + 0.0244303998f) * s + 0.0534112081f) * s + 0.133387998f) * s +
      0.333331555f;
  const float t = h + h * s * q;
  return 2.0f * t / (1.0f - t * t);
}

}  // namespace ptl
