// OpenGL objects that go when they are not needed any more. All of it on the thread that has the context.
#pragma once

#include <epoxy/gl.h>

#include <string>
#include <utility>

#include "datasets/image.h"
#include "viewer/gl_cuda.h"

namespace ptl {

/// One OpenGL name; Trait says how it is made and deleted.
template <class Trait>
class GlObject {
 public:
  GlObject() = default;
  GlObject(GlObject&& other) noexcept : name_(std::exchange(other.name_, 0)) {}
  GlObject& operator=(GlObject&& other) noexcept {
    std::swap(name_, other.name_);
    return *this;
  }
  ~GlObject() {
    if (name_) Trait::remove(name_);
  }
  /// Made when first asked for.
  GLuint name() {
    if (!name_) name_ = Trait::make();
    return name_;
  }
  bool made() const { return name_ != 0; }

 private:
  GLuint name_ = 0;
};

struct GlTextureTrait {
  static GLuint make() {
    GLuint n = 0;
    glGenTextures(1, &n);
    return n;
  }
  static void remove(GLuint n) { glDeleteTextures(1, &n); }
};
struct GlBufferTrait {
  static GLuint make() {
    GLuint n = 0;
    glGenBuffers(1, &n);
    return n;
  }
  static void remove(GLuint n) { glDeleteBuffers(1, &n); }
};
struct GlVertexArrayTrait {
  static GLuint make() {
    GLuint n = 0;
    glGenVertexArrays(1, &n);
    return n;
  }
  static void remove(GLuint n) { glDeleteVertexArrays(1, &n); }
};
struct GlFramebufferTrait {
  static GLuint make() {
    GLuint n = 0;
    glGenFramebuffers(1, &n);
    return n;
  }
  static void remove(GLuint n) { glDeleteFramebuffers(1, &n); }
};
struct GlRenderbufferTrait {
  static GLuint make() {
    GLuint n = 0;
    glGenRenderbuffers(1, &n);
    return n;
  }
  static void remove(GLuint n) { glDeleteRenderbuffers(1, &n); }
};
using GlBuffer = GlObject<GlBufferTrait>;
using GlVertexArray = GlObject<GlVertexArrayTrait>;

/// A picture as a texture, 8 bits, RGB.
class GlTexture {
 public:
  /// Makes it anew, or only fills it where the size is the same.
  void set(const StoredImage& image, bool smooth);
  /// The same within a GPU. Not empty: why it cannot be; the texture is as it was or black.
  std::string set(const DevicePicture& picture, bool smooth);
  GLuint name() { return texture_.name(); }
  int width() const { return width_; }
  int height() const { return height_; }
  bool empty() const { return width_ == 0; }

 private:
  void filter(bool smooth);
  /// True where it has that size and format already.
  bool prepare(int width, int height, GLint format);

  GlObject<GlTextureTrait> texture_;
  GlCudaImage from_cuda_;  ///< goes before the texture
  GLint format_ = 0;
  int width_ = 0, height_ = 0;
};

/// What is drawn into instead of the window: colour, and depth where asked for. Window systems promise nothing about
/// the pixels of a window that is hidden or covered; these are always there.
class GlCanvas {
 public:
  explicit GlCanvas(bool depth) : with_depth_(depth) {}
  /// True when it was made anew, with nothing in it.
  bool resize(int width, int height);
  void bind();
  GLuint framebuffer() { return framebuffer_.name(); }
  GLuint color() { return color_.name(); }
  int width() const { return width_; }
  int height() const { return height_; }
  /// A part of it, rows from the top.
  StoredImage read(int x, int y, int width, int height);
  /// Of one pixel, 0..1.
  float read_depth(int x, int y);
  /// Of all of it, 1 channel, rows from the top.
  Image read_depths();

 private:
  bool with_depth_;
  GlObject<GlFramebufferTrait> framebuffer_;
  GlObject<GlTextureTrait> color_;
  GlObject<GlRenderbufferTrait> depth_;
  int width_ = 0, height_ = 0;
};

/// A linked program. The sources are ours: a failure to compile them is a std::runtime_error with the driver's words.
class GlProgram {
 public:
  GlProgram(const char* vertex_source, const char* fragment_source);
  GlProgram(const GlProgram&) = delete;
  GlProgram& operator=(const GlProgram&) = delete;
  ~GlProgram() { glDeleteProgram(program_); }
  void use() const { glUseProgram(program_); }
  GLint uniform(const char* name) const { return glGetUniformLocation(program_, name); }

 private:
  GLuint program_ = 0;
};

}  // namespace ptl
