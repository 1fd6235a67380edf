// A photo's planes between the two passes, as a file: 8 bytes a pixel.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "dense/patch_match.h"
#include "dense/recently_used.h"

namespace ptl {

/// Writes atomically. Slants are rounded (to 11 bits of slant · focal_px / inverse depth): planes that are handed on
/// always go through the file, so that an interrupted run goes on with the same ones. `key` names what the contents
/// depend on.
void write_planes(const std::filesystem::path& path, const PlaneField& planes, double focal_px, uint64_t key);

/// Nothing when there is no such file, or one of another key or number of pixels: it is then made anew.
std::optional<PlaneField> read_planes(const std::filesystem::path& path, size_t pixels, double focal_px, uint64_t key);

/// Whether read_planes() would find them, without reading them.
bool has_planes(const std::filesystem::path& path, size_t pixels, uint64_t key);

/// Inverse depths alone, of the files of a folder, read when needed; holds the `capacity` used last. Thread-safe.
class InverseDepthStore {
 public:
  InverseDepthStore(std::vector<std::filesystem::path> files, uint64_t key, size_t capacity)
      : files_(std::move(files)), key_(key), depths_(capacity) {}
  /// Throws InputError when the file has gone since it was written.
  std::shared_ptr<const std::vector<float>> get(size_t place, size_t pixels);

 private:
  std::vector<std::filesystem::path> files_;
  uint64_t key_;
  std::mutex mutex_;
  RecentlyUsed<size_t, std::vector<float>> depths_;
};

}  // namespace ptl
