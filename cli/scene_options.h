// Options and steps that several commands share: words of the command line; opening scenes and runs.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "datasets/error.h"
#include "renderer/open_run.h"

namespace ptl {

/// An enum by its word; InputError that lists the words.
template <class Enum>
Enum parse_word(const std::string& option, const std::string& word) {
  const std::vector<std::string> names = enum_names(static_cast<Enum*>(nullptr));
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] == word) return static_cast<Enum>(i);
  std::string listed;
  for (const std::string& name : names) listed += (listed.empty() ? "" : ", ") + name;
  throw InputError("{}: expected one of {}, found '{}'", option, listed, word);
}

}  // namespace ptl
