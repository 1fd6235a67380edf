// pointillist render RUN: pictures of views and along paths, with any exposure; or the pyramid's layers, or depth.
#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/render_path.h"
#include "cli/scene_options.h"
#include "datasets/camera_path_json.h"
#include "datasets/error.h"
#include "datasets/image_io.h"
#include "datasets/json_place.h"
#include "renderer/device_setup.h"
#include "renderer/network_weights.h"
#include "renderer/picture.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

struct Options {
  std::string run, view, path, out, kind = "neural", device = "cpu";
  UnfittedArguments unfitted;
  int width_px = 0, height_px = 0, layer = -1;
  bool depth = false;
  double exposure_ev = 0;
  std::vector<double> white_balance;
  PathOptions along;
};

struct NamedView {
  std::string name;
  RenderView view;
  int64_t image = 0;  ///< whose tone mapping is used
  PhotometricSetting setting;
};

void resize(RenderView& view, const Options& options) {
  if (options.width_px == 0 && options.height_px == 0) return;
  const PictureSize size =
      asked_size({view.camera.width_px, view.camera.height_px}, options.width_px, options.height_px);
  view.camera = scale_camera(view.camera, size.width_px, size.height_px);
  view.crop = whole_photo(view.camera);
}

/// {"views": [{"name": …, "image": NAME (camera and tone mapping), "camera_from_world": [[r r r t] × 3]}, …]}, poses in
/// world coordinates of the dataset; without camera_from_world the image's own pose.
std::vector<NamedView> views_of_list(const SceneModel& model, const Options& options, const nlohmann::json& document) {
  std::vector<NamedView> views;
  try {
    for (const nlohmann::json& entry : document.at("views")) {
      NamedView view;
      view.image = model.image_index(entry.value("image", model.images.front().name));
      view.view = photo_view(model, view.image);
      view.setting = photometric_setting(model, view.image, ExposureProtocol::exif);
      view.name = entry.value("name", fmt::format("view_{:04d}", views.size()));
      if (view.name.empty() || view.name.find('/') != std::string::npos || view.name[0] == '.')
        throw InputError("{}: the name '{}' is not a plain file name", options.path, view.name);
      if (entry.contains("camera_from_world")) {
        Pose<double> pose;
        const nlohmann::json& rows = entry.at("camera_from_world");
        for (size_t row = 0; row < 3; ++row) {
          for (size_t column = 0; column < 3; ++column)
            pose.rotation[static_cast<int>(column)][static_cast<int>(row)] = rows.at(row).at(column).get<double>();
          pose.translation[static_cast<int>(row)] = rows.at(row).at(3).get<double>();
        }
        const Mat3<double> deviation = pose.rotation * glm::transpose(pose.rotation) - Mat3<double>(1.0);
        for (int column = 0; column < 3; ++column)
          if (!(glm::length(deviation[column]) < 1e-3) || !(glm::determinant(pose.rotation) > 0))
            throw InputError("{}: camera_from_world of '{}' is not a rotation and a translation", options.path, view.name);
        view.view.camera_from_world = pose_to_scene(pose, model.origin_world);
      }
      views.push_back(view);
    }
  } catch (const nlohmann::json::exception& error) {
    throw InputError("{}: not a list of views: {}; expected {{\"views\": [{{\"name\", \"image\", \"camera_from_world\"}}, "
                     "...]}}", options.path, error.what());
  }
  if (views.empty()) throw InputError("{}: it lists no views", options.path);
  return views;
}

/// What of the model the options ask for; linear: for files that hold any number.
Image picture_of(const SceneModel& model, const NamedView& named, const Options& options, bool linear) {
  ViewPictures pictures(model, named.view);
  const std::array<int, 3> channels = {0, 1, 2};
  switch (parse_word<PictureKind>("--kind", options.kind)) {
    case PictureKind::depth: return *(linear ? pictures.depth_m() : pictures.depth());
    case PictureKind::layer:
      return *(linear ? pictures.layer_values(options.layer, channels) : pictures.layer(options.layer, channels));
    case PictureKind::weight: return *pictures.weight();
    case PictureKind::support: return *pictures.support();
    case PictureKind::error: throw InputError("--kind error needs the photo, which a model does not hold: use 'pointillist view'");
    case PictureKind::environment: break;
    case PictureKind::plain: break;
    case PictureKind::neural:
      if (linear) return *pictures.radiance(named.image);
  }
  PictureLight light;
  light.image = named.image;
  light.setting = named.setting;
  light.setting.exposure_ev -= options.exposure_ev;
  if (!options.white_balance.empty()) {
    light.setting.white_balance[0] = options.white_balance[0];
    light.setting.white_balance[1] = options.white_balance[1];
  }
  if (options.kind == "environment") return *pictures.environment(light);
  return *(options.kind == "plain" ? pictures.plain(light) : pictures.neural(light));
}

void render_one(const SceneModel& model, const NamedView& named, const Options& options, const fs::path& path) {
  write_picture(path, picture_of(model, named, options, path.extension() == ".exr"));
}

void run(const Options& options) {
  const Shown shown = open_shown(options.run, options.unfitted.options(), open_device(options.device));
  const OpenedRun& opened = shown.run;
  const SceneModel& model = opened.model;
  if (!shown.fitted) fmt::print("{}\n", unfitted_note(shown));
  if (options.view.empty() == options.path.empty())
    throw InputError("render: give either --view IMAGE (one of the dataset's images{}) or --path FILE.json",
                     shown.fitted ? "" : fmt::format(", here {}", model.images.front().name));
  if (options.white_balance.size() != 0 && options.white_balance.size() != 2)
    throw InputError("--white-balance: expected two gains, of red and blue, found {}", options.white_balance.size());
  if (!options.view.empty()) {
    const int64_t image = model.image_index(options.view);
    refuse_path_options(options.along, "--view");
    NamedView view{options.view, photo_view(model, image), image,
                   photometric_setting(model, image, ExposureProtocol::exif)};
    resize(view.view, options);
    render_one(model, view, options, options.out);
    fmt::print("{}\n", options.out);
    return;
  }
  const nlohmann::json document = read_json_file(options.path);
  if (!document.is_object() || !document.contains("views")) {
    render_path(opened, options.path, options.out, options.along, options.width_px, options.height_px,
                path_development(options.kind, options.layer, options.exposure_ev, options.white_balance) +
                    (shown.fitted ? "" : " not fitted " + describe_network(model.network->config())),
                [&](const PathPicture& picture, const fs::path& file) {
                  const NamedView named{file.stem().string(), picture.view, picture.image, picture.setting};
                  render_one(model, named, options, file);
                });
    return;
  }
  refuse_path_options(options.along, "a list of views");
  for (NamedView& view : views_of_list(model, options, document)) {
    resize(view.view, options);
    const fs::path path = fs::path(options.out) / (view.name + ".png");
    render_one(model, view, options, path);
    fmt::print("{}\n", path.string());
  }
}

}  // namespace

void add_render_command(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("render", "pictures from a fitted model (no photos are needed), or of a scene or a cloud without any fit");
  command->add_option("RUN|SCENE|PLY", options->run, "folder of a run, a model file, a scene's folder, or a cloud")->required();
  options->unfitted.add_to(*command);
  command->add_option("--view", options->view, "an image of the dataset: its pose, camera and tone mapping");
  command->add_option("--path", options->path, "JSON file: a camera path (the viewer's or nerfstudio's), or a list of views");
  command->add_option("--out", options->out, "file (.png, .jpg, or .exr for linear radiance); for --path a folder")
      ->required();
  add_path_options(*command, options->along);
  command->add_option("--width", options->width_px, "pixels; the other side follows");
  command->add_option("--height", options->height_px, "pixels");
  command->add_option("--exposure", options->exposure_ev, "stops brighter (negative: darker)");
  command->add_option("--white-balance", options->white_balance, "gains of red and blue")->expected(2);
  command->add_option("--kind", options->kind,
                      "neural, plain (the points without the network), depth (.exr: scene units; .png: near is bright), weight (points a pixel), layer, environment "
                      "(the background alone), support (the finest layer with a point)");
  command->add_option("--layer", options->layer, "a layer of the pyramid as the network sees it, first three channels");
  command->add_flag("--depth", options->depth, "the same as --kind depth");
  command->add_option("--device", options->device, "cpu or cuda");
  command->callback([options] {
    if (options->depth) options->kind = "depth";
    if (options->layer >= 0) options->kind = "layer";
    run(*options);
  });
}

}  // namespace ptl
