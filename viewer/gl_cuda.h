// A texture that CUDA fills, so that a picture rendered on the GPU that draws the window never leaves it.
#pragma once

#include <epoxy/gl.h>

#include <memory>
#include <string>

#include "viewer/device_picture.h"

namespace ptl {

class GlCudaImage {
 public:
  GlCudaImage();
  GlCudaImage(GlCudaImage&&) noexcept;
  GlCudaImage& operator=(GlCudaImage&&) noexcept;
  ~GlCudaImage();

  /// Copies the picture to a texture of its size and format GL_RGBA8, on the thread that has the context. Empty: it is done.
  /// Otherwise why it cannot be: no CUDA in this program, or OpenGL runs elsewhere.
  std::string copy(const DevicePicture& picture, GLuint texture);
  /// Before the texture gets another size or goes.
  void release();

 private:
  struct Registration;
  std::unique_ptr<Registration> registration_;
};

}  // namespace ptl
