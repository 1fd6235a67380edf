// HD marks a function that both the CPU and the GPU compile.
#pragma once

#if defined(__CUDACC__)
#define PTL_HD __host__ __device__
#else
#define PTL_HD
#endif
