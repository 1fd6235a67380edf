#include "datasets/scannet.h"

#include <algorithm>
#include <cmath>

#include "datasets/error.h"
#include "datasets/image_io.h"
#include "datasets/json_place.h"
#include "datasets/scene_photos.h"
#include "datasets/split.h"
#include "datasets/words.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

using P = PinholeModel;

constexpr const char* advice = "export the scan again with ScanNet's reader";
constexpr size_t most_depth_maps = 64;
constexpr double wanted_points = 5e5;

struct Matrix4 {
  double m[4][4] = {};
  bool is_finite = true;
};

Matrix4 read_matrix(const fs::path& file) {
  Words words(file, advice);
  Matrix4 read;
  for (auto& row : read.m)
    for (double& value : row) {
      value = words.number<double>("a 4 x 4 matrix");
      read.is_finite = read.is_finite && std::isfinite(value);
    }
  words.expect_end("a 4 x 4 matrix");
  return read;
}

CameraParams<double> read_intrinsics(const fs::path& file, const ImageSize& size) {
  const Matrix4 read = read_matrix(file);
  if (!read.is_finite) throw InputError("{}: expected finite numbers, found others; {}", file.string(), advice);
  CameraParams<double> camera;
  camera.width_px = size.width_px;
  camera.height_px = size.height_px;
  camera.value[P::fx] = read.m[0][0];
  camera.value[P::fy] = read.m[1][1];
  camera.value[P::skew] = read.m[0][1];
  camera.value[P::cx] = read.m[0][2] + 0.5;
  camera.value[P::cy] = read.m[1][2] + 0.5;
  if (!(camera.value[P::fx] > 0 && camera.value[P::fy] > 0))
    throw InputError("{}: expected focal lengths above 0, found {} and {}; {}", file.string(), read.m[0][0],
                     read.m[1][1], advice);
  return camera;
}

/// intrinsic/ as the reader writes it, or intrinsics/.
fs::path intrinsic_folder(const fs::path& folder) {
  for (const char* name : {"intrinsic", "intrinsics"})
    if (is_file(folder / name / "intrinsic_color.txt")) return folder / name;
  return {};
}

void check_extrinsics(const fs::path& folder) {
  for (const char* name : {"extrinsic_color.txt", "extrinsic_depth.txt"}) {
    if (!fs::exists(folder / name)) continue;
    const Matrix4 read = read_matrix(folder / name);
    for (int row = 0; row < 4; ++row)
      for (int column = 0; column < 4; ++column)
        if (!(std::abs(read.m[row][column] - (row == column)) < 1e-4))
          throw InputError(
              "{}: expected the identity, found {} in row {}, column {}; depth maps beside their photos are not "
              "supported: align them first",
              (folder / name).string(), read.m[row][column], row, column);
  }
}

/// Nothing for a frame that was lost.
std::optional<Pose<double>> read_pose(const fs::path& file) {
  const Matrix4 read = read_matrix(file);
  if (!read.is_finite) return std::nullopt;
  Mat3<double> rotation;
  for (int row = 0; row < 3; ++row)
    for (int column = 0; column < 3; ++column) rotation[column][row] = read.m[row][column];
  const std::optional<Mat3<double>> nearest = as_rotation(rotation);
  if (!nearest || read.m[3][0] != 0 || read.m[3][1] != 0 || read.m[3][2] != 0 || read.m[3][3] != 1)
    throw InputError(
        "{}: expected a rotation and a translation, with 0 0 0 1 as the last row; found another matrix; {}",
        file.string(), advice);
  return pose_from_centre(*nearest, Vec3<double>(read.m[0][3], read.m[1][3], read.m[2][3]));
}

struct Frame {
  std::string photo;  ///< "12.jpg"
  Pose<double> camera_from_world;
  fs::path depth_file;
};

/// Where the depth jumps a pixel mixes two surfaces.
bool is_edge(const StoredImage& depth, int x, int y) {
  const auto at = [&](int column, int row) {
    return static_cast<double>(
        depth.values16[static_cast<size_t>(row) * static_cast<size_t>(depth.width) + static_cast<size_t>(column)]);
  };
  const double here = at(x, y);
  for (const auto& [dx, dy] : {std::pair{-1, 0}, {1, 0}, {0, -1}, {0, 1}}) {
    const int column = x + dx, row = y + dy;
    if (column < 0 || row < 0 || column >= depth.width || row >= depth.height) continue;
    if (const double there = at(column, row); there > 0 && std::abs(there - here) > 0.05 * here) return true;
  }
  return false;
}

void add_points(const Frame& frame, const CameraParams<double>& depth_camera, const CameraParams<double>& colour_camera,
                int step_px, const fs::path& image_folder, std::vector<SparsePoint>& points) {
  const StoredImage depth = read_image(frame.depth_file, 1);
  if (depth.bits != 16)
    throw InputError("{}: expected a PNG of 16 bits, in millimetres, found {} bits; {}", frame.depth_file.string(),
                     depth.bits, advice);
  if (depth.width != depth_camera.width_px || depth.height != depth_camera.height_px)
    throw InputError("{}: expected {} x {} pixels, as the first depth map, found {} x {}; {}",
                     frame.depth_file.string(), depth_camera.width_px, depth_camera.height_px, depth.width,
                     depth.height, advice);
  const StoredImage photo = read_image(image_folder / frame.photo, 3);
  const Pose<double> world_from_camera = inverse(frame.camera_from_world);
  for (int y = step_px / 2; y < depth.height; y += step_px)
    for (int x = step_px / 2; x < depth.width; x += step_px) {
      const double depth_m =
          depth.values16[static_cast<size_t>(y) * static_cast<size_t>(depth.width) + static_cast<size_t>(x)] / 1000.0;
      if (depth_m <= 0 || is_edge(depth, x, y)) continue;
      Vec3<double> ray;
      unproject_ray(depth_camera, x + 0.5, y + 0.5, ray);
      SparsePoint& point = points.emplace_back();
      point.id = points.size();
      point.position = world_from_camera * (ray * depth_m);
      point.color = {128, 128, 128};
      const Projection<double> seen = project(colour_camera, ray * depth_m);
      if (!(seen.x_px >= 0 && seen.y_px >= 0 && seen.x_px < photo.width && seen.y_px < photo.height)) continue;
      for (int channel = 0; channel < 3; ++channel) {
        const size_t index =
            (static_cast<size_t>(seen.y_px) * static_cast<size_t>(photo.width) + static_cast<size_t>(seen.x_px)) * 3 +
            static_cast<size_t>(channel);
        point.color[static_cast<size_t>(channel)] =
            photo.bits == 8 ? photo.values8[index] : static_cast<uint8_t>(photo.values16[index] >> 8);
      }
    }
}

}  // namespace

std::vector<fs::path> find_scannet(const fs::path& path) {
  if (fs::is_directory(path / "color") && fs::is_directory(path / "pose") && !intrinsic_folder(path).empty())
    return {path};
  return {};
}

SceneDraft read_scannet(const SceneFiles& files) {
  SceneDraft draft;
  const fs::path folder = files.file, intrinsics = intrinsic_folder(folder);
  draft.file = folder;
  draft.image_folder = choose_image_folder(files, {folder / "color"}, {});
  check_extrinsics(intrinsics);

  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder / "color")) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".jpg" || extension == ".png") names.push_back(entry.path().filename().string());
  }
  // By number: 2 before 10.
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  std::vector<Frame> frames;
  std::vector<std::string> lost;
  for (const std::string& name : names) {
    const fs::path stem = fs::path(name).stem();
    const fs::path pose_file = folder / "pose" / (stem.string() + ".txt");
    const auto pose = fs::exists(pose_file) ? read_pose(pose_file) : std::nullopt;
    if (pose)
      frames.push_back({name, *pose, folder / "depth" / (stem.string() + ".png")});
    else
      lost.push_back(name);
  }
  if (frames.empty())
    throw InputError("{}: none of the {} photos in color has a pose in pose; expected at least 2; {}", folder.string(),
                     names.size(), advice);
  if (!lost.empty())
    draft.oddities.push_back(fmt::format("{} photos have no pose and are left out: {}", lost.size(), listed(lost)));

  const CameraParams<double> colour_camera =
      read_intrinsics(intrinsics / "intrinsic_color.txt", read_image_size(folder / "color" / frames.front().photo));
  const uint32_t camera_id = camera_id_for(draft, colour_camera, "intrinsic_color.txt");
  for (const Frame& frame : frames) add_image(draft, frame.photo, frame.camera_from_world, camera_id);

  std::erase_if(frames, [](const Frame& frame) { return !fs::exists(frame.depth_file); });
  if (frames.empty() || fs::exists(files.scene_folder / "points.ply")) return draft;
  const CameraParams<double> depth_camera =
      read_intrinsics(intrinsics / "intrinsic_depth.txt", read_image_size(frames.front().depth_file));
  const std::vector<Frame> some = spread_evenly(frames, most_depth_maps);
  const double pixels = static_cast<double>(some.size()) * depth_camera.width_px * depth_camera.height_px;
  const int step_px = std::max(1, static_cast<int>(std::ceil(std::sqrt(pixels / wanted_points))));
  for (const Frame& frame : some) {
    add_points(frame, depth_camera, colour_camera, step_px, folder / "color", draft.model.points);
    draft.points_photos.push_back(frame.photo);
  }
  draft.points_source = fmt::format("{} depth maps", some.size());
  return draft;
}

}  // namespace ptl
