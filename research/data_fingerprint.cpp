#include "research/data_fingerprint.h"

#include <algorithm>
#include <fstream>
#include <vector>

#include "datasets/error.h"
#include "renderer/fingerprint.h"

namespace ptl::research {
namespace fs = std::filesystem;

namespace {

void add_file(const fs::path& path, Fingerprint& fingerprint) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw InputError("{}: cannot be read", path.string());
  std::vector<char> buffer(1 << 20);
  uint64_t bytes = 0;
  while (stream) {
    stream.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    const auto count = static_cast<size_t>(stream.gcount());
    fingerprint.add(buffer.data(), count);
    bytes += count;
  }
  if (stream.bad()) throw InputError("{}: cannot be read to its end", path.string());
  fingerprint.add_value(bytes);  // where one file ends and the next begins
}

}  // namespace

std::string data_fingerprint(const fs::path& path) {
  Fingerprint fingerprint;
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    add_file(path, fingerprint);
    return fingerprint.text();
  }
  std::vector<std::string> names;
  for (auto entry = fs::recursive_directory_iterator(path, fs::directory_options::follow_directory_symlink, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error))
    if (entry->is_regular_file(error)) names.push_back(entry->path().lexically_relative(path).generic_string());
  if (error) throw InputError("{}: cannot be read: {}", path.string(), error.message());
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    fingerprint.add(name.data(), name.size() + 1);
    add_file(path / name, fingerprint);
  }
  return fingerprint.text();
}

}  // namespace ptl::research
