// One long-lived thread that owns every tensor and module: requests in, finished pictures out. Nothing here waits for
// it but the destructor. (Each further thread that used OpenMP would start a team of its own.)
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "viewer/view_request.h"
#include "viewer/view_scene.h"

namespace ptl {

struct RenderThreadOptions {
  std::string path;          ///< a scene, the folder of a run, or a model file
  std::string scene_folder;  ///< where the photos of a run are; empty: where they were
  std::string device = "cpu";
  int threads = 0;             ///< 0: one per core
  bool follow = false;         ///< load again whenever the run has a new checkpoint or model
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

  struct Status {
    bool loading = false;
    bool rendering = false;
    std::string error;  ///< not empty: loading failed; with `follow` it is tried again
  };
  Status status() const;

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

}  // namespace ptl
