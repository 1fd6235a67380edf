# ptl::torch: LibTorch's CPU part. find_package(Torch) would ask for all of CUDA; the program opens libtorch_cuda.so
# itself when a GPU is there (renderer/device_setup.cpp).
if(NOT EXISTS "${PTL_LIBTORCH}/include/torch/csrc/api/include/torch/torch.h")
  message(FATAL_ERROR "No LibTorch in ${PTL_LIBTORCH}. Run scripts/setup, or set PTL_LIBTORCH.")
endif()
file(REAL_PATH "${PTL_LIBTORCH}" PTL_LIBTORCH_REAL)
add_library(ptl_torch INTERFACE)
add_library(ptl::torch ALIAS ptl_torch)
target_include_directories(ptl_torch SYSTEM INTERFACE
  "${PTL_LIBTORCH_REAL}/include" "${PTL_LIBTORCH_REAL}/include/torch/csrc/api/include")
target_link_libraries(ptl_torch INTERFACE
  "${PTL_LIBTORCH_REAL}/lib/libtorch_cpu.so" "${PTL_LIBTORCH_REAL}/lib/libc10.so" OpenMP::OpenMP_CXX)
# LibTorch's include folder holds a newer fmt than the system's library (their names differ, so both
# can be in one program).
target_compile_definitions(ptl_torch INTERFACE FMT_HEADER_ONLY=1)
target_link_options(ptl_torch INTERFACE "-Wl,-rpath,${PTL_LIBTORCH_REAL}/lib" "-Wl,--disable-new-dtags"
  "-Wl,-rpath-link,${PTL_LIBTORCH_REAL}/lib")

# One precompiled torch/torch.h for everything: PCH reuse needs equal flags, so every user calls this function.
function(ptl_use_torch target)
  target_link_libraries(${target} PUBLIC ptl::torch)
  if(NOT TARGET ptl_torch_pch)
    file(WRITE ${CMAKE_BINARY_DIR}/torch_pch.cpp "#include <torch/torch.h>\n")
    add_library(ptl_torch_pch OBJECT ${CMAKE_BINARY_DIR}/torch_pch.cpp)
    target_link_libraries(ptl_torch_pch PUBLIC ptl::torch)
    ptl_own_code(ptl_torch_pch)
    target_precompile_headers(ptl_torch_pch PRIVATE <torch/torch.h>)
  endif()
  target_precompile_headers(${target} REUSE_FROM ptl_torch_pch)
endfunction()
