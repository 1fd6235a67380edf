#include "datasets/bundler.h"

#include <algorithm>
#include <fstream>

#include "datasets/error.h"
#include "datasets/image_io.h"
#include "datasets/json_place.h"
#include "datasets/scene_photos.h"
#include "datasets/words.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

constexpr const char* advice = "the file is damaged or not Bundler's; write or copy it again";
constexpr const char* header_start = "# Bundle file v";

bool is_bundle(const fs::path& file) {
  if (!is_file(file)) return false;
  std::ifstream stream(file, std::ios::binary);
  std::string start(std::string_view(header_start).size(), '\0');
  stream.read(start.data(), static_cast<std::streamsize>(start.size()));
  return stream && start == header_start;
}

fs::path find_list(const fs::path& bundle) {
  const fs::path folder = bundle.parent_path();
  const fs::path stem = bundle.stem();  // without .out
  const fs::path candidates[] = {folder / (stem.stem().string() + ".list.txt"), folder / (stem.string() + ".list.txt"),
                                 folder / (bundle.filename().string() + ".list.txt"), folder / "list.txt",
                                 folder.parent_path() / "list.txt"};
  for (const fs::path& candidate : candidates)
    if (is_file(candidate)) return candidate;
  throw InputError(
      "{}: the list of its photos is missing; expected list.txt beside it, one name a line in the order of "
      "the cameras",
      bundle.string());
}

/// "NAME" or "NAME 0 FOCAL_LENGTH", where the name may hold blanks.
std::string name_in_line(const std::string& line) {
  const size_t last = line.find_last_of(" \t");
  if (last == std::string::npos) return line;
  const size_t before = line.find_last_not_of(" \t", last);
  if (before == std::string::npos || before == 0 || line[before] != '0') return line;
  double focal_length = 0;
  const auto [end, error] = std::from_chars(line.data() + last + 1, line.data() + line.size(), focal_length);
  if (error != std::errc() || end != line.data() + line.size() || (line[before - 1] != ' ' && line[before - 1] != '\t'))
    return line;
  const size_t name_end = line.find_last_not_of(" \t", before - 1);
  return line.substr(0, name_end + 1);
}

struct BundleCamera {
  double focal_length_px = 0, k1 = 0, k2 = 0;
  Pose<double> camera_from_world;  // our axes
};

BundleCamera read_camera(Words& words, size_t index, const fs::path& file) {
  BundleCamera camera;
  camera.focal_length_px = words.finite("a camera's focal length");
  camera.k1 = words.finite("a camera's k1");
  camera.k2 = words.finite("a camera's k2");
  Pose<double>& pose = camera.camera_from_world;
  for (int row = 0; row < 3; ++row)
    for (int column = 0; column < 3; ++column) pose.rotation[column][row] = words.finite("a camera's rotation");
  for (int axis = 0; axis < 3; ++axis) pose.translation[axis] = words.finite("a camera's translation");
  if (camera.focal_length_px == 0) return camera;
  const std::optional<Mat3<double>> rotation = as_rotation(pose.rotation);
  if (!rotation)
    throw InputError("{}: camera {}: expected a rotation matrix, found none; {}", file.string(), index, advice);
  pose.rotation = opengl_camera_axes * *rotation;
  pose.translation = opengl_camera_axes * pose.translation;
  return camera;
}

/// Reads the points and notes them in the images; `image_of_camera`: indices into the draft's, −1 for those without.
void read_points(Words& words, size_t count, const std::vector<int>& image_of_camera, SceneDraft& draft) {
  std::vector<ColmapCamera> camera_of_id(draft.model.cameras.size() + 1);
  for (const ColmapCamera& camera : draft.model.cameras) camera_of_id[camera.id] = camera;
  draft.model.points.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    SparsePoint& point = draft.model.points.emplace_back();
    point.id = i + 1;
    for (int axis = 0; axis < 3; ++axis) point.position[axis] = words.finite("a point's position");
    for (uint8_t& value : point.color) value = words.number<uint8_t>("a point's colour (0 to 255)");
    const size_t views = words.count("views of a point", 8);
    for (size_t view = 0; view < views; ++view) {
      const auto camera = words.number<uint32_t>("the camera of a view");
      words.number<int64_t>("the keypoint of a view");
      const double right_px = words.finite("x of a view"), up_px = words.finite("y of a view");
      if (camera >= image_of_camera.size())
        words.refuse(fmt::format("a camera below {}", image_of_camera.size()), std::to_string(camera));
      if (image_of_camera[camera] < 0) continue;
      ColmapImage& image = draft.model.images[static_cast<size_t>(image_of_camera[camera])];
      const ColmapCamera& lens = camera_of_id[image.camera_id];
      point.track.emplace_back(image.id, static_cast<uint32_t>(image.observations.size()));
      image.observations.push_back({0.5 * static_cast<double>(lens.width_px) + right_px,
                                    0.5 * static_cast<double>(lens.height_px) - up_px, point.id});
    }
  }
}

}  // namespace

std::vector<fs::path> find_bundler(const fs::path& path) {
  if (!fs::is_directory(path)) return is_bundle(path) ? std::vector{path} : std::vector<fs::path>{};
  for (const fs::path& folder : {path, path / "bundle"}) {
    if (!fs::is_directory(folder)) continue;
    if (is_bundle(folder / "bundle.out")) return {folder / "bundle.out"};
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().extension() == ".out" && is_bundle(entry.path())) found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    if (!found.empty()) return found;
  }
  return {};
}

SceneDraft read_bundler(const SceneFiles& files) {
  SceneDraft draft;
  draft.file = files.file;
  draft.points_source = "the points of " + files.file.filename().string();
  const fs::path list_file = find_list(files.file);
  std::vector<fs::path> listed_files;
  for (const std::string& line : read_lines(list_file)) {
    if (line.empty()) throw InputError("{}: has an empty line; expected one photo a line", list_file.string());
    listed_files.push_back(list_file.parent_path() / name_in_line(line));
  }

  Words words(files.file, advice);
  for (const char* part : {"#", "Bundle", "file"})
    if (const std::string found = words.word("its first line"); found != part)
      words.refuse("# Bundle file v0.3", found);
  if (const std::string version = words.word("its version"); version != "v0.3")
    words.refuse("v0.3, the version that this program knows", version);
  const size_t camera_count = words.count("cameras", 30);
  const size_t point_count = words.count("points", 14);
  if (camera_count != listed_files.size())
    throw InputError("{}: has {} cameras, but {} lists {} photos; expected one photo a camera, in the same order",
                     files.file.string(), camera_count, list_file.string(), listed_files.size());
  if (camera_count == 0) throw InputError("{}: has no cameras; expected at least 2 to fit from", files.file.string());

  const NamedPhotos photos = name_photos(listed_files);
  draft.image_folder =
      choose_image_folder(files, {photos.folder, files.scene_folder / "images", files.scene_folder}, photos.names);
  std::vector<int> image_of_camera(camera_count, -1);
  std::vector<std::string> left_out, missing;
  for (size_t i = 0; i < camera_count; ++i) {
    const BundleCamera camera = read_camera(words, i, files.file);
    const std::string name = with_extension(draft.image_folder, photos.names[i]);
    if (camera.focal_length_px == 0) {
      left_out.push_back(name);
      continue;
    }
    if (!is_file(draft.image_folder / name)) {
      missing.push_back(name);
      continue;
    }
    const ImageSize size = read_image_size(draft.image_folder / name);
    CameraParams<double> lens;
    lens.width_px = size.width_px;
    lens.height_px = size.height_px;
    lens.value[PinholeModel::fx] = lens.value[PinholeModel::fy] = camera.focal_length_px;
    lens.value[PinholeModel::cx] = 0.5 * size.width_px;
    lens.value[PinholeModel::cy] = 0.5 * size.height_px;
    lens.value[PinholeModel::k1] = camera.k1;
    lens.value[PinholeModel::k2] = camera.k2;
    const uint32_t camera_id = camera_id_for(draft, lens, fmt::format("camera {}", i), colmap_radial);
    image_of_camera[i] = static_cast<int>(draft.model.images.size());
    add_image(draft, name, camera.camera_from_world, camera_id);
  }
  if (!missing.empty())
    throw InputError(
        "{}: {} of the {} photos are missing in {}: {}; expected them there, since only they say their sizes; "
        "put them there or name their folder with --images",
        files.file.string(), missing.size(), camera_count, draft.image_folder.string(), listed(missing));
  if (!left_out.empty())
    draft.oddities.push_back(
        fmt::format("{} photos were not reconstructed and are left out: {}", left_out.size(), listed(left_out)));
  read_points(words, point_count, image_of_camera, draft);
  words.expect_end("the points");
  return draft;
}

}  // namespace ptl
