// The two file formats behind datasets/colmap.h. They parse and check the form of the files; what the contents must
// fulfil together (ids, names, numbers) is checked in colmap.cpp for both.
#pragma once

#include <filesystem>
#include <string>

#include "datasets/colmap.h"

namespace ptl::colmap_files {

ColmapModel read_binary(const std::filesystem::path& model_folder);
ColmapModel read_text(const std::filesystem::path& model_folder);
void write_binary(const ColmapModel& model, const std::filesystem::path& model_folder);
void write_text(const ColmapModel& model, const std::filesystem::path& model_folder);

/// The whole file in memory. Throws InputError when it cannot be read.
std::string read_whole_file(const std::filesystem::path& path);

/// Names an image for messages even where its name is garbage: printable, and cut at 80 bytes.
std::string printable(const std::string& text);

}  // namespace ptl::colmap_files
