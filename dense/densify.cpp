#include "dense/densify.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include "datasets/error.h"
#include "datasets/ply.h"
#include "datasets/scene_loader.h"
#include "dense/dense_edits.h"
#include "dense/photo_faces.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

constexpr int least_side_px = 320, most_side_px = 1280;
constexpr size_t held_maps = 48;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

double stereo_scale(const Scene& scene, const std::vector<int>& photos, const DenseOptions& options) {
  double longest = 1, pixels = 0;
  for (const int photo : photos) {
    const CameraParams<double>& c = scene.camera_of(scene.images[static_cast<size_t>(photo)]).params;
    longest = std::max<double>(longest, std::max(c.width_px, c.height_px));
    pixels += static_cast<double>(c.width_px) * c.height_px;
  }
  double side = options.max_side_px;
  if (options.max_side_px <= 0)
    side = std::clamp<double>(longest * std::sqrt(options.all_pixels / pixels), least_side_px, most_side_px);
  return std::min(1.0, side / longest);
}

DenseResult densify(const Scene& scene, const std::vector<int>& photos, const DenseOptions& options,
                    const fs::path& work_folder, const DenseProgress& progress) {
  HeapScratch scratch;
  Device device = options.device;
  if (device.type == DeviceType::cpu) device.scratch = &scratch;
  if (has_wide_photos(scene, photos)) {
    const PhotoFaces faces = split_wide_photos(device, scene, photos, most_side_px, work_folder, progress);
    DenseResult result = densify(faces.scene, faces.photos, options, work_folder, progress);
    seen_by_photos(faces, result.points);
    result.unconnected = unconnected_photos(faces, result.unconnected);
    result.photos = photos;
    return result;
  }
  DenseResult result;
  result.photos = photos;
  const auto report = [&](const char* step, int done, int total) {
    if (progress) progress(step, done, total);
  };
  report("choosing photos", 0, 1);
  const std::vector<ViewPlan> plans = select_views(scene, photos, options.views);
  const double scale = stereo_scale(scene, photos, options);
  std::map<int, size_t> place_of;
  for (size_t i = 0; i < plans.size(); ++i) {
    place_of[plans[i].image] = i;
    if (plans[i].sources.empty()) result.unconnected.push_back(plans[i].image);
    const SceneImage& image = scene.images[static_cast<size_t>(plans[i].image)];
    const StereoCamera camera = stereo_camera(scene.camera_of(image).params, image.camera_from_world, scale);
    result.stereo_side_px = std::max({result.stereo_side_px, camera.width_px, camera.height_px});
  }

  const MatchPhotosOptions matching{options.matching, options.views.strict_split, scale, options.memory_bytes,
                                    options.device};
  MatchFiles files;
  files.key = match_key(scene, plans, matching);
  std::vector<fs::path> checked_files;
  for (size_t i = 0; i < plans.size(); ++i) {
    files.planes.push_back(work_folder / fmt::format("planes_{:05d}.bin", i));
    files.depths.push_back(work_folder / fmt::format("depth_{:05d}.bin", i));
    checked_files.push_back(work_folder / fmt::format("checked_{:05d}.bin", i));
  }
  const auto start = std::chrono::steady_clock::now();
  result.reused = match_photos(scene, plans, matching, files, progress);
  result.seconds_matching = seconds_since(start);

  const auto fusing = std::chrono::steady_clock::now();
  std::vector<std::vector<size_t>> checks(plans.size());
  for (size_t i = 0; i < plans.size(); ++i)
    for (const int check : plans[i].checks) checks[i].push_back(place_of.at(check));
  double matched = 0, confirmed = 0;
  {
    DepthMapStore maps(files.depths, files.key, held_maps);
    for (size_t i = 0; i < plans.size(); ++i) {
      report("checking", static_cast<int>(i), static_cast<int>(plans.size()));
      DepthMap map = *maps.get(i);
      const auto depths = [&] {
        return map.depth_m.size() - static_cast<size_t>(std::count(map.depth_m.begin(), map.depth_m.end(), 0.0f));
      };
      matched += static_cast<double>(depths());
      std::vector<std::shared_ptr<const DepthMap>> others;
      for (const size_t check : checks[i]) others.push_back(maps.get(check));
      check_depths(device, map, others, options.consistency);
      confirmed += static_cast<double>(depths());
      if (options.fill) fill_depths(map, options.filling);
      write_depth_map(checked_files[i], map, files.key);
    }
  }
  result.confirmed_share = matched > 0 ? confirmed / matched : 0;
  DepthMapStore maps(checked_files, files.key, held_maps);
  result.points = fuse_depths(
      maps, checks, photos, options.consistency, options.max_points,
      [&](int done) { report("fusing", done, static_cast<int>(plans.size())); }, result.statistics);
  result.seconds_fusing = seconds_since(fusing);
  if (result.points.cloud.size() == 0)
    throw InputError(
        "{}: no two of the {} photos agree on any depth; are the poses right (reprojection error?), are the "
        "photos sharp, and does the scene stand still?",
        scene.folder.string(), photos.size());
  return result;
}

std::vector<std::string> dense_comments(const Scene& scene, const DenseResult& result, const std::string& split,
                                        const std::vector<int>& held_out) {
  std::vector<std::string> lines;
  lines.push_back("pointillist dense cloud");
  lines.push_back(fmt::format("dense_stereo_side_px {}", result.stereo_side_px));
  lines.push_back(fmt::format("dense_split {}", split));
  for (const int image : result.photos)
    lines.push_back(cloud_photo_comment + scene.images[static_cast<size_t>(image)].name);
  for (const int image : held_out)
    if (std::find(result.photos.begin(), result.photos.end(), image) == result.photos.end())
      lines.push_back("dense_left_out " + scene.images[static_cast<size_t>(image)].name);
  return lines;
}

DenseResult densify_to_file(const Scene& scene, const Split& split, const std::vector<int>& photos,
                            const DenseOptions& options, const DenseFile& file, const DenseProgress& progress) {
  DenseResult result = densify(scene, photos, options, file.work_folder, progress);
  result.edited_away = drop_edited(result.points, scene.edits);
  if (result.points.cloud.size() == 0)
    throw InputError("{}: drops all {} dense points; expected some to stay. Are its boxes in this scene's coordinates?",
                     scene.edits_source, result.edited_away);
  const std::string split_name = photos.size() == scene.images.size() ? "none" : split.name;
  PlyExtras extras;
  extras.comments = dense_comments(scene, result, split_name, split.held_out);
  extras.confidence = result.points.confidence;
  extras.seen_by.first = result.points.first_seen;
  for (const uint32_t image : result.points.seen_by) extras.seen_by.image_id.push_back(scene.images[image].id);
  write_ply(file.ply, result.points.cloud, scene.origin_world, extras);
  std::error_code ignored;
  if (!file.keep_work) fs::remove_all(file.work_folder, ignored);
  return result;
}

std::string dense_doubt(const DenseResult& result) {
  if (result.confirmed_share >= doubtful_share) return {};
  return fmt::format(
      "only {:.0f} % of the depths were confirmed by another photo: few of these points can be trusted; are "
      "the poses right, are the photos sharp, does the scene stand still?",
      100 * result.confirmed_share);
}

}  // namespace ptl
