#include "datasets/ini_file.h"

namespace ptl {

namespace {
constexpr const char* advice = "compare it with one of ADOP's scenes";
}

IniSection::IniSection(const std::filesystem::path& file, const char* section)
    : file_(file.string()), section_(section) {
  bool inside = false, found = false;
  size_t number = 0;
  for (const std::string& line : read_lines(file)) {
    ++number;
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line[0] == '[') {
      inside = line == "[" + section_ + "]";
      found = found || inside;
      continue;
    }
    const size_t equals = line.find('=');
    if (equals == std::string::npos)
      throw InputError("{}, line {}: expected [SECTION], NAME = VALUE or a comment, found '{}'; {}", file_, number,
                       line.substr(0, 60), advice);
    const size_t name_end = line.find_last_not_of(" \t", equals == 0 ? 0 : equals - 1);
    const size_t value = line.find_first_not_of(" \t", equals + 1);
    if (inside) values_[line.substr(0, name_end + 1)] = value == std::string::npos ? "" : line.substr(value);
  }
  if (!found) throw InputError("{}: expected an INI file with a section [{}], found none; {}", file_, section, advice);
}

std::optional<std::string> IniSection::find(const char* name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::nullopt : std::optional(found->second);
}

std::string IniSection::text(const char* name) const {
  const auto value = find(name);
  if (!value) throw InputError("{}: [{}]: expected {}, found none; {}", file_, section_, name, advice);
  return *value;
}

Words IniSection::words(const char* name) const {
  return Words(text(name), file_ + ": " + name, 0, advice);
}

int IniSection::whole(const char* name) const {
  Words text = words(name);
  const int value = text.number<int>(name);
  text.expect_end(name);
  return value;
}

}  // namespace ptl
