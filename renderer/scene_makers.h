// Scenes of a pretraining, made by threads of their own ahead of the network that will see them: a GPU looks at a scene
// for seconds, and making one takes a core a dozen.
#pragma once

#include <condition_variable>
#include <exception>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "renderer/pretrain_scenes.h"

namespace ptl {

class SceneMakers {
 public:
  struct Order {
    PretrainDraw draw;
    std::filesystem::path folder;
  };

  /// Begins at once, in this order, at most `ahead` scenes beyond the last that was waited for. No threads: nothing is made
  /// here, and wait_for() returns at once.
  SceneMakers(std::vector<Order> orders, int threads, size_t ahead);
  /// Gives up what is being made.
  ~SceneMakers();
  SceneMakers(const SceneMakers&) = delete;
  SceneMakers& operator=(const SceneMakers&) = delete;

  /// Returns when the scene is on the disk. Rethrows what its making threw.
  void wait_for(size_t index);

 private:
  void work();

  const std::vector<Order> orders_;
  const size_t ahead_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<char> made_;
  std::exception_ptr failure_;
  size_t next_ = 0, wanted_ = 0;  ///< to be begun; to be waited for, as far as is known
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace ptl
