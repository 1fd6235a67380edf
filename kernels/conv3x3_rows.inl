// The inner loops of the convolution, written once for vectors of 8 (AVX2) or 16 (AVX-512) floats. Nothing here may
// call an inline function of another header: the linker could keep the copy with the wrong instructions.
#include <immintrin.h>

#include "kernels/conv3x3_simd.h"

namespace ptl {
namespace {

#if PTL_CONV_AVX512
using Vector = __m512;
constexpr int lanes = 16;
constexpr int tile_columns = 32;  // outputs of a register tile: two vectors
constexpr int tile_rows = 12;     // pixels, or inputs: 24 sums and 2 operands in 32 registers
inline Vector load(const float* p) { return _mm512_loadu_ps(p); }
inline void store(float* p, Vector v) { _mm512_storeu_ps(p, v); }
inline __mmask16 first(int n) { return static_cast<__mmask16>((1u << n) - 1u); }
inline Vector load_first(const float* p, int n) { return _mm512_maskz_loadu_ps(first(n), p); }
inline void store_first(float* p, Vector v, int n) { _mm512_mask_storeu_ps(p, first(n), v); }
inline Vector all(float a) { return _mm512_set1_ps(a); }
inline Vector fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
inline Vector fnma(Vector a, Vector b, Vector c) { return _mm512_fnmadd_ps(a, b, c); }
inline Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
inline Vector sub(Vector a, Vector b) { return _mm512_sub_ps(a, b); }
inline Vector mul(Vector a, Vector b) { return _mm512_mul_ps(a, b); }
inline Vector div(Vector a, Vector b) { return _mm512_div_ps(a, b); }
inline Vector if_positive(Vector condition, Vector yes, Vector no) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(condition, _mm512_setzero_ps(), _CMP_GT_OQ), no, yes);
}
inline Vector clamp(Vector x, float low, float high) {  // this order of operands lets NaN through
  return _mm512_min_ps(all(high), _mm512_max_ps(all(low), x));
}
inline Vector nearest(Vector x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline Vector power_of_two(Vector n) {
  const __m512i e = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
  return _mm512_castsi512_ps(_mm512_slli_epi32(e, 23));
}
#else
using Vector = __m256;
constexpr int lanes = 8;
constexpr int tile_columns = 16;
constexpr int tile_rows = 6;  // 12 sums and 3 operands in 16 registers
inline Vector load(const float* p) { return _mm256_loadu_ps(p); }
inline void store(float* p, Vector v) { _mm256_storeu_ps(p, v); }
inline __m256i first(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline Vector load_first(const float* p, int n) { return _mm256_maskload_ps(p, first(n)); }
inline void store_first(float* p, Vector v, int n) { _mm256_maskstore_ps(p, first(n), v); }
inline Vector all(float a) { return _mm256_set1_ps(a); }
inline Vector fma(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
inline Vector fnma(Vector a, Vector b, Vector c) { return _mm256_fnmadd_ps(a, b, c); }
inline Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
inline Vector sub(Vector a, Vector b) { return _mm256_sub_ps(a, b); }
inline Vector mul(Vector a, Vector b) { return _mm256_mul_ps(a, b); }
inline Vector div(Vector a, Vector b) { return _mm256_div_ps(a, b); }
inline Vector if_positive(Vector condition, Vector yes, Vector no) {
  return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(condition, _mm256_setzero_ps(), _CMP_GT_OQ));
}
inline Vector clamp(Vector x, float low, float high) {
  return _mm256_min_ps(all(high), _mm256_max_ps(all(low), x));
}
inline Vector nearest(Vector x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline Vector power_of_two(Vector n) {
  const __m256i e = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
  return _mm256_castsi256_ps(_mm256_slli_epi32(e, 23));
}
#endif

inline int smaller(int a, int b) { return a < b ? a : b; }
inline int larger(int a, int b) { return a > b ? a : b; }

/// e^x to about 2 units in the last place: 2^n · e^r with |r| <= ln(2)/2, e^r by a polynomial (coefficients: Cephes).
inline Vector exponential(Vector x) {
  x = clamp(x, -87.0f, 88.0f);
  const Vector n = nearest(mul(x, all(1.44269504088896341f)));
  Vector r = fnma(n, all(0.693359375f), x);
  r = fnma(n, all(-2.12194440e-4f), r);
  Vector p = all(1.9875691500e-4f);
  p = fma(p, r, all(1.3981999507e-3f));
  p = fma(p, r, all(8.3334519073e-3f));
  p = fma(p, r, all(4.1665795894e-2f));
  p = fma(p, r, all(1.6666665459e-1f));
  p = fma(p, r, all(5.0000001201e-1f));
  return mul(add(fma(p, mul(r, r), r), all(1.0f)), power_of_two(n));
}

/// A tile of Rows × (Columns vectors) sums stays in registers while `depth` runs.
template <int Rows, int Columns>
inline void product_tile(const float* const* rows, int taps, long depth, long stride, long x, const float* weights,
                         long block, const float* bias, float* out, long outputs) {
  Vector sum[Rows][Columns];
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 2
    for (int c = 0; c < Columns; ++c) sum[r][c] = load(bias + c * lanes);
  }
  for (int t = 0; t < taps; ++t) {
    const float* input = rows[t] + x * stride;
    const float* w = weights + t * depth * block;
    for (long k = 0; k < depth; ++k, ++input, w += block) {
      Vector operand[Columns];
#pragma GCC unroll 2
      for (int c = 0; c < Columns; ++c) operand[c] = load(w + c * lanes);
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        const Vector a = all(input[r * stride]);
#pragma GCC unroll 2
        for (int c = 0; c < Columns; ++c) sum[r][c] = fma(a, operand[c], sum[r][c]);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 2
    for (int c = 0; c < Columns; ++c) store(out + r * outputs + c * lanes, sum[r][c]);
  }
}

template <int Columns, int Rows = tile_rows>
inline void product_tile_of(int count, const float* const* rows, int taps, long depth, long stride, long x,
                            const float* weights, long block, const float* bias, float* out, long outputs) {
  if constexpr (Rows > 0) {
    if (count == Rows) {
      product_tile<Rows, Columns>(rows, taps, depth, stride, x, weights, block, bias, out, outputs);
    } else {
      product_tile_of<Columns, Rows - 1>(count, rows, taps, depth, stride, x, weights, block, bias, out, outputs);
    }
  }
}

void product_row(const float* const* rows, int taps, int depth, int stride, int width, const float* weights,
                 int outputs, const float* bias, float* out) {
  const int tiles = (width + tile_rows - 1) / tile_rows;
  for (int first_output = 0; first_output < outputs; first_output += conv_block) {
    const int block = smaller(conv_block, outputs - first_output);
    const float* block_weights = weights + static_cast<long>(first_output) * taps * depth;
    for (int tile = 0; tile < tiles; ++tile) {  // tiles of nearly equal widths
      const int x0 = static_cast<int>(static_cast<long>(width) * tile / tiles);
      const int count = static_cast<int>(static_cast<long>(width) * (tile + 1) / tiles) - x0;
      for (int c = 0; c < block; c += tile_columns) {
        float* tile_out = out + static_cast<long>(x0) * outputs + first_output + c;
        const float* tile_bias = bias + first_output + c;
        if (block - c >= tile_columns) {
          product_tile_of<2>(count, rows, taps, depth, stride, x0, block_weights + c, block, tile_bias, tile_out,
                             outputs);
        } else {
          product_tile_of<1>(count, rows, taps, depth, stride, x0, block_weights + c, block, tile_bias, tile_out,
                             outputs);
        }
      }
    }
  }
}

template <int Rows, int Columns>
inline void weight_tile(const float* input, long stride, int width, const float* gradient, long outputs, float* out) {
  Vector sum[Rows][Columns];
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 2
    for (int c = 0; c < Columns; ++c) sum[r][c] = all(0.0f);
  }
  for (int x = 0; x < width; ++x, input += stride, gradient += outputs) {
    Vector operand[Columns];
#pragma GCC unroll 2
    for (int c = 0; c < Columns; ++c) operand[c] = load(gradient + c * lanes);
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
      const Vector a = all(input[r]);
#pragma GCC unroll 2
      for (int c = 0; c < Columns; ++c) sum[r][c] = fma(a, operand[c], sum[r][c]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 2
    for (int c = 0; c < Columns; ++c) {
      float* at = out + r * outputs + c * lanes;
      store(at, add(load(at), sum[r][c]));
    }
  }
}

template <int Columns, int Rows = tile_rows>
inline void weight_tile_of(int count, const float* input, long stride, int width, const float* gradient, long outputs,
                           float* out) {
  if constexpr (Rows > 0) {
    if (count == Rows) {
      weight_tile<Rows, Columns>(input, stride, width, gradient, outputs, out);
    } else {
      weight_tile_of<Columns, Rows - 1>(count, input, stride, width, gradient, outputs, out);
    }
  }
}

void weight_row(const float* row, int depth, int stride, int width, const float* gradient, int outputs,
                float* weight_gradient) {
  const int tiles = (depth + tile_rows - 1) / tile_rows;
  for (int c = 0; c < outputs; c += tile_columns) {
    for (int tile = 0; tile < tiles; ++tile) {
      const int k0 = static_cast<int>(static_cast<long>(depth) * tile / tiles);
      const int count = static_cast<int>(static_cast<long>(depth) * (tile + 1) / tiles) - k0;
      float* out = weight_gradient + static_cast<long>(k0) * outputs + c;
      if (outputs - c >= tile_columns) {
        weight_tile_of<2>(count, row + k0, stride, width, gradient + c, outputs, out);
      } else {
        weight_tile_of<1>(count, row + k0, stride, width, gradient + c, outputs, out);
      }
    }
  }
}

void gate_row(const float* raw, int stride, int filters, int width, bool elu, float* result, float* saved) {
  const Vector one = all(1.0f);
  for (int x = 0; x < width; ++x) {
    for (int c = 0; c < filters; c += lanes) {
      const int n = smaller(lanes, filters - c);
      const Vector value = load_first(raw + c, n);
      const Vector gate = load_first(raw + filters + c, n);
      const Vector active = elu ? if_positive(value, value, sub(exponential(value), one)) : value;
      const Vector sigmoid = div(one, add(one, exponential(sub(all(0.0f), gate))));
      store_first(result + c, mul(active, sigmoid), n);
      if (saved != nullptr) {
        store_first(saved + c, active, n);
        store_first(saved + filters + c, sigmoid, n);
      }
    }
    raw += stride;
    result += filters;
    if (saved != nullptr) saved += 2 * filters;
  }
}

void gate_gradient_row(const float* result_gradient, const float* saved, int filters, int width, bool elu,
                       float* gradient, int stride) {
  const Vector one = all(1.0f);
  for (int x = 0; x < width; ++x) {
    for (int c = 0; c < filters; c += lanes) {
      const int n = smaller(lanes, filters - c);
      const Vector g = load_first(result_gradient + c, n);
      const Vector active = load_first(saved + c, n);
      const Vector sigmoid = load_first(saved + filters + c, n);
      const Vector slope = elu ? if_positive(active, one, add(active, one)) : one;  // elu' = 1, or e^v = elu + 1
      store_first(gradient + c, mul(mul(g, sigmoid), slope), n);
      store_first(gradient + filters + c, mul(mul(g, active), mul(sigmoid, sub(one, sigmoid))), n);
    }
    for (int c = 2 * filters; c < stride; ++c) gradient[c] = 0;
    result_gradient += filters;
    saved += 2 * filters;
    gradient += stride;
  }
}

void sum_row(const float* gradient, int outputs, int width, float* sums) {
  for (int c = 0; c < outputs; c += lanes) {
    Vector sum = all(0.0f);
    for (int x = 0; x < width; ++x) sum = add(sum, load(gradient + static_cast<long>(x) * outputs + c));
    store(sums + c, add(load(sums + c), sum));
  }
}

/// channels floats from a to b, in pixels of other strides.
inline void copy_pixels(const float* a, long stride_a, float* b, long stride_b, int width, int channels) {
  for (int x = 0; x < width; ++x, a += stride_a, b += stride_b) {
    for (int c = 0; c < channels; c += lanes) {
      const int n = smaller(lanes, channels - c);
      store_first(b + c, load_first(a + c, n), n);
    }
  }
}

/// out = a·wa + b·wb for each channel.
inline void mix(const float* a, float wa, const float* b, float wb, int channels, float* out) {
  for (int c = 0; c < channels; c += lanes) {
    const int n = smaller(lanes, channels - c);
    store_first(out + c, fma(load_first(a + c, n), all(wa), mul(load_first(b + c, n), all(wb))), n);
  }
}

void pack_upsampled(const ConvInput& in, int image, int y, int height, int width, float* dest, long total,
                    float* scratch) {
  const int h = height / 2;
  const int w = width / 2;
  const long c = in.channels;
  const int near = y / 2;
  const int far = y % 2 == 0 ? larger(near - 1, 0) : smaller(near + 1, h - 1);
  const float* base = in.data + static_cast<long>(image) * h * w * c;
  mix(base + far * w * c, 0.25f, base + near * w * c, 0.75f, static_cast<int>(w * c), scratch);
  for (int x = 0; x < w; ++x) {
    const float* here = scratch + x * c;
    const float* left = scratch + larger(x - 1, 0) * c;
    const float* right = scratch + smaller(x + 1, w - 1) * c;
    mix(left, 0.25f, here, 0.75f, in.channels, dest + 2 * x * total);
    mix(right, 0.25f, here, 0.75f, in.channels, dest + (2 * x + 1) * total);
  }
}

void pack_pooled(const ConvInput& in, int image, int y, int height, int width, float* dest, long total) {
  const long c = in.channels;
  const long row = 2l * width * c;
  const float* upper = in.data + (static_cast<long>(image) * height + y) * 2 * row;
  const float* lower = upper + row;
  for (int x = 0; x < width; ++x, upper += 2 * c, lower += 2 * c, dest += total) {
    for (int i = 0; i < in.channels; i += lanes) {
      const int n = smaller(lanes, in.channels - i);
      const Vector up = add(load_first(upper + i, n), load_first(upper + c + i, n));
      const Vector low = add(load_first(lower + i, n), load_first(lower + c + i, n));
      store_first(dest + i, mul(add(up, low), all(0.25f)), n);
    }
  }
}

void pack_row(const ConvInput* inputs, int count, int image, int y, int height, int width, int total, float* dest,
              float* scratch) {
  for (int i = 0; i < count; ++i) {
    const ConvInput& in = inputs[i];
    if (in.resampling == Resampling::none) {
      const float* row = in.data + (static_cast<long>(image) * height + y) * width * in.channels;
      if (count == 1) {
        copy_pixels(row, 0, dest, 0, 1, width * in.channels);
      } else {
        copy_pixels(row, in.channels, dest, total, width, in.channels);
      }
    } else if (in.resampling == Resampling::upsample2) {
      pack_upsampled(in, image, y, height, width, dest, total, scratch);
    } else {
      pack_pooled(in, image, y, height, width, dest, total);
    }
    dest += in.channels;
  }
}

constexpr ConvRowKernels row_kernels = {pack_row, product_row, weight_row, gate_row, gate_gradient_row, sum_row};

}  // namespace
}  // namespace ptl
