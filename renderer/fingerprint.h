// A name for contents: the same only where all that was added is the same, in the same order.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace ptl {

/// XXH3, 128 bits.
class Fingerprint {
 public:
  Fingerprint();
  ~Fingerprint();
  Fingerprint(const Fingerprint&) = delete;
  Fingerprint& operator=(const Fingerprint&) = delete;

  void add(const void* bytes, size_t count);
  /// The bytes of a value without padding.
  template <class T>
  void add_value(const T& value) {
    add(&value, sizeof value);
  }
  /// 32 digits.
  std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ptl
