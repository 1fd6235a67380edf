// Arrays of plain values in the files between densify's steps, as they lie in memory.
#pragma once

#include <istream>
#include <ostream>
#include <vector>

namespace ptl {

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
