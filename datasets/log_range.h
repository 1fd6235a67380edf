// Photos of high dynamic range (OpenEXR) as values from 0 to 1: the logarithm of radiance over a range that a scene's
// photos share. What looks at photos takes these values like any others; the tone mapper knows what they mean
// (kernels/tone.h).
#pragma once

#include <algorithm>
#include <cmath>

namespace ptl {

/// Radiance 2^low is the value 0, 2^high is 1.
struct LogRange {
  double low = 0;   ///< log2 of radiance, in the files' scale
  double high = 0;  ///< log2 of radiance, more than low
  double stops() const { return high - low; }
  bool operator==(const LogRange&) const = default;
};

/// Clamped to [0, 1]: radiance of 0 and below is 0.
inline float log_value(float radiance, const LogRange& range) {
  if (!(radiance > 0)) return 0;
  return static_cast<float>(
      std::clamp((std::log2(static_cast<double>(radiance)) - range.low) / range.stops(), 0.0, 1.0));
}

inline float radiance_of_value(float value, const LogRange& range) {
  return static_cast<float>(std::exp2(range.low + range.stops() * static_cast<double>(value)));
}

}  // namespace ptl
