#include "viewer/gl_cuda.h"

#if defined(PTL_CUDA)
#include <cuda_gl_interop.h>
#include <cuda_runtime_api.h>
#endif

namespace ptl {

#if defined(PTL_CUDA)

namespace {

std::string failed(const char* what, cudaError_t result) {
  cudaGetLastError();  // seen
  return std::string(what) + ": " + cudaGetErrorString(result);
}

/// Whether one of the GPUs that draw this context is the one of the picture.
std::string why_not_here(const DevicePicture& picture) {
  unsigned count = 0;
  int devices[16];
  const cudaError_t result = cudaGLGetDevices(&count, devices, 16, cudaGLDeviceListAll);
  if (result != cudaSuccess || count == 0) {
    cudaGetLastError();
    return "OpenGL is not on a GPU of CUDA";
  }
  cudaPointerAttributes where;
  if (const cudaError_t found = cudaPointerGetAttributes(&where, picture.rgba); found != cudaSuccess)
    return failed("the picture's memory", found);
  for (unsigned i = 0; i < count; ++i)
    if (devices[i] == where.device) return "";
  return "OpenGL is on another GPU";
}

}  // namespace

struct GlCudaImage::Registration {
  cudaGraphicsResource_t resource = nullptr;
  ~Registration() {
    if (resource) cudaGraphicsUnregisterResource(resource);
  }
};

std::string GlCudaImage::copy(const DevicePicture& picture, GLuint texture) {
  if (!registration_) {
    if (std::string why = why_not_here(picture); !why.empty()) return why;
    auto registration = std::make_unique<Registration>();
    const cudaError_t result = cudaGraphicsGLRegisterImage(&registration->resource, texture, GL_TEXTURE_2D,
                                                           cudaGraphicsRegisterFlagsWriteDiscard);
    if (result != cudaSuccess) return failed("registering the texture", result);
    registration_ = std::move(registration);
  }
  cudaGraphicsResource_t& resource = registration_->resource;
  if (const cudaError_t result = cudaGraphicsMapResources(1, &resource); result != cudaSuccess)
    return failed("mapping the texture", result);
  cudaArray_t array = nullptr;
  cudaError_t result = cudaGraphicsSubResourceGetMappedArray(&array, resource, 0, 0);
  const size_t row_bytes = static_cast<size_t>(picture.width_px) * 4;
  if (result == cudaSuccess)
    result = cudaMemcpy2DToArray(array, 0, 0, picture.rgba, row_bytes, row_bytes, static_cast<size_t>(picture.height_px),
                                 cudaMemcpyDeviceToDevice);
  const cudaError_t unmapped = cudaGraphicsUnmapResources(1, &resource);  // OpenGL's use of it waits for the copy
  if (result == cudaSuccess) result = unmapped;
  return result == cudaSuccess ? "" : failed("copying to the texture", result);
}

#else

struct GlCudaImage::Registration {};

std::string GlCudaImage::copy(const DevicePicture&, GLuint) {
  return "this program was built without CUDA";
}

#endif

GlCudaImage::GlCudaImage() = default;
GlCudaImage::GlCudaImage(GlCudaImage&&) noexcept = default;
GlCudaImage& GlCudaImage::operator=(GlCudaImage&&) noexcept = default;
GlCudaImage::~GlCudaImage() = default;
void GlCudaImage::release() {
  registration_.reset();
}

}  // namespace ptl
