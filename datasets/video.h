// Numbered pictures to a video, by the program ffmpeg where it is installed.
#pragma once

#include <filesystem>
#include <functional>

#include "datasets/frame_folder.h"

namespace ptl {

/// Where ffmpeg is on the PATH. InputError that says what to install where it is not.
std::filesystem::path find_ffmpeg();

/// Checks the name of a video before anything is rendered for it. InputError: not .mp4, .mkv, .mov or .webm.
void check_video_name(const std::filesystem::path& video);

/// All frames of the folder as a video, whole or not at all; an odd last row or column is cut off, which the common
/// pixel format asks for. `keep_going`: asked while it works; false ends it, and there is no video. Returns whether
/// there is one. InputError with ffmpeg's own words where it fails.
bool write_video(
    const FrameFolder& frames, const std::filesystem::path& video,
    const std::function<bool()>& keep_going = [] { return true; });

}  // namespace ptl
