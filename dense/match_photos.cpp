#include "dense/match_photos.h"

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>

#include "datasets/error.h"
#include "dense/binary_values.h"
#include "dense/plane_file.h"
#include "dense/sparse_planes.h"
#include "kernels/hash.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

constexpr size_t held_views = 48, held_depths = 48;
constexpr uint64_t algorithm_version = 4;     ///< to be raised when the same settings give other depths
constexpr double photo_bytes_per_pixel = 80;  ///< boards, planes to start from, planes that come back
enum Pass : uint64_t { first_pass, second_pass };

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
  Key& add(int value) { return add(static_cast<uint64_t>(value)); }
  Key& add(const Vec3<double>& value) { return add(value.x).add(value.y).add(value.z); }
  Key& add(const std::string& text) {
    for (const char c : text) add(static_cast<uint64_t>(static_cast<unsigned char>(c)));
    return add(static_cast<uint64_t>(text.size()));
  }
  Key& add_file(const fs::path& path) {
    std::error_code error;
    add(path.string()).add(static_cast<uint64_t>(fs::file_size(path, error)));
    return add(static_cast<uint64_t>(fs::last_write_time(path, error).time_since_epoch().count()));
  }
  uint64_t value() const { return state_; }

 private:
  uint64_t state_ = 0x70746c64656e7331ull;
};

void add_pass(Key& key, const PatchPassOptions& pass) {
  for (const int value : {pass.rounds, pass.random_starts, pass.random_planes, pass.changes}) key.add(value);
  for (const float value : {pass.depth_change_px, pass.slant_change, pass.disagreement_cost, pass.most_disagreement_px})
    key.add(static_cast<double>(value));
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

class PhotoMatcher {
 public:
  PhotoMatcher(const Scene& scene, const std::vector<ViewPlan>& plans, const MatchPhotosOptions& options,
               const MatchFiles& files);
  /// The photos' places whose files are missing.
  std::vector<size_t> missing_depths() const;
  std::vector<size_t> missing_planes(const std::vector<size_t>& depths) const;
  void run(Pass pass, const std::vector<size_t>& places, const DenseProgress& progress);

 private:
  std::shared_ptr<const PatchView> view(const Device& device, size_t place);
  void make_planes(const Device& device, size_t place);
  void make_depths(const Device& device, size_t place);
  MatchedPhoto match(const Device& device, size_t place, Pass pass, const std::vector<PlaneField>& starts,
                     const PatchPassOptions& options);
  uint64_t draws(size_t place, Pass pass) const {
    const uint32_t id = scene_.images[static_cast<size_t>(plans_[place].image)].id;
    return draw_prefix(options_.patches.seed, DrawPurpose::stereo, id, pass, 0);
  }

  const Scene& scene_;
  const std::vector<ViewPlan>& plans_;
  const MatchPhotosOptions& options_;
  const MatchFiles& files_;
  std::vector<std::vector<size_t>> sources_;  ///< places
  std::vector<StereoCamera> cameras_;
  std::vector<SearchRange> ranges_;
  SeenPoints seen_;
  std::mutex views_mutex_;
  ImageCache photos_;
  RecentlyUsed<size_t, PatchView> views_{held_views};
  InverseDepthStore depths_;
  int workers_ = 1;
};

std::vector<int> images_of(const std::vector<ViewPlan>& plans) {
  std::vector<int> images;
  for (const ViewPlan& plan : plans) images.push_back(plan.image);
  return images;
}

PhotoMatcher::PhotoMatcher(const Scene& scene, const std::vector<ViewPlan>& plans, const MatchPhotosOptions& options,
                           const MatchFiles& files)
    : scene_(scene),
      plans_(plans),
      options_(options),
      files_(files),
      sources_(plans.size()),
      seen_(scene, images_of(plans), options.strict_split),
      photos_(stereo_photos(scene, options.scale)),
      depths_(files.planes, files.key, held_depths) {
  std::map<int, size_t> place_of;
  double most_pixels = 1;
  for (size_t i = 0; i < plans.size(); ++i) {
    place_of[plans[i].image] = i;
    const SceneImage& image = scene.images[static_cast<size_t>(plans[i].image)];
    const StereoCamera& camera =
        cameras_.emplace_back(stereo_camera(scene.camera_of(image).params, image.camera_from_world, options.scale));
    if (std::max(camera.width_px, camera.height_px) > most_patch_side_px)
      throw InputError("{}: {} x {} pixels are too many to match; expected a longer side of at most {} (--stereo-size)",
                       image.name, camera.width_px, camera.height_px, most_patch_side_px);
    most_pixels = std::max(most_pixels, static_cast<double>(camera.pixel_count()));
  }
  for (size_t i = 0; i < plans.size(); ++i) {
    std::vector<StereoCamera> cameras;
    for (const int source : plans[i].sources)
      cameras.push_back(cameras_[sources_[i].emplace_back(place_of.at(source))]);
    ranges_.push_back(cameras.empty() ? SearchRange{0, 1, 1}
                                      : search_range(cameras_[i], cameras, plans[i].near_m, plans[i].far_m));
  }
  if (options.device.type == DeviceType::cpu)
    workers_ =
        std::clamp(static_cast<int>(static_cast<double>(options.memory_bytes) / (most_pixels * photo_bytes_per_pixel)),
                   1, omp_get_max_threads());
}

std::vector<size_t> PhotoMatcher::missing_depths() const {
  std::vector<size_t> missing;
  for (size_t i = 0; i < plans_.size(); ++i)
    if (!has_depth_map(files_.depths[i], files_.key)) missing.push_back(i);
  return missing;
}

std::vector<size_t> PhotoMatcher::missing_planes(const std::vector<size_t>& depths) const {
  std::vector<size_t> missing;
  for (const size_t i : depths) {
    missing.push_back(i);
    missing.insert(missing.end(), sources_[i].begin(), sources_[i].end());
  }
  std::sort(missing.begin(), missing.end());
  missing.erase(std::unique(missing.begin(), missing.end()), missing.end());
  std::erase_if(missing, [&](size_t i) { return has_planes(files_.planes[i], cameras_[i].pixel_count(), files_.key); });
  return missing;
}

void PhotoMatcher::run(Pass pass, const std::vector<size_t>& places, const DenseProgress& progress) {
  const char* const step = pass == first_pass ? "matching (1 of 2)" : "matching (2 of 2)";
  std::vector<HeapScratch> scratch(static_cast<size_t>(workers_));
  std::mutex mutex;
  int done = 0;
  parallel_photos(places.size(), workers_, [&](size_t k) {
    Device device = options_.device;
    if (device.type == DeviceType::cpu) device.scratch = &scratch[static_cast<size_t>(omp_get_thread_num())];
    if (pass == first_pass)
      make_planes(device, places[k]);
    else
      make_depths(device, places[k]);
    const std::lock_guard lock(mutex);
    if (progress) progress(step, ++done, static_cast<int>(places.size()));
  });
}

std::shared_ptr<const PatchView> PhotoMatcher::view(const Device& device, size_t place) {
  const std::lock_guard lock(views_mutex_);
  return views_.get(
      place, [&] { return PatchView(make_stereo_view(device, scene_, plans_[place].image, options_.scale, photos_)); });
}

MatchedPhoto PhotoMatcher::match(const Device& device, size_t place, Pass pass, const std::vector<PlaneField>& starts,
                                 const PatchPassOptions& options) {
  std::vector<std::shared_ptr<const PatchView>> views;
  std::vector<std::shared_ptr<const std::vector<float>>> depths;
  std::vector<PatchSourceView> sources;
  for (const size_t source : sources_[place]) {
    PatchSourceView& there = sources.emplace_back();
    there.photo = views.emplace_back(view(device, source)).get();
    there.step_w = ranges_[source].step_w;
    if (pass == second_pass)
      there.inverse_depth = depths.emplace_back(depths_.get(source, cameras_[source].pixel_count())).get();
  }
  return match_patches(device, *view(device, place), sources, ranges_[place], starts, draws(place, pass), options);
}

void PhotoMatcher::make_planes(const Device& device, size_t place) {
  const StereoCamera& camera = cameras_[place];
  MatchedPhoto matched;
  if (sources_[place].empty()) {
    const std::vector<float> none(camera.pixel_count(), 0.0f);
    matched.planes = {none, none, none};
  } else {
    const std::vector<PlaneField> starts = planes_of_points(camera, seen_.in_view(place, camera));
    PatchPassOptions options = options_.patches.first;
    if (starts.empty()) options.rounds = options_.patches.rounds_without_points;
    matched = match(device, place, first_pass, starts, options);
  }
  write_planes(files_.planes[place], matched.planes, camera.focal_x_px, files_.key);
}

void PhotoMatcher::make_depths(const Device& device, size_t place) {
  const auto reference = view(device, place);
  DepthMap map;
  map.camera = reference->view.camera;
  map.color = reference->view.color;
  const size_t pixels = map.camera.pixel_count();
  map.agreeing.assign(pixels, 0);
  map.depth_m.assign(pixels, 0.0f);
  map.match.assign(pixels, 0);
  if (!sources_[place].empty()) {
    auto start = read_planes(files_.planes[place], pixels, map.camera.focal_x_px, files_.key);
    if (!start)
      throw lost_file(files_.planes[place]);
    const MatchedPhoto matched = match(device, place, second_pass, {std::move(*start)}, options_.patches.second);
    for (size_t at = 0; at < pixels; ++at)
      if (const float w = matched.planes.inverse_depth[at]; w > 0) map.depth_m[at] = 1 / w;
    map.match = matched.match;
  }
  write_depth_map(files_.depths[place], map, files_.key);
}

}  // namespace

uint64_t match_key(const Scene& scene, const std::vector<ViewPlan>& plans, const MatchPhotosOptions& options) {
  Key key;
  key.add(algorithm_version).add(options.scale).add(options.strict_split ? 1 : 0);
  add_pass(key, options.patches.first);
  add_pass(key, options.patches.second);
  key.add(options.patches.rounds_without_points).add(options.patches.seed);
  for (const ViewPlan& plan : plans) {
    const SceneImage& image = scene.images[static_cast<size_t>(plan.image)];
    key.add_file(image.photo_path).add(static_cast<uint64_t>(image.id));
    if (!image.mask_path.empty()) key.add_file(image.mask_path);
    for (int column = 0; column < 3; ++column) key.add(image.camera_from_world.rotation[column]);
    key.add(image.camera_from_world.translation);
    for (const double value : scene.camera_of(image).params.value) key.add(value);
    key.add(plan.near_m).add(plan.far_m);
    for (const int source : plan.sources) key.add(source);
  }
  for (const SparsePoint& point : scene.sparse_points) {
    key.add(point.position);
    for (const auto& [image, observation] : point.track) key.add(static_cast<uint64_t>(image));
  }
  return key.value();
}

int match_photos(const Scene& scene, const std::vector<ViewPlan>& plans, const MatchPhotosOptions& options,
                 const MatchFiles& files, const DenseProgress& progress) {
  PhotoMatcher matcher(scene, plans, options, files);
  const std::vector<size_t> depths = matcher.missing_depths();
  matcher.run(first_pass, matcher.missing_planes(depths), progress);
  matcher.run(second_pass, depths, progress);
  std::error_code ignored;
  for (const fs::path& file : files.planes) fs::remove(file, ignored);
  return static_cast<int>(plans.size() - depths.size());
}

}  // namespace ptl
