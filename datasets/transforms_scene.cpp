#include "datasets/transforms_scene.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "datasets/error.h"
#include "datasets/image_io.h"
#include "datasets/json_keys.h"
#include "datasets/json_place.h"
#include "datasets/scene_photos.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

/// Values of a frame, which the file may say once for all.
class Fields {
 public:
  Fields(JsonPlace frame, JsonPlace shared) : frame_(std::move(frame)), shared_(std::move(shared)) {}

  std::optional<JsonPlace> find(const char* name) const {
    if (auto own = frame_.find(name)) return own;
    return shared_.find(name);
  }
  double number_or(const char* name, double otherwise, double low = -1e300, double high = 1e300) const {
    const auto found = find(name);
    return found ? found->number(low, high) : otherwise;
  }
  bool is_on(const char* name) const {
    const auto found = find(name);
    if (!found) return false;
    return found->value().is_number() ? found->number() != 0 : found->boolean();
  }
  const JsonPlace& frame() const { return frame_; }

 private:
  JsonPlace frame_, shared_;
};

/// The focal length along one axis; nothing where the file does not say it.
std::optional<double> focal_length_px(const Fields& fields, const char* px, const char* degrees, const char* radians,
                                      int side_px) {
  constexpr double half_turn = 3.14159265358979323846;
  if (const auto found = fields.find(px)) return found->number(1e-3, 1e9);
  double angle = 0;
  if (const auto found = fields.find(degrees))
    angle = found->number(1e-3, 179.9) * half_turn / 180;
  else if (const auto angle_found = fields.find(radians))
    angle = angle_found->number(1e-5, 179.9 * half_turn / 180);
  else
    return std::nullopt;
  return 0.5 * side_px / std::tan(0.5 * angle);
}

void fill_perspective(const Fields& fields, CameraParams<double>& camera) {
  using P = PinholeModel;
  auto fx = focal_length_px(fields, "fl_x", "x_fov", "camera_angle_x", camera.width_px);
  auto fy = focal_length_px(fields, "fl_y", "y_fov", "camera_angle_y", camera.height_px);
  if (!fx && !fy)
    fields.frame().fail("expected a focal length, here or for all frames: fl_x, x_fov or camera_angle_x; found none");
  camera.value[P::fx] = fx.value_or(*(fy ? fy : fx));
  camera.value[P::fy] = fy.value_or(camera.value[P::fx]);
  camera.value[P::cx] = fields.number_or("cx", 0.5 * camera.width_px);
  camera.value[P::cy] = fields.number_or("cy", 0.5 * camera.height_px);
  double k4 = 0;
  if (const auto list = fields.find("distortion_params")) {
    if (list->size("k1, k2, k3, k4, p1, p2") != 6) list->refuse("6 numbers: k1, k2, k3, k4, p1, p2");
    constexpr int order[] = {P::k1, P::k2, P::k3, -1, P::p1, P::p2};
    for (size_t i = 0; i < 6; ++i) (order[i] < 0 ? k4 : camera.value[order[i]]) = list->at(i).number();
  } else {
    camera.value[P::k1] = fields.number_or("k1", 0);
    camera.value[P::k2] = fields.number_or("k2", 0);
    camera.value[P::k3] = fields.number_or("k3", 0);
    camera.value[P::p1] = fields.number_or("p1", 0);
    camera.value[P::p2] = fields.number_or("p2", 0);
    k4 = fields.number_or("k4", 0);
  }
  if (k4 != 0)
    fields.frame().fail(
        fmt::format("expected a perspective camera with k4 = 0, found {}: a fourth radial term (r^8) is not "
                    "supported; undistort the photos or calibrate without it",
                    k4));
}

void fill_fisheye(const Fields& fields, CameraParams<double>& camera) {
  using F = FisheyeModel;
  camera.model = CameraModel::fisheye;
  const auto fx = fields.find("fl_x"), fy = fields.find("fl_y");
  if (!fx && !fy) fields.frame().fail("expected a focal length in pixels, here or for all frames: fl_x; found none");
  camera.value[F::fx] = (fx ? fx : fy)->number(1e-3, 1e9);
  camera.value[F::fy] = (fy ? fy : fx)->number(1e-3, 1e9);
  camera.value[F::cx] = fields.number_or("cx", 0.5 * camera.width_px);
  camera.value[F::cy] = fields.number_or("cy", 0.5 * camera.height_px);
  constexpr std::pair<const char*, int> distortion[] = {{"k1", F::k1}, {"k2", F::k2}, {"k3", F::k3},
                                                        {"k4", F::k4}, {"p1", F::p1}, {"p2", F::p2}};
  const auto list = fields.find("distortion_params");
  if (list && list->size("k1, k2, k3, k4, p1, p2") != 6) list->refuse("6 numbers: k1, k2, k3, k4, p1, p2");
  for (size_t i = 0; i < 6; ++i)
    camera.value[distortion[i].second] = list ? list->at(i).number() : fields.number_or(distortion[i].first, 0);
}

void fill_panorama(const Fields& fields, CameraParams<double>& camera) {
  camera.model = CameraModel::equirectangular;
  if (camera.width_px != 2 * camera.height_px)
    fields.frame().fail(fmt::format("expected a panorama of the whole sphere, twice as wide as high, found {} x {}",
                                    camera.width_px, camera.height_px));
}

/// What camera_model may say, and how its numbers become a camera; without a function: known, but not supported yet.
struct Lens {
  const char* name;
  void (*fill)(const Fields&, CameraParams<double>&);
};
constexpr Lens lenses[] = {
    {"SIMPLE_PINHOLE", fill_perspective},
    {"PINHOLE", fill_perspective},
    {"SIMPLE_RADIAL", fill_perspective},
    {"RADIAL", fill_perspective},
    {"OPENCV", fill_perspective},
    {"OPENCV_FISHEYE", fill_fisheye},
    {"FISHEYE624", nullptr},
    {"FTHETA", nullptr},
    {"EQUIRECTANGULAR", fill_panorama},
    {"LATLONG", nullptr},
    {"instant-ngp's equirectangular", nullptr},
    {"ORTHOGRAPHIC", nullptr},
    {"ORTHOPHOTO", nullptr},
    {"OMNIDIRECTIONALSTEREO_L", nullptr},
    {"OMNIDIRECTIONALSTEREO_R", nullptr},
    {"VR180_L", nullptr},
    {"VR180_R", nullptr},
};

/// The lens of a frame; instant-ngp says it by the presence of other fields.
const Lens& lens_of(const Fields& fields) {
  std::string name = "OPENCV";
  if (const auto model = fields.find("camera_model")) name = model->text();
  constexpr std::pair<const char*, const char*> flags[] = {{"is_fisheye", "OPENCV_FISHEYE"},
                                                           {"latlong", "LATLONG"},
                                                           {"equirectangular", "instant-ngp's equirectangular"},
                                                           {"orthographic", "ORTHOGRAPHIC"}};
  for (const auto& [flag, meant] : flags)
    if (fields.is_on(flag)) name = meant;
  if (fields.find("ftheta_p0")) name = "FTHETA";
  std::string supported;
  for (const Lens& lens : lenses)
    if (lens.fill) supported += (supported.empty() ? "" : ", ") + std::string(lens.name);
  for (const Lens& lens : lenses)
    if (name == lens.name) {
      if (!lens.fill)
        fields.frame().fail(
            fmt::format("the camera model {} is not supported; expected one of {}; convert the photos to one of "
                        "these",
                        name, supported));
      return lens;
    }
  fields.find("camera_model")->refuse("a camera model among " + supported);
}

/// 3 or 4 rows of 4 numbers: a rotation and a translation.
Pose<double> read_matrix(const JsonPlace& at) {
  constexpr const char* expected = "3 or 4 rows of 4 numbers, a rotation and a translation";
  const size_t rows = at.size(expected);
  if (rows != 3 && rows != 4) at.refuse(expected);
  Pose<double> pose;
  for (size_t row = 0; row < rows; ++row) {
    const JsonPlace numbers = at.at(row);
    if (numbers.size("4 numbers") != 4) numbers.refuse("4 numbers");
    for (size_t column = 0; column < 4; ++column) {
      const double n = numbers.at(column).number();
      if (row == 3) {
        if (n != (column == 3 ? 1 : 0)) numbers.refuse("a last row of 0, 0, 0, 1");
      } else if (column == 3) {
        pose.translation[static_cast<int>(row)] = n;
      } else {
        pose.rotation[static_cast<int>(column)][static_cast<int>(row)] = n;
      }
    }
  }
  const std::optional<Mat3<double>> rotation = as_rotation(pose.rotation);
  if (!rotation) at.refuse("a rotation and a translation (columns of length 1 at right angles, right-handed)");
  pose.rotation = *rotation;
  return pose;
}

NerfstudioTransform read_applied_transform(const JsonPlace& document) {
  NerfstudioTransform applied;
  if (const auto matrix = document.find("applied_transform")) {
    const Pose<double> pose = read_matrix(*matrix);
    applied.rotation = pose.rotation;
    applied.translation = pose.translation;
  }
  if (const auto scale = document.find("applied_scale")) applied.scale = scale->number(1e-12, 1e12);
  return applied;
}

/// One of the files that make up the scene.
struct TransformsFile {
  fs::path path;
  nlohmann::json json;
  bool held_out = false;

  JsonPlace document() const { return JsonPlace(json, path.string()); }
  fs::path resolved(const JsonPlace& name) const {
    std::string text = name.text();
    std::replace(text.begin(), text.end(), '\\', '/');
    if (text.empty() || text.find('\0') != std::string::npos) name.refuse("the path of a file");
    return (path.parent_path() / text).lexically_normal();
  }
};

std::vector<TransformsFile> read_files(const fs::path& file, std::vector<std::string>& oddities) {
  std::vector<TransformsFile> files;
  files.push_back({file, read_json_file(file)});
  if (file.filename() != "transforms_train.json") return files;
  const fs::path test = file.parent_path() / "transforms_test.json";
  if (fs::exists(test)) files.push_back({test, read_json_file(test), true});
  if (fs::exists(file.parent_path() / "transforms_val.json"))
    oddities.push_back("transforms_val.json is not read: its photos are neither fitted nor tested");
  return files;
}

}  // namespace

std::vector<fs::path> find_transforms(const fs::path& path) {
  if (!fs::is_directory(path)) return json_has_top_key(path, {"frames"}) ? std::vector{path} : std::vector<fs::path>{};
  std::vector<fs::path> found;
  for (const char* name : {"transforms.json", "transforms_train.json"})
    if (is_file(path / name)) found.push_back(path / name);
  return found;
}

SceneDraft read_transforms(const SceneFiles& files) {
  SceneDraft draft;
  draft.file = files.file;
  draft.photos_may_be_missing = true;
  draft.cameras_may_be_larger = true;  // w and h say what the intrinsics are for
  const std::vector<TransformsFile> sources = read_files(files.file, draft.oddities);

  std::vector<fs::path> photos;
  for (const TransformsFile& source : sources) {
    const JsonPlace frames = source.document().at("frames");
    for (size_t i = 0; i < frames.size("a list of frames"); ++i)
      photos.push_back(source.resolved(frames.at(i).at("file_path")));
  }
  if (photos.empty()) throw InputError("{}: has no frames; expected at least 2 to fit from", files.file.string());
  const fs::path common = name_photos(photos).folder;
  draft.image_folder = choose_image_folder(files, {common}, {});
  const auto name_of = [&](const fs::path& photo) {
    return with_extension(draft.image_folder, photo.lexically_relative(common).generic_string());
  };

  std::vector<std::string> without_size;
  size_t next_photo = 0;
  for (const TransformsFile& source : sources) {
    const JsonPlace document = source.document(), frames = document.at("frames");
    const NerfstudioTransform applied = read_applied_transform(document);
    const Mat3<double> back = glm::transpose(applied.rotation);
    for (size_t i = 0; i < frames.size(); ++i) {
      const Fields fields(frames.at(i), document);
      const std::string name = name_of(photos[next_photo++]);
      const Lens& lens = lens_of(fields);
      CameraParams<double> camera;
      const auto width = fields.find("w"), height = fields.find("h");
      if (width && height) {
        camera.width_px = width->whole(1, 1 << 20);
        camera.height_px = height->whole(1, 1 << 20);
      } else if (is_file(draft.image_folder / name)) {
        const ImageSize size = read_image_size(draft.image_folder / name);
        camera.width_px = size.width_px;
        camera.height_px = size.height_px;
      } else {
        without_size.push_back(name);
        continue;
      }
      lens.fill(fields, camera);
      const uint32_t camera_id = camera_id_for(
          draft, camera, fields.frame().place(),
          camera.model == CameraModel::fisheye ? colmap_opencv_fisheye : colmap_pinhole);
      const Pose<double> there = read_matrix(fields.frame().at("transform_matrix"));
      add_image(draft, name,
                pose_from_centre(back * there.rotation * opengl_camera_axes,
                                 back * (there.translation / applied.scale - applied.translation)),
                camera_id);
      if (source.held_out) draft.held_out.push_back(name);
      if (const auto mask = fields.frame().find("mask_path")) {
        draft.masks[name] = source.resolved(*mask);
        if (!is_file(draft.masks[name]))
          mask->refuse("the path of a mask that is there; put it there, or take mask_path out");
      }
    }
    for (const char* list : {"test_filenames", "val_filenames"})
      if (const auto names = document.find(list))
        for (size_t i = 0; i < names->size("a list of file names"); ++i)
          draft.held_out.push_back(name_of(source.resolved(names->at(i))));
    if (const auto ply = document.find("ply_file_path"); ply && draft.cloud_file.empty()) {
      draft.cloud_file = source.resolved(*ply);
      draft.cloud_file_from_world = applied;
    }
  }
  if (!without_size.empty()) {
    if (draft.model.images.size() < 2)
      throw InputError(
          "{}: says no size (w, h), and {} of the {} photos, whose headers would, are not in {}: {}; put them "
          "there or name their folder with --images",
          files.file.string(), without_size.size(), photos.size(), draft.image_folder.string(), listed(without_size));
    draft.oddities.push_back(fmt::format("{} of {} photos are not there and are left out: {}", without_size.size(),
                                         photos.size(), listed(without_size)));
  }
  std::set<std::string> names;
  for (const ColmapImage& image : draft.model.images) names.insert(image.name);
  std::erase_if(draft.held_out, [&](const std::string& name) { return !names.count(name); });
  if (!draft.held_out.empty())
    draft.oddities.push_back(
        fmt::format("the dataset keeps {} photos for testing: --split dataset holds them out", draft.held_out.size()));
  return draft;
}

}  // namespace ptl
