#include "renderer/run_folder.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "datasets/atomic_file.h"
#include "datasets/error.h"

namespace ptl {
namespace fs = std::filesystem;
using nlohmann::json;

RunLock::RunLock(const RunFolder& run) {
  std::error_code error;
  fs::create_directories(run.folder, error);
  if (error)
    throw InputError("{}: the run's folder could not be made: {}; choose another with --out", run.folder.string(),
                     error.message());
  const fs::path path = run.folder / "lock";
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0)
    throw InputError("{}: could not be opened for writing: {}; choose another folder with --out", path.string(),
                     std::strerror(errno));
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor_);
    throw InputError("{}: another fit is writing to this run's folder; wait for it, or choose another with --out",
                     run.folder.string());
  }
}

RunLock::~RunLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::vector<json> read_metrics(const fs::path& path) {
  std::vector<json> lines;
  std::ifstream stream(path);
  for (std::string text; std::getline(stream, text);) {
    json line = json::parse(text, nullptr, false);
    if (line.is_object()) lines.push_back(std::move(line));
  }
  return lines;
}

MetricsLog::MetricsLog(const fs::path& path, int64_t kept_steps) : path_(path) {
  std::string kept;
  {
    std::ifstream stream(path);
    for (std::string text; std::getline(stream, text);) {
      const json line = json::parse(text, nullptr, false);
      if (!line.is_object()) break;
      int64_t step = 0;
      for (const char* kind : {"step", "check", "grow"}) step = std::max(step, line.value(kind, int64_t{0}));
      if (step > kept_steps) break;
      kept += text + "\n";
    }
  }
  write_file_atomically(path, kept);
  stream_.open(path, std::ios::app);
  if (!stream_) throw InputError("{}: could not be opened for writing: {}", path.string(), std::strerror(errno));
}

void MetricsLog::write(const nlohmann::ordered_json& line) {
  stream_ << line.dump() << '\n';
  stream_.flush();
  if (!stream_) throw InputError("{}: could not be written; is the disk full?", path_.string());
}

namespace {

uint64_t status_bytes(const char* key) {
  std::ifstream stream("/proc/self/status");
  for (std::string line; std::getline(stream, line);)
    if (line.rfind(key, 0) == 0) return std::stoull(line.substr(std::strlen(key))) << 10;
  return 0;
}

}  // namespace

uint64_t resident_bytes() { return status_bytes("VmRSS:"); }
uint64_t peak_resident_bytes() { return status_bytes("VmHWM:"); }

uint64_t allocated_bytes() {
#if defined(__GLIBC__)
  const struct mallinfo2 heap = ::mallinfo2();
  return heap.uordblks + heap.hblkhd;
#else
  return 0;
#endif
}

}  // namespace ptl
