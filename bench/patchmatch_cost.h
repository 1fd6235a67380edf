// How well windows that follow planes fit the sources: PatchMatch's cost, for eight pixels at a time.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "bench/patchmatch.h"

namespace ptl::patches {

constexpr int lanes = 8;                ///< pixels of one colour and row that are worked on at once
constexpr float noise_variance = 3.0f;  ///< as the plane sweep's
constexpr float no_cost = 4.0f;         ///< of what cannot be compared; correlations give 0 to 2
constexpr int most_radius = 4, most_samples = (2 * most_radius + 1) * (2 * most_radius + 1);
constexpr int most_sources = 8, most_better = 4;

inline __m256 all(float value) {
  return _mm256_set1_ps(value);
}
inline __m256 choose(__m256 which, __m256 yes, __m256 no) {
  return _mm256_blendv_ps(no, yes, which);
}
inline __m256 absolute(__m256 value) {
  return _mm256_andnot_ps(all(-0.0f), value);
}
inline __m256 below(__m256 a, __m256 b) {
  return _mm256_cmp_ps(a, b, _CMP_LT_OQ);
}

/// Eight pixels' planes.
struct Planes {
  __m256 w, slant_x, slant_y;
};

/// Values of pixels in two boards, one a colour, so that every second pixel of a row lies beside the next. Cell i of
/// colour c in row y is pixel x = 2 i + ((y + c) & 1). Around it a margin, so that neighbours need no test.
struct Board {
  static constexpr int margin_rows = 24, margin_cells = 16;
  int stride, rows;
  std::vector<float> values;

  Board(const StereoCamera& camera, float value)
      : stride((camera.width_px + 1) / 2 + 2 * margin_cells + lanes), rows(camera.height_px + 2 * margin_rows) {
    values.assign(2 * static_cast<size_t>(stride) * static_cast<size_t>(rows), value);
  }
  static int first_x(int color, int y) { return (y + color) & 1; }
  size_t first_cell(int color, int y) const {
    return (static_cast<size_t>(color) * static_cast<size_t>(rows) + static_cast<size_t>(y + margin_rows)) *
               static_cast<size_t>(stride) +
           margin_cells;
  }
  float* row(int color, int y) { return values.data() + first_cell(color, y); }
  const float* row(int color, int y) const { return values.data() + first_cell(color, y); }
  float& pixel(int x, int y) { return row((x + y) & 1, y)[x >> 1]; }
};

/// The reference's windows around eight pixels: weights that add up to one, and these times the centred luminance over
/// its deviation, so that  Σ product · other / deviation(other)  is the correlation.
struct Window {
  alignas(32) float weight[most_samples * lanes];
  alignas(32) float product[most_samples * lanes];
  __m256 usable;  ///< lanes with a window
};

/// The cost of planes in one reference.
class PatchCost {
 public:
  PatchCost(const PatchView& reference, const std::vector<PatchSource>& sources, const PatchMatchOptions& options,
            float least_w, float most_w);

  void fill_window(int x, int y, int radius, Window& window) const;
  /// Mean over the better sources. Lanes without a window and planes out of range: no_cost.
  template <int radius>
  __m256 cost(const Window& window, int x, int y, const Planes& planes) const;

  bool geometric() const { return !sources_.empty() && sources_.front().inverse_depth; }
  /// From now on the photos alone count.
  void forget_depths() {
    for (Source& source : sources_) source.inverse_depth = nullptr;
  }

 private:
  struct Source {
    float base[3][3], shift[3];  ///< rows of source_map
    const uint32_t* quads;
    float width, height;
    int stride;
    const float* inverse_depth;  ///< or nothing
    float per_step;
  };

  template <int radius>
  __m256 source_cost(const Source& source, const Window& window, __m256 x_px, float y_px, const Planes& planes) const;

  PatchMatchOptions options_;
  float least_w_, most_w_;
  std::vector<Source> sources_;
  Board luminance_;
  std::array<float, 256> similarity_{};          ///< of a difference of luminance
  std::array<float, most_samples> closeness_{};  ///< of a sample's place
};

/// One minus the correlation in one source; no_cost where it cannot be had. The map around the pixel is linearised, and
/// the window walks through the source in fixed point (16 bits of fraction); weights of the interpolation have 6 bits.
template <int radius>
__m256 PatchCost::source_cost(const Source& source, const Window& window, __m256 x_px, float y_px,
                              const Planes& planes) const {
  const auto row_of = [&](int i) {
    const __m256 rest = all(source.base[i][1] * y_px + source.base[i][2]);
    return _mm256_fmadd_ps(all(source.shift[i]), planes.w, _mm256_fmadd_ps(all(source.base[i][0]), x_px, rest));
  };
  const __m256 z = row_of(2), inverse = _mm256_div_ps(all(1.0f), z);
  const __m256 u = _mm256_mul_ps(row_of(0), inverse), v = _mm256_mul_ps(row_of(1), inverse);
  const auto derivative = [&](int i, int axis, __m256 value) {
    const __m256 slant = axis == 0 ? planes.slant_x : planes.slant_y;
    const __m256 dz = _mm256_fmadd_ps(all(source.shift[2]), slant, all(source.base[2][axis]));
    const __m256 di = _mm256_fmadd_ps(all(source.shift[i]), slant, all(source.base[i][axis]));
    return _mm256_mul_ps(_mm256_fnmadd_ps(value, dz, di), inverse);
  };
  const __m256 du_x = derivative(0, 0, u), du_y = derivative(0, 1, u), dv_x = derivative(1, 0, v),
               dv_y = derivative(1, 1, v);
  const float reach = static_cast<float>(radius * options_.spacing);
  const __m256 reach_u = _mm256_fmadd_ps(all(reach), _mm256_add_ps(absolute(du_x), absolute(du_y)), all(1.5f));
  const __m256 reach_v = _mm256_fmadd_ps(all(reach), _mm256_add_ps(absolute(dv_x), absolute(dv_y)), all(1.5f));
  __m256 known = _mm256_and_ps(below(_mm256_setzero_ps(), z), below(reach_u, u));
  known = _mm256_and_ps(known, below(reach_v, v));
  known = _mm256_and_ps(known, below(_mm256_add_ps(u, reach_u), all(source.width)));
  known = _mm256_and_ps(known, below(_mm256_add_ps(v, reach_v), all(source.height)));
  known = _mm256_and_ps(known, below(_mm256_max_ps(reach_u, reach_v), all(4.0f * reach + 1.5f)));
  if (_mm256_movemask_ps(known) == 0) return all(no_cost);

  const auto fixed = [&](__m256 value, float shift) {  // lanes that are not known stay within the photo
    const __m256 safe = choose(known, _mm256_sub_ps(value, all(shift)), _mm256_setzero_ps());
    return _mm256_cvtps_epi32(_mm256_mul_ps(safe, all(65536.0f)));
  };
  const auto step = [&](__m256 value) {
    return fixed(_mm256_mul_ps(value, all(static_cast<float>(options_.spacing))), 0.0f);
  };
  const __m256i step_ux = step(du_x), step_uy = step(du_y), step_vx = step(dv_x), step_vy = step(dv_y);
  __m256i row_u = fixed(u, 0.5f), row_v = fixed(v, 0.5f);
  for (int k = 0; k < radius; ++k) {
    row_u = _mm256_sub_epi32(row_u, _mm256_add_epi32(step_ux, step_uy));
    row_v = _mm256_sub_epi32(row_v, _mm256_add_epi32(step_vx, step_vy));
  }
  const __m256i stride = _mm256_set1_epi32(source.stride << 16 | 1),
                high = _mm256_set1_epi32(static_cast<int>(0xffff0000u));
  const __m256i fraction = _mm256_set1_epi32(63), one = _mm256_set1_epi32(64), ones = _mm256_set1_epi32(0x00400040);
  __m256 sum = _mm256_setzero_ps(), square = sum, product = sum;
  __m256i middle = one;
  const float *weight = window.weight, *own = window.product;
  for (int dy = 0; dy <= 2 * radius; ++dy) {
    __m256i at_u = row_u, at_v = row_v;
    for (int dx = 0; dx <= 2 * radius; ++dx, weight += lanes, own += lanes) {
      // v · stride + u from their whole parts, which have 16 bits each.
      const __m256i place =
          _mm256_madd_epi16(_mm256_or_si256(_mm256_and_si256(at_v, high), _mm256_srli_epi32(at_u, 16)), stride);
      const __m256i quad = _mm256_i32gather_epi32(reinterpret_cast<const int*>(source.quads), place, 4);
      if (dx == radius && dy == radius) middle = quad;
      const __m256i a = _mm256_and_si256(_mm256_srli_epi32(at_u, 10), fraction);
      const __m256i b = _mm256_and_si256(_mm256_srli_epi32(at_v, 10), fraction);
      // Bytes (64 − a, a, 64 − a, a), then halves (64 − b, b).
      __m256i across = _mm256_sub_epi32(_mm256_slli_epi32(a, 8), a);
      across = _mm256_add_epi32(_mm256_or_si256(across, _mm256_slli_epi32(across, 16)), ones);
      const __m256i down = _mm256_add_epi32(_mm256_sub_epi32(_mm256_slli_epi32(b, 16), b), one);
      const __m256i mixed = _mm256_madd_epi16(_mm256_maddubs_epi16(quad, across), down);
      const __m256 value = _mm256_fmadd_ps(_mm256_cvtepi32_ps(mixed), all(1.0f / 4096.0f), all(-128.0f));
      const __m256 weighted = _mm256_mul_ps(_mm256_load_ps(weight), value);
      sum = _mm256_add_ps(sum, weighted);
      square = _mm256_fmadd_ps(weighted, value, square);
      product = _mm256_fmadd_ps(_mm256_load_ps(own), value, product);
      at_u = _mm256_add_epi32(at_u, step_ux);
      at_v = _mm256_add_epi32(at_v, step_vx);
    }
    row_u = _mm256_add_epi32(row_u, step_uy);
    row_v = _mm256_add_epi32(row_v, step_vy);
  }
  const __m256 variance =
      _mm256_add_ps(_mm256_max_ps(_mm256_fnmadd_ps(sum, sum, square), _mm256_setzero_ps()), all(noise_variance));
  __m256 result = _mm256_sub_ps(all(1.0f), _mm256_div_ps(product, _mm256_sqrt_ps(variance)));
  if (source.inverse_depth) {
    const __m256i place =
        _mm256_add_epi32(_mm256_mullo_epi32(_mm256_cvttps_epi32(choose(known, v, _mm256_setzero_ps())),
                                            _mm256_set1_epi32(source.stride)),
                         _mm256_cvttps_epi32(choose(known, u, _mm256_setzero_ps())));
    const __m256 found = _mm256_i32gather_ps(source.inverse_depth, place, 4);
    const __m256 difference = absolute(_mm256_fnmadd_ps(planes.w, inverse, found));
    const __m256 error = _mm256_min_ps(_mm256_mul_ps(difference, all(source.per_step)), all(options_.geometric_cap_px));
    const __m256 judged = choose(below(_mm256_setzero_ps(), found), error, all(options_.geometric_cap_px));
    result = _mm256_fmadd_ps(judged, all(options_.geometric_weight), result);
  }
  const __m256 valid = _mm256_castsi256_ps(_mm256_cmpeq_epi32(middle, _mm256_setzero_si256()));
  return choose(_mm256_andnot_ps(valid, known), result, all(no_cost));
}

template <int radius>
__m256 PatchCost::cost(const Window& window, int x, int y, const Planes& planes) const {
  const __m256 x_px = _mm256_add_ps(all(static_cast<float>(x) + 0.5f), _mm256_setr_ps(0, 2, 4, 6, 8, 10, 12, 14));
  __m256 best[most_better] = {all(no_cost), all(no_cost), all(no_cost), all(no_cost)}, known = _mm256_setzero_ps();
  for (const Source& source : sources_) {
    __m256 value = source_cost<radius>(source, window, x_px, static_cast<float>(y) + 0.5f, planes);
    known = _mm256_add_ps(known, _mm256_and_ps(below(value, all(no_cost)), all(1.0f)));
    for (__m256& place : best) {
      const __m256 smaller = _mm256_min_ps(place, value);
      value = _mm256_max_ps(place, value);
      place = smaller;
    }
  }
  __m256 wanted;
  if (options_.better > 0)
    wanted = _mm256_min_ps(known, all(static_cast<float>(options_.better)));
  else
    wanted = _mm256_min_ps(_mm256_floor_ps(_mm256_mul_ps(_mm256_add_ps(known, all(1.0f)), all(0.5f))), all(3.0f));
  __m256 sum = _mm256_setzero_ps();
  for (int k = 0; k < most_better; ++k)
    sum = _mm256_add_ps(sum, _mm256_and_ps(below(all(static_cast<float>(k)), wanted), best[k]));
  const __m256 mean = _mm256_div_ps(sum, _mm256_max_ps(wanted, all(1.0f)));
  __m256 sound = _mm256_and_ps(window.usable, below(_mm256_setzero_ps(), wanted));
  sound = _mm256_and_ps(sound, _mm256_and_ps(below(all(least_w_), planes.w), below(planes.w, all(most_w_))));
  return choose(sound, mean, all(no_cost));
}

}  // namespace ptl::patches
