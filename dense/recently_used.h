// What is made or read when needed, and held as long as it was used recently.
#pragma once

#include <list>
#include <map>
#include <memory>

namespace ptl {

/// Holds the `capacity` values used last. Not thread-safe.
template <class Key, class Value>
class RecentlyUsed {
 public:
  explicit RecentlyUsed(size_t capacity) : capacity_(capacity) {}

  /// The value of `key`: the one that is held, or make() of it. Values that somebody still uses outlive their place.
  template <class Make>
  std::shared_ptr<const Value> get(const Key& key, Make&& make) {
    recent_.remove(key);
    recent_.push_front(key);
    if (const auto found = held_.find(key); found != held_.end()) return found->second;
    while (held_.size() >= capacity_) {
      held_.erase(recent_.back());
      recent_.pop_back();
    }
    return held_[key] = std::make_shared<const Value>(make());
  }

 private:
  size_t capacity_;
  std::map<Key, std::shared_ptr<const Value>> held_;
  std::list<Key> recent_;  ///< last used first
};

}  // namespace ptl
