#include "viewer/render_thread.h"

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "datasets/error.h"
#include "datasets/image_io.h"
#include "renderer/device_setup.h"
#include "renderer/picture.h"
#include "viewer/device_picture_of.h"
#include "viewer/held_out_pictures.h"
#include "viewer/path_exporter.h"
#include "viewer/picture_histogram.h"
#include "viewer/view_source.h"

namespace ptl {

namespace {

constexpr auto follow_interval = std::chrono::milliseconds(500);
constexpr auto look_interval = std::chrono::milliseconds(1000);  // without --follow: whether it is still there
/// While live pictures are wanted all the time, a path's frame is made after so long all the same.
constexpr auto longest_without_frame = std::chrono::seconds(2);
constexpr int lower_priority = 10;  // nice

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

/// The light of a request in the renderer's words.
PictureLight picture_light(const SceneModel& model, const ViewLight& light, ViewPictures& pictures) {
  PictureLight result;
  result.image = std::clamp<int64_t>(light.image, 0, static_cast<int64_t>(model.images.size()) - 1);
  result.vignette = light.vignette;
  result.response = light.response;
  result.setting = photometric_setting(model, result.image, ExposureProtocol::exif);
  if (light.by_hand) {
    result.setting.exposure_ev = light.exposure_ev;
    std::copy_n(light.white_balance, 2, result.setting.white_balance);
  }
  if (light.automatic)
    result.setting.exposure_ev = pictures.automatic_exposure_ev(result.image).value_or(result.setting.exposure_ev);
  result.setting.exposure_ev -= light.brighter_stops;
  if (light.path_exposure_ev) result.setting.exposure_ev = *light.path_exposure_ev;
  return result;
}

}  // namespace

class RenderThread::Work {
 public:
  explicit Work(RenderThreadOptions options)
      : options_(std::move(options)), exporter_([this] { export_changed(); }), thread_([this] { run(); }) {}
  ~Work() {
    {
      std::lock_guard lock(mutex_);
      end_ = true;
      stop_ = true;
      frame_stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void request(ViewRequest request) {
    {
      std::lock_guard lock(mutex_);
      waiting_ = std::move(request);
      stop_ = true;
      if (!frame_must_end_) frame_stop_ = true;
    }
    changed_.notify_all();
  }
  void export_path(PathExport job) { exporter_.start(std::move(job)); }
  void cancel_export() {
    exporter_.cancel();
    frame_stop_ = true;
  }
  PathExportStatus export_status() const { return exporter_.status(); }

  std::vector<Picture> take_pictures() {
    std::lock_guard lock(mutex_);
    return std::exchange(finished_, {});
  }
  std::shared_ptr<const ViewScene> take_scene() {
    std::lock_guard lock(mutex_);
    return std::exchange(new_scene_, nullptr);
  }
  std::vector<HeldOutPicture> take_held_out() {
    std::lock_guard lock(mutex_);
    return std::exchange(finished_held_out_, {});
  }
  Status status() const {
    std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  void wake() const {
    if (options_.wake) options_.wake();
  }
  void set_status(const std::function<void(Status&)>& change) {
    {
      std::lock_guard lock(mutex_);
      change(status_);
    }
    wake();
  }

  void run() {
    // Of this thread on Linux, and of the OpenMP threads that it will start.
    if (options_.low_priority) ::setpriority(PRIO_PROCESS, 0, lower_priority);
    try {
      set_threads(options_.threads);
      SceneConfig unfitted;
      unfitted.format = options_.format;
      unfitted.points = options_.points;
      ViewSource source(options_.path, unfitted, options_.scene_folder, open_device(options_.device), options_.follow);
      load(source);
      serve(source);
    } catch (const std::exception& error) {
      const std::string text = error.what();
      set_status([&](Status& status) { status.error = text.substr(0, text.find('\n')); });
    }
  }

  void load(ViewSource& source) {
    set_status([](Status& status) { status.loading = true; });
    std::string error;
    try {
      LoadedView view = source.load();
      view.scene->generation = ++generation_;
      model_ = std::move(view.model);
      photos_ = view.scene->photos;
      model_file_ = view.scene->source_file;
      step_ = view.scene->step;
      remark_ = view.scene->remarks.empty() ? "" : view.scene->remarks.back();
      held_out_left_.clear();
      if (options_.follow && model_ && photos_)
        for (const int64_t image : shown_held_out(*model_)) held_out_left_.push_back(image);
      std::lock_guard lock(mutex_);
      new_scene_ = std::move(view.scene);
    } catch (const std::exception& caught) {
      error = caught.what();
      error.resize(std::min(error.size(), error.find('\n')));
      // Without --follow and without anything to show there is no use in going on.
      if (!options_.follow && generation_ == 0) {
        set_status([](Status& status) { status.loading = false; });
        throw;
      }
    }
    set_status([&](Status& status) {
      status.loading = false;
      status.error = error;
    });
  }

  void serve(ViewSource& source) {
    const Clock::duration interval = options_.follow ? Clock::duration(follow_interval) : look_interval;
    auto next_look = Clock::now() + interval;
    while (true) {
      std::optional<ViewRequest> request;
      bool frame = false;
      {
        std::unique_lock lock(mutex_);
        changed_.wait_until(lock, next_look, [&] {
          return end_ || waiting_.has_value() || exporter_.has_work() || !held_out_left_.empty();
        });
        if (end_) return;
        if (!exporter_.has_work())
          frame_done_ = Clock::now();
        else
          frame = !waiting_ || Clock::now() - frame_done_ > longest_without_frame;
        frame_must_end_ = frame && waiting_;
        if (!frame) {
          request = std::exchange(waiting_, std::nullopt);
          stop_ = false;
        }
        frame_stop_ = false;
        status_.rendering = request.has_value() || waiting_.has_value();
      }
      if (Clock::now() >= next_look) {
        look(source);
        next_look = Clock::now() + interval;
      }
      if (frame)
        export_frame(source);
      else if (request)
        render(*request);
      else if (!held_out_left_.empty())
        render_held_out();
      if (request) set_status([](Status& status) { status.rendering = false; });
    }
  }

  void look(ViewSource& source) {
    const bool there = source.is_there();
    set_notice(there || generation_ == 0
                   ? ""
                   : fmt::format("{} is not there any more. What is shown is the last that was read.", options_.path));
    // The frames of an export are of one model.
    if (!exporter_.running() && (source.has_finer() || (options_.follow && source.has_newer()))) load(source);
  }

  void set_notice(const std::string& notice) {
    {
      std::lock_guard lock(mutex_);
      if (status_.notice == notice) return;
      status_.notice = notice;
    }
    wake();
  }

  void export_changed() {
    // Whoever is about to wait sees what has changed.
    { std::lock_guard lock(mutex_); }
    changed_.notify_all();
    wake();
  }

  void export_frame(ViewSource& source) {
    if (!exporter_.to_begin()) {
      exporter_.render_frame(*model_, frame_stop_);
      if (!frame_stop_) frame_done_ = Clock::now();
      return;
    }
    // The frames' note names the file that the model was read from.
    if (source.has_finer() || (options_.follow && source.has_newer())) load(source);
    if (!model_)
      exporter_.fail("Frames need a model, and there is none: " + (remark_.empty() ? "open the folder of a run" : remark_) + ".");
    else if (!source.is_there())
      exporter_.fail(model_file_ + " is not there any more; frames are marked with what is in it.");
    else if (source.has_newer())
      exporter_.fail(model_file_ + " is another one than the one that is shown; open it again.");
    else
      exporter_.begin(*model_, model_file_);
  }

  /// The next one, unless something else is wanted meanwhile.
  void render_held_out() {
    const int64_t image = held_out_left_.front();
    std::optional<HeldOutPicture> picture;
    try {
      picture = held_out_picture(*model_, *photos_, image, stop_);
    } catch (const std::exception&) {
      // A photo that is not there any more; its place stays as it was.
    }
    if (!picture && stop_) return;
    held_out_left_.pop_front();
    if (!picture) return;
    picture->generation = generation_;
    picture->step = step_;
    {
      std::lock_guard lock(mutex_);
      finished_held_out_.push_back(std::move(*picture));
    }
    wake();
  }

  void render(const ViewRequest& request) {
    const auto begin = Clock::now();
    if (!model_) return;
    RenderView view{request.camera, request.camera_from_world, whole_photo(request.camera)};
    for (const WantedPicture& wanted : request.wanted)  // a photo is compared with what its rows saw
      if (wanted.mode == ViewMode::error && wanted.photo >= 0)
        view.readout_motion = model_->images[static_cast<size_t>(wanted.photo)].readout_motion;
    ViewPictures pictures(*model_, view, &stop_);
    std::shared_ptr<const Image> depth;
    for (size_t slot = 0; slot < request.wanted.size(); ++slot) {
      Picture picture;
      picture.serial = request.serial;
      picture.slot = slot;
      picture.wanted = request.wanted[slot];
      picture.scale = request.scale;
      picture.camera = request.camera;
      picture.camera_from_world = request.camera_from_world;
      try {
        std::optional<Image> image = make(pictures, request, slot, picture);
        if (!image && picture.message.empty()) return;  // a newer request
        if (image) picture.pixels = to_stored(*image);
        if (image && options_.share_gpu && pictures.developed_rgb().is_cuda() &&
            (picture.wanted.mode == ViewMode::neural || picture.wanted.mode == ViewMode::environment))
          picture.on_gpu = device_picture_of(pictures.developed_rgb());
        if (!depth && picture.wanted.mode != ViewMode::environment) {
          std::optional<Image> depth_m = pictures.depth_m();
          if (!depth_m) return;
          depth = std::make_shared<Image>(std::move(*depth_m));
        }
        picture.depth_m = depth;
      } catch (const std::exception& error) {
        picture.message = error.what();
        picture.message.resize(std::min(picture.message.size(), picture.message.find('\n')));
      }
      if (!picture.pixels.empty()) picture.histogram = histogram_of(picture.pixels);
      picture.milliseconds = milliseconds_since(begin);
      {
        std::lock_guard lock(mutex_);
        if (stop_) return;
        finished_.push_back(std::move(picture));
      }
      wake();
    }
  }

  std::optional<Image> make(ViewPictures& pictures, const ViewRequest& request, size_t slot, Picture& picture) {
    const WantedPicture& wanted = request.wanted[slot];
    const PictureLight light = picture_light(*model_, request.light, pictures);
    picture.exposure_ev = light.setting.exposure_ev;
    std::copy_n(light.setting.white_balance, 2, picture.white_balance);
    switch (wanted.mode) {
      case ViewMode::neural:
      case ViewMode::blend:
        return pictures.neural(light);
      case ViewMode::depth:
        return pictures.depth();
      case ViewMode::weight:
        return pictures.weight();
      case ViewMode::environment:
        return pictures.environment(light);
      case ViewMode::support:
        return pictures.support();
      case ViewMode::layer: {
        std::optional<Image> image = pictures.layer(wanted.layer, wanted.channels);
        if (image) {
          const double pixel = std::exp2(wanted.layer);
          picture.shown_width = request.camera.width_px / (image->width * pixel);
          picture.shown_height = request.camera.height_px / (image->height * pixel);
        }
        return image;
      }
      case ViewMode::error: {
        if (wanted.photo < 0) {
          picture.message =
              "The error is shown where the camera stands in a photo: click a camera, or choose one in the list.";
          return std::nullopt;
        }
        if (!photos_) {
          picture.message = "The photos are not there.";
          return std::nullopt;
        }
        return pictures.error(light, photo_at(wanted.photo, request.camera));
      }
      case ViewMode::points:
      case ViewMode::photo:
        break;
    }
    picture.message = "not a rendered mode";
    return std::nullopt;
  }

  /// A photo at the size of a view.
  Image photo_at(int64_t index, const CameraParams<double>& camera) {
    Image photo(camera.width_px, camera.height_px, 3);
    Image mask(camera.width_px, camera.height_px, 1);
    Crop crop = whole_photo(camera);
    crop.zoom =
        static_cast<float>(camera.width_px) / static_cast<float>(photos_->source(static_cast<int>(index)).width_px);
    photos_->sample_crop(static_cast<int>(index), crop, photo.pixels.data(), mask.pixels.data());
    return photo;
  }

  const RenderThreadOptions options_;
  uint64_t generation_ = 0;
  std::optional<SceneModel> model_;     // the thread's own
  std::shared_ptr<ImageCache> photos_;  // the thread's own handle
  std::string model_file_;              // that the model was read from
  std::string remark_;                 // the scene's last one
  int64_t step_ = 0;                    // of the fit
  std::deque<int64_t> held_out_left_;   // images
  Clock::time_point frame_done_;        // of an export: the last one

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<ViewRequest> waiting_;
  std::vector<Picture> finished_;
  std::shared_ptr<const ViewScene> new_scene_;
  Status status_;
  std::vector<HeldOutPicture> finished_held_out_;
  bool end_ = false;
  bool frame_must_end_ = false;  // requests do not stop the frame that is being rendered
  std::atomic<bool> stop_{false}, frame_stop_{false};
  PathExporter exporter_;  // its worker uses the above
  std::thread thread_;     // last: it uses all of the above
};

RenderThread::RenderThread(RenderThreadOptions options) : work_(std::make_unique<Work>(std::move(options))) {}
RenderThread::~RenderThread() = default;
void RenderThread::request(ViewRequest request) {
  work_->request(std::move(request));
}
std::vector<Picture> RenderThread::take_pictures() {
  return work_->take_pictures();
}
std::vector<HeldOutPicture> RenderThread::take_held_out() {
  return work_->take_held_out();
}
void RenderThread::export_path(PathExport job) {
  work_->export_path(std::move(job));
}
void RenderThread::cancel_export() {
  work_->cancel_export();
}
PathExportStatus RenderThread::export_status() const {
  return work_->export_status();
}
std::shared_ptr<const ViewScene> RenderThread::take_scene() {
  return work_->take_scene();
}
RenderThread::Status RenderThread::status() const {
  return work_->status();
}

}  // namespace ptl
