#include "viewer/photo_shelf.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "datasets/image_io.h"
#include "datasets/resize.h"

namespace ptl {

namespace {

/// 8 bits, reduced so that the longer side has at most so many pixels.
StoredImage reduced(const StoredImage& photo, int side_px) {
  const double scale = std::min(1.0, static_cast<double>(side_px) / std::max(photo.width, photo.height));
  const int width = std::max(1, static_cast<int>(std::lround(photo.width * scale)));
  const int height = std::max(1, static_cast<int>(std::lround(photo.height * scale)));
  StoredImage small = width == photo.width && height == photo.height ? photo : reduce_area(photo, width, height);
  return small.bits == 8 ? small : to_stored(to_float(small), 8);
}

}  // namespace

class PhotoShelf::Work {
 public:
  Work(std::shared_ptr<ImageCache> photos, std::function<void()> wake)
      : photos_(std::move(photos)), wake_(std::move(wake)), thread_([this] { run(); }) {}
  ~Work() {
    {
      std::lock_guard lock(mutex_);
      end_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  void want(int image) {
    {
      std::lock_guard lock(mutex_);
      wanted_ = image;
    }
    changed_.notify_all();
  }
  std::vector<Item> take() {
    std::lock_guard lock(mutex_);
    return std::exchange(done_, {});
  }

 private:
  void run() {
    ::setpriority(PRIO_PROCESS, 0, 15);  // of this thread on Linux: nothing waits for it
    int next_small = 0;
    while (true) {
      Item item;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return end_ || wanted_ || next_small < photos_->size(); });
        if (end_) return;
        item.small = !wanted_;
        item.image = wanted_ ? *std::exchange(wanted_, std::nullopt) : next_small++;
      }
      try {
        item.pixels = reduced(photos_->get(item.image)->photo, item.small ? small_side_px : largest_side_px);
      } catch (const std::exception& error) {
        item.problem = error.what();
      }
      {
        std::lock_guard lock(mutex_);
        done_.push_back(std::move(item));
      }
      wake_();
    }
  }

  std::shared_ptr<ImageCache> photos_;
  std::function<void()> wake_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<int> wanted_;
  std::vector<Item> done_;
  bool end_ = false;
  std::thread thread_;
};

PhotoShelf::PhotoShelf(std::shared_ptr<ImageCache> photos, std::function<void()> wake)
    : work_(std::make_unique<Work>(std::move(photos), std::move(wake))) {}
PhotoShelf::~PhotoShelf() = default;
void PhotoShelf::want(int image) {
  work_->want(image);
}
std::vector<PhotoShelf::Item> PhotoShelf::take() {
  return work_->take();
}

}  // namespace ptl
