// INI files: sections of "name = value", as ADOP writes them.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "datasets/words.h"

namespace ptl {

class IniSection {
 public:
  /// InputError: the file cannot be read, or has no such section.
  IniSection(const std::filesystem::path& file, const char* section);

  std::optional<std::string> find(const char* name) const;
  /// InputError where there is none of that name.
  std::string text(const char* name) const;
  /// The same as words that know where they stand.
  Words words(const char* name) const;
  int whole(const char* name) const;

 private:
  std::string file_, section_;
  std::map<std::string, std::string> values_;
};

}  // namespace ptl
