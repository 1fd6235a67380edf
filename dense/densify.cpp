#include "dense/densify.h"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>

#include "datasets/error.h"
#include "datasets/ply.h"
#include "datasets/scene_loader.h"
#include "dense/dense_edits.h"
#include "dense/match_views.h"
#include "dense/plane_sweep.h"
#include "dense/recently_used.h"
#include "dense/refine.h"
#include "kernels/hash.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

constexpr int least_side_px = 320, most_side_px = 1280;
constexpr size_t held_maps = 48, held_views = 48;
constexpr uint64_t algorithm_version = 2;  ///< to be raised when the same settings give other depths

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Views that are made when needed; the ones used last are held. Thread-safe.
class ViewStore {
 public:
  ViewStore(const Scene& scene, double scale) : scene_(scene), scale_(scale), photos_(stereo_photos(scene, scale)) {}
  std::shared_ptr<const StereoView> get(const Device& device, int image) {
    const std::lock_guard lock(mutex_);
    return views_.get(image, [&] { return make_stereo_view(device, scene_, image, scale_, photos_); });
  }

 private:
  const Scene& scene_;
  double scale_;
  ImageCache photos_;
  std::mutex mutex_;
  RecentlyUsed<int, StereoView> views_{held_views};
};

class Key {
 public:
  Key& add(uint64_t value) {
    state_ = mix64(state_ ^ value);
    return *this;
  }
  Key& add(double value) {
    uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return add(bits);
  }
  Key& add(const std::string& text) {
    for (const char c : text) add(static_cast<uint64_t>(static_cast<unsigned char>(c)));
    return add(static_cast<uint64_t>(text.size()));
  }
  uint64_t value() const { return state_; }

 private:
  uint64_t state_ = 0x70746c64656e7331ull;
};

void add_file(Key& key, const fs::path& path) {
  std::error_code error;
  key.add(path.string()).add(static_cast<uint64_t>(fs::file_size(path, error)));
  key.add(static_cast<uint64_t>(fs::last_write_time(path, error).time_since_epoch().count()));
}

/// Everything that a photo's depths depend on.
uint64_t key_of(const Scene& scene, const std::vector<ViewPlan>& plans, const DenseOptions& options, double scale) {
  Key key;
  key.add(algorithm_version).add(scale).add(static_cast<uint64_t>(options.most_planes));
  const SemiGlobalOptions& m = options.matching;
  for (const int value : {m.small_step, m.large_step, m.least_large_step}) key.add(static_cast<uint64_t>(value));
  key.add(static_cast<double>(m.edge_luminance));
  for (const ViewPlan& plan : plans) {
    const SceneImage& image = scene.images[static_cast<size_t>(plan.image)];
    add_file(key, image.photo_path);
    if (!image.mask_path.empty()) add_file(key, image.mask_path);
    for (int column = 0; column < 3; ++column)
      for (int row = 0; row < 3; ++row) key.add(image.camera_from_world.rotation[column][row]);
    for (int row = 0; row < 3; ++row) key.add(image.camera_from_world.translation[row]);
    for (const double value : scene.camera_of(image).params.value) key.add(value);
    key.add(plan.near_m).add(plan.far_m);
    for (const int source : plan.sources) key.add(static_cast<uint64_t>(source));
  }
  return key.value();
}

/// The stereo of one photo.
DepthMap match_photo(const Device& device, const ViewPlan& plan, ViewStore& views, const DenseOptions& options) {
  const auto reference = views.get(device, plan.image);
  DepthMap map;
  map.camera = reference->camera;
  map.color = reference->color;
  map.agreeing.assign(map.camera.pixel_count(), 0);
  map.depth_m.assign(map.camera.pixel_count(), 0.0f);
  map.match.assign(map.camera.pixel_count(), 0);
  if (plan.sources.empty()) return map;
  std::vector<std::shared_ptr<const StereoView>> held;
  std::vector<const StereoView*> sources;
  for (const int source : plan.sources) sources.push_back(held.emplace_back(views.get(device, source)).get());
  const MatchViews match(device, *reference, sources);
  const int64_t pixels = match.reference().count();
  const InversePlanes planes =
      choose_planes(reference->camera, match.sources(), plan.near_m, plan.far_m, options.most_planes);
  const Scratch<float> plane(device, pixels);
  {
    const Scratch<uint8_t> cost(device, pixels * planes.count);
    const CostVolume volume{map.camera.width_px, map.camera.height_px, planes.count, cost.data()};
    sweep_planes(device, match.reference(), match.sources(), planes, volume);
    match_semi_global(device, volume, match.reference(), options.matching, plane.data());
  }
  const Scratch<float> depth_m(device, pixels);
  const Scratch<uint8_t> correlation(device, pixels);
  refine_depths(device, match.reference(), match.sources(), planes, plane.data(), depth_m.data(), correlation.data());
  copy_to_host(device, depth_m.data(), pixels, map.depth_m.data());
  copy_to_host(device, correlation.data(), pixels, map.match.data());
  return map;
}

/// Runs body(i) for i < count on `workers` threads; the first exception ends it and is thrown here.
template <class Body>
void parallel_photos(size_t count, int workers, const Body& body) {
  std::exception_ptr failure;
  std::mutex mutex;
  bool failed = false;
#pragma omp parallel for schedule(dynamic, 1) num_threads(workers)
  for (size_t i = 0; i < count; ++i) {
    {
      const std::lock_guard lock(mutex);
      if (failed) continue;
    }
    try {
      body(i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failed) failure = std::current_exception();
      failed = true;
    }
  }
  if (failure) std::rethrow_exception(failure);
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
  DenseResult result;
  result.photos = photos;
  const auto report = [&](const char* step, int done, int total) {
    if (progress) progress(step, done, total);
  };
  report("choosing photos", 0, 1);
  const std::vector<ViewPlan> plans = select_views(scene, photos, options.views);
  const double scale = stereo_scale(scene, photos, options);
  std::map<int, size_t> place_of;
  double most_pixels = 0;
  for (size_t i = 0; i < plans.size(); ++i) {
    place_of[plans[i].image] = i;
    if (plans[i].sources.empty()) result.unconnected.push_back(plans[i].image);
    const SceneImage& image = scene.images[static_cast<size_t>(plans[i].image)];
    const StereoCamera camera = stereo_camera(scene.camera_of(image).params, image.camera_from_world, scale);
    most_pixels = std::max(most_pixels, static_cast<double>(camera.pixel_count()));
    result.stereo_side_px = std::max({result.stereo_side_px, camera.width_px, camera.height_px});
  }

  // Matching: on the CPU a photo a thread. Volume, sums and paths take about four bytes a pixel and plane.
  const uint64_t key = key_of(scene, plans, options, scale);
  std::vector<fs::path> raw_files, checked_files;
  for (size_t i = 0; i < plans.size(); ++i) {
    raw_files.push_back(work_folder / fmt::format("depth_{:05d}.bin", i));
    checked_files.push_back(work_folder / fmt::format("checked_{:05d}.bin", i));
  }
  const bool on_cpu = options.device.type == DeviceType::cpu;
  const double photo_bytes = most_pixels * options.most_planes * 4;
  const int most_workers = static_cast<int>(static_cast<double>(options.memory_bytes) / photo_bytes);
  const int workers = on_cpu ? std::clamp(most_workers, 1, omp_get_max_threads()) : 1;
  const auto start = std::chrono::steady_clock::now();
  {
    ViewStore views(scene, scale);
    std::vector<HeapScratch> scratch(static_cast<size_t>(workers));
    std::mutex mutex;
    int done = 0;
    parallel_photos(plans.size(), workers, [&](size_t i) {
      bool reused = read_depth_map(raw_files[i], key).has_value();
      if (!reused) {
        Device device = options.device;
        if (on_cpu) device.scratch = &scratch[static_cast<size_t>(omp_get_thread_num())];
        write_depth_map(raw_files[i], match_photo(device, plans[i], views, options), key);
      }
      const std::lock_guard lock(mutex);
      result.reused += reused;
      report("matching", ++done, static_cast<int>(plans.size()));
    });
  }
  result.seconds_matching = seconds_since(start);

  const auto fusing = std::chrono::steady_clock::now();
  std::vector<std::vector<size_t>> checks(plans.size());
  for (size_t i = 0; i < plans.size(); ++i)
    for (const int check : plans[i].checks) checks[i].push_back(place_of.at(check));
  double matched = 0, confirmed = 0;
  {
    DepthMapStore maps(raw_files, key, held_maps);
    HeapScratch scratch;
    Device device = options.device;
    if (on_cpu) device.scratch = &scratch;
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
      write_depth_map(checked_files[i], map, key);
    }
  }
  result.confirmed_share = matched > 0 ? confirmed / matched : 0;
  DepthMapStore maps(checked_files, key, held_maps);
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
