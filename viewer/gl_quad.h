// A textured rectangle on the canvas.
#pragma once

#include "viewer/gl_objects.h"
#include "viewer/pixel_rect.h"

namespace ptl {

class GlQuad {
 public:
  GlQuad();
  /// Draws the part [0, u] × [0, v] of a texture over `rect`; only inside of `clip` (columns). `rows_from_top`: false
  /// for a canvas' colour, whose first row is its lowest.
  void draw(GLuint texture, const PixelRect& rect, const PixelRect& clip, int canvas_width, int canvas_height,
            float u = 1, float v = 1, float alpha = 1, bool rows_from_top = true);

 private:
  GlProgram program_;
  GlVertexArray empty_;
};

}  // namespace ptl
