#include "renderer/score_pictures.h"

#include <algorithm>
#include <map>
#include <set>

#include "datasets/error.h"
#include "datasets/hdr_photo.h"
#include "renderer/image_tensor.h"
#include "renderer/scene_model.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

constexpr const char* picture_endings[] = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".exr",
                                           ".PNG", ".JPG", ".JPEG", ".TIF", ".TIFF", ".EXR"};

bool is_picture(const fs::path& path) {
  const std::string ending = path.extension().string();
  return std::any_of(std::begin(picture_endings), std::end(picture_endings),
                     [&](const char* known) { return ending == known; });
}

std::vector<fs::path> pictures_in_order(const fs::path& folder, size_t expected) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file() && is_picture(entry.path())) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  if (files.size() != expected)
    throw InputError("{}: --by-order: expected {} pictures, one of each held-out photo, found {}", folder.string(),
                     expected, files.size());
  return files;
}

}  // namespace

std::vector<std::string> picture_names(const std::vector<std::string>& images) {
  std::map<std::string, int> used;
  const auto short_name = [](const std::string& image) {
    return fs::path(image).replace_extension(".png").generic_string();
  };
  for (const std::string& image : images) ++used[short_name(image)];
  std::vector<std::string> names;
  for (const std::string& image : images)
    names.push_back(used[short_name(image)] == 1 ? short_name(image) : image + ".png");
  return names;
}

std::vector<fs::path> find_pictures(const fs::path& folder, const std::vector<std::string>& images, bool by_order) {
  std::error_code error;
  if (!fs::is_directory(folder, error))
    throw InputError("{}: expected a folder with pictures of the held-out photos", folder.string());
  if (by_order) return pictures_in_order(folder, images.size());
  std::vector<fs::path> found;
  std::string missing;
  int missing_count = 0;
  for (const std::string& image : images) {
    std::set<fs::path> candidates;
    const auto consider = [&](const fs::path& path) {
      if (fs::is_regular_file(path, error)) candidates.insert(path);
    };
    if (is_picture(image)) consider(folder / image);
    for (const char* ending : picture_endings) {
      consider(folder / fs::path(image).replace_extension(ending));
      consider(folder / (image + ending));
    }
    if (candidates.size() > 1)
      throw InputError("{}: has several pictures of the photo '{}': {} and {}; expected one", folder.string(), image,
                       candidates.begin()->filename().string(), std::next(candidates.begin())->filename().string());
    if (candidates.empty()) {
      if (++missing_count <= 5) missing += (missing.empty() ? "" : ", ") + image;
      continue;
    }
    found.push_back(*candidates.begin());
  }
  if (missing_count > 0)
    throw InputError(
        "{}: has no picture of {} of the {} held-out photos ({}{}); expected files of the photos' names with .png or "
        ".jpg, or "
        "--by-order for pictures that are numbered",
        folder.string(), missing_count, images.size(), missing, missing_count > 5 ? ", …" : "");
  return found;
}

EvalResult score_pictures(const Scene& scene, const Split& split, ImageCache& photos, const fs::path& folder,
                          bool by_order, const ScoringOptions& options) {
  if (split.held_out.empty())
    throw InputError("the split {} holds out no photos, so there is nothing to score", split.name);
  std::vector<std::string> names;
  for (const int image : split.held_out) names.push_back(scene.images[static_cast<size_t>(image)].name);
  const std::vector<fs::path> pictures = find_pictures(folder, names, by_order);
  EvalResult result;
  result.run = fs::absolute(folder).lexically_normal().filename().string();
  result.scene = name_of(scene);
  result.protocol.split = split.name;
  if (scene.photo_range) result.protocol.values = describe(*scene.photo_range);
  ScoreSums sums;
  for (size_t i = 0; i < pictures.size(); ++i) {
    const int image = split.held_out[i];
    if (scene.photo_range && image_format(pictures[i]) != ImageFormat::exr)
      throw InputError("{}: expected OpenEXR, as the scene's photos are, with linear radiance in their scale", pictures[i].string());
    const StoredImage picture = read_photo(pictures[i], scene.photo_range);
    const ImageSource& source = photos.source(image);
    if (picture.width != source.width_px || picture.height != source.height_px)
      throw InputError(
          "{}: expected {} x {} pixels, as its photo '{}' is used, found {} x {}; --max-size or --image-scale say at "
          "what size "
          "the photos are used",
          pictures[i].string(), source.width_px, source.height_px, names[i], picture.width, picture.height);
    const torch::Tensor mask = tensor_from_image(photos.mask(image)).squeeze(2);
    sums.add(names[i], score_picture(tensor_from_image(to_float(picture)), tensor_from_image(photos.photo(image)), mask,
                                     options));
  }
  sums.finish(result);
  return result;
}

}  // namespace ptl
