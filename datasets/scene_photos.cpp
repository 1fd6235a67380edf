#include "datasets/scene_photos.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "datasets/colmap_cameras.h"
#include "datasets/error.h"
#include "datasets/exif.h"
#include "datasets/image_io.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

SceneCamera& camera_of(Scene& scene, const SceneImage& image) {
  return *std::find_if(scene.cameras.begin(), scene.cameras.end(),
                       [&](const SceneCamera& camera) { return camera.id == image.camera_id; });
}

/// The mask of a photo, under the names in use: COLMAP's NAME.png, STEM.png, and beside the photo *.mask.png.
fs::path find_mask(const SceneImage& image, const fs::path& mask_folder) {
  const fs::path name(image.name);
  const fs::path stem = name.parent_path() / name.stem();
  for (const fs::path& candidate :
       {mask_folder / (image.name + ".png"), mask_folder / (stem.string() + ".png"),
        mask_folder / (stem.string() + ".jpg"), fs::path(image.photo_path.string() + ".mask.png"),
        image.photo_path.parent_path() / (name.stem().string() + ".mask.png")})
    if (is_file(candidate)) return candidate;
  return {};
}

/// images_4, say.
bool is_reduced_folder(const fs::path& folder) {
  const std::string name = (folder.has_filename() ? folder : folder.parent_path()).filename().string();
  const size_t digits = name.find_last_not_of("0123456789") + 1;
  return digits > 0 && digits < name.size() && name[digits - 1] == '_';
}

/// Whether photos of this size are the camera's, reduced: one scale, with each side rounded up or down.
bool same_ratio(const ImageSize& photo, int width_px, int height_px) {
  const double x = static_cast<double>(photo.width_px) / width_px, y = static_cast<double>(photo.height_px) / height_px;
  return x < 1 && y < 1 && std::abs(x - y) < 1.0 / width_px + 1.0 / height_px;
}

}  // namespace

std::string listed(const std::vector<std::string>& names) {
  constexpr size_t shown = 5;
  std::string text;
  for (size_t i = 0; i < std::min(shown, names.size()); ++i) text += (i ? ", " : "") + names[i];
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

fs::path choose_reduced_folder(const SceneDraft& draft, std::vector<std::string>& oddities) {
  const ColmapImage& first = draft.model.images.front();
  const auto camera = std::find_if(draft.model.cameras.begin(), draft.model.cameras.end(),
                                   [&](const ColmapCamera& one) { return one.id == first.camera_id; });
  const auto width_px = static_cast<int>(camera->width_px), height_px = static_cast<int>(camera->height_px);
  const auto fits = [&](const ImageSize& size) { return size.width_px == width_px && size.height_px == height_px; };
  const bool whole_is_there = is_file(draft.image_folder / first.name);
  if (whole_is_there && fits(read_image_size(draft.image_folder / first.name))) return draft.image_folder;
  fs::path reduced;
  for (const int divisor : {2, 4, 8, 16}) {
    const fs::path folder = draft.image_folder.string() + fmt::format("_{}", divisor);
    if (!is_file(folder / first.name)) continue;
    const ImageSize size = read_image_size(folder / first.name);
    if (fits(size)) {
      reduced = folder;
      break;
    }
    if (reduced.empty() && !fs::is_directory(draft.image_folder) && same_ratio(size, width_px, height_px))
      reduced = folder;
  }
  if (reduced.empty()) return draft.image_folder;
  oddities.push_back(fmt::format("the photos are taken from {}: {}", reduced.filename().string(),
                                 whole_is_there ? "they have the cameras' size" : "there is no whole size"));
  return reduced;
}

void find_photos(Scene& scene, const fs::path& image_folder, bool may_be_missing, bool named_by_user,
                 std::vector<std::string>* faults) {
  if (!fs::is_directory(image_folder))
    throw InputError("{}: no such folder; expected the photos there; name another folder with --images",
                     image_folder.string());
  std::set<std::string> posed;
  for (const SceneImage& image : scene.images) posed.insert(image.name);
  std::vector<std::string> missing;
  for (const SceneImage& image : scene.images)
    if (!is_file(image.photo_path)) missing.push_back(image.name);
  const size_t left = scene.images.size() - missing.size();
  const bool refused = !missing.empty() && (!may_be_missing || left < 2);
  if (refused)
    refuse_or_collect(faults, [&] {
      throw InputError(
          "{}: {} of the {} photos of the model are missing: {}; put them there or name their folder with "
          "--images",
          image_folder.string(), missing.size(), scene.images.size(), listed(missing));
    });
  if (!missing.empty() && !refused) {
    scene.oddities.push_back(fmt::format("{} of {} photos are not there and are left out: {}", missing.size(),
                                         scene.images.size(), listed(missing)));
    std::erase_if(scene.images, [](const SceneImage& image) { return !is_file(image.photo_path); });
    std::erase_if(scene.cameras, [&](const SceneCamera& camera) {
      return std::none_of(scene.images.begin(), scene.images.end(),
                          [&](const SceneImage& image) { return image.camera_id == camera.id; });
    });
    std::erase_if(scene.held_out_by_dataset, [&](const std::string& name) {
      return std::find(missing.begin(), missing.end(), name) != missing.end();
    });
  }
  // A folder that only a stranger's file named may be anything, even the root.
  const fs::path inside =
      fs::absolute(image_folder).lexically_normal().lexically_relative(fs::absolute(scene.folder).lexically_normal());
  if (!named_by_user && (inside.empty() || *inside.begin() == "..")) return;
  std::vector<std::string> unposed;
  for (const auto& entry : fs::recursive_directory_iterator(image_folder)) {
    std::string extension = entry.path().extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const std::string name = entry.path().lexically_relative(image_folder).generic_string();
    const bool mask = name.find(".mask.") != std::string::npos;
    constexpr const char* photo_endings[] = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".exr"};
    if (entry.is_regular_file() && std::count(std::begin(photo_endings), std::end(photo_endings), extension) > 0 && !mask &&
        !posed.count(name))
      unposed.push_back(name);
  }
  std::sort(unposed.begin(), unposed.end());
  if (!unposed.empty())
    scene.oddities.push_back(fmt::format("{} photos in {} have no pose and are not used: {}", unposed.size(),
                                         image_folder.filename().string(), listed(unposed)));
}

void adopt_reduced_photos(Scene& scene, const fs::path& image_folder, bool in_any_folder) {
  if (!in_any_folder && !is_reduced_folder(image_folder)) return;
  for (SceneCamera& camera : scene.cameras) {
    const auto uses = [&](const SceneImage& image) { return image.camera_id == camera.id; };
    const auto first = std::find_if(scene.images.begin(), scene.images.end(), uses);
    if (first == scene.images.end()) continue;
    const ImageSize size = read_image_size(first->photo_path);
    if (!same_ratio(size, camera.stored_width_px, camera.stored_height_px)) continue;
    const double x_ratio = static_cast<double>(size.width_px) / camera.stored_width_px;
    const double y_ratio = static_cast<double>(size.height_px) / camera.stored_height_px;
    for (SceneImage& image : scene.images)
      if (uses(image))
        for (Observation& observation : image.observations) {
          observation.x_px *= x_ratio;
          observation.y_px *= y_ratio;
        }
    scene.oddities.push_back(fmt::format("camera {} is scaled from {} x {} to the photos in {}, {} x {} px", camera.id,
                                         camera.stored_width_px, camera.stored_height_px,
                                         image_folder.filename().string(), size.width_px, size.height_px));
    camera.params = scale_camera(camera.params, size.width_px, size.height_px);
    ColmapParams said = camera_to_colmap(camera.params, camera.colmap_model_id);
    camera.colmap_model_id = said.id;
    camera.colmap_params = std::move(said.params);
    camera.stored_width_px = size.width_px;
    camera.stored_height_px = size.height_px;
  }
}

void read_photo_headers(Scene& scene, std::vector<std::string>* faults) {
  std::vector<std::string> without_exposure;
  size_t turned = 0;
  const SceneImage *hdr = nullptr, *ordinary = nullptr;
  const auto read = [&](SceneImage& image) {
    const ExifFields fields = read_exif(image.photo_path);
    if (const std::optional<double> ev = exposure_ev(fields)) image.exposure_ev = ev;
    image.capture_time_s = fields.capture_time_s;
    if (!image.exposure_ev) without_exposure.push_back(image.name);
    turned += fields.orientation.value_or(1) != 1;
    const SceneCamera& camera = camera_of(scene, image);
    const ImageInfo info = read_image_info(image.photo_path);
    (info.format == ImageFormat::exr ? hdr : ordinary) = &image;
    const ImageSize& size = info.size;
    if (size.width_px != camera.stored_width_px || size.height_px != camera.stored_height_px)
      throw InputError(
          "{}: expected {} x {} pixels (camera {} of the model), found {} x {}; use the photos that the model "
          "was made from, or name their folder with --images",
          image.photo_path.string(), camera.stored_width_px, camera.stored_height_px, camera.id, size.width_px,
          size.height_px);
  };
  for (SceneImage& image : scene.images)
    if (!faults || is_file(image.photo_path)) refuse_or_collect(faults, [&] { read(image); });
  refuse_or_collect(faults, [&] {
    if (hdr && ordinary)
      throw InputError("{}: is OpenEXR, but {} is not; expected all photos of a scene to be OpenEXR (HDR), or none: "
                       "convert some, or leave them out of the model",
                       hdr->photo_path.string(), ordinary->photo_path.filename().string());
  });
  if (!without_exposure.empty() && !hdr)
    scene.oddities.push_back(
        without_exposure.size() == scene.images.size()
            ? "no photo has EXIF exposure: all start with the same"
            : fmt::format("{} of {} photos have no EXIF exposure and start with the mean of the others: {}",
                          without_exposure.size(), scene.images.size(), listed(without_exposure)));
  if (turned > 0)
    scene.oddities.push_back(
        fmt::format("{} photos have an EXIF orientation; they are used as stored, as COLMAP does", turned));
}

namespace {

/// A photo that cannot be read was said to be so already where faults are collected.
bool has_alpha(const SceneImage& image, const std::vector<std::string>* faults) {
  try {
    return read_image_info(image.photo_path).has_alpha;
  } catch (const InputError&) {
    if (!faults) throw;
    return false;
  }
}

}  // namespace

void find_masks(Scene& scene, const fs::path& mask_folder, bool demanded, std::vector<std::string>* faults) {
  if (demanded && !fs::is_directory(mask_folder))
    throw InputError("{}: no such folder; expected the masks there (--masks)", mask_folder.string());
  size_t found = 0, transparent = 0;
  for (SceneImage& image : scene.images) {
    if (demanded || image.mask_path.empty()) image.mask_path = find_mask(image, mask_folder);
    if (image.mask_path.empty() && has_alpha(image, faults)) {
      image.mask_path = image.photo_path;
      ++transparent;
    }
    if (image.mask_path.empty()) continue;
    ++found;
    refuse_or_collect(faults, [&] {
      const SceneCamera& camera = camera_of(scene, image);
      const ImageSize size = read_image_size(image.mask_path);
      if (size.width_px != camera.stored_width_px || size.height_px != camera.stored_height_px)
        throw InputError("{}: expected a mask of {} x {} pixels, as the photo {}, found {} x {}",
                         image.mask_path.string(), camera.stored_width_px, camera.stored_height_px, image.name,
                         size.width_px, size.height_px);
    });
  }
  if (transparent > 0)
    scene.oddities.push_back(fmt::format("{} photos have an alpha channel, which is their mask: what is transparent does not count",
                                         transparent));
  if (demanded && found == transparent)
    throw InputError("{}: has no mask for any photo; expected names like {}.png", mask_folder.string(),
                     scene.images.front().name);
  if (found > 0 && found < scene.images.size())
    scene.oddities.push_back(fmt::format("{} of {} photos have no mask: all of their pixels count",
                                         scene.images.size() - found, scene.images.size()));
}

}  // namespace ptl
