#include "datasets/colmap.h"

#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "datasets/colmap_files.h"
#include "datasets/error.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

constexpr const char* stems[] = {"cameras", "images", "points3D"};

bool has_files(const fs::path& folder, const char* extension) {
  for (const char* stem : stems)
    if (!fs::exists(folder / (std::string(stem) + extension))) return false;
  return true;
}

bool has_any_file(const fs::path& folder) {
  for (const char* stem : stems)
    for (const char* extension : {".bin", ".txt"})
      if (fs::exists(folder / (std::string(stem) + extension))) return true;
  return false;
}

template <class Range>
void check_finite(const Range& values, const fs::path& file, const std::string& whose, const char* what) {
  for (const double value : values)
    if (!std::isfinite(value))
      throw InputError("{}: {}: {} must be finite, found {}; the reconstruction is broken, make it again", file.string(),
                       whose, what, value);
}

/// World coordinates: up to here single precision relative to the origin, and double before that, are safe.
void check_coordinates(const std::array<double, 3>& values, const fs::path& file, const std::string& whose,
                       const char* what) {
  check_finite(values, file, whose, what);
  for (const double value : values)
    if (std::abs(value) > 1e12)
      throw InputError("{}: {}: {} must be below 1e12 on each axis, found {}; the reconstruction is broken, make it again",
                       file.string(), whose, what, value);
}

}  // namespace

void check_colmap_model(const ColmapModel& model, const fs::path& cameras_file, const fs::path& images_file,
                        const fs::path& points_file) {
  std::unordered_set<uint32_t> camera_ids;
  for (const ColmapCamera& camera : model.cameras) {
    const std::string whose = fmt::format("camera {}", camera.id);
    if (!camera_ids.insert(camera.id).second)
      throw InputError("{}: the camera id {} stands twice; ids must be unique", cameras_file.string(), camera.id);
    constexpr uint64_t limit = 1 << 20;
    if (camera.width_px < 1 || camera.height_px < 1 || camera.width_px > limit || camera.height_px > limit)
      throw InputError("{}: {}: expected a size between 1 and {} pixels, found {} x {}", cameras_file.string(), whose,
                       limit, camera.width_px, camera.height_px);
    check_finite(camera.params, cameras_file, whose, "its parameters");
    if (camera.params.empty() || camera.params[0] <= 0)
      throw InputError("{}: {}: expected a focal length above 0, found {}", cameras_file.string(), whose,
                       camera.params.empty() ? 0.0 : camera.params[0]);
  }

  std::unordered_set<uint32_t> image_ids;
  std::unordered_set<std::string> names;
  for (const ColmapImage& image : model.images) {
    const std::string name = colmap_files::printable(image.name);
    check_image_name(image.name, images_file);
    const std::string whose = fmt::format("image {} '{}'", image.id, name);
    if (!image_ids.insert(image.id).second)
      throw InputError("{}: the image id {} stands twice; ids must be unique", images_file.string(), image.id);
    if (!names.insert(image.name).second)
      throw InputError("{}: the image name '{}' stands twice; each photo may be posed only once", images_file.string(),
                       name);
    if (!camera_ids.count(image.camera_id))
      throw InputError("{}: {} uses camera {}, which {} does not have; the files belong to different models",
                       images_file.string(), whose, image.camera_id, cameras_file.filename().string());
    check_finite(image.rotation_wxyz, images_file, whose, "its rotation");
    check_coordinates(image.translation, images_file, whose, "its translation");
    double norm = 0;
    for (const double value : image.rotation_wxyz) norm += value * value;
    if (std::abs(norm - 1) > 1e-2)
      throw InputError("{}: {}: expected a rotation quaternion of length 1, found {}", images_file.string(), whose,
                       std::sqrt(norm));
    for (const Observation& observation : image.observations)
      check_finite(std::array{observation.x_px, observation.y_px}, images_file, whose, "its 2D points");
  }

  std::unordered_set<uint64_t> point_ids;
  point_ids.reserve(model.points.size());
  for (const SparsePoint& point : model.points) {
    if (!point_ids.insert(point.id).second)
      throw InputError("{}: the point id {} stands twice; ids must be unique", points_file.string(), point.id);
    check_coordinates({point.position.x, point.position.y, point.position.z}, points_file,
                      fmt::format("point {}", point.id), "its position");
  }
}

void check_image_name(const std::string& name, const fs::path& file) {
  const std::string shown = colmap_files::printable(name);
  const auto refuse = [&](const char* why) {
    throw InputError("{}: image name '{}' {}; names must be paths below the image folder, with '/' between folders",
                     file.string(), shown, why);
  };
  if (name.empty()) refuse("is empty");
  if (name.size() > 4096) refuse("is longer than 4096 bytes");
  if (name.front() == '/' || (name.size() > 1 && name[1] == ':')) refuse("is absolute");
  for (const char c : name) {
    if (c == '\\') refuse("has a backslash");
    if ((c >= 0 && c < 0x20) || c == 0x7f) refuse("has a control character");
  }
  for (size_t start = 0; start <= name.size();) {
    const size_t end = std::min(name.find('/', start), name.size());
    const std::string part = name.substr(start, end - start);
    if (part == "..") refuse("leads out of the image folder ('..')");
    if (part == "." || part.empty()) refuse("has an empty or '.' component");
    start = end + 1;
  }
}

fs::path colmap_model_in(const fs::path& folder) {
  if (fs::is_directory(folder))
    for (const fs::path& candidate : {folder / "sparse" / "0", folder / "sparse", folder})
      if (has_any_file(candidate)) return candidate;
  return {};
}

bool is_whole_colmap_model(const fs::path& model_folder) {
  return !model_folder.empty() && (has_files(model_folder, ".bin") || has_files(model_folder, ".txt"));
}

fs::path find_colmap_model(const fs::path& folder) {
  if (!fs::exists(folder)) throw InputError("{}: no such folder", folder.string());
  if (!fs::is_directory(folder)) throw InputError("{}: expected a scene folder, found a file", folder.string());
  if (const fs::path found = colmap_model_in(folder); !found.empty()) return found;
  throw InputError(
      "{}: no COLMAP model found; expected cameras, images and points3D (.bin or .txt) in sparse/0, in sparse or in the "
      "folder itself. Photos alone are not enough: run COLMAP on them first",
      folder.string());
}

ColmapModel read_colmap_model(const fs::path& model_folder) {
  const bool binary = has_files(model_folder, ".bin");
  if (!binary && !has_files(model_folder, ".txt")) {
    std::string missing;
    const bool binary_meant = fs::exists(model_folder / "cameras.bin") || fs::exists(model_folder / "images.bin");
    for (const char* stem : stems) {
      const std::string name = std::string(stem) + (binary_meant ? ".bin" : ".txt");
      if (!fs::exists(model_folder / name)) missing += (missing.empty() ? "" : ", ") + name;
    }
    throw InputError("{}: the COLMAP model is incomplete: {} missing; expected cameras, images and points3D together",
                     model_folder.string(), missing);
  }
  ColmapModel model = binary ? colmap_files::read_binary(model_folder) : colmap_files::read_text(model_folder);
  const std::string extension = binary ? ".bin" : ".txt";
  check_colmap_model(model, model_folder / ("cameras" + extension), model_folder / ("images" + extension),
                     model_folder / ("points3D" + extension));
  return model;
}

void write_colmap_model(const ColmapModel& model, const fs::path& model_folder, ColmapFormat format) {
  if (format == ColmapFormat::binary)
    colmap_files::write_binary(model, model_folder);
  else
    colmap_files::write_text(model, model_folder);
}

}  // namespace ptl
