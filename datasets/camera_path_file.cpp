#include "datasets/camera_path_file.h"

#include <nlohmann/json.hpp>

#include "datasets/camera_path_json.h"
#include "datasets/camera_path_nerfstudio.h"
#include "datasets/error.h"
#include "datasets/json_place.h"

namespace ptl {

OpenedPath open_path(const std::filesystem::path& file, const Vec3<double>& origin_world,
                     const std::filesystem::path& transform_file) {
  const nlohmann::json document = read_json_file(file);
  const bool own = document.is_object() && document.contains("format");
  const bool nerfstudio = document.is_object() && (document.contains("camera_path") || document.contains("keyframes"));
  if (own) {
    if (!transform_file.empty())
      throw InputError(
          "--nerfstudio-transform {}: {} is not nerfstudio's; its poses are in the dataset's coordinates already; leave the "
          "transform away", transform_file.string(), file.string());
    return {camera_path_from_json(document, file.string(), origin_world), {}, {}};
  }
  if (!nerfstudio)
    throw InputError(
        "{}: not a camera path: expected one of the viewer (\"format\": \"{}\"), one of nerfstudio "
        "(\"camera_path\", \"keyframes\") or a list of \"views\"",
        file.string(), camera_path_format);
  const NerfstudioTransform transform =
      transform_file.empty() ? NerfstudioTransform{} : read_nerfstudio_transform(transform_file);
  NerfstudioPath read = nerfstudio_path_from_json(document, file.string(), origin_world, transform);
  OpenedPath opened{std::move(read.path), std::move(read.frames), std::move(read.remarks)};
  if (transform_file.empty())
    opened.remarks.push_back(
        "taken to be in the dataset's own coordinates; if nerfstudio moved or scaled the scene, give its "
        "dataparser_transforms.json as well (--nerfstudio-transform)");
  return opened;
}

}  // namespace ptl
