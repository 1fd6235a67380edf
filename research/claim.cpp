#include "research/claim.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "datasets/atomic_file.h"
#include "datasets/error.h"
#include "research/machine.h"

namespace ptl::research {
namespace fs = std::filesystem;

namespace {

/// Processes take turns while one looks at a claim and changes it. Over NFS, Linux makes a byte-range lock of it.
class Turn {
 public:
  explicit Turn(const fs::path& claim) {
    const fs::path path = claim.string() + ".lock";
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor_ < 0) throw InputError("{}: cannot be written: {}", path.string(), std::strerror(errno));
    while (::flock(descriptor_, LOCK_EX) != 0)
      if (errno != EINTR) {
        const std::string reason = std::strerror(errno);
        ::close(descriptor_);
        throw InputError("{}: could not be locked: {}", path.string(), reason);
      }
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { ::close(descriptor_); }

 private:
  int descriptor_;
};

/// The 22nd field of /proc/PID/stat; empty when there is no such process.
std::string start_of(long long process) {
  std::ifstream stream(fmt::format("/proc/{}/stat", process));
  const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  const size_t name_end = text.rfind(')');  // the name may hold anything
  if (name_end == std::string::npos) return {};
  std::istringstream fields(text.substr(name_end + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i) fields >> field;
  return field;
}

std::optional<ClaimHolder> read_holder(const fs::path& file) {
  std::ifstream stream(file);
  if (!stream) return std::nullopt;
  const auto json = nlohmann::json::parse(stream, nullptr, false);
  if (!json.is_object()) return ClaimHolder{};  // someone's, though it cannot be read
  ClaimHolder holder;
  try {
    holder = {json.value("host", ""), json.value("process", 0LL), json.value("process_start", ""),
              json.value("since", ""), json.value("token", "")};
  } catch (const nlohmann::json::exception&) {
    return ClaimHolder{};
  }
  return holder;
}

/// Seconds since the file was kept fresh, by the clock of the machine that holds it: a new file's time is asked for.
double age_s(const fs::path& file) {
  struct stat then = {}, now = {};
  if (::stat(file.c_str(), &then) != 0) return 0;
  const std::string probe = fmt::format("{}.now.{}.{}", file.string(), host_name(), ::getpid());
  const int descriptor = ::open(probe.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) throw InputError("{}: cannot be written: {}", probe, std::strerror(errno));
  const bool written = ::write(descriptor, "x", 1) == 1 && ::fstat(descriptor, &now) == 0;
  ::close(descriptor);
  ::unlink(probe.c_str());
  if (!written) throw InputError("{}: cannot be written: {}", probe, std::strerror(errno));
  return static_cast<double>(now.st_mtim.tv_sec - then.st_mtim.tv_sec) +
         1e-9 * static_cast<double>(now.st_mtim.tv_nsec - then.st_mtim.tv_nsec);
}

bool is_alive(const fs::path& file, const ClaimHolder& holder, const Claim::Options& options) {
  if (!holder.host.empty() && holder.host == host_name()) return start_of(holder.process) == holder.process_start;
  return age_s(file) < options.stale_seconds;
}

std::string new_token() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

}  // namespace

std::optional<ClaimHolder> living_holder(const fs::path& file, const Claim::Options& options) {
  const std::optional<ClaimHolder> holder = read_holder(file);
  if (!holder || !is_alive(file, *holder, options)) return std::nullopt;
  return holder;
}

std::optional<Claim> Claim::take(const fs::path& file, const Options& options) {
  const Turn turn(file);
  const std::optional<ClaimHolder> before = read_holder(file);
  if (before && is_alive(file, *before, options)) return std::nullopt;
  const ClaimHolder holder{host_name(), ::getpid(), start_of(::getpid()), timestamp(), new_token()};
  const nlohmann::ordered_json json = {{"host", holder.host},
                                       {"process", holder.process},
                                       {"process_start", holder.process_start},
                                       {"since", holder.since},
                                       {"token", holder.token}};
  write_file_atomically(file, json.dump(1) + "\n");
  Claim claim(file, options, holder);
  claim.taken_over_ = before;
  return claim;
}

Claim::Claim(fs::path file, Options options, ClaimHolder holder)
    : file_(std::move(file)),
      options_(options),
      holder_(std::move(holder)),
      last_beat_(std::chrono::steady_clock::now()) {}

Claim::Claim(Claim&& other) noexcept
    : file_(std::exchange(other.file_, {})),
      options_(other.options_),
      holder_(std::move(other.holder_)),
      taken_over_(std::move(other.taken_over_)),
      last_beat_(other.last_beat_) {}

Claim::~Claim() {
  if (file_.empty()) return;
  try {
    const Turn turn(file_);
    std::error_code ignored;
    if (read_holder(file_) == holder_) fs::remove(file_, ignored);
  } catch (const InputError&) {
    // The folder is gone: so is the claim.
  }
}

bool Claim::beat() {
  const auto now = std::chrono::steady_clock::now();
  if (std::chrono::duration<double>(now - last_beat_).count() < options_.beat_seconds) return true;
  last_beat_ = now;
  const Turn turn(file_);
  if (read_holder(file_) != holder_) return false;
  ::utimensat(AT_FDCWD, file_.c_str(), nullptr, 0);
  return true;
}

}  // namespace ptl::research
