// A folder of numbered pictures, frame_000000.png and on, with a note of what they show: an interrupted rendering goes
// on where it was, and pictures of two paths never mix.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace ptl {

/// What the pictures of a folder are. Kept in it as frames.json.
struct FrameSet {
  std::string fingerprint;  ///< of all that decides the pixels
  size_t count = 0;
  double frames_per_s = 0;
  int width_px = 0, height_px = 0;
};

class FrameFolder {
 public:
  /// Makes the folder and its note. InputError: there are pictures already and it is not `resume`; or `resume` and
  /// there are none, or they are of another set; or the folder cannot be made or written.
  FrameFolder(std::filesystem::path folder, const FrameSet& set, bool resume);

  std::filesystem::path picture(size_t index) const;
  /// Whether that picture is there; pictures appear whole or not at all.
  bool has(size_t index) const;
  const std::filesystem::path& folder() const { return folder_; }
  const FrameSet& set() const { return set_; }

 private:
  std::filesystem::path folder_;
  FrameSet set_;
};

/// How ffmpeg names the pictures of such a folder.
inline constexpr const char* frame_pattern = "frame_%06d.png";

}  // namespace ptl
