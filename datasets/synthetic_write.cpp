#include "datasets/synthetic_write.h"

#include <unistd.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "datasets/atomic_file.h"
#include "datasets/colmap.h"
#include "datasets/colmap_cameras.h"
#include "datasets/error.h"
#include "datasets/exif.h"
#include "datasets/image_io.h"
#include "datasets/ply.h"
#include "kernels/hash.h"

namespace ptl {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr const char* generator_name = "pointillist synth";

/// What is in a folder's truth.json; not an object where there is none of ours.
json read_truth(const fs::path& folder) {
  std::ifstream stream(folder / "truth.json");
  json truth = stream ? json::parse(stream, nullptr, false) : json();
  return truth.is_object() && truth.value("generator", json()) == json(generator_name) ? truth : json();
}

/// A folder may be replaced when it is absent, empty, or an older synthetic scene.
void check_target(const fs::path& folder) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status)) throw InputError("{}: expected a folder or nothing, found a file", folder.string());
  if (fs::is_empty(folder, error)) return;
  if (read_truth(folder).is_object()) return;
  throw InputError(
      "{}: the folder has contents that `pointillist synth` did not make; they would be lost. Name another "
      "folder with --out, or remove this one",
      folder.string());
}

std::string photo_file(const SyntheticOptions& options, size_t image) {
  const std::string name = synthetic_photo_name(static_cast<int>(image));
  return options.exr_photos ? fs::path(name).replace_extension(".exr").string() : name;
}

/// EXR photos are their own truth, but held-out ones are looked for where they are in every scene.
bool has_truth(const SyntheticOptions& options, size_t image) {
  return options.truth_of_all || is_held_out(static_cast<int>(image));
}

Scene make_scene(const SyntheticCapture& capture) {
  Scene scene;
  const CameraParams<double>& camera = capture.camera;
  SceneCamera stored;
  stored.id = 1;
  ColmapParams said = camera_to_colmap(camera, 4);  // OPENCV, where it can say it
  stored.colmap_model_id = said.id;
  stored.colmap_params = std::move(said.params);
  stored.stored_width_px = camera.width_px;
  stored.stored_height_px = camera.height_px;
  stored.params = camera;
  scene.cameras.push_back(stored);
  for (size_t i = 0; i < capture.photos.size(); ++i) {
    SceneImage image;
    image.id = static_cast<uint32_t>(i + 1);
    image.camera_id = 1;
    image.name = photo_file(capture.options, i);
    image.camera_from_world = capture.photos[i].camera_from_world;
    image.observations = capture.observations[i];
    scene.images.push_back(std::move(image));
  }
  scene.sparse_points = capture.sparse_points;
  return scene;
}

std::array<double, 6> numbers_of(const Tangent<double>& motion) {
  const Vec3<double>&t = motion.translation, &r = motion.rotation;
  return {t.x, t.y, t.z, r.x, r.y, r.z};
}

json make_truth(const SyntheticCapture& capture) {
  const SyntheticOptions& o = capture.options;
  json truth;
  truth["generator"] = generator_name;
  truth["version"] = 1;
  truth["options"] = {{"seed", o.seed},
                      {"photos", o.photos},
                      {"width_px", o.width_px},
                      {"height_px", o.height_px},
                      {"samples", o.samples},
                      {"density", o.density},
                      {"points", o.points},
                      {"noise", o.noise},
                      {"outliers", o.outliers},
                      {"camera", camera_table(o.camera).name},
                      {"distortion", o.distortion},
                      {"bracket_ev", o.bracket_ev},
                      {"exif_error_ev", o.exif_error_ev},
                      {"rolling_shutter_px", o.rolling_shutter_px},
                      {"motion_blur_px", o.motion_blur_px},
                      {"contrast", o.contrast},
                      {"exr_photos", o.exr_photos},
                      {"color_of", o.color_of},
                      {"color_gain", o.color_gain},
                      {"observation_noise_px", o.observation_noise_px}};
  truth["conventions"] =
      "poses are camera_from_world (rotation by rows), metres, camera x right, y down, z forward; pixel centres at .5; "
      "photo = response(radiance * 2^-(exposure_ev - reference_ev) * white_balance * vignette), or the radiance as it is "
      "where photos are OpenEXR; radiance is the mean "
      "over a "
      "pixel; depth is z at the pixel's centre (the distance, of a camera that is no pinhole), 0 where there is sky; "
      "points of photos 0, 8, 16, ... are never used "
      "for the "
      "cloud's positions or colours; row y is exposed around exp(t * readout_motion) * camera_from_world, t = y / "
      "height - 1/2, from "
      "-1/2 to 1/2 of exposure_motion; motions are translation in metres, then rotation in radians, in the camera's "
      "frame";
  const CameraTable& table = camera_table(capture.camera.model);
  const ColmapParams said = camera_to_colmap(capture.camera, 4);
  truth["camera"] = {{"model", find_colmap_camera_model(said.id)->name},
                     {"width_px", capture.camera.width_px},
                     {"height_px", capture.camera.height_px}};
  for (int i = 0; i < table.param_count; ++i) truth["camera"][table.params[i].name] = capture.camera.value[i];
  truth["reference_ev"] = capture.reference_ev;
  const ToneParams<double>& shared = capture.photos.front().tone;
  truth["vignette"] = {{"a1", shared.vignette[0]},
                       {"a2", shared.vignette[1]},
                       {"a3", shared.vignette[2]},
                       {"centre_x", shared.vignette[3]},
                       {"centre_y", shared.vignette[4]}};
  truth["response"] = json::array();
  for (const auto& channel : shared.response)
    truth["response"].push_back(std::vector<double>(channel, channel + response_samples));
  truth["points"] = capture.cloud.size();
  truth["sparse_points"] = capture.sparse_points.size();
  truth["images"] = json::array();
  for (size_t i = 0; i < capture.photos.size(); ++i) {
    const SyntheticPhoto& photo = capture.photos[i];
    json image;
    image["name"] = photo_file(o, i);
    image["held_out"] = is_held_out(static_cast<int>(i));
    image["rotation"] = json::array();
    const Mat3<double>& r = photo.camera_from_world.rotation;
    for (int row = 0; row < 3; ++row) image["rotation"].push_back({r[0][row], r[1][row], r[2][row]});
    const Vec3<double>& t = photo.camera_from_world.translation;
    image["translation_m"] = {t.x, t.y, t.z};
    image["readout_motion"] = numbers_of(photo.motion.readout_motion);
    image["exposure_motion"] = numbers_of(photo.motion.exposure_motion);
    image["exposure_ev"] = capture.reference_ev + photo.tone.exposure_ev;
    image["white_balance"] = {photo.tone.white_balance[0], 1.0, photo.tone.white_balance[1]};
    if (has_truth(o, i)) {
      const std::string stem = fs::path(synthetic_photo_name(static_cast<int>(i))).stem().string();
      image["linear"] = "truth/" + stem + "_linear.exr";
      image["depth"] = "truth/" + stem + "_depth.exr";
    }
    truth["images"].push_back(std::move(image));
  }
  return truth;
}

/// Normal, of mean 0 and deviation 1.
double exif_error(uint64_t seed, size_t image) {
  const double u = draw_unit(seed, DrawPurpose::synthetic, 60, image), v = draw_unit(seed, DrawPurpose::synthetic, 61, image);
  return normal_of(u, v);
}

void write_all(const SyntheticCapture& capture, const fs::path& folder, const SyntheticProgress& progress) {
  const json truth = make_truth(capture);
  for (size_t i = 0; i < capture.photos.size(); ++i) {
    if (progress) progress("writing", static_cast<int>(i), static_cast<int>(capture.photos.size()));
    const SyntheticPhoto& photo = capture.photos[i];
    const fs::path file = folder / "images" / photo_file(capture.options, i);
    ExifFields fields;
    const double wrong_ev = capture.options.exif_error_ev * exif_error(capture.options.seed, i);
    fields.exposure_time_s = exposure_time_s(capture.reference_ev + photo.tone.exposure_ev + wrong_ev);
    fields.f_number = synthetic_f_number;
    fields.iso = synthetic_iso;
    fields.capture_time_s = synthetic_first_photo_s + static_cast<double>(i) * synthetic_photo_interval_s;
    if (capture.options.exr_photos)
      write_exr(file, photo.linear);
    else
      write_jpeg(file, photo.pixels, 95, make_exif_block(fields));
    if (!has_truth(capture.options, i)) continue;
    write_exr(folder / truth["images"][i]["linear"].get<std::string>(), photo.linear);
    write_exr(folder / truth["images"][i]["depth"].get<std::string>(), photo.depth_m);
  }
  write_colmap(make_scene(capture), folder / "sparse" / "0");
  write_ply(folder / "points.ply", capture.cloud);
  write_file_atomically(folder / "truth.json", truth.dump(1) + "\n");
}

}  // namespace

double exposure_time_s(double ev) {
  return synthetic_f_number * synthetic_f_number / (std::exp2(ev) * (synthetic_iso / 100));
}

std::string synthetic_photo_name(int image) {
  return fmt::format("photo_{:04d}.jpg", image);
}

std::optional<SyntheticOptions> read_synthetic_options(const fs::path& folder) {
  const json truth = read_truth(folder);
  if (!truth.is_object()) return std::nullopt;
  SyntheticOptions options;
  const std::string name = (folder / "truth.json").string();
  try {
    const json& o = truth.at("options");
    options.seed = o.at("seed");
    options.photos = o.at("photos");
    options.width_px = o.at("width_px");
    options.height_px = o.at("height_px");
    options.samples = o.at("samples");
    options.camera = camera_model_named(o.at("camera"), name);
    options.distortion = o.at("distortion");
    options.bracket_ev = o.at("bracket_ev");
    options.rolling_shutter_px = o.value("rolling_shutter_px", 0.0);  // older scenes have neither
    options.motion_blur_px = o.value("motion_blur_px", 0.0);
    options.contrast = o.value("contrast", 1.0);
    options.exr_photos = o.value("exr_photos", false);
    options.color_of = o.at("color_of");
    options.color_gain = o.at("color_gain");
  } catch (const json::exception& error) {
    throw InputError("{}: expected the options that the scene was made by ({}); make it again with `pointillist synth`", name,
                     error.what());
  }
  check(options);
  return options;
}

void write_synthetic_scene(const SyntheticOptions& options, const fs::path& folder, const SyntheticProgress& progress) {
  check(options);
  const fs::path target = (folder.has_filename() ? folder : folder.parent_path()).lexically_normal();
  check_target(target);
  const fs::path beside = target.has_parent_path() ? target.parent_path() : fs::path(".");
  const std::string name = target.filename().string();
  const fs::path fresh = beside / fmt::format(".{}.part{}", name, ::getpid());
  const fs::path old = beside / fmt::format(".{}.old{}", name, ::getpid());
  std::error_code error;
  fs::create_directories(fresh, error);
  if (error) throw InputError("{}: the folder could not be made: {}", fresh.string(), error.message());
  try {
    write_all(make_synthetic_capture(options, progress), fresh, progress);
    check_target(target);  // it may have been filled meanwhile
    const bool replaces = fs::exists(target);
    if (replaces) fs::rename(target, old);
    fs::rename(fresh, target);
    if (replaces) fs::remove_all(old, error);
  } catch (const fs::filesystem_error& failure) {
    fs::remove_all(fresh, error);
    throw InputError("{}: the finished scene could not be put in place: {}", target.string(), failure.code().message());
  } catch (...) {
    fs::remove_all(fresh, error);
    throw;
  }
}

}  // namespace ptl
