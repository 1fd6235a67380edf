# ptl_own_code(target): the warnings and flags of all code of this project.
function(ptl_own_code target)
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic $<$<NOT:$<BOOL:${PTL_FUZZ}>>:-Werror> -Wshadow -Wnon-virtual-dtor
    -Wno-unknown-pragmas>
    $<$<COMPILE_LANGUAGE:CUDA>:--Werror=all-warnings -Xcompiler=-Wall,-Werror>)
  # AVX2 and FMA are the floor of every supported processor. Contraction is off so that a formula gives the same bits
  # wherever it is inlined; code that wants FMA writes it.
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-mavx2 -mfma -mf16c -ffp-contract=off>)
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR})
endfunction()
