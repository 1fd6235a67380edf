// Compiled with AVX-512; called only where best_simd_level() found it.
#define PTL_CONV_AVX512 1
#include "kernels/conv3x3_rows.inl"

namespace ptl {
const ConvRowKernels& conv_rows_avx512() { return row_kernels; }
}  // namespace ptl
