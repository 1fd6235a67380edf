#include "viewer/gl_objects.h"

#include <algorithm>
#include <stdexcept>

namespace ptl {

bool GlTexture::prepare(int width, int height, GLint format) {
  glBindTexture(GL_TEXTURE_2D, texture_.name());
  if (width == width_ && height == height_ && format == format_) return true;
  from_cuda_.release();
  width_ = width;
  height_ = height;
  format_ = format;
  return false;
}

void GlTexture::filter(bool smooth) {
  const GLint filter = smooth ? GL_LINEAR : GL_NEAREST;
  glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
  glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
  glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAX_LEVEL, 0);
  glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, filter);
  glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, filter);
}

void GlTexture::set(const StoredImage& image, bool smooth) {
  glPixelStorei(GL_UNPACK_ALIGNMENT, 1);
  if (prepare(image.width, image.height, GL_RGB8))
    glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, width_, height_, GL_RGB, GL_UNSIGNED_BYTE, image.values8.data());
  else
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGB8, width_, height_, 0, GL_RGB, GL_UNSIGNED_BYTE, image.values8.data());
  filter(smooth);
}

std::string GlTexture::set(const DevicePicture& picture, bool smooth) {
  if (!prepare(picture.width_px, picture.height_px, GL_RGBA8))
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, width_, height_, 0, GL_RGBA, GL_UNSIGNED_BYTE, nullptr);
  filter(smooth);
  glBindTexture(GL_TEXTURE_2D, 0);
  return from_cuda_.copy(picture, texture_.name());
}

bool GlCanvas::resize(int width, int height) {
  if (width == width_ && height == height_) return false;
  width_ = width;
  height_ = height;
  glBindTexture(GL_TEXTURE_2D, color_.name());
  glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, width, height, 0, GL_RGBA, GL_UNSIGNED_BYTE, nullptr);
  glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
  glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
  glBindFramebuffer(GL_FRAMEBUFFER, framebuffer_.name());
  glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, color_.name(), 0);
  if (with_depth_) {
    glBindRenderbuffer(GL_RENDERBUFFER, depth_.name());
    glRenderbufferStorage(GL_RENDERBUFFER, GL_DEPTH_COMPONENT24, width, height);
    glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_DEPTH_ATTACHMENT, GL_RENDERBUFFER, depth_.name());
  }
  if (glCheckFramebufferStatus(GL_FRAMEBUFFER) != GL_FRAMEBUFFER_COMPLETE)
    throw std::runtime_error("OpenGL gave no canvas of " + std::to_string(width) + " x " + std::to_string(height) +
                             " px");
  return true;
}

void GlCanvas::bind() {
  glBindFramebuffer(GL_FRAMEBUFFER, framebuffer_.name());
  glViewport(0, 0, width_, height_);
}

StoredImage GlCanvas::read(int x, int y, int width, int height) {
  StoredImage image;
  image.width = width;
  image.height = height;
  image.channels = 3;
  image.values8.resize(image.value_count());
  glBindFramebuffer(GL_READ_FRAMEBUFFER, framebuffer_.name());
  glPixelStorei(GL_PACK_ALIGNMENT, 1);
  glReadPixels(x, height_ - y - height, width, height, GL_RGB, GL_UNSIGNED_BYTE, image.values8.data());
  const size_t row = static_cast<size_t>(width) * 3;
  for (int top = 0, bottom = height - 1; top < bottom; ++top, --bottom)
    std::swap_ranges(image.values8.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(top) * row),
                     image.values8.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(top + 1) * row),
                     image.values8.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(bottom) * row));
  return image;
}

float GlCanvas::read_depth(int x, int y) {
  float depth = 1;
  glBindFramebuffer(GL_READ_FRAMEBUFFER, framebuffer_.name());
  glReadPixels(x, height_ - 1 - y, 1, 1, GL_DEPTH_COMPONENT, GL_FLOAT, &depth);
  return depth;
}

Image GlCanvas::read_depths() {
  Image depths(width_, height_, 1);
  glBindFramebuffer(GL_READ_FRAMEBUFFER, framebuffer_.name());
  glReadPixels(0, 0, width_, height_, GL_DEPTH_COMPONENT, GL_FLOAT, depths.pixels.data());
  for (int top = 0, bottom = height_ - 1; top < bottom; ++top, --bottom)
    std::swap_ranges(&depths.at(0, top, 0), &depths.at(0, top, 0) + width_, &depths.at(0, bottom, 0));
  return depths;
}

GlProgram::GlProgram(const char* vertex_source, const char* fragment_source) {
  program_ = glCreateProgram();
  const std::pair<GLenum, const char*> parts[] = {{GL_VERTEX_SHADER, vertex_source},
                                                  {GL_FRAGMENT_SHADER, fragment_source}};
  char log[1024] = "";
  for (const auto& [kind, source] : parts) {
    const GLuint shader = glCreateShader(kind);
    glShaderSource(shader, 1, &source, nullptr);
    glCompileShader(shader);
    GLint good = 0;
    glGetShaderiv(shader, GL_COMPILE_STATUS, &good);
    if (!good) {
      glGetShaderInfoLog(shader, sizeof log, nullptr, log);
      throw std::runtime_error(std::string("OpenGL refused a shader: ") + log);
    }
    glAttachShader(program_, shader);
    glDeleteShader(shader);
  }
  glLinkProgram(program_);
  GLint good = 0;
  glGetProgramiv(program_, GL_LINK_STATUS, &good);
  if (!good) {
    glGetProgramInfoLog(program_, sizeof log, nullptr, log);
    throw std::runtime_error(std::string("OpenGL refused to link shaders: ") + log);
  }
}

}  // namespace ptl
