// The viewer: the window's loop. It never waits for the renderer or for photos.
#pragma once

#include <string>

#include "viewer/render_thread.h"

namespace ptl {

struct ViewerOptions {
  RenderThreadOptions render;
  int width = 0, height = 0;      ///< of the window, or of the picture of --screenshot; 0: 1280 × 800, or the photo's
  std::string view;               ///< an image to begin at; empty: where the scene was left
  std::string mode, second_mode;  ///< names of modes; a second one splits the view
  int layer = 0;
  std::string screenshot;          ///< not empty: write this picture and end
  bool screenshot_panels = false;  ///< of the whole window
  std::string edits;               ///< a list of edits to begin with (datasets/point_edits.h)
  std::string script;              ///< events to act out (viewer/event_script.h)
  double scale = 0;                ///< of text and panels; 0: the display's
  bool remember = true;            ///< read and write where the scene was left
};

/// Opens a window and returns when it is closed. InputError for what the user can mend: no display, no OpenGL 3.3, no
/// such scene, image or mode.
void run_viewer(const ViewerOptions& options);

}  // namespace ptl
