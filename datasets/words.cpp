#include "datasets/words.h"

#include "datasets/colmap_files.h"

namespace ptl {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

std::string read_text(const std::filesystem::path& file) {
  std::string text = colmap_files::read_whole_file(file);
  if (text.find('\0') != std::string::npos)
    throw InputError("{}: expected text, found zero bytes; is it a binary file under another name?", file.string());
  return text;
}

}  // namespace

Words::Words(const std::filesystem::path& file, const char* advice)
    : file_(file.string()), text_(read_text(file)), advice_(advice) {}

Words::Words(std::string text, std::string file, size_t line, const char* advice)
    : file_(std::move(file)), text_(std::move(text)), line_(line), advice_(advice) {}

void Words::skip_blanks() {
  for (; at_ < text_.size() && is_blank(text_[at_]); ++at_) line_ += line_ > 0 && text_[at_] == '\n';
}

std::string Words::where() const {
  return line_ > 0 ? fmt::format("{}, line {}", file_, line_) : file_;
}

bool Words::at_end() {
  skip_blanks();
  return at_ == text_.size();
}

std::string_view Words::next(const char* what) {
  if (at_end()) throw InputError("{}: ends before {}; {}", where(), what, advice_);
  const size_t start = at_;
  while (at_ < text_.size() && !is_blank(text_[at_])) ++at_;
  return std::string_view(text_).substr(start, at_ - start);
}

double Words::finite(const char* what) {
  const auto value = number<double>(what);
  if (!std::isfinite(value)) refuse(std::string("a finite number for ") + what, fmt::format("{}", value));
  return value;
}

size_t Words::count(const char* what, size_t item_bytes) {
  const auto value = number<uint64_t>(what);
  if (value > bytes_left() / item_bytes)
    throw InputError("{}: says {} {}, but the {} bytes that follow can hold at most {}; {}", where(), value, what,
                     bytes_left(), bytes_left() / item_bytes, advice_);
  return static_cast<size_t>(value);
}

void Words::expect_end(const char* after) {
  if (!at_end()) refuse(std::string("the end after ") + after, next(after));
}

void Words::refuse(const std::string& expected, std::string_view found) const {
  throw InputError("{}: expected {}, found '{}'; {}", where(), expected, colmap_files::printable(std::string(found)),
                   advice_);
}

std::vector<std::string> read_lines(const std::filesystem::path& file) {
  const std::string text = read_text(file);
  std::vector<std::string> lines;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    size_t first = start, last = end;
    while (first < last && is_blank(text[first])) ++first;
    while (last > first && is_blank(text[last - 1])) --last;
    lines.push_back(text.substr(first, last - first));
    start = end + 1;
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

}  // namespace ptl
