// Time that passes, for people and budgets; no result may depend on it.
#pragma once

#include <chrono>

namespace ptl {

/// Seconds on a clock that never goes back; only differences mean anything.
inline double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace ptl
