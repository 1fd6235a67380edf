#include "viewer/path_exporter.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include "datasets/camera_path_json.h"
#include "datasets/error.h"
#include "datasets/image_io.h"
#include "datasets/video.h"
#include "renderer/picture.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

using Stage = PathExportStatus::Stage;
constexpr size_t most_waiting = 2;  // pictures that are rendered and not written
constexpr int lower_priority = 15;  // nice

}  // namespace

PathExporter::PathExporter(std::function<void()> changed)
    : changed_(std::move(changed)), worker_([this] { write_frames(); }) {}

PathExporter::~PathExporter() {
  {
    std::lock_guard lock(mutex_);
    end_ = true;
    cancelled_ = true;
  }
  more_.notify_all();
  worker_.join();
}

void PathExporter::start(PathExport job) {
  {
    std::lock_guard lock(mutex_);
    if (status_.running()) return;
    cancelled_ = false;
    failure_.clear();
    status_ = {};
    status_.stage = Stage::rendering;
    asked_ = std::move(job);
  }
  changed_();
}

void PathExporter::cancel() {
  {
    std::lock_guard lock(mutex_);
    if (!status_.running()) return;
    cancelled_ = true;
    // The worker ends what was begun.
    if (asked_) {
      asked_.reset();
      status_ = {Stage::cancelled, 0, 0, "Cancelled."};
    }
  }
  more_.notify_all();
  changed_();
}

std::string PathExporter::failure() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

PathExportStatus PathExporter::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

bool PathExporter::to_begin() const {
  std::lock_guard lock(mutex_);
  return asked_.has_value();
}

bool PathExporter::has_work() const {
  std::lock_guard lock(mutex_);
  if (asked_) return true;
  return status_.stage == Stage::rendering && !all_handed_over_ && !cancelled_ && waiting_.size() < most_waiting;
}

void PathExporter::end_as(Stage stage, std::string message) {
  {
    std::lock_guard lock(mutex_);
    status_.stage = stage;
    status_.message = std::move(message);
    waiting_.clear();
    asked_.reset();
  }
  changed_();
}

void PathExporter::fail(const std::string& why) {
  const std::string line = why.substr(0, why.find('\n'));
  if (to_begin()) {
    end_as(Stage::failed, line);
    return;
  }
  // It was begun: the worker, which may be writing, ends it.
  {
    std::lock_guard lock(mutex_);
    failure_ = line;
    cancelled_ = true;
  }
  more_.notify_all();
}

void PathExporter::skip_those_there() {
  size_t there = 0;
  for (; next_ < plan_.pictures.size() && folder_->has(next_); ++next_) ++there;
  kept_ += there;
  const bool all = next_ == plan_.pictures.size();
  std::lock_guard lock(mutex_);
  status_.frames_done += there;
  all_handed_over_ = all;
}

void PathExporter::begin(const SceneModel& model, const fs::path& model_file) {
  PathExport job;
  {
    std::lock_guard lock(mutex_);
    if (!asked_) return;
    job = *asked_;
  }
  try {
    if (job.folder.empty()) throw InputError("Frames: name a folder for them.");
    if (!job.video.empty()) {  // before hours of rendering
      check_video_name(job.video);
      find_ffmpeg();
    }
    // What 'render --path' makes of the file that this path would be saved as.
    const OpenedPath path{path_as_read_back(job.path, model.origin_world), {}, {}};
    plan_ = plan_path(model, path, 0, 0, 0);
    const bool resume = fs::exists(fs::path(job.folder) / "frames.json");
    folder_.emplace(path_folder(plan_, model_file, path_development(), job.folder, resume));
    next_ = kept_ = 0;
    {
      std::lock_guard lock(mutex_);
      if (!asked_) return;  // cancelled meanwhile
      asked_.reset();
      job_ = std::move(job);
      waiting_.clear();
      all_handed_over_ = false;
      status_.frames = plan_.pictures.size();
      status_.frames_done = 0;
    }
    skip_those_there();
  } catch (const std::exception& error) {
    fail(error.what());
    return;
  }
  more_.notify_all();
  changed_();
}

void PathExporter::render_frame(const SceneModel& model, const std::atomic<bool>& stop) {
  try {
    const PathPicture& picture = plan_.pictures[next_];
    PictureLight light;
    light.image = picture.image;
    light.setting = picture.setting;
    std::optional<Image> image = ViewPictures(model, picture.view, &stop).neural(light);
    if (!image) return;
    {
      std::lock_guard lock(mutex_);
      if (status_.stage != Stage::rendering || cancelled_) return;
      waiting_.push_back({next_, std::move(*image)});
    }
    ++next_;
    skip_those_there();
  } catch (const std::exception& error) {
    fail(error.what());
  }
  more_.notify_all();
}

void PathExporter::write_frames() {
  ::setpriority(PRIO_PROCESS, 0, lower_priority);  // of this thread on Linux: nothing waits for it
  while (true) {
    std::optional<Rendered> frame;
    {
      std::unique_lock lock(mutex_);
      const auto begun = [&] { return status_.stage == Stage::rendering && !asked_ && status_.frames > 0; };
      more_.wait(lock, [&] { return end_ || (begun() && (cancelled_ || !waiting_.empty() || all_handed_over_)); });
      if (end_) return;
      if (!cancelled_ && !waiting_.empty()) {
        frame = std::move(waiting_.front());
        waiting_.pop_front();
      } else if (!cancelled_) {
        status_.stage = job_.video.empty() ? Stage::rendering : Stage::video;
      }
    }
    try {
      if (frame) {
        write_png(folder_->picture(frame->index), frame->image);
        {
          std::lock_guard lock(mutex_);
          ++status_.frames_done;
        }
        changed_();
        continue;
      }
      const bool whole =
          !cancelled_ && (job_.video.empty() || write_video(*folder_, job_.video, [&] { return !cancelled_.load(); }));
      if (whole)
        end_as(Stage::done,
               fmt::format("{}: {} frames of {} x {} px{}{}.", job_.folder, plan_.pictures.size(), plan_.size.width_px,
                           plan_.size.height_px, kept_ > 0 ? fmt::format(", {} of them from before", kept_) : "",
                           job_.video.empty() ? "" : "; " + job_.video));
      else if (!failure().empty())
        end_as(Stage::failed, failure());
      else
        end_as(Stage::cancelled,
               fmt::format("Cancelled. What is in {} is whole; the same export goes on with it.", job_.folder));
    } catch (const std::exception& error) {
      const std::string words = error.what();
      end_as(Stage::failed, words.substr(0, words.find('\n')));
    }
  }
}

}  // namespace ptl
