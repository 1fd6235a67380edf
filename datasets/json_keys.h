// Which keys a JSON file has at its top, without keeping what it holds: to tell formats apart.
#pragma once

#include <filesystem>
#include <set>
#include <string>

namespace ptl {

/// True where the file is JSON as far as the first of these keys among the members of its outermost object. False for
/// anything else, also for a file that cannot be read.
bool json_has_top_key(const std::filesystem::path& file, const std::set<std::string>& keys);

}  // namespace ptl
