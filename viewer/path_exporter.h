// Frames of a camera path beside the live view: the render thread makes them when nothing else is wanted, a worker
// encodes and writes them, and has ffmpeg make the video.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "datasets/image.h"
#include "renderer/path_pictures.h"
#include "viewer/path_export.h"

namespace ptl {

class PathExporter {
 public:
  /// `changed`: called by any of the threads when status() or has_work() says something else.
  explicit PathExporter(std::function<void()> changed);
  PathExporter(const PathExporter&) = delete;
  PathExporter& operator=(const PathExporter&) = delete;
  ~PathExporter();  ///< cancels

  // From any thread.
  /// Does nothing while another export is running.
  void start(PathExport job);
  /// What is whole stays: the frames so far, from which the same export goes on. A video that is half made does not.
  void cancel();
  PathExportStatus status() const;
  /// There is something for the render thread to do: an export to begin, or a frame to render and room for it.
  bool has_work() const;
  /// Between start() and the end: the model must stay the same.
  bool running() const { return status().running(); }

  // Of the render thread.
  /// An export that was asked for and not begun.
  bool to_begin() const;
  void begin(const SceneModel& model, const std::filesystem::path& model_file);
  /// The next frame, unless `stop` is set meanwhile.
  void render_frame(const SceneModel& model, const std::atomic<bool>& stop);
  /// The export ends with this message.
  void fail(const std::string& why);

 private:
  struct Rendered {
    size_t index = 0;
    Image image;
  };
  void write_frames();  ///< the worker
  void end_as(PathExportStatus::Stage stage, std::string message);
  void skip_those_there();
  std::string failure() const;

  const std::function<void()> changed_;

  // Of the render thread while an export runs; the worker reads them then.
  PathPlan plan_;
  std::optional<FrameFolder> folder_;
  size_t next_ = 0, kept_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable more_;
  std::optional<PathExport> asked_;
  PathExport job_;
  PathExportStatus status_;
  std::string failure_;  ///< why an export that was begun is cancelled
  std::deque<Rendered> waiting_;
  bool all_handed_over_ = false, end_ = false;
  std::atomic<bool> cancelled_{false};
  std::thread worker_;  // last: it uses all of the above
};

}  // namespace ptl
