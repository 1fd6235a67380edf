#include "renderer/pretrain_scenes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <numbers>

#include "datasets/atomic_file.h"
#include "datasets/hdr_photo.h"
#include "datasets/point_filter.h"
#include "datasets/prepare.h"
#include "datasets/scene_info.h"
#include "datasets/scene_loader.h"
#include "datasets/split.h"
#include "datasets/synthetic_write.h"
#include "kernels/hash.h"
#include "renderer/environment_colors.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

/// Draws of one seed, one after the other.
class Draws {
 public:
  Draws(uint64_t seed, uint64_t stream) : seed_(seed), stream_(stream) {}
  double unit() { return static_cast<double>(draw_unit(seed_, DrawPurpose::pretrain, stream_, next_++)); }
  double between(double low, double high) { return low + (high - low) * unit(); }
  double between_logs(double low, double high) { return low * std::pow(high / low, unit()); }
  int whole(int low, int high) { return std::min(high, low + static_cast<int>(unit() * (high - low + 1))); }
  double normal() {
    const double u = unit(), v = unit();
    return normal_of(u, v);
  }
  Vec3<double> normals() {
    const double x = normal(), y = normal(), z = normal();
    return {x, y, z};
  }

 private:
  uint64_t seed_, stream_, next_ = 0;
};

bool holds_text(const fs::path& path, const std::string& text) {
  std::ifstream stream(path, std::ios::binary);
  return stream && std::string(std::istreambuf_iterator<char>(stream), {}) == text;
}

enum Stream : uint64_t { of_scene = 1, of_cloud, of_poses };

}  // namespace

PretrainDraw draw_pretrain_scene(uint64_t seed) {
  Draws draws(seed, of_scene);
  PretrainDraw draw;
  SyntheticOptions& capture = draw.capture;
  capture.seed = seed;
  capture.photos = 12;
  capture.width_px = 384;
  capture.height_px = 256;
  capture.samples = 2;
  capture.sparse_points = 500;
  capture.density = draws.between_logs(0.15, 1.5);
  capture.noise = draws.between_logs(2e-4, 4e-3);
  capture.outliers = draws.unit() < 0.5 ? 0 : draws.between_logs(5e-4, 1e-2);
  capture.distortion = draws.unit();
  draw.uneven = draws.unit() < 0.5 ? 0 : draws.between(0.2, 0.9);
  draw.holes = draws.whole(0, 12);
  draw.hole_radius = draws.between_logs(0.01, 0.2);
  draw.strays = draws.unit() < 0.5 ? 0 : draws.whole(1, 20);
  draw.pose_error_px = draws.unit() < 0.5 ? 0 : draws.between_logs(0.2, 1.5);
  draw.fitted = draws.unit() < 0.5;
  // Other palettes: the synthetic places are mostly grey, brown and green.
  std::array<int, 3>& order = capture.color_of;
  std::swap(order[0], order[static_cast<size_t>(draws.whole(0, 2))]);
  std::swap(order[1], order[static_cast<size_t>(draws.whole(1, 2))]);
  for (double& gain : capture.color_gain) gain = draws.between_logs(0.7, 1.4);
  return draw;
}

namespace {

/// What is on the disk.
std::string describe(const SyntheticOptions& capture) {
  const std::array<int, 3>& order = capture.color_of;
  const std::array<double, 3>& gain = capture.color_gain;
  return fmt::format("seed {}: {} photos of {} x {}, density {:.2f}, noise {:.4f}, outliers {:.4f}, colours {}{}{} by {:.2f} {:.2f} "
                     "{:.2f}", capture.seed, capture.photos, capture.width_px, capture.height_px, capture.density, capture.noise,
                     capture.outliers, "RGB"[order[0]], "RGB"[order[1]], "RGB"[order[2]], gain[0], gain[1], gain[2]);
}

/// And its model, with the photos of the scene.
PretrainScene scene_of(std::string name, const Scene& scene, const PreparedPoints& points, const FitConfig& config, int layers,
                       uint64_t cache_bytes, torch::Device device) {
  const Split split = make_split(scene, config.scene.split);
  PretrainScene result{std::move(name), make_scene_model(scene, split, points, config, layers, device),
                       std::make_unique<ImageCache>(image_sources(scene), cache_bytes)};
  color_environment(result.model, *result.photos);
  return result;
}

}  // namespace

std::string describe(const PretrainDraw& draw) {
  return fmt::format("{}, uneven {:.2f}, {} holes of {:.3f}, {} strays, poses off by {:.2f} px, {}", describe(draw.capture),
                     draw.uneven, draw.holes, draw.hole_radius, draw.strays, draw.pose_error_px,
                     draw.fitted ? "fitted along" : "as it begins");
}

void spoil_cloud(const PretrainDraw& draw, Scene& scene) {
  PointCloud& cloud = scene.cloud;
  Draws draws(draw.capture.seed, of_cloud);
  const double extent = scene_extent(cloud.position) / 2;
  const auto some_point = [&] {
    return Vec3<double>(cloud.position[static_cast<size_t>(draws.unit() * static_cast<double>(cloud.size() - 1))]);
  };
  std::vector<EditSphere> holes;
  for (int k = 0; k < draw.holes; ++k) holes.push_back({some_point(), draw.hole_radius * extent * draws.between(0.5, 1.5)});
  // Thin where a slow wave is low.
  const Vec3<double> wave = draws.normals() * (2 / extent);
  const double phase = 2 * std::numbers::pi * draws.unit();
  // Clusters of one point's colour, a fifth to two thirds of the way from a camera to a point.
  PointCloud strays;
  for (int k = 0; k < draw.strays; ++k) {
    const auto index = static_cast<size_t>(draws.unit() * static_cast<double>(cloud.size() - 1));
    const SceneImage& image = scene.images[static_cast<size_t>(draws.whole(0, static_cast<int>(scene.images.size()) - 1))];
    const Vec3<double> from = camera_centre(image.camera_from_world), to(cloud.position[index]);
    const Vec3<double> centre = from + draws.between(0.2, 0.67) * (to - from);
    const double radius = draws.between_logs(1e-3, 2e-2) * glm::distance(from, to);
    for (int n = draws.whole(1, 40); n > 0; --n) {
      strays.position.emplace_back(centre + radius * draws.normals());
      strays.color.push_back(cloud.color[index]);
      if (!cloud.normal.empty()) strays.normal.push_back(cloud.normal[index]);
    }
  }
  std::vector<uint8_t> kept(cloud.size(), 1);
  for (size_t i = 0; i < cloud.size(); ++i) {
    const Vec3<double> p(cloud.position[i]);
    const double lost = draw.uneven * (0.5 + 0.5 * std::sin(glm::dot(wave, p) + phase));
    kept[i] = static_cast<double>(draw_unit(draw.capture.seed, DrawPurpose::pretrain, 0, i)) >= lost;
    for (const EditSphere& hole : holes) kept[i] &= glm::distance(p, hole.centre) > hole.radius;
  }
  keep_flagged(cloud.position, kept);
  keep_flagged(cloud.color, kept);
  keep_flagged(cloud.normal, kept);
  cloud.position.insert(cloud.position.end(), strays.position.begin(), strays.position.end());
  cloud.color.insert(cloud.color.end(), strays.color.begin(), strays.color.end());
  cloud.normal.insert(cloud.normal.end(), strays.normal.begin(), strays.normal.end());
}

void spoil_poses(const PretrainDraw& draw, Scene& scene) {
  if (draw.pose_error_px <= 0) return;
  Draws draws(draw.capture.seed, of_poses);
  for (SceneImage& image : scene.images) {
    // A small rotation moves all points by about the angle in focal lengths; 1.6 is the mean length of three normals.
    const double angle = draw.pose_error_px / focal_length_px(scene.camera_of(image).params) / 1.6;
    image.camera_from_world = exp(Tangent<double>{Vec3<double>(0), angle * draws.normals()}) * image.camera_from_world;
  }
}

PretrainScene open_pretrain_scene(const std::filesystem::path& folder, const FitConfig& config, int layers,
                                  torch::Device device) {
  Scene scene = load_scene(folder);
  choose_photo_range(scene, make_split(scene, config.scene.split).train);
  const PreparedPoints points = prepare_points(scene, {});
  return scene_of(folder.filename().string(), scene, points, config, layers, 1ull << 30, device);
}

void write_pretrain_scene(const PretrainDraw& draw, const std::filesystem::path& folder, const SyntheticProgress& progress) {
  const fs::path label = folder / "draw.txt";
  if (holds_text(label, describe(draw.capture))) return;  // otherwise not there, or made from another draw
  write_synthetic_scene(draw.capture, folder, progress);
  write_file_atomically(label, describe(draw.capture));
}

PretrainScene make_pretrain_scene(const PretrainDraw& draw, const FitConfig& config, int layers,
                                  const std::filesystem::path& folder, torch::Device device) {
  write_pretrain_scene(draw, folder);
  Scene scene = load_scene(folder);
  spoil_cloud(draw, scene);
  spoil_poses(draw, scene);
  PrepareOptions prepare;
  prepare.remove_isolated = false;  // strays are there to be seen
  const PreparedPoints points = prepare_points(scene, prepare);
  FitConfig own = config;
  GroupSettings& groups = own.groups;
  if (!draw.fitted)
    for (GroupConfig* group : {&groups.descriptors, &groups.environment, &groups.background, &groups.exposure, &groups.white_balance, &groups.response, &groups.vignette})
      group->frozen = true;
  return scene_of(fmt::format("seed {}", draw.capture.seed), scene, points, own, layers, 1ull << 28, device);
}

}  // namespace ptl
