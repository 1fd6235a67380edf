// The one exception for everything that a user can get wrong. It is caught once, in cli/main.cpp, and ends the program
// with its message and a non-zero exit status.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace ptl {

/// A message that names the file (or option), what was expected, what was found, and what to do.
class InputError : public std::runtime_error {
 public:
  explicit InputError(const std::string& message) : std::runtime_error(message) {}

  template <class... Args>
  explicit InputError(fmt::format_string<Args...> format, Args&&... args)
      : std::runtime_error(fmt::format(format, std::forward<Args>(args)...)) {}
};

}  // namespace ptl
