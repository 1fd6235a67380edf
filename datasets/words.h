// Text files of numbers and names between blanks, as many formats have them: each word knows its line.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/error.h"

namespace ptl {

class Words {
 public:
  /// The whole file. `advice`: what to do when something is wrong, the end of messages; must outlive this. InputError:
  /// it cannot be read, or holds zero bytes.
  Words(const std::filesystem::path& file, const char* advice);
  /// One line of it, or, with line 0, some other text: `file` then says all of its place.
  Words(std::string text, std::string file, size_t line, const char* advice);

  /// Nothing is left but blanks.
  bool at_end();
  size_t bytes_left() const { return text_.size() - at_; }

  /// InputError: the end, or what is no such number. NaN and infinity are numbers here.
  template <class T>
  T number(const char* what) {
    const std::string_view field = next(what);
    T value{};
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (error != std::errc() || end != field.data() + field.size()) refuse(std::string("a number for ") + what, field);
    return value;
  }

  /// The same for a number that is neither NaN nor infinite.
  double finite(const char* what);

  /// A count of items of at least `item_bytes` of text each: more than the rest can hold is refused.
  size_t count(const char* what, size_t item_bytes);

  std::string word(const char* what) { return std::string(next(what)); }
  void expect_end(const char* after);

  [[noreturn]] void refuse(const std::string& expected, std::string_view found) const;

 private:
  std::string_view next(const char* what);
  void skip_blanks();
  std::string where() const;

  std::string file_, text_;
  size_t at_ = 0, line_ = 1;  // line 0: without lines
  const char* advice_;
};

/// The lines of a text file without their blanks at both ends; empty lines at the end are left out.
std::vector<std::string> read_lines(const std::filesystem::path& file);

}  // namespace ptl
