#include "renderer/path_pictures.h"

#include <cmath>
#include <fstream>

#include "datasets/error.h"
#include "datasets/view_camera.h"
#include "renderer/fingerprint.h"

namespace ptl {

int64_t path_image(const SceneModel& model, const CameraPath& path) {
  return path.image.empty() ? 0 : model.image_index(path.image);
}

PictureSize asked_size(PictureSize usual, int width_px, int height_px) {
  const double aspect = static_cast<double>(usual.width_px) / usual.height_px;
  PictureSize size = usual;
  if (width_px != 0 || height_px != 0)
    size = {width_px != 0 ? width_px : static_cast<int>(std::lround(height_px * aspect)),
            height_px != 0 ? height_px : static_cast<int>(std::lround(width_px / aspect))};
  if (size.width_px < 1 || size.height_px < 1 || size.width_px > 16384 || size.height_px > 16384)
    throw InputError("render: a size of {} x {} px is out of range (1 to 16384)", size.width_px, size.height_px);
  return size;
}

PictureSize path_size(const SceneModel& model, const CameraPath& path, int asked_width_px, int asked_height_px) {
  const CameraParams<double>& camera = model.camera_of(path_image(model, path)).params;
  PictureSize size = {path.width_px, path.height_px};
  if (size.width_px < 1 || size.height_px < 1) size = {camera.width_px, camera.height_px};
  return asked_size(size, asked_width_px, asked_height_px);
}

PathPicture path_picture(const SceneModel& model, const CameraPath& path, const PathFrame& frame, PictureSize size) {
  PathPicture picture;
  picture.image = path_image(model, path);
  ViewCamera view{frame.camera_from_world, frame.vertical_fov_deg, std::nullopt};
  if (path.lens_of_image) view.lens = model.camera_of(picture.image).params;
  picture.view.camera = view_params(view, size.width_px, size.height_px);
  picture.view.camera_from_world = frame.camera_from_world;
  picture.view.crop = whole_photo(picture.view.camera);
  picture.setting = photometric_setting(model, picture.image, ExposureProtocol::exif);
  if (frame.exposure_ev) picture.setting.exposure_ev = *frame.exposure_ev;
  return picture;
}

std::vector<PathFrame> path_frames(const OpenedPath& opened, double asked_frames_per_s) {
  if (asked_frames_per_s == 0 && !opened.frames.empty()) return opened.frames;
  return sample_path(opened.path, asked_frames_per_s == 0 ? opened.path.frames_per_s : asked_frames_per_s);
}

PathPlan plan_path(const SceneModel& model, const OpenedPath& path, double asked_frames_per_s, int asked_width_px,
                   int asked_height_px) {
  if (asked_frames_per_s != 0 && !(asked_frames_per_s > 0 && asked_frames_per_s <= 1000))
    throw InputError("--fps: expected a number above 0 and up to 1000, found {}", asked_frames_per_s);
  PathPlan plan;
  plan.size = path_size(model, path.path, asked_width_px, asked_height_px);
  for (const PathFrame& frame : path_frames(path, asked_frames_per_s))
    plan.pictures.push_back(path_picture(model, path.path, frame, plan.size));
  plan.frames_per_s = asked_frames_per_s > 0 ? asked_frames_per_s : path.path.frames_per_s;
  return plan;
}

std::string path_development(const std::string& kind, int layer, double brighter_stops,
                             const std::vector<double>& white_balance) {
  std::string words = fmt::format("{} {} {}", kind, layer, brighter_stops);
  for (const double gain : white_balance) words += fmt::format(" {}", gain);
  return words;
}

FrameFolder path_folder(const PathPlan& plan, const std::filesystem::path& model_file, const std::string& development,
                        const std::filesystem::path& folder, bool resume) {
  return FrameFolder(folder,
                     {pictures_fingerprint(model_file, plan.pictures) + " " + development, plan.pictures.size(),
                      plan.frames_per_s, plan.size.width_px, plan.size.height_px},
                     resume);
}

std::string pictures_fingerprint(const std::filesystem::path& model_file, const std::vector<PathPicture>& pictures) {
  Fingerprint fingerprint;
  std::ifstream stream(model_file, std::ios::binary);
  std::vector<char> buffer(1 << 20);
  while (stream) {
    stream.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    fingerprint.add(buffer.data(), static_cast<size_t>(stream.gcount()));
  }
  for (const PathPicture& picture : pictures) {
    fingerprint.add_value(picture.view.camera.width_px);
    fingerprint.add_value(picture.view.camera.height_px);
    fingerprint.add_value(picture.view.camera.value);
    fingerprint.add_value(picture.view.camera_from_world.rotation);
    fingerprint.add_value(picture.view.camera_from_world.translation);
    fingerprint.add_value(picture.image);
    fingerprint.add_value(picture.setting.exposure_ev);
    fingerprint.add_value(picture.setting.white_balance);
  }
  return fingerprint.text();
}

}  // namespace ptl
