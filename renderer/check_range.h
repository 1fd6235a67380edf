// Settings out of range, said alike everywhere.
#pragma once

#include "datasets/error.h"

namespace ptl {

/// InputError, which begins with `where`, unless low ≤ value ≤ high (and so for NaN).
struct RangeCheck {
  const char* where;

  template <class T>
  void operator()(const char* key, T value, T low, T high) const {
    if (!(value >= low && value <= high))
      throw InputError("{}: {} is {}; expected a value from {} to {}", where, key, value, low, high);
  }
};

}  // namespace ptl
