// dense_patchmatch SCENE OUT.ply [OPTIONS]: the chain of dense/densify.cpp with PatchMatch in the place of plane sweep,
// semi-global aggregation and refinement, or (--method sweep) with these, so that both are timed alike. One line of
// JSON. With --truth SEED, SCENE is what `pointillist synth --seed SEED` made: then one more line for each class of
// pixels.
#include <fmt/format.h>
#include <omp.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "bench/depth_truth.h"
#include "bench/patchmatch.h"
#include "datasets/error.h"
#include "datasets/ply.h"
#include "datasets/scene_loader.h"
#include "datasets/split.h"
#include "dense/densify.h"
#include "dense/match_views.h"
#include "dense/refine.h"

namespace {

using namespace ptl;
namespace fs = std::filesystem;

struct Arguments {
  std::string scene, out, method = "patchmatch";
  int side_px = 0, threads = 1, truth_seed = 0;
  bool fill = true;
  int geometric_passes = 0;
  int every_seed = 1;  ///< every n-th sparse point is one; 0: none
  PatchMatchOptions patch;
  ViewSelectionOptions views;
  ConsistencyOptions consistency;
};

/// Its scratch memory serves one thread.
Device cpu_device() {
  static HeapScratch scratch;
  return {DeviceType::cpu, nullptr, &scratch};
}

double user_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) + 1e-6 * static_cast<double>(usage.ru_utime.tv_usec);
}

/// The sparse points that a photo saw, in its stereo view; ascending by pixel.
std::vector<SeedDepth> seeds_of(const Scene& scene, const SceneImage& image, const StereoCamera& camera, int every) {
  std::vector<SeedDepth> seeds;
  for (size_t k = 0; every > 0 && k < scene.sparse_points.size(); k += static_cast<size_t>(every)) {
    const SparsePoint& point = scene.sparse_points[k];
    if (std::none_of(point.track.begin(), point.track.end(), [&](const auto& seen) { return seen.first == image.id; }))
      continue;
    const Vec3<double> x = camera.camera_from_world * point.position;
    if (!(x.z > 0)) continue;
    const Vec2<double> pixel = camera.pixel(x);
    if (camera.contains(pixel))
      seeds.push_back({static_cast<int>(pixel.x), static_cast<int>(pixel.y), static_cast<float>(1 / x.z)});
  }
  std::sort(seeds.begin(), seeds.end(), [](const SeedDepth& a, const SeedDepth& b) {
    return std::tuple(a.y, a.x, a.inverse_depth) < std::tuple(b.y, b.x, b.inverse_depth);
  });
  return seeds;
}

/// A photo's depths (0: none) and correlations (0..255 for 0..1), [height, width].
struct MatchedDepths {
  std::vector<float> depth_m;
  std::vector<uint8_t> match;
};

/// Everything about the photos that matching needs, by their place.
struct Photos {
  std::vector<ViewPlan> plans;
  std::vector<std::unique_ptr<PatchView>> views;
  std::vector<InversePlanes> range;  ///< a pixel of motion a step
  std::vector<std::vector<size_t>> sources, checks;

  MatchViews match_views(size_t place) const {
    std::vector<const StereoView*> list;
    for (const size_t source : sources[place]) list.push_back(&views[source]->view);
    return {cpu_device(), views[place]->view, list};
  }
};

Photos open_photos(const Scene& scene, const std::vector<int>& images, const Arguments& a) {
  Photos photos;
  photos.plans = select_views(scene, images, a.views);
  DenseOptions usual;
  usual.max_side_px = a.side_px;
  const double scale = stereo_scale(scene, images, usual);
  ImageCache cache = stereo_photos(scene, scale);
  std::map<int, size_t> place_of;
  for (size_t i = 0; i < images.size(); ++i) place_of[images[i]] = i;
  for (const ViewPlan& plan : photos.plans) {
    photos.views.push_back(
        std::make_unique<PatchView>(make_stereo_view(cpu_device(), scene, plan.image, scale, cache)));
    for (const auto& [list, places] : {std::pair{&plan.sources, &photos.sources}, {&plan.checks, &photos.checks}}) {
      std::vector<size_t>& numbers = places->emplace_back();
      for (const int image : *list) numbers.push_back(place_of.at(image));
    }
  }
  for (size_t i = 0; i < photos.plans.size(); ++i) {
    const ViewPlan& plan = photos.plans[i];
    constexpr int unbounded = 1 << 14;
    photos.range.push_back(plan.sources.empty()
                               ? InversePlanes{}
                               : choose_planes(photos.views[i]->view.camera, photos.match_views(i).sources(),
                                               plan.near_m, plan.far_m, unbounded));
  }
  return photos;
}

uint8_t match_byte(float cost) {
  return static_cast<uint8_t>(std::clamp((1.0f - cost) * 255.0f, 0.0f, 255.0f));
}

std::vector<MatchedDepths> match_by_patches(const Scene& scene, const Photos& photos, const Arguments& a) {
  const size_t count = photos.plans.size();
  std::vector<PlaneField> fields(count), next(count);
  for (int pass = 0; pass <= a.geometric_passes; ++pass) {
    PatchMatchOptions options = a.patch;
    if (pass == 0)
      options.geometric_weight = 0;
    else  // goes on with small changes
      options.iterations = (a.patch.iterations + 1) / 2, options.random_rounds = 0, options.depth_change_px = 1,
      options.slant_change = 0.1f;
    options.seed = a.patch.seed + static_cast<uint64_t>(pass);
    for (size_t i = 0; i < count; ++i) {
      std::vector<PatchSource> sources;
      for (const size_t source : photos.sources[i])
        sources.push_back(
            {photos.views[source].get(), pass > 0 ? &fields[source] : nullptr, photos.range[source].step});
      const SceneImage& image = scene.images[static_cast<size_t>(photos.plans[i].image)];
      const StereoCamera& camera = photos.views[i]->view.camera;
      if (sources.empty()) {
        for (auto* values : {&next[i].inverse_depth, &next[i].cost}) values->assign(camera.pixel_count(), 0.0f);
        continue;
      }
      next[i] = match_patches(*photos.views[i], sources, photos.range[i], image.id,
                              seeds_of(scene, image, camera, a.every_seed), pass > 0 ? &fields[i] : nullptr, options);
    }
    fields.swap(next);
  }
  std::vector<MatchedDepths> depths(count);
  for (size_t i = 0; i < count; ++i) {
    for (size_t at = 0; at < fields[i].inverse_depth.size(); ++at) {
      const float w = fields[i].inverse_depth[at];
      depths[i].depth_m.push_back(w > 0 ? 1 / w : 0.0f);
      depths[i].match.push_back(match_byte(fields[i].cost[at]));
    }
  }
  return depths;
}

/// As densify() does it. `parts`: seconds of costs, aggregation and refinement.
std::vector<MatchedDepths> match_by_sweep(const Photos& photos, std::array<double, 3>& parts) {
  const DenseOptions options;
  const Device device = cpu_device();
  std::vector<MatchedDepths> depths(photos.plans.size());
  for (size_t i = 0; i < depths.size(); ++i) {
    const StereoCamera& camera = photos.views[i]->view.camera;
    depths[i].depth_m.assign(camera.pixel_count(), 0.0f);
    depths[i].match.assign(camera.pixel_count(), 0);
    if (photos.sources[i].empty()) continue;
    const MatchViews views = photos.match_views(i);
    const InversePlanes planes =
        choose_planes(camera, views.sources(), photos.plans[i].near_m, photos.plans[i].far_m, options.most_planes);
    std::vector<float> plane(camera.pixel_count());
    const Scratch<uint8_t> cost(device, views.reference().count() * planes.count);
    const CostVolume volume{camera.width_px, camera.height_px, planes.count, cost.data()};
    const double start = user_seconds();
    sweep_planes(device, views.reference(), views.sources(), planes, volume);
    const double swept = user_seconds();
    match_semi_global(device, volume, views.reference(), options.matching, plane.data());
    const double aggregated = user_seconds();
    refine_depths(device, views.reference(), views.sources(), planes, plane.data(), depths[i].depth_m.data(),
                  depths[i].match.data());
    parts[0] += swept - start, parts[1] += aggregated - swept, parts[2] += user_seconds() - aggregated;
  }
  return depths;
}

void run(const Arguments& a) {
  const Scene scene = load_scene(a.scene);
  const Split split = make_split(scene, "every8");
  const double start = user_seconds();
  Photos photos = open_photos(scene, split.train, a);
  const double opened = user_seconds();
  std::array<double, 3> parts{};
  std::vector<MatchedDepths> depths =
      a.method == "sweep" ? match_by_sweep(photos, parts) : match_by_patches(scene, photos, a);
  const double matched = user_seconds();

  constexpr uint64_t key = 1;  // the files are this run's own
  const fs::path folder = a.out + ".work";
  fs::create_directories(folder);
  std::vector<fs::path> raw_files, checked_files;
  for (size_t i = 0; i < depths.size(); ++i) {
    const StereoView& view = photos.views[i]->view;
    raw_files.push_back(folder / fmt::format("depth_{:05d}.bin", i));
    checked_files.push_back(folder / fmt::format("checked_{:05d}.bin", i));
    write_depth_map(raw_files[i],
                    {view.camera, depths[i].depth_m, depths[i].match,
                     std::vector<uint8_t>(view.camera.pixel_count(), 0), view.color},
                    key);
  }
  constexpr size_t held_maps = 48;
  std::vector<std::vector<float>> confirmed;
  double found = 0, kept = 0;
  {
    DepthMapStore maps(raw_files, key, held_maps);
    for (size_t i = 0; i < depths.size(); ++i) {
      DepthMap map = *maps.get(i);
      std::vector<std::shared_ptr<const DepthMap>> others;
      for (const size_t check : photos.checks[i]) others.push_back(maps.get(check));
      const auto known = [&] {
        return static_cast<double>(
            std::count_if(map.depth_m.begin(), map.depth_m.end(), [](float d) { return d > 0; }));
      };
      found += known();
      check_depths(cpu_device(), map, others, a.consistency);
      kept += known();
      if (a.truth_seed > 0) confirmed.push_back(map.depth_m);
      if (a.fill) fill_depths(map, FillOptions{});
      write_depth_map(checked_files[i], map, key);
    }
  }
  DenseResult result;
  result.photos = split.train;
  for (const auto& view : photos.views)
    result.stereo_side_px = std::max({result.stereo_side_px, view->view.camera.width_px, view->view.camera.height_px});
  const double checked = user_seconds();
  DepthMapStore maps(checked_files, key, held_maps);
  result.points = fuse_depths(
      maps, photos.checks, split.train, a.consistency, DenseOptions{}.max_points, [](int) {}, result.statistics);
  const double fused = user_seconds();
  PlyExtras extras;
  extras.comments = dense_comments(scene, result, split.name, split.held_out);
  extras.confidence = result.points.confidence;
  write_ply(a.out, result.points.cloud, scene.origin_world, extras);
  fs::remove_all(folder);

  double pixels = 0;
  for (const auto& view : photos.views) pixels += static_cast<double>(view->view.camera.pixel_count());
  fmt::print(
      "{{\"method\": \"{}\", \"side_px\": {}, \"megapixels\": {:.2f}, \"points\": {}, \"accepted\": {}, \"filled\": "
      "{}, "
      "\"confirmed_share\": {:.4f}, \"confirmed_of_pixels\": {:.4f}, \"cpu_s\": {{\"photos\": {:.2f}, \"matching\": "
      "{:.2f}, "
      "\"agreement\": {:.2f}, \"fusion\": {:.2f}, \"all\": {:.2f}}}}}\n",
      a.method, result.stereo_side_px, pixels * 1e-6, result.points.cloud.size(), result.statistics.accepted,
      result.statistics.filled, kept / std::max(found, 1.0), kept / pixels, opened - start, matched - opened,
      checked - matched, fused - checked, fused - start);
  if (a.method == "sweep")
    fmt::print("{{\"cpu_s\": {{\"costs\": {:.2f}, \"aggregation\": {:.2f}, \"refinement\": {:.2f}}}}}\n", parts[0],
               parts[1], parts[2]);
  if (a.truth_seed == 0) return;
  const auto terrace = synthetic::make_terrace(static_cast<uint64_t>(a.truth_seed));
  std::vector<JudgedDepths> judged;
  for (size_t i = 0; i < depths.size(); ++i)
    judged.push_back({&photos.views[i]->view, &depths[i].depth_m, &confirmed[i]});
  for (const DepthScore& s : score_depths(synthetic::Tracer(terrace), judged, scene.origin_world)) {
    const double n = static_cast<double>(std::max<size_t>(s.pixels, 1)),
                 k = static_cast<double>(std::max<size_t>(s.kept, 1));
    fmt::print(
        "{{\"pixels\": \"{}\", \"number\": {}, \"raw_right\": {:.4f}, \"kept_right\": {:.4f}, \"wrong_of_kept\": "
        "{:.4f}, "
        "\"median_error\": {:.6f}}}\n",
        s.name, s.pixels, static_cast<double>(s.raw_right) / n, static_cast<double>(s.kept_right) / n,
        1 - static_cast<double>(s.kept_right) / k, s.median_error);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  Arguments a;
  CLI::App app{"PatchMatch against the plane sweep (docs/dense.md)"};
  app.add_option("SCENE", a.scene, "folder with a COLMAP model and its photos")->required();
  app.add_option("OUT", a.out, "PLY file to make")->required();
  app.add_option("--method", a.method, "patchmatch or sweep")->check(CLI::IsMember({"patchmatch", "sweep"}));
  app.add_option("--side", a.side_px, "longer side of the photos in the stereo (0: as densify)");
  app.add_option("--threads", a.threads, "threads")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--truth", a.truth_seed, "seed of the synthetic scene");
  app.add_flag("--fill,!--no-fill", a.fill, "planes in untextured areas");
  app.add_option("--geometric", a.geometric_passes, "passes with the sources' depths")->check(CLI::NonNegativeNumber);
  app.add_option("--geometric-weight", a.patch.geometric_weight, "cost of a pixel of disagreement");
  app.add_option("--radius", a.patch.radius, "samples on each side of the window's middle")->capture_default_str();
  app.add_option("--spacing", a.patch.spacing, "pixels between them")->capture_default_str();
  app.add_option("--color-sigma", a.patch.color_sigma, "of the bilateral weights (0: none)")->capture_default_str();
  app.add_option("--iterations", a.patch.iterations, "over the image")->capture_default_str();
  app.add_option("--better", a.patch.better, "sources that count (0: better half)")
      ->capture_default_str()
      ->check(CLI::Range(0, 4));
  app.add_option("--every-seed", a.every_seed, "start from every n-th sparse point (0: none)")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--random-starts", a.patch.random_starts, "beside the sparse points")->capture_default_str();
  app.add_option("--random-rounds", a.patch.random_rounds, "iterations with random planes")->capture_default_str();
  app.add_option("--refinements", a.patch.refinements, "per iteration")->capture_default_str();
  app.add_option("--depth-change", a.patch.depth_change_px, "first one, in pixels of motion")->capture_default_str();
  app.add_option("--slant-change", a.patch.slant_change, "first one")->capture_default_str();
  app.add_option("--sources", a.views.sources, "photos to match with")->capture_default_str()->check(CLI::Range(1, 8));
  app.add_option("--depth-share", a.consistency.depth_share, "agreement of depths")->capture_default_str();
  app.add_option("--reprojection", a.consistency.reprojection_px, "agreement in pixels")->capture_default_str();
  app.add_option("--least-match", a.consistency.least_match, "correlation of 255")->capture_default_str();
  app.add_option("--weak-match", a.consistency.weak_match, "correlation of 255")->capture_default_str();
  app.add_option("--sure-match", a.consistency.sure_match, "correlation of 255")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  omp_set_num_threads(a.threads);
  run(a);
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "dense_patchmatch: {}\n", error.what());
  return 1;
}
