// Threads and devices of the process.
#pragma once

#include <torch/torch.h>

#include <string>

namespace ptl {

/// Makes the allocator keep what is freed, up to blocks of 32 MiB, from the start: a fit asks for the same sizes at each step,
/// fresh pages cost time, and the threshold that glibc adapts by itself makes the peak differ from run to run.
void keep_freed_memory();

/// One number for LibTorch and our own kernels, which share one OpenMP runtime. 0: as many as there are cores. From then on
/// numbers below the smallest normal one (1.2e-38 in single precision) count as 0 on all threads.
void set_threads(int threads);

/// "cpu" or "cuda". InputError for anything else, and for cuda in a build without it or on a machine without a GPU. Opening
/// cuda asks LibTorch for deterministic operators from then on.
torch::Device open_device(const std::string& name);

/// Program, LibTorch, CUDA, CPU features: the lines of --version and of reports.
std::vector<std::pair<std::string, std::string>> version_table();

}  // namespace ptl
