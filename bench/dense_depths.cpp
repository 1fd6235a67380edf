// dense_depths SCENE OUT.ply [OPTIONS]: what `densify` does, without LibTorch, with its CPU time and share of confirmed
// pixels as a line of JSON. With --truth SEED, SCENE is what `pointillist synth --seed SEED` made: then one more line
// for each class of pixels, by slant and texture.
#include <fmt/format.h>
#include <omp.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/depth_truth.h"
#include "datasets/error.h"
#include "datasets/scene_loader.h"
#include "datasets/split.h"
#include "dense/densify.h"

namespace {

using namespace ptl;
namespace fs = std::filesystem;

struct Arguments {
  std::string scene, out;
  int threads = 1, truth_seed = 0;
  DenseOptions dense;
};

double user_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) + 1e-6 * static_cast<double>(usage.ru_utime.tv_usec);
}

/// The depth maps that a run with `keep_work` has left.
struct KeptDepths {
  std::vector<ViewPlan> plans;
  double scale = 1;
  std::vector<DepthMap> raw, checked;  ///< `checked` without what filling added
  double filled_pixels = 0;            ///< that are in filled areas: every fourth one has a depth
};

KeptDepths read_depths(const Scene& scene, const std::vector<int>& photos, const Arguments& a, const fs::path& folder) {
  KeptDepths depths;
  depths.plans = select_views(scene, photos, a.dense.views);
  depths.scale = stereo_scale(scene, photos, a.dense);
  const uint64_t key =
      match_key(scene, depths.plans,
                {a.dense.matching, a.dense.views.strict_split, depths.scale, a.dense.memory_bytes, a.dense.device});
  for (size_t i = 0; i < depths.plans.size(); ++i) {
    auto raw = read_depth_map(folder / fmt::format("depth_{:05d}.bin", i), key),
         checked = read_depth_map(folder / fmt::format("checked_{:05d}.bin", i), key);
    if (!raw || !checked) throw InputError("{}: a depth map is missing", folder.string());
    for (size_t at = 0; at < checked->depth_m.size(); ++at)
      if (checked->agreeing[at] == filled_in) checked->depth_m[at] = 0, depths.filled_pixels += 4;
    depths.raw.push_back(std::move(*raw));
    depths.checked.push_back(std::move(*checked));
  }
  return depths;
}

void print_truth(const Scene& scene, const KeptDepths& depths, const Arguments& a) {
  ImageCache cache = stereo_photos(scene, depths.scale);
  std::vector<StereoView> views;
  for (const ViewPlan& plan : depths.plans)
    views.push_back(make_stereo_view(a.dense.device, scene, plan.image, depths.scale, cache));
  std::vector<JudgedDepths> judged;
  for (size_t i = 0; i < views.size(); ++i)
    judged.push_back({&views[i], &depths.raw[i].depth_m, &depths.checked[i].depth_m});
  const auto terrace = synthetic::make_terrace(static_cast<uint64_t>(a.truth_seed));
  for (const DepthScore& s : score_depths(synthetic::Tracer(terrace), judged, scene.origin_world)) {
    const double pixels = static_cast<double>(std::max<size_t>(s.pixels, 1)),
                 kept = static_cast<double>(std::max<size_t>(s.kept, 1));
    fmt::print(
        "{{\"pixels\": \"{}\", \"number\": {}, \"raw_right\": {:.4f}, \"kept_right\": {:.4f}, \"wrong_of_kept\": "
        "{:.4f}, \"median_error\": {:.6f}}}\n",
        s.name, s.pixels, static_cast<double>(s.raw_right) / pixels, static_cast<double>(s.kept_right) / pixels,
        1 - static_cast<double>(s.kept_right) / kept, s.median_error);
  }
}

void run(Arguments a) {
  HeapScratch scratch;
  a.dense.device.scratch = &scratch;
  const Scene scene = load_scene(a.scene);
  const Split split = make_split(scene, "every8");
  const fs::path folder = a.out + ".work";
  fs::remove_all(folder);
  const double start = user_seconds();
  double matched = start;  // the end of matching
  const DenseResult result =
      densify_to_file(scene, split, split.train, a.dense, {a.out, folder, true}, [&](const char* step, int, int) {
        if (std::string(step).starts_with("matching")) matched = user_seconds();
      });
  const double end = user_seconds();
  const KeptDepths depths = read_depths(scene, split.train, a, folder);
  fs::remove_all(folder);
  double pixels = 0, kept = 0;
  for (const DepthMap& map : depths.checked) {
    pixels += static_cast<double>(map.depth_m.size());
    kept += static_cast<double>(std::count_if(map.depth_m.begin(), map.depth_m.end(), [](float d) { return d > 0; }));
  }
  fmt::print(
      "{{\"side_px\": {}, \"megapixels\": {:.2f}, \"points\": {}, \"accepted\": {}, \"filled\": {}, "
      "\"confirmed_share\": {:.4f}, \"confirmed_of_pixels\": {:.4f}, \"with_filled\": {:.4f}, \"user_s\": "
      "{{\"matching\": {:.2f}, \"all\": "
      "{:.2f}}}, \"wall_s\": {{\"matching\": {:.2f}, \"fusing\": {:.2f}}}}}\n",
      result.stereo_side_px, pixels * 1e-6, result.points.cloud.size(), result.statistics.accepted,
      result.statistics.filled, result.confirmed_share, kept / pixels, (kept + depths.filled_pixels) / pixels,
      matched - start, end - start, result.seconds_matching, result.seconds_fusing);
  if (a.truth_seed > 0) print_truth(scene, depths, a);
}

}  // namespace

int main(int argc, char** argv) try {
  Arguments a;
  CLI::App app{"densify, timed and judged (docs/dense.md)"};
  app.add_option("SCENE", a.scene, "folder with a COLMAP model and its photos")->required();
  app.add_option("OUT", a.out, "PLY file to make")->required();
  app.add_option("--stereo-size", a.dense.max_side_px, "longer side of the photos in the stereo (0: as densify)");
  app.add_option("--threads", a.threads, "threads")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--truth", a.truth_seed, "seed of the synthetic scene");
  app.add_flag("--fill,!--no-fill", a.dense.fill, "planes in untextured areas");
  app.add_option("--depth-share", a.dense.consistency.depth_share, "agreement of depths")->capture_default_str();
  app.add_option("--reprojection", a.dense.consistency.reprojection_px, "agreement in pixels")->capture_default_str();
  app.add_option("--small-angle", a.dense.consistency.small_angle_deg, "degrees")->capture_default_str();
  app.add_option("--least-match", a.dense.consistency.least_match, "correlation of 255")->capture_default_str();
  app.add_option("--weak-match", a.dense.consistency.weak_match, "correlation of 255")->capture_default_str();
  app.add_option("--sure-match", a.dense.consistency.sure_match, "correlation of 255")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  omp_set_num_threads(a.threads);
  run(a);
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "dense_depths: {}\n", error.what());
  return 1;
}
