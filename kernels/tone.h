// The photometric camera (method section 6), forward and backward, one pixel at a time.
//   gain_c = 2^(−EV) · (red, 1, blue)_c · (1 + a1 r² + a2 r⁴ + a3 r⁶),  output_c = response_c(x_c · gain_c)
// HDR photos, whose values are logarithms of radiance y over so many stops (datasets/log_range.h): the response says which one,
//   log2(y_c) = low + stops · response_c(x_c),  output_c = (log2(y_c · gain_c) − low)/stops = response_c(x_c) + log2(gain_c)/stops
// Scalars are templated: float in fits, double in tests and in synthetic scenes.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/camera_params.h"

namespace ptl {

inline constexpr int response_samples = 25;

/// What happens to values outside of [0, 1] before the response.
enum class ToneMode : int32_t {
  evaluation = 0,  ///< clamped
  training = 1,    ///< clamped with a leak, so that gradients stay alive
};

/// What is fitted.
template <class T>
struct FittedTone {
  T exposure_ev = 0;                    ///< relative to the scene's mean; the image gets darker as it rises
  T white_balance[2] = {1, 1};          ///< gains of red and blue; green is 1
  T vignette[5] = {};                   ///< a1, a2, a3, centre x, centre y (in the coordinates of vignette_position)
  T response[3][response_samples] = {}; ///< per channel, at j/24; set_initial_response() fills it
};

template <class T>
struct ToneParams : FittedTone<T> {
  T log_stops = 0;  ///< of HDR photos: the stops that values from 0 to 1 span; 0: ordinary photos
};

/// Gradients of what is fitted; sums over pixels, hence double whatever the pixels are.
using ToneGradient = FittedTone<double>;

/// The response at first is x^(1/initial_response_gamma).
inline constexpr double initial_response_gamma = 2.2;

template <class T>
void set_initial_response(T (&response)[3][response_samples]) {
  for (auto& channel : response)
    for (int j = 0; j < response_samples; ++j)
      channel[j] = static_cast<T>(std::pow(static_cast<double>(j) / (response_samples - 1), 1.0 / initial_response_gamma));
}

/// Pixel of the whole photo → [−1, 1]² with x times the aspect ratio (width/height).
template <class T>
PTL_HD Vec2<T> vignette_position(const Vec2<T>& photo_px, int32_t photo_width_px, int32_t photo_height_px) {
  const T height = static_cast<T>(photo_height_px);
  return Vec2<T>((T(2) * photo_px.x - static_cast<T>(photo_width_px)) / height, T(2) * photo_px.y / height - T(1));
}

template <class T>
PTL_HD T vignette_factor(const T (&vignette)[5], const Vec2<T>& position) {
  const T x = position.x - vignette[3], y = position.y - vignette[4], s = x * x + y * y;
  return T(1) + s * (vignette[0] + s * (vignette[1] + s * vignette[2]));
}

/// The response at one value: the curve's segment and what the leak adds.
template <class T>
struct ResponsePoint {
  int segment;  ///< between the samples segment and segment + 1
  T weight;     ///< of the upper one, 0..1
  T leak;       ///< added to the curve
  T leak_slope; ///< d leak / d value
  bool inside;  ///< the curve's own slope counts
};

template <class T>
PTL_HD ResponsePoint<T> response_point(T value, ToneMode mode) {
  ResponsePoint<T> p;
  p.inside = value >= T(0) && value <= T(1);
  const T clamped = value > T(0) ? (value < T(1) ? value : T(1)) : T(0);  // NaN becomes 0 here, and stays in the leak
  const T scaled = clamped * T(response_samples - 1);
  p.segment = static_cast<int>(scaled);
  if (p.segment > response_samples - 2) p.segment = response_samples - 2;
  p.weight = scaled - static_cast<T>(p.segment);
  p.leak = T(0);
  p.leak_slope = T(0);
  if (mode == ToneMode::training && !p.inside) {
    if (value > T(1)) {
      const T root = std::sqrt(value + T(1e-4));
      p.leak = T(0.01) * (T(1) - T(1) / root);
      p.leak_slope = T(0.005) / (root * root * root);
    } else {
      p.leak = T(0.01) * value;
      p.leak_slope = T(0.01);
    }
  }
  return p;
}

/// Gains of HDR photos are added as logarithms; smaller ones (of a vignette that falls below 0, say) count as this one.
inline constexpr double least_log_gain = 1e-6;

template <class T>
PTL_HD T log_gain(T gain) {
  return std::log2(gain > T(least_log_gain) ? gain : T(least_log_gain));
}

/// The response at one value.
template <class T>
PTL_HD T respond(const T (&curve)[response_samples], const ResponsePoint<T>& p) {
  return curve[p.segment] + p.weight * (curve[p.segment + 1] - curve[p.segment]) + p.leak;
}

/// The model's radiance → display-referred value, for one pixel.
template <class T>
PTL_HD Vec3<T> tone_map(const ToneParams<T>& params, const Vec2<T>& position, ToneMode mode, const Vec3<T>& radiance) {
  const T gain = std::exp2(-params.exposure_ev) * vignette_factor(params.vignette, position);
  const T balance[3] = {params.white_balance[0], T(1), params.white_balance[1]};
  const bool logarithmic = params.log_stops > T(0);
  Vec3<T> output;
  for (int c = 0; c < 3; ++c) {
    T value = respond(params.response[c], response_point(logarithmic ? radiance[c] : radiance[c] * gain * balance[c], mode));
    if (logarithmic) {
      value += log_gain(gain * balance[c]) / params.log_stops;
      if (mode == ToneMode::evaluation) value = value > T(0) ? (value < T(1) ? value : T(1)) : T(0);
    }
    output[c] = value;
  }
  return output;
}

/// Backward of tone_map: returns dL/d radiance and adds to `sums`.
template <class T>
PTL_HD Vec3<T> tone_map_backward(const ToneParams<T>& params, const Vec2<T>& position, ToneMode mode,
                                 const Vec3<T>& radiance, const Vec3<T>& grad_output, ToneGradient& sums) {
  const T exposure = std::exp2(-params.exposure_ev);
  const T vignette = vignette_factor(params.vignette, position);
  const T balance[3] = {params.white_balance[0], T(1), params.white_balance[1]};
  const bool logarithmic = params.log_stops > T(0);
  Vec3<T> grad_radiance;
  T grad_gain = T(0);  // of exposure · vignette
  for (int c = 0; c < 3; ++c) {
    const T gain = exposure * vignette;
    const T* curve = params.response[c];
    const ResponsePoint<T> p = response_point(logarithmic ? radiance[c] : radiance[c] * gain * balance[c], mode);
    const T slope = p.inside ? (curve[p.segment + 1] - curve[p.segment]) * T(response_samples - 1) : p.leak_slope;
    T grad_response = grad_output[c];
    if (logarithmic) {
      const T factor = gain * balance[c], value = respond(params.response[c], p) + log_gain(factor) / params.log_stops;
      if (mode == ToneMode::evaluation && !(value >= T(0) && value <= T(1))) grad_response = T(0);  // the clamp
      const T grad_factor =
          factor > T(least_log_gain) ? grad_response / (factor * T(0.69314718055994530942) * params.log_stops) : T(0);
      grad_radiance[c] = grad_response * slope;
      grad_gain += grad_factor * balance[c];
      if (c != 1) sums.white_balance[c / 2] += static_cast<double>(grad_factor * gain);
    } else {
      const T grad_value = grad_output[c] * slope;
      grad_radiance[c] = grad_value * gain * balance[c];
      grad_gain += grad_value * radiance[c] * balance[c];
      if (c != 1) sums.white_balance[c / 2] += static_cast<double>(grad_value * radiance[c] * gain);
    }
    sums.response[c][p.segment] += static_cast<double>(grad_response * (T(1) - p.weight));
    sums.response[c][p.segment + 1] += static_cast<double>(grad_response * p.weight);
  }
  sums.exposure_ev -= 0.69314718055994530942 * static_cast<double>(grad_gain * exposure * vignette);
  const T grad_vignette = grad_gain * exposure;
  const T x = position.x - params.vignette[3], y = position.y - params.vignette[4], s = x * x + y * y;
  sums.vignette[0] += static_cast<double>(grad_vignette * s);
  sums.vignette[1] += static_cast<double>(grad_vignette * s * s);
  sums.vignette[2] += static_cast<double>(grad_vignette * s * s * s);
  const T grad_s =
      grad_vignette * (params.vignette[0] + s * (T(2) * params.vignette[1] + T(3) * s * params.vignette[2]));
  sums.vignette[3] -= static_cast<double>(T(2) * x * grad_s);
  sums.vignette[4] -= static_cast<double>(T(2) * y * grad_s);
  return grad_radiance;
}

/// Σ over channels and samples of (n √1e-5 (f_j − (f_{j−1} + f_{j+1})/2))², and the same with f_0 itself (pulled to 0);
/// without λ. Adds factor · gradient to `gradient` where it is given.
template <class T>
PTL_HD double response_regulariser(const T (&response)[3][response_samples], double factor = 0,
                                   double (*gradient)[response_samples] = nullptr) {
  constexpr double square = 1e-5 * response_samples * response_samples;
  double sum = 0;
  for (int c = 0; c < 3; ++c) {
    const T* f = response[c];
    sum += square * static_cast<double>(f[0]) * static_cast<double>(f[0]);
    if (gradient) gradient[c][0] += factor * 2 * square * static_cast<double>(f[0]);
    for (int j = 1; j + 1 < response_samples; ++j) {
      const double bend =
          static_cast<double>(f[j]) - (static_cast<double>(f[j - 1]) + static_cast<double>(f[j + 1])) / 2;
      sum += square * bend * bend;
      if (!gradient) continue;
      gradient[c][j] += factor * 2 * square * bend;
      gradient[c][j - 1] -= factor * square * bend;
      gradient[c][j + 1] -= factor * square * bend;
    }
  }
  return sum;
}

}  // namespace ptl
