// The files between densify's steps: arrays of plain values as they lie in memory.
#pragma once

#include <filesystem>
#include <istream>
#include <ostream>
#include <vector>

#include "datasets/error.h"

namespace ptl {

/// For a file that was written before and cannot be read now.
inline InputError lost_file(const std::filesystem::path& path) {
  return InputError("{}: this intermediate file was there a moment ago and is gone or damaged; run the command again",
                    path.string());
}

template <class T>
void put_values(std::ostream& out, const std::vector<T>& values) {
  out.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
}

template <class T>
void take_values(std::istream& in, std::vector<T>& values, size_t count) {
  values.resize(count);
  in.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(count * sizeof(T)));
}

}  // namespace ptl
