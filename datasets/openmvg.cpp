#include "datasets/openmvg.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "datasets/error.h"
#include "datasets/json_keys.h"
#include "datasets/json_place.h"
#include "datasets/scene_photos.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

using P = PinholeModel;
using F = FisheyeModel;

/// The distortion's parameters in the file's order, and their name there; without a name: no distortion.
struct Lens {
  const char* type;
  const char* distortion_name;
  std::vector<int> parameters;
  CameraModel model = CameraModel::pinhole;
  bool supported = true;
};

const std::vector<Lens>& lenses() {
  static const std::vector<Lens> known = {
      {"pinhole", nullptr, {}},
      {"pinhole_radial_k1", "disto_k1", {P::k1}},
      {"pinhole_radial_k3", "disto_k3", {P::k1, P::k2, P::k3}},
      {"pinhole_brown_t2", "disto_t2", {P::k1, P::k2, P::k3, P::p1, P::p2}},
      {"fisheye", "fisheye", {F::k1, F::k2, F::k3, F::k4}, CameraModel::fisheye},
      {"spherical", nullptr, {}, CameraModel::equirectangular, false},
  };
  return known;
}

/// The object behind cereal's pointer.
JsonPlace pointed_at(const JsonPlace& value) {
  return value.at("ptr_wrapper").at("data");
}

/// Cereal says a type's name once and its number after that; the number's highest bit marks the first time.
class TypeNames {
 public:
  std::string name_of(const JsonPlace& value) {
    const double number = value.at("polymorphic_id").number(0, 4294967295.0);
    const uint32_t id = static_cast<uint32_t>(number) & 0x7fffffffu;
    if (const auto name = value.find("polymorphic_name")) return names_[id] = name->text();
    if (const auto found = names_.find(id); found != names_.end()) return found->second;
    value.fail(fmt::format("expected \"polymorphic_name\", since {} was not named before", id));
  }

 private:
  std::unordered_map<uint32_t, std::string> names_;
};

CameraParams<double> read_lens(const JsonPlace& value, const std::string& type) {
  const auto lens = std::find_if(lenses().begin(), lenses().end(), [&](const Lens& one) { return type == one.type; });
  if (lens == lenses().end() || !lens->supported) {
    std::string supported;
    for (const Lens& one : lenses())
      if (one.supported) supported += (supported.empty() ? "" : ", ") + std::string(one.type);
    value.fail(
        fmt::format("the camera model {} is {}; expected one of {}; reconstruct with one of these, or undistort the "
                    "photos",
                    type, lens == lenses().end() ? "not known" : "not supported", supported));
  }
  const JsonPlace data = pointed_at(value);
  CameraParams<double> camera;
  camera.model = lens->model;
  camera.width_px = data.at("width").whole(1, 1 << 20);
  camera.height_px = data.at("height").whole(1, 1 << 20);
  camera.value[P::fx] = camera.value[P::fy] = data.at("focal_length").number(1e-3, 1e9);
  const JsonPlace centre = data.at("principal_point");
  if (centre.size("2 numbers") != 2) centre.refuse("2 numbers");
  camera.value[P::cx] = centre.at(size_t{0}).number() + 0.5;
  camera.value[P::cy] = centre.at(size_t{1}).number() + 0.5;
  if (!lens->distortion_name) return camera;
  const JsonPlace distortion = data.at(lens->distortion_name);
  const std::string expected = fmt::format("{} numbers", lens->parameters.size());
  if (distortion.size(expected.c_str()) != lens->parameters.size()) distortion.refuse(expected);
  for (size_t i = 0; i < lens->parameters.size(); ++i) camera.value[lens->parameters[i]] = distortion.at(i).number();
  return camera;
}

Pose<double> read_pose(const JsonPlace& value) {
  const JsonPlace rows = value.at("rotation");
  constexpr const char* expected = "3 rows of 3 numbers";
  if (rows.size(expected) != 3) rows.refuse(expected);
  Mat3<double> rotation;
  for (int row = 0; row < 3; ++row) {
    const Vec3<double> numbers = rows.at(static_cast<size_t>(row)).vector();
    for (int column = 0; column < 3; ++column) rotation[column][row] = numbers[column];
  }
  const std::optional<Mat3<double>> nearest = as_rotation(rotation);
  if (!nearest) rows.refuse("a rotation matrix");
  return pose_from_centre(glm::transpose(*nearest), value.at("center").vector());
}

using Key = uint32_t;
Key key_of(const JsonPlace& place) {
  const double number = place.number(0, 4294967295.0);
  if (number != std::floor(number)) place.refuse("a whole number");
  return static_cast<Key>(number);
}

/// The values of a map, which cereal writes as a list of {"key", "value"}.
template <class Function>
void for_each(const JsonPlace& list, const Function& function) {
  for (size_t i = 0; i < list.size("a list of {\"key\", \"value\"}"); ++i) {
    const JsonPlace entry = list.at(i);
    function(key_of(entry.at("key")), entry.at("value"));
  }
}

void read_structure(const JsonPlace& structure, const std::unordered_map<Key, size_t>& image_of_view,
                    SceneDraft& draft) {
  for_each(structure, [&](Key, const JsonPlace& value) {
    SparsePoint& point = draft.model.points.emplace_back();
    point.id = draft.model.points.size();
    point.position = value.at("X").vector();
    point.color = {128, 128, 128};
    for_each(value.at("observations"), [&](Key view, const JsonPlace& seen) {
      const JsonPlace x = seen.at("x");
      if (x.size("2 numbers") != 2) x.refuse("2 numbers");
      const double x_px = x.at(size_t{0}).number() + 0.5, y_px = x.at(size_t{1}).number() + 0.5;
      const auto found = image_of_view.find(view);
      if (found == image_of_view.end()) return;
      ColmapImage& image = draft.model.images[found->second];
      point.track.emplace_back(image.id, static_cast<uint32_t>(image.observations.size()));
      image.observations.push_back({x_px, y_px, point.id});
    });
  });
}

bool is_openmvg(const fs::path& file) {
  return json_has_top_key(file, {"sfm_data_version"});
}

}  // namespace

std::vector<fs::path> find_openmvg(const fs::path& path) {
  if (!fs::is_directory(path)) return is_openmvg(path) ? std::vector{path} : std::vector<fs::path>{};
  if (is_openmvg(path / "sfm_data.json")) return {path / "sfm_data.json"};
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(path))
    if (entry.path().extension() == ".json" && is_openmvg(entry.path())) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

SceneDraft read_openmvg(const SceneFiles& files) {
  SceneDraft draft;
  draft.file = files.file;
  draft.points_source = "the structure of " + files.file.filename().string();
  const nlohmann::json json = read_json_file(files.file);
  const JsonPlace document(json, files.file.string());

  std::unordered_map<Key, CameraParams<double>> camera_of;
  std::unordered_map<Key, std::string> place_of;
  TypeNames types;
  for_each(document.at("intrinsics"), [&](Key key, const JsonPlace& value) {
    camera_of[key] = read_lens(value, types.name_of(value));
    place_of[key] = value.place();
  });
  std::unordered_map<Key, Pose<double>> pose_of;
  for_each(document.at("extrinsics"), [&](Key key, const JsonPlace& value) { pose_of[key] = read_pose(value); });

  struct View {
    Key key, intrinsic, pose;
    fs::path path;
  };
  std::vector<View> views;
  std::vector<std::string> left_out;
  for_each(document.at("views"), [&](Key key, const JsonPlace& value) {
    const JsonPlace data = pointed_at(value);
    const auto local = data.find("local_path");
    const View view{key, key_of(data.at("id_intrinsic")), key_of(data.at("id_pose")),
                    fs::path(local ? local->text() : "") / data.at("filename").text()};
    if (camera_of.count(view.intrinsic) && pose_of.count(view.pose))
      views.push_back(view);
    else
      left_out.push_back(view.path.generic_string());
  });
  if (views.empty())
    throw InputError(
        "{}: none of its {} views has a pose; expected a reconstruction, not the list of photos that it "
        "starts from; convert sfm_data.bin with openMVG_main_ConvertSfM_DataFormat",
        files.file.string(), left_out.size());
  if (!left_out.empty())
    draft.oddities.push_back(
        fmt::format("{} views have no pose or lens and are left out: {}", left_out.size(), listed(left_out)));

  const auto root = document.find("root_path");
  const fs::path root_folder = files.file.parent_path() / (root ? root->text() : "");
  std::vector<fs::path> paths;
  for (const View& view : views) paths.push_back(root_folder / view.path);
  const NamedPhotos photos = name_photos(paths);
  draft.image_folder =
      choose_image_folder(files, {photos.folder, files.scene_folder / "images", files.scene_folder}, photos.names);
  std::unordered_map<Key, size_t> image_of_view;
  for (size_t i = 0; i < views.size(); ++i) {
    const Key intrinsic = views[i].intrinsic;
    image_of_view[views[i].key] = draft.model.images.size();
    add_image(draft, photos.names[i], pose_of[views[i].pose],
              camera_id_for(draft, camera_of[intrinsic], place_of[intrinsic],
                            camera_of[intrinsic].model == CameraModel::fisheye ? colmap_opencv_fisheye : colmap_radial));
  }
  read_structure(document.at("structure"), image_of_view, draft);
  if (!draft.model.points.empty())
    draft.oddities.push_back("the points have no colours in this format: all start as mid grey");
  return draft;
}

}  // namespace ptl
