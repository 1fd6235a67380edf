// A fingerprint of a scene's files, so that figures of changed data are never put beside each other.
#pragma once

#include <filesystem>
#include <string>

namespace ptl::research {

/// Of a file's contents, or of all regular files below a folder: their paths below it, in order, and their contents.
/// The same on any machine. Throws InputError when something cannot be read.
std::string data_fingerprint(const std::filesystem::path& path);

}  // namespace ptl::research
