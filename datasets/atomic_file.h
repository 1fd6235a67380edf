// Files appear whole or not at all: written under a temporary name in the same folder, flushed, then renamed.
#pragma once

#include <filesystem>
#include <functional>
#include <ostream>
#include <string_view>

namespace ptl {

/// Calls `write` with a stream of a temporary file beside `path`, checks it, syncs it to the disk and renames it to
/// `path`. Throws InputError (with the system's reason: no space, not a folder, …) and leaves no file of its own behind
/// when anything fails; an older file at `path` then stays as it was. Missing parent folders are made.
void write_file_atomically(const std::filesystem::path& path, const std::function<void(std::ostream&)>& write);

/// The same for contents that are in memory.
void write_file_atomically(const std::filesystem::path& path, std::string_view contents);

}  // namespace ptl
