#include "viewer/render_thread.h"

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "datasets/error.h"
#include "datasets/image_io.h"
#include "renderer/device_setup.h"
#include "renderer/picture.h"
#include "viewer/view_source.h"

namespace ptl {

namespace {

constexpr auto follow_interval = std::chrono::milliseconds(500);
constexpr int lower_priority = 10;  // nice

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

Histogram histogram_of(const StoredImage& image) {
  Histogram histogram;
  uint64_t low = 0, high = 0;
  for (size_t i = 0; i + 2 < image.values8.size(); i += 3) {
    const uint8_t* p = &image.values8[i];
    for (size_t c = 0; c < 3; ++c) ++histogram.count[c][p[c] / 4];
    low += p[0] == 0 || p[1] == 0 || p[2] == 0;
    high += p[0] == 255 || p[1] == 255 || p[2] == 255;
  }
  const double pixels = std::max<double>(1, static_cast<double>(image.values8.size()) / 3);
  histogram.clipped_low = static_cast<double>(low) / pixels;
  histogram.clipped_high = static_cast<double>(high) / pixels;
  return histogram;
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
    result.setting.exposure_ev = pictures.automatic_exposure_ev().value_or(result.setting.exposure_ev);
  result.setting.exposure_ev -= light.brighter_stops;
  return result;
}

}  // namespace

class RenderThread::Work {
 public:
  explicit Work(RenderThreadOptions options) : options_(std::move(options)), thread_([this] { run(); }) {}
  ~Work() {
    {
      std::lock_guard lock(mutex_);
      end_ = true;
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void request(ViewRequest request) {
    {
      std::lock_guard lock(mutex_);
      waiting_ = std::move(request);
      stop_ = true;
    }
    changed_.notify_all();
  }

  std::vector<Picture> take_pictures() {
    std::lock_guard lock(mutex_);
    return std::exchange(finished_, {});
  }
  std::shared_ptr<const ViewScene> take_scene() {
    std::lock_guard lock(mutex_);
    return std::exchange(new_scene_, nullptr);
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
      ViewSource source(options_.path, options_.scene_folder, open_device(options_.device), options_.follow);
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
    auto next_look = Clock::now() + follow_interval;
    while (true) {
      std::optional<ViewRequest> request;
      {
        std::unique_lock lock(mutex_);
        const auto something = [&] { return end_ || waiting_.has_value(); };
        if (options_.follow)
          changed_.wait_until(lock, next_look, something);
        else
          changed_.wait(lock, something);
        if (end_) return;
        request = std::exchange(waiting_, std::nullopt);
        stop_ = false;
        status_.rendering = request.has_value();
      }
      if (options_.follow && Clock::now() >= next_look) {
        if (source.has_newer()) load(source);
        next_look = Clock::now() + follow_interval;
      }
      if (!request) continue;
      render(*request);
      set_status([](Status& status) { status.rendering = false; });
    }
  }

  void render(const ViewRequest& request) {
    const auto begin = Clock::now();
    if (!model_) return;
    const RenderView view{request.camera, request.camera_from_world, whole_photo(request.camera)};
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

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<ViewRequest> waiting_;
  std::vector<Picture> finished_;
  std::shared_ptr<const ViewScene> new_scene_;
  Status status_;
  bool end_ = false;
  std::atomic<bool> stop_{false};
  std::thread thread_;  // last: it uses all of the above
};

RenderThread::RenderThread(RenderThreadOptions options) : work_(std::make_unique<Work>(std::move(options))) {}
RenderThread::~RenderThread() = default;
void RenderThread::request(ViewRequest request) {
  work_->request(std::move(request));
}
std::vector<Picture> RenderThread::take_pictures() {
  return work_->take_pictures();
}
std::shared_ptr<const ViewScene> RenderThread::take_scene() {
  return work_->take_scene();
}
RenderThread::Status RenderThread::status() const {
  return work_->status();
}

}  // namespace ptl
