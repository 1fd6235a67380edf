#include "datasets/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "datasets/error.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

void sync_to_disk(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY);
  if (descriptor < 0) throw InputError("{}: could not be reopened to sync it: {}", path.string(), std::strerror(errno));
  const int result = ::fsync(descriptor);
  const int reason = errno;
  ::close(descriptor);
  // Some file systems have no fsync (EINVAL); nothing can be done about those.
  if (result != 0 && reason != EINVAL)
    throw InputError("{}: could not be written to the disk: {}", path.string(), std::strerror(reason));
}

}  // namespace

void write_file_atomically(const fs::path& path, const std::function<void(std::ostream&)>& write) {
  std::error_code error;
  if (path.has_parent_path()) {
    fs::create_directories(path.parent_path(), error);
    if (error)
      throw InputError("{}: the folder {} could not be made: {}", path.string(), path.parent_path().string(),
                       error.message());
  }
  fs::path temporary = path;
  temporary += fmt::format(".part{}", ::getpid());
  try {
    errno = 0;
    std::ofstream stream(temporary, std::ios::binary | std::ios::trunc);
    if (!stream) throw InputError("{}: could not be opened for writing: {}", path.string(), std::strerror(errno));
    write(stream);
    stream.flush();
    if (!stream) {
      const int reason = errno;
      throw InputError("{}: could not be written{}{}; is the disk full?", path.string(), reason ? ": " : "",
                       reason ? std::strerror(reason) : "");
    }
    stream.close();
    sync_to_disk(temporary);
    fs::rename(temporary, path, error);
    if (error) throw InputError("{}: the finished file could not be put in place: {}", path.string(), error.message());
  } catch (...) {
    fs::remove(temporary, error);
    throw;
  }
}

void write_file_atomically(const fs::path& path, std::string_view contents) {
  write_file_atomically(path, [&](std::ostream& stream) {
    stream.write(contents.data(), static_cast<std::streamsize>(contents.size()));
  });
}

}  // namespace ptl
