#include "datasets/adop_scene.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include "datasets/error.h"
#include "datasets/ini_file.h"
#include "datasets/words.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

using P = PinholeModel;

constexpr const char* section = "SceneDatasetParams";
constexpr const char* advice = "compare it with scenes/README.md of ADOP";

void fill_pinhole(const IniSection& ini, const fs::path&, CameraParams<double>& camera) {
  Words k = ini.words("K");
  for (const int parameter : {P::fx, P::fy, P::cx, P::cy, P::skew}) camera.value[parameter] = k.finite("fx fy cx cy s");
  k.expect_end("fx fy cx cy s");
  if (!ini.find("distortion")) return;
  Words distortion = ini.words("distortion");
  constexpr const char* what = "k1 k2 k3 k4 k5 k6 p1 p2";
  for (const int parameter : {P::k1, P::k2, P::k3, P::k4, P::k5, P::k6, P::p1, P::p2})
    camera.value[parameter] = distortion.finite(what);
  distortion.expect_end(what);
}

void fill_ocam(const IniSection& ini, const fs::path& file, CameraParams<double>& camera) {
  using O = OcamModel;
  camera.model = CameraModel::ocam;
  Words affine = ini.words("op");
  for (const int parameter : {O::c, O::d, O::e, O::centre_row, O::centre_column})
    camera.value[parameter] = affine.finite("c d e cx cy");
  affine.expect_end("c d e cx cy");
  Words polynomial = ini.words("poly_world2cam");
  int count = 0;
  for (; !polynomial.at_end(); ++count) {
    const double value = polynomial.finite("a coefficient of the polynomial");
    if (count < O::coefficients)
      camera.value[O::a0 + count] = value;
    else if (value != 0)
      polynomial.refuse(fmt::format("at most {} coefficients", O::coefficients), "more");
  }
  camera.value[O::cutoff] = 1;  // ADOP's default
  if (ini.find("ocam_cutoff")) {
    Words cutoff = ini.words("ocam_cutoff");
    camera.value[O::cutoff] = cutoff.finite("an angle in radians");
    cutoff.expect_end("an angle in radians");
  }
  if (count < 2) polynomial.refuse("at least 2 coefficients", fmt::format("{}", count));
  const double c = camera.value[O::c], d = camera.value[O::d], e = camera.value[O::e];
  if (!(c - d * e > 1e-2)) affine.refuse("c, d and e with c > d e, c about 1", fmt::format("{}, {}, {}", c, d, e));
  if (!(OcamModel::last_angle(camera) > 0))
    throw InputError("{}: expected an ocam_cutoff above -pi/2, found {}; {}", file.string(), camera.value[O::cutoff], advice);
}

/// ADOP's numbers of lenses.
struct Lens {
  int number;
  const char* name;
  void (*fill)(const IniSection&, const fs::path& file, CameraParams<double>&);
};
constexpr Lens lenses[] = {{0, "pinhole with distortion", fill_pinhole}, {1, "OCam (omnidirectional)", fill_ocam}};

const Lens& lens_of(const IniSection& dataset, const fs::path& file) {
  const int number = dataset.find("camera_type_int") ? dataset.whole("camera_type_int") : 0;
  const auto lens =
      std::find_if(std::begin(lenses), std::end(lenses), [&](const Lens& one) { return one.number == number; });
  if (lens == std::end(lenses))
    throw InputError(
        "{}: camera_type_int: the lens {} is not known; expected 0 (pinhole with distortion) or 1 (OCam); undistort the "
        "photos",
        file.string(), number);
  return *lens;
}

std::vector<std::string> lines_of(const fs::path& file, size_t count) {
  std::vector<std::string> lines = read_lines(file);
  if (lines.size() != count)
    throw InputError("{}: expected one line for each of the {} photos of images.txt, found {}; {}", file.string(),
                     count, lines.size(), advice);
  return lines;
}

/// Where a folder that the file names may be: paths in these files are often those of the machine that wrote them.
std::vector<fs::path> places_of(std::string named, const fs::path& scene_folder, const char* usual) {
  while (named.size() > 1 && named.back() == '/') named.pop_back();
  std::vector<fs::path> places;
  if (!named.empty()) places = {scene_folder / named, scene_folder / fs::path(named).filename()};
  places.push_back(scene_folder / usual);
  return places;
}

Pose<double> read_pose(const std::string& line, const fs::path& file, size_t number) {
  Words words(line, file.string(), number, advice);
  double q[4];  // x, y, z, w
  double norm = 0;
  for (double& value : q) {
    value = words.finite("a rotation, qx qy qz qw");
    norm += value * value;
  }
  Vec3<double> centre;
  for (int axis = 0; axis < 3; ++axis) centre[axis] = words.finite("a position, tx ty tz");
  words.expect_end("qx qy qz qw tx ty tz");
  if (!(std::abs(norm - 1) < 1e-2))
    words.refuse("a rotation quaternion of length 1", fmt::format("{}", std::sqrt(norm)));
  return pose_from_centre(rotation_from_quaternion(std::array{q[3], q[0], q[1], q[2]}), centre);
}

void read_masks(const fs::path& folder, const std::string& mask_dir, SceneDraft& draft,
                const std::vector<std::string>& names) {
  const fs::path file = folder / "masks.txt";
  if (!fs::exists(file)) return;
  std::vector<std::string> masks = read_lines(file);
  if (masks.empty()) return;  // ADOP writes an empty line for each photo without one
  if (masks.size() > names.size()) lines_of(file, names.size());
  masks.resize(names.size());
  const SceneFiles asked{file, folder, {}};
  const fs::path mask_folder =
      choose_image_folder(asked, places_of(mask_dir == "not set" ? "" : mask_dir, folder, "masks"), {masks.front()});
  for (size_t i = 0; i < names.size(); ++i) {
    if (masks[i].empty()) continue;
    draft.masks[names[i]] = mask_folder / masks[i];
    if (!is_file(draft.masks[names[i]]))
      throw InputError("{}, line {}: expected the mask {}, found no such file; put it there, or empty the line",
                       file.string(), i + 1, draft.masks[names[i]].string());
  }
}

void read_exposures(const fs::path& file, SceneDraft& draft, const std::vector<std::string>& names) {
  if (!fs::exists(file)) return;
  const std::vector<std::string> lines = lines_of(file, names.size());
  std::vector<double> ev;
  for (size_t i = 0; i < lines.size(); ++i) {
    Words words(lines[i], file.string(), i + 1, advice);
    ev.push_back(words.finite("an exposure value"));
    words.expect_end("an exposure value");
  }
  if (std::all_of(ev.begin(), ev.end(), [&](double value) { return value == ev.front(); })) return;
  for (size_t i = 0; i < names.size(); ++i) draft.exposure_ev[names[i]] = ev[i];
}

bool is_adop(const fs::path& file) {
  std::error_code error;
  if (!is_file(file) || fs::file_size(file, error) > (1 << 20)) return false;
  std::ifstream stream(file, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  return text.find(std::string("[") + section + "]") != std::string::npos;
}

}  // namespace

std::vector<fs::path> find_adop_scene(const fs::path& path) {
  const fs::path file = fs::is_directory(path) ? path / "dataset.ini" : path;
  return is_adop(file) ? std::vector{file} : std::vector<fs::path>{};
}

SceneDraft read_adop_scene(const SceneFiles& files) {
  SceneDraft draft;
  draft.file = files.file;
  const fs::path folder = files.file.parent_path();
  const IniSection dataset(files.file, section);
  const Lens& lens = lens_of(dataset, files.file);
  std::vector<uint32_t> camera_ids;
  Words camera_files(dataset.find("camera_files").value_or("camera.ini"), files.file.string() + ": camera_files", 0,
                     advice);
  while (!camera_files.at_end()) {
    const fs::path file = folder / camera_files.word("a camera's file");
    const IniSection ini(file, "SceneCameraParams");
    CameraParams<double> camera;
    camera.width_px = ini.whole("w");
    camera.height_px = ini.whole("h");
    lens.fill(ini, file, camera);
    camera_ids.push_back(camera_id_for(draft, camera, file.filename().string(), colmap_opencv));
  }
  if (camera_ids.empty()) throw InputError("{}: camera_files: names no camera; {}", files.file.string(), advice);

  const fs::path images_file = folder / "images.txt", poses_file = folder / "poses.txt";
  const std::vector<std::string> listed_names = read_lines(images_file);
  if (listed_names.empty()) throw InputError("{}: lists no photos; {}", images_file.string(), advice);
  const std::vector<std::string> poses = lines_of(poses_file, listed_names.size());
  const fs::path indices_file = folder / "camera_indices.txt";
  std::vector<std::string> indices(listed_names.size(), "0");
  if (fs::exists(indices_file)) indices = lines_of(indices_file, listed_names.size());
  draft.image_folder = choose_image_folder(
      files, places_of(dataset.find("image_dir").value_or("color"), files.scene_folder, "images"), listed_names);
  std::vector<std::string> names;
  for (size_t i = 0; i < listed_names.size(); ++i) {
    Words index(indices[i], indices_file.string(), i + 1, advice);
    const auto camera = index.number<uint32_t>("the number of a camera");
    if (camera >= camera_ids.size())
      index.refuse(fmt::format("a camera from 0 to {}", camera_ids.size() - 1), indices[i]);
    index.expect_end("the number of a camera");
    names.push_back(listed_names[i]);
    add_image(draft, names.back(), read_pose(poses[i], poses_file, i + 1), camera_ids[camera]);
  }
  read_masks(folder, dataset.find("mask_dir").value_or(""), draft, names);
  read_exposures(folder / "exposure.txt", draft, names);

  // ADOP prepares the cloud it is given into a file of its own, and leaves a PLY of that.
  draft.cloud_file = folder / dataset.find("file_point_cloud").value_or("point_cloud.ply");
  const fs::path prepared = folder / "point_cloud_initial_preprocess.ply";
  if (!fs::exists(draft.cloud_file) && fs::exists(prepared)) draft.cloud_file = prepared;
  if (dataset.find("render_scale")) {
    Words words = dataset.words("render_scale");
    if (const double scale = words.finite("render_scale"); scale != 1)
      draft.oddities.push_back(
          fmt::format("ADOP renders this scene at a scale of {} (render_scale): --image-scale does the "
                      "same",
                      scale));
  }
  return draft;
}

}  // namespace ptl
