// Frames of a camera path on their way to a folder and a video: what the interface asks for and is told. Plain data.
#pragma once

#include <cstddef>
#include <string>

#include "datasets/camera_path.h"

namespace ptl {

struct PathExport {
  CameraPath path;
  std::string folder;  ///< of the frames; those of the same export that are in it are kept
  std::string video;   ///< a file that ffmpeg makes of them; empty: none
};

struct PathExportStatus {
  enum class Stage { none, rendering, video, done, cancelled, failed } stage = Stage::none;
  size_t frames_done = 0, frames = 0;  ///< done: written, or there from before
  std::string message;                 ///< how it ended

  bool running() const { return stage == Stage::rendering || stage == Stage::video; }
};

}  // namespace ptl
