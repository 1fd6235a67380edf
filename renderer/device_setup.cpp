#include "renderer/device_setup.h"

#include <ATen/Context.h>
#include <dlfcn.h>
#include <malloc.h>
#include <omp.h>
#include <torch/version.h>

#include "datasets/error.h"
#include "commit.h"  // made by the build

namespace ptl {

void keep_freed_memory() {
#if defined(__GLIBC__)
  // The largest values that the adapting thresholds would reach.
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
}

void set_threads(int threads) {
  if (threads < 0 || threads > 1024) throw InputError("--threads: expected 0 to 1024, found {}", threads);
  const int used = threads > 0 ? threads : omp_get_num_procs();
  omp_set_num_threads(used);
  torch::set_num_threads(used);
  // Gradients that fade out would otherwise make a step many times slower: a processor handles denormal numbers in
  // microcode. Each thread has its own setting; those that come later inherit it.
#pragma omp parallel
  at::globalContext().setFlushDenormal(true);
}

torch::Device open_device(const std::string& name) {
  if (name == "cpu") return torch::kCPU;
  if (name != "cuda") throw InputError("--device: expected cpu or cuda, found '{}'", name);
#if defined(PTL_CUDA)
  // Registers CUDA in a program that links LibTorch's CPU part only.
  if (!::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL))
    throw InputError("--device cuda: LibTorch's CUDA part could not be loaded: {}; use --device cpu", ::dlerror());
  if (!torch::cuda::is_available())
    throw InputError("--device cuda: no usable NVIDIA GPU or driver was found on this machine; use --device cpu");
  // The same bits in every run, and those of single precision: an operator that cannot throws instead of guessing.
  at::Context& context = at::globalContext();
  context.setDeterministicAlgorithms(true, /*warn_only=*/false);
  context.setDeterministicFillUninitializedMemory(false);
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
  context.setAllowTF32CuDNN(false);
  return torch::kCUDA;
#else
  throw InputError("--device cuda: this program was built without CUDA; build it with the preset cuda-release, or use "
                   "--device cpu");
#endif
}

std::vector<std::pair<std::string, std::string>> version_table() {
  std::string features;
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) features += "avx2 ";
  if (__builtin_cpu_supports("fma")) features += "fma ";
  if (__builtin_cpu_supports("avx512f")) features += "avx512f ";
  if (!features.empty()) features.pop_back();
#if defined(PTL_CUDA)
  const char* cuda = "yes (sm_80, sm_90, sm_100, sm_120)";
#else
  const char* cuda = "no";
#endif
  return {{"pointillist", PTL_VERSION},
          {"commit", PTL_COMMIT},
          {"build", std::string(PTL_BUILD_TYPE) + ", g++ " + __VERSION__},
          {"LibTorch", TORCH_VERSION},
          {"CUDA", cuda},
          {"CPU", features + fmt::format(", {} cores", omp_get_num_procs())}};
}

}  // namespace ptl
