// Numbers as PatchMatch's formulas (patch_formula.h) use them: of one pixel, on any device, or of eight pixels at once
// in a CPU's wide registers. Every operation gives each of the eight the bits that it gives the one.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/hash.h"

#if defined(__AVX2__) && defined(__FMA__) && !defined(__CUDACC__)
#define PTL_EIGHT_PIXELS 1
#include <immintrin.h>
#endif

namespace ptl {

/// Bytes of four neighbours: [0] here, [1] right of it, [2] under it, [3] right of that one.
inline constexpr int quad_fraction_bits = 6;  ///< of the weights between them
inline constexpr int fixed_bits = 16;         ///< of the fractions of places
inline constexpr float fixed_one = 65536.0f;
inline constexpr float quad_unit = 1.0f / 4096.0f;  ///< two weights of 6 bits

/// Three draws of 21 bits from one of 64, each from −1 to 1.
PTL_HD inline float signed_draw(uint64_t bits, int which) {
  return fmaf(static_cast<float>(static_cast<int32_t>(bits >> (1 + 21 * which) & 0x1fffff)), 1.0f / 1048576.0f, -1.0f);
}

/// One pixel.
struct OneLane {
  using Real = float;
  using Whole = int32_t;
  using Mask = bool;
  static constexpr int count = 1;

  PTL_HD static Real all(float value) { return value; }
  PTL_HD static Real load(const float* values) { return *values; }
  PTL_HD static void store(float* values, Real value) { *values = value; }
  /// values[x] of every second pixel x from here, as many as fit into `width`.
  PTL_HD static Real load_second(const float* values, int x, int /*width*/) { return values[x]; }
  PTL_HD static Real gather(const float* values, Whole place) { return values[place]; }
  /// x + 0.5 of every second pixel from here.
  PTL_HD static Real centres(int x) { return static_cast<float>(x) + 0.5f; }
  /// a · b + c, and c − a · b, rounded once.
  PTL_HD static Real fused(Real a, Real b, Real c) { return fmaf(a, b, c); }
  PTL_HD static Real fused_minus(Real a, Real b, Real c) { return fmaf(-a, b, c); }
  PTL_HD static Real least(Real a, Real b) { return a < b ? a : b; }
  PTL_HD static Real most(Real a, Real b) { return a > b ? a : b; }
  PTL_HD static Real absolute(Real value) { return std::fabs(value); }
  PTL_HD static Real root(Real value) { return std::sqrt(value); }
  PTL_HD static Real floor(Real value) { return std::floor(value); }
  PTL_HD static Mask below(Real a, Real b) { return a < b; }
  PTL_HD static Mask both(Mask a, Mask b) { return a && b; }
  PTL_HD static bool any(Mask mask) { return mask; }
  PTL_HD static Real choose(Mask mask, Real yes, Real no) { return mask ? yes : no; }
  /// 16 bits of fraction, rounded to the nearest, halves to even.
  PTL_HD static Whole to_fixed(Real value) {
#if defined(__CUDA_ARCH__)
    return __float2int_rn(value * fixed_one);
#else
    return static_cast<Whole>(std::lrint(value * fixed_one));
#endif
  }
  /// The whole parts of (u, v) as a place in rows of `stride`.
  PTL_HD static Whole place(Real u, Real v, int stride) {
    return static_cast<Whole>(v) * stride + static_cast<Whole>(u);
  }
  PTL_HD static Whole fixed_place(Whole u, Whole v, int stride) {
    return (v >> fixed_bits) * stride + (u >> fixed_bits);
  }
  PTL_HD static Whole gather_quad(const uint32_t* quads, Whole place) {
    return static_cast<Whole>(quads[place]);
  }
  /// Between the quad's bytes at the fractions of (u, v): a whole number of quad_units.
  PTL_HD static Real mix_quad(Whole quad, Whole u, Whole v) {
    constexpr int one = 1 << quad_fraction_bits;
    const uint32_t bytes = static_cast<uint32_t>(quad);
    const int a = u >> (fixed_bits - quad_fraction_bits) & (one - 1),
              b = v >> (fixed_bits - quad_fraction_bits) & (one - 1);
    const int upper = static_cast<int>(bytes & 255) * (one - a) + static_cast<int>(bytes >> 8 & 255) * a;
    const int lower = static_cast<int>(bytes >> 16 & 255) * (one - a) + static_cast<int>(bytes >> 24) * a;
    return static_cast<float>(upper * (one - b) + lower * b);
  }
  PTL_HD static Mask not_zero(Whole value) {
    return value != 0;
  }
  /// Draws of every second pixel from x; `prefix`: draw_prefix of what comes before x.
  PTL_HD static void draw(uint64_t prefix, int x, Real* three) {
    const uint64_t bits = mix64(prefix ^ static_cast<uint64_t>(x));
    for (int k = 0; k < 3; ++k) three[k] = signed_draw(bits, k);
  }
};

#if defined(PTL_EIGHT_PIXELS)

/// Eight pixels of a row, every second one.
struct EightLanes {
  using Real = __m256;
  using Whole = __v8si;
  using Mask = __m256;
  static constexpr int count = 8;

  static Real all(float value) { return _mm256_set1_ps(value); }
  static Real load(const float* values) { return _mm256_loadu_ps(values); }
  static void store(float* values, Real value) { _mm256_storeu_ps(values, value); }
  static Real load_second(const float* values, int x, int width) {
    alignas(32) float found[count] = {};
    for (int lane = 0; lane < count && x + 2 * lane < width; ++lane) found[lane] = values[x + 2 * lane];
    return _mm256_load_ps(found);
  }
  static Real gather(const float* values, Whole place) { return _mm256_i32gather_ps(values, bits(place), 4); }
  static Real centres(int x) {
    return _mm256_add_ps(all(static_cast<float>(x) + 0.5f), _mm256_setr_ps(0, 2, 4, 6, 8, 10, 12, 14));
  }
  static Real fused(Real a, Real b, Real c) { return _mm256_fmadd_ps(a, b, c); }
  static Real fused_minus(Real a, Real b, Real c) { return _mm256_fnmadd_ps(a, b, c); }
  static Real least(Real a, Real b) { return _mm256_min_ps(a, b); }
  static Real most(Real a, Real b) { return _mm256_max_ps(a, b); }
  static Real absolute(Real value) { return _mm256_andnot_ps(all(-0.0f), value); }
  static Real root(Real value) { return _mm256_sqrt_ps(value); }
  static Real floor(Real value) { return _mm256_floor_ps(value); }
  static Mask below(Real a, Real b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
  static Mask both(Mask a, Mask b) { return _mm256_and_ps(a, b); }
  static bool any(Mask mask) { return _mm256_movemask_ps(mask) != 0; }
  static Real choose(Mask mask, Real yes, Real no) { return _mm256_blendv_ps(no, yes, mask); }
  static Whole to_fixed(Real value) { return whole(_mm256_cvtps_epi32(_mm256_mul_ps(value, all(fixed_one)))); }
  static Whole place(Real u, Real v, int stride) {
    const __m256i row = _mm256_mullo_epi32(_mm256_cvttps_epi32(v), _mm256_set1_epi32(stride));
    return whole(_mm256_add_epi32(row, _mm256_cvttps_epi32(u)));
  }
  /// Whole parts have 16 bits each: one multiplication of pairs.
  static Whole fixed_place(Whole u, Whole v, int stride) {
    const __m256i high = _mm256_set1_epi32(static_cast<int>(0xffff0000u));
    const __m256i pair = _mm256_or_si256(_mm256_and_si256(bits(v), high), _mm256_srli_epi32(bits(u), fixed_bits));
    return whole(_mm256_madd_epi16(pair, _mm256_set1_epi32(stride << 16 | 1)));
  }
  static Whole gather_quad(const uint32_t* quads, Whole place) {
    return whole(_mm256_i32gather_epi32(reinterpret_cast<const int*>(quads), bits(place), 4));
  }
  static Real mix_quad(Whole quad, Whole u, Whole v) {
    constexpr int shift = fixed_bits - quad_fraction_bits;
    const __m256i fraction = _mm256_set1_epi32((1 << quad_fraction_bits) - 1), one = _mm256_set1_epi32(64),
                  ones = _mm256_set1_epi32(0x00400040);
    const __m256i a = _mm256_and_si256(_mm256_srli_epi32(bits(u), shift), fraction);
    const __m256i b = _mm256_and_si256(_mm256_srli_epi32(bits(v), shift), fraction);
    // Bytes (64 − a, a, 64 − a, a), then halves (64 − b, b).
    __m256i across = _mm256_sub_epi32(_mm256_slli_epi32(a, 8), a);
    across = _mm256_add_epi32(_mm256_or_si256(across, _mm256_slli_epi32(across, 16)), ones);
    const __m256i down = _mm256_add_epi32(_mm256_sub_epi32(_mm256_slli_epi32(b, 16), b), one);
    return _mm256_cvtepi32_ps(_mm256_madd_epi16(_mm256_maddubs_epi16(bits(quad), across), down));
  }
  static Mask not_zero(Whole value) {
    const __m256i zero = _mm256_cmpeq_epi32(bits(value), _mm256_setzero_si256());
    return _mm256_castsi256_ps(_mm256_xor_si256(zero, _mm256_set1_epi32(-1)));
  }
  static void draw(uint64_t prefix, int x, Real* three) {
    alignas(32) float parts[3][count];
    for (int lane = 0; lane < count; ++lane) {
      const uint64_t drawn = mix64(prefix ^ static_cast<uint64_t>(x + 2 * lane));
      for (int k = 0; k < 3; ++k) parts[k][lane] = signed_draw(drawn, k);
    }
    for (int k = 0; k < 3; ++k) three[k] = _mm256_load_ps(parts[k]);
  }

 private:
  static __m256i bits(Whole value) { return reinterpret_cast<__m256i>(value); }
  static Whole whole(__m256i value) { return reinterpret_cast<Whole>(value); }
};

#endif

}  // namespace ptl
