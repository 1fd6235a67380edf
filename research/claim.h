// Who works on what, over a folder that several processes share, also on several machines: a file that its owner keeps
// fresh. One that was not kept fresh, or whose process is gone, is taken over.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace ptl::research {

/// What a claim's file says.
struct ClaimHolder {
  std::string host;
  long long process = 0;
  std::string process_start;  ///< as the system counts it: a number that is used again is another process
  std::string since;          ///< UTC
  std::string token;          ///< differs between any two claims
  bool operator==(const ClaimHolder&) const = default;
};

class Claim {
 public:
  struct Options {
    double stale_seconds = 120;  ///< without a sign of life: the owner is taken for dead
    double beat_seconds = 10;
  };

  /// Takes `file` (its folder must exist); nothing when a living process holds it. Processes take turns by a lock on
  /// the file `file.lock`, which stays. Throws InputError when the folder cannot be written.
  static std::optional<Claim> take(const std::filesystem::path& file, const Options& options);
  /// Gives it up.
  ~Claim();
  Claim(Claim&& other) noexcept;
  Claim& operator=(Claim&&) = delete;

  /// To be called often: keeps the file fresh. False when it is another's by now: this process was silent for too long.
  bool beat();
  /// Whose claim was taken over, if any: for a message.
  const std::optional<ClaimHolder>& taken_over() const { return taken_over_; }

 private:
  Claim(std::filesystem::path file, Options options, ClaimHolder holder);
  std::filesystem::path file_;
  Options options_;
  ClaimHolder holder_;
  std::optional<ClaimHolder> taken_over_;
  std::chrono::steady_clock::time_point last_beat_;
};

/// The living holder of a claim, if there is one.
std::optional<ClaimHolder> living_holder(const std::filesystem::path& file, const Claim::Options& options);

}  // namespace ptl::research
