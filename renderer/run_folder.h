// The folder of a run: config.toml, dense.ply (where points were made), model.safetensors, checkpoint.safetensors, metrics.jsonl, eval.json, cloud_*.png, report.html.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace ptl {

struct RunFolder {
  std::filesystem::path folder;

  std::filesystem::path config() const { return folder / "config.toml"; }
  std::filesystem::path model() const { return folder / "model.safetensors"; }
  std::filesystem::path checkpoint() const { return folder / "checkpoint.safetensors"; }
  std::filesystem::path metrics() const { return folder / "metrics.jsonl"; }
  std::filesystem::path eval() const { return folder / "eval.json"; }
  std::filesystem::path dense_cloud() const { return folder / "dense.ply"; }
  /// Pictures of clouds (renderer/cloud_sides.h): "own" of the scene, "begin" of the fit, "fitted".
  std::filesystem::path cloud_picture(const std::string& which) const { return folder / ("cloud_" + which + ".png"); }
  std::filesystem::path report() const { return folder / "report.html"; }
};

/// Held by a fit for as long as it writes to a run folder. The system frees it however the process ends.
class RunLock {
 public:
  /// Makes the folder when it is missing. InputError when another process holds it, or it cannot be made or written.
  explicit RunLock(const RunFolder& run);
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;
  ~RunLock();

 private:
  int descriptor_ = -1;
};

/// metrics.jsonl: {"step": n, "loss": …} after step n (counted from 1), {"check": n, "psnr": …} after a held-out check,
/// first, where points were made, {"dense_points": …, "seconds": …}; {"grow": n, "points": …} before step n where points came and went.
class MetricsLog {
 public:
  /// Opens the file for appending, cut back to the lines of the first `kept_steps` steps; a broken last line goes too.
  MetricsLog(const std::filesystem::path& path, int64_t kept_steps);
  /// InputError when the disk is full.
  void write(const nlohmann::ordered_json& line);

 private:
  std::filesystem::path path_;
  std::ofstream stream_;
};

/// The lines of a metrics file; broken lines are left out.
std::vector<nlohmann::json> read_metrics(const std::filesystem::path& path);

/// Resident memory of this process now, and the most so far.
uint64_t resident_bytes();
uint64_t peak_resident_bytes();
/// What this process has asked of the heap and not given back: unlike resident memory it does not depend on how the heap is
/// cut up. 0 where the C library does not say.
uint64_t allocated_bytes();

}  // namespace ptl
