#include "viewer/gl_quad.h"

namespace ptl {

namespace {

const char* const vertex_source = R"(#version 330 core
uniform vec4 rect;       // x, y, width, height of the quad in pixels
uniform vec2 canvas;     // its size
uniform vec2 extent;     // of the texture that is shown
uniform float flip;      // 1: the texture's first row is the lowest
out vec2 at;
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  at = vec2(corner.x * extent.x, (flip > 0.5 ? 1.0 - corner.y : corner.y) * extent.y);
  vec2 pixel = rect.xy + corner * rect.zw;
  gl_Position = vec4(2.0 * pixel.x / canvas.x - 1.0, 1.0 - 2.0 * pixel.y / canvas.y, 0.0, 1.0);
}
)";
const char* const fragment_source = R"(#version 330 core
uniform sampler2D image;
uniform float alpha;
in vec2 at;
out vec4 color;
void main() { color = vec4(texture(image, at).rgb, alpha); }
)";

}  // namespace

GlQuad::GlQuad() : program_(vertex_source, fragment_source) {}

void GlQuad::draw(GLuint texture, const PixelRect& rect, const PixelRect& clip, int canvas_width, int canvas_height,
                  float u, float v, float alpha, bool rows_from_top) {
  program_.use();
  glUniform4f(program_.uniform("rect"), static_cast<float>(rect.x), static_cast<float>(rect.y),
              static_cast<float>(rect.width), static_cast<float>(rect.height));
  glUniform2f(program_.uniform("canvas"), static_cast<float>(canvas_width), static_cast<float>(canvas_height));
  glUniform2f(program_.uniform("extent"), u, v);
  glUniform1f(program_.uniform("flip"), rows_from_top ? 0.0f : 1.0f);
  glUniform1f(program_.uniform("alpha"), alpha);
  glActiveTexture(GL_TEXTURE0);
  glBindTexture(GL_TEXTURE_2D, texture);
  glDisable(GL_DEPTH_TEST);
  glEnable(GL_SCISSOR_TEST);
  glScissor(clip.x, canvas_height - clip.y - clip.height, clip.width, clip.height);
  if (alpha < 1) {
    glEnable(GL_BLEND);
    glBlendFunc(GL_SRC_ALPHA, GL_ONE_MINUS_SRC_ALPHA);
  } else {
    glDisable(GL_BLEND);
  }
  glBindVertexArray(empty_.name());
  glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
  glDisable(GL_SCISSOR_TEST);
  glDisable(GL_BLEND);
}

}  // namespace ptl
