#include "datasets/split.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <unordered_map>

#include "datasets/error.h"

namespace ptl {

namespace {

/// The image that a line of a split file means: a name, or else an index into the sorted names.
int image_of_entry(const Scene& scene, const std::unordered_map<std::string, int>& index_of_name,
                   const std::string& entry, const std::string& file, int line_number) {
  if (const auto found = index_of_name.find(entry); found != index_of_name.end()) return found->second;
  int index = -1;
  const auto [end, error] = std::from_chars(entry.data(), entry.data() + entry.size(), index);
  if (error == std::errc() && end == entry.data() + entry.size() && index >= 0 &&
      index < static_cast<int>(scene.images.size()))
    return index;
  throw InputError("{}, line {}: expected an image name of the scene or an index from 0 to {}, found '{}'", file,
                   line_number, scene.images.size() - 1, entry.substr(0, 80));
}

std::vector<int> read_held_out(const Scene& scene, const std::string& file) {
  std::ifstream stream(file);
  if (!stream || std::filesystem::is_directory(file))
    throw InputError("--split {}: expected every8, none, dataset, or a readable file that lists the held-out images", file);
  std::unordered_map<std::string, int> index_of_name;
  for (size_t i = 0; i < scene.images.size(); ++i) index_of_name[scene.images[i].name] = static_cast<int>(i);
  std::vector<int> held_out;
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    const size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos || line[first] == '#') continue;
    const size_t last = line.find_last_not_of(" \t\r");
    const int index = image_of_entry(scene, index_of_name, line.substr(first, last - first + 1), file, number);
    if (std::find(held_out.begin(), held_out.end(), index) != held_out.end())
      throw InputError("{}, line {}: image '{}' is listed twice; each held-out image may stand once", file, number,
                       scene.images[static_cast<size_t>(index)].name);
    held_out.push_back(index);
  }
  if (held_out.empty())
    throw InputError("{}: lists no held-out image; expected one name or index a line, or use --split none", file);
  std::sort(held_out.begin(), held_out.end());
  return held_out;
}

}  // namespace

Split make_split(const Scene& scene, const std::string& which) {
  Split split;
  const int count = static_cast<int>(scene.images.size());
  if (which == "every8") {
    split.name = which;
    for (int i = 0; i < count; i += 8) split.held_out.push_back(i);
  } else if (which == "none") {
    split.name = which;
  } else if (which == "dataset") {
    split.name = which;
    const std::vector<std::string>& names = scene.held_out_by_dataset;
    for (int i = 0; i < count; ++i)
      if (std::find(names.begin(), names.end(), scene.images[static_cast<size_t>(i)].name) != names.end())
        split.held_out.push_back(i);
    if (split.held_out.empty())
      throw InputError("--split dataset: {} keeps no photos for testing; use every8, none, or a file that lists the "
                       "held-out images", scene.folder.string());
  } else {
    split.name = std::filesystem::path(which).filename().string();
    split.held_out = read_held_out(scene, which);
  }
  for (int i = 0; i < count; ++i)
    if (!std::binary_search(split.held_out.begin(), split.held_out.end(), i)) split.train.push_back(i);
  if (split.train.empty())
    throw InputError("--split {}: holds out all {} images, so none is left to fit; hold out fewer", which, count);
  return split;
}

}  // namespace ptl
