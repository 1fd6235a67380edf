#include "datasets/scene_formats.h"

#include "datasets/adop_scene.h"
#include "datasets/bundler.h"
#include "datasets/error.h"
#include "datasets/metashape.h"
#include "datasets/openmvg.h"
#include "datasets/scannet.h"
#include "datasets/transforms_scene.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

std::vector<fs::path> find_colmap(const fs::path& path) {
  const fs::path model = colmap_model_in(path);
  return is_whole_colmap_model(model) ? std::vector{model} : std::vector<fs::path>{};
}

SceneDraft read_colmap(const SceneFiles& files) {
  SceneDraft draft;
  draft.file = files.file;
  draft.model = read_colmap_model(files.file);
  draft.model_is_checked = true;
  draft.image_folder = files.scene_folder / (files.wanted_images.empty() ? fs::path("images") : files.wanted_images);
  draft.points_source = "the sparse points of " + files.file.lexically_relative(files.scene_folder).generic_string();
  return draft;
}

std::string names_of_formats() {
  std::string names;
  for (const SceneFormat& format : scene_formats()) names += (names.empty() ? "" : ", ") + std::string(format.name);
  return names;
}

std::string everything_expected() {
  std::string lines;
  for (const SceneFormat& format : scene_formats()) lines += fmt::format("\n  {}: {}", format.name, format.expected);
  return lines;
}

}  // namespace

const std::vector<SceneFormat>& scene_formats() {
  static const std::vector<SceneFormat> formats = {
      {"colmap", "a COLMAP model: cameras, images and points3D (.bin or .txt) in sparse/0, in sparse or in the folder",
       find_colmap, read_colmap},
      {"transforms", "transforms.json (nerfstudio, instant-ngp) or transforms_train.json (NeRF-synthetic)",
       find_transforms, read_transforms},
      {"bundler", "bundle.out with list.txt (Bundler, VisualSFM)", find_bundler, read_bundler},
      {"openmvg", "sfm_data.json with poses (OpenMVG)", find_openmvg, read_openmvg},
      {"metashape", "cameras.xml (Agisoft Metashape, PhotoScan)", find_metashape, read_metashape},
      {"adop", "dataset.ini with camera*.ini, images.txt and poses.txt (ADOP, TRIPS)", find_adop_scene,
       read_adop_scene},
      {"scannet", "color/, depth/, pose/ and intrinsic/ with their text files (ScanNet's reader)", find_scannet,
       read_scannet},
  };
  return formats;
}

std::vector<FoundScene> detect_scene(const fs::path& folder_or_file) {
  std::vector<FoundScene> found;
  for (const SceneFormat& format : scene_formats())
    for (const fs::path& file : format.find(folder_or_file)) found.push_back({&format, file});
  return found;
}

FoundScene choose_scene(const fs::path& folder_or_file, const std::string& format) {
  if (!fs::exists(folder_or_file)) throw InputError("{}: no such folder or file", folder_or_file.string());
  const SceneFormat* wanted = nullptr;
  for (const SceneFormat& known : scene_formats())
    if (format == known.name) wanted = &known;
  if (!wanted && !format.empty())
    throw InputError("--format {}: no such format of scenes; expected one of {}", format, names_of_formats());
  std::vector<FoundScene> found;
  try {
    found = detect_scene(folder_or_file);
  } catch (const fs::filesystem_error& error) {
    throw InputError("{}: could not be looked through: {}", folder_or_file.string(), error.code().message());
  }
  if (wanted) std::erase_if(found, [&](const FoundScene& one) { return one.format != wanted; });
  if (found.size() == 1) return found.front();

  if (found.empty()) {
    // Part of a COLMAP model is told apart from none: its reader says which files are missing.
    const fs::path part = colmap_model_in(folder_or_file);
    if (!part.empty() && (!wanted || wanted == &scene_formats().front())) return {&scene_formats().front(), part};
    if (wanted)
      throw InputError("{}: no scene of the format {} found; expected {}", folder_or_file.string(), format,
                       wanted->expected);
    throw InputError(
        "{}: no scene found; expected one of the following. Photos alone are not enough: run COLMAP on them first{}",
        folder_or_file.string(), everything_expected());
  }
  std::string list;
  bool one_format = true;
  for (const FoundScene& one : found) {
    list += fmt::format("\n  {}: {}", one.format->name, one.file.string());
    one_format = one_format && one.format == found.front().format;
  }
  throw InputError("{}: could be read in {} ways; expected one; {}:{}", folder_or_file.string(), found.size(),
                   one_format ? "name the file instead of the folder" : "choose with --format, or name the file", list);
}

}  // namespace ptl
