#define PTL_CONV_AVX512 0
#include "kernels/conv3x3_rows.inl"

namespace ptl {
const ConvRowKernels& conv_rows_avx2() { return row_kernels; }
}  // namespace ptl
