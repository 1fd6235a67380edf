// One long-lived thread that owns every tensor and module: requests in, finished pictures out. Nothing here waits for
// it but the destructor. (Each further thread that used OpenMP would start a team of its own.)
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "viewer/held_out.h"
#include "viewer/path_export.h"
#include "viewer/view_request.h"
#include "viewer/view_scene.h"

namespace ptl {

struct RenderThreadOptions {
  std::string path;          ///< a scene, the folder of a run, or a model file
  std::string format;        ///< of a scene (datasets/scene_formats.h); empty: recognised
  std::string points;        ///< of a scene: PLY file with the cloud; empty: its own
  std::string scene_folder;  ///< where the photos of a run are; empty: where they were
  std::string device = "cpu";
  int threads = 0;             ///< 0: one per core
  bool follow = false;         ///< load again whenever the run has a new checkpoint or model
  bool share_gpu = true;       ///< pictures stay on the GPU as well, for a window that is drawn by it
  bool low_priority = true;    ///< so that the interface goes first where cores are few
  std::function<void()> wake;  ///< called by the thread when there is something to take
};

class RenderThread {
 public:
  explicit RenderThread(RenderThreadOptions options);
  RenderThread(const RenderThread&) = delete;
  RenderThread& operator=(const RenderThread&) = delete;
  ~RenderThread();  ///< cancels what is being rendered

  /// The newest request wins: one that waits is dropped, one that is being rendered ends between two stages or rows of
  /// the network, without a picture.
  void request(ViewRequest request);

  /// Pictures that were finished since the last call, oldest first.
  std::vector<Picture> take_pictures();
  /// The scene, once after each load; null when there is none that was not taken yet.
  std::shared_ptr<const ViewScene> take_scene();

  /// Held-out pictures that were finished since the last call (`follow` only): made when nothing else is wanted.
  std::vector<HeldOutPicture> take_held_out();

  /// Renders a path's frames to files while the view goes on: what is asked for by request() comes first, but while it
  /// never ends, a frame is made now and then all the same. Does nothing while another export is running.
  void export_path(PathExport job);
  void cancel_export();
  PathExportStatus export_status() const;

  struct Status {
    bool loading = false;
    bool rendering = false;
    std::string error;   ///< not empty: loading failed; with `follow` it is tried again
    std::string notice;  ///< not empty: what was loaded is not there any more; all goes on with what is in memory
  };
  Status status() const;

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

}  // namespace ptl
