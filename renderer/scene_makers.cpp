#include "renderer/scene_makers.h"

#include <omp.h>

namespace ptl {

namespace {
struct GivenUp {};
}  // namespace

SceneMakers::SceneMakers(std::vector<Order> orders, int threads, size_t ahead)
    : orders_(std::move(orders)), ahead_(ahead), made_(orders_.size(), 0) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

SceneMakers::~SceneMakers() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void SceneMakers::wait_for(size_t index) {
  if (threads_.empty()) return;
  std::unique_lock lock(mutex_);
  wanted_ = std::max(wanted_, index);
  changed_.notify_all();
  changed_.wait(lock, [&] { return made_[index] || failure_; });
  if (failure_) std::rethrow_exception(failure_);
}

void SceneMakers::work() {
  omp_set_num_threads(1);  // of this thread: the scenes are what is parallel
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || failure_ || next_ == orders_.size() || next_ <= wanted_ + ahead_; });
    if (stopping_ || failure_ || next_ == orders_.size()) return;
    const size_t index = next_++;
    lock.unlock();
    std::exception_ptr failure;
    try {
      write_pretrain_scene(orders_[index].draw, orders_[index].folder, [this](const std::string&, int, int) {
        const std::scoped_lock stop(mutex_);
        if (stopping_) throw GivenUp();
      });
    } catch (const GivenUp&) {
      return;
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    if (failure) failure_ = failure;
    else made_[index] = 1;
    changed_.notify_all();
  }
}

}  // namespace ptl
