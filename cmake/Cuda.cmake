if(NOT CMAKE_CUDA_COMPILER)
  find_program(PTL_NVCC nvcc HINTS /usr/local/cuda/bin)
  if(NOT PTL_NVCC)
    message(FATAL_ERROR "PTL_CUDA=ON, but no nvcc was found. Install the CUDA Toolkit 13, or configure with PTL_CUDA=OFF.")
  endif()
  set(CMAKE_CUDA_COMPILER ${PTL_NVCC})
endif()
if(NOT CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80-real 90-real 100-real 120)
endif()
enable_language(CUDA)
find_package(CUDAToolkit 13 REQUIRED)
# CMake 3.25 does not know how this compiler spells C++20.
set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)

# ptl_cuda_sources(target files...): these .cpp files are compiled by nvcc, for the GPU and the CPU at once.
function(ptl_cuda_sources target)
  set_source_files_properties(${ARGN} PROPERTIES LANGUAGE CUDA)
  target_compile_definitions(${target} PUBLIC PTL_CUDA=1)
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:CUDA>:--extended-lambda --expt-relaxed-constexpr --fmad=false -diag-suppress=20012
      -Xcompiler=-fopenmp,-mavx2,-mfma,-mf16c,-ffp-contract=off>)
  # Static, so that the program starts where there is neither a GPU nor a toolkit.
  target_link_libraries(${target} PUBLIC CUDA::cudart_static)
endfunction()
