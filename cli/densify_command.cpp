// pointillist densify SCENE --out points.ply: dense points from posed photos.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/scene_options.h"
#include "cli/step_progress.h"
#include "datasets/error.h"
#include "datasets/image_io.h"
#include "datasets/split.h"
#include "dense/densify.h"
#include "renderer/device_setup.h"
#include "renderer/preview.h"
#include "renderer/tensor_device.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

struct Arguments {
  std::string scene, out, preview, device = "cpu";
  SceneConfig config;
  DenseOptions dense;
  bool all_photos = false, keep = false;
};

void check(const Arguments& a) {
  if (fs::path(a.out).extension() != ".ply")
    throw InputError("--out: expected a file that ends in .ply, found '{}'", a.out);
  if (fs::is_directory(a.out)) throw InputError("--out: '{}' is a folder; expected the name of a file", a.out);
  if (const fs::path kind = fs::path(a.preview).extension(); !a.preview.empty() && kind != ".png" && kind != ".jpg")
    throw InputError("--preview: expected a file that ends in .png or .jpg, found '{}'", a.preview);
  if (a.dense.max_points < 1) throw InputError("--max-points: expected at least 1, found {}", a.dense.max_points);
  if (a.dense.max_side_px != 0 && (a.dense.max_side_px < 64 || a.dense.max_side_px > 8192))
    throw InputError("--stereo-size: expected 64 to 8192 pixels, found {}", a.dense.max_side_px);
}

/// The points through the built-in network, beside the photos.
void write_preview(const Arguments& a, Scene scene, const DenseResult& result, torch::Device device) {
  constexpr size_t rows = 3;
  constexpr int width_px = 640;
  scene.cloud = result.points.cloud;
  scene.edits = {};  // dropped already
  UnfittedOptions options;
  options.scene = a.config;
  ImageCache photos(image_sources(scene), 256ull << 20);
  options.photos = &photos;
  const SceneModel model = unfitted_model(std::move(scene), options, device);
  write_picture(a.preview, preview_picture(model, photos, preview_images(model, rows), width_px));
  fmt::print("{}: photos, and the points without any fit beside them\n", a.preview);
}

void run(const Arguments& a) {
  check(a);
  const torch::Device chosen = open_device(a.device);
  const TensorDevice device("densify", chosen);
  DenseOptions options = a.dense;
  options.device = device;
  const Scene scene = open_scene(a.scene, a.config);
  const Split split = make_split(scene, a.config.split);
  std::vector<int> photos = split.train;
  if (a.all_photos) {
    photos.clear();
    for (size_t i = 0; i < scene.images.size(); ++i) photos.push_back(static_cast<int>(i));
  }
  const DenseResult result = [&] {
    StepProgress progress;
    return densify_to_file(scene, split, photos, options, {a.out, a.out + ".work", a.keep},
                           [&](const char* step, int done, int total) { progress.show(step, done, total); });
  }();

  if (result.reused > 0) fmt::print("{} photos' depths were there from an earlier run\n", result.reused);
  if (!result.unconnected.empty()) {
    fmt::print("{} photos share no points with others and gave none:", result.unconnected.size());
    for (size_t i = 0; i < result.unconnected.size() && i < 5; ++i)
      fmt::print(" {}", scene.images[static_cast<size_t>(result.unconnected[i])].name);
    fmt::print("{}\n", result.unconnected.size() > 5 ? " …" : "");
  }
  if (const std::string doubt = dense_doubt(result); !doubt.empty()) fmt::print("{}\n", doubt);
  if (!a.config.edits.empty()) fmt::print("{} drops {} of the dense points\n", a.config.edits, result.edited_away);
  const FuseStatistics& s = result.statistics;
  fmt::print(
      "{}: {} points from {} photos ({} held out ones left out), stereo at {} px; {} of them fill untextured areas, {} "
      "were dropped because other photos look through them; {:.0f} s matching, {:.0f} s fusing\n",
      a.out, result.points.cloud.size(), photos.size(), a.all_photos ? 0 : split.held_out.size(), result.stereo_side_px,
      s.filled, s.seen_through, result.seconds_matching, result.seconds_fusing);
  if (!a.preview.empty()) write_preview(a, scene, result, chosen);
}

}  // namespace

void add_densify_command(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  Arguments& a = *arguments;
  CLI::App* command = app.add_subcommand("densify", "dense points from posed photos and a sparse model");
  command->add_option("SCENE", a.scene, "folder with a COLMAP model and its photos")->required();
  command->add_option("--out", a.out, "PLY file to make")->required();
  command->add_option("--preview", a.preview, "a picture (.png, .jpg): three photos, and the points from there without any fit");
  command->add_flag("--all-photos", a.all_photos, "use the held-out photos too (scores on them mean nothing then)");
  command->add_flag("--strict-split", a.dense.views.strict_split,
                    "leave out sparse points that fewer than two of the used photos saw");
  command->add_option("--max-points", a.dense.max_points, "the most points")->capture_default_str();
  command->add_option("--stereo-size", a.dense.max_side_px,
                      "longer side in pixels at which photos are matched (0: by their number)");
  command->add_flag("--fill,!--no-fill", a.dense.fill, "points in untextured areas as well");
  command->add_flag("--keep", a.keep, "keep the depth maps (FILE.work) at the end");
  command->add_option("--points", a.config.points, "PLY file with the sparse cloud");
  command->add_option("--edits", a.config.edits, "JSON file of points to leave out: boxes and brush strokes");
  add_reading_options(*command, a.config);
  command->add_option("--device", a.device, "cpu or cuda: where photos are matched");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace ptl
