#include "datasets/scene_info.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace ptl {

ExtentBox extent_box(const std::vector<Vec3<float>>& points) {
  ExtentBox box;
  if (points.empty()) return box;
  std::vector<float> values(points.size());
  for (int axis = 0; axis < 3; ++axis) {
    for (size_t i = 0; i < points.size(); ++i) values[i] = points[i][axis];
    const auto at = [&](double share) {
      const auto rank = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1) + 0.5);
      std::nth_element(values.begin(), values.begin() + rank, values.end());
      return values[static_cast<size_t>(rank)];
    };
    box.low[axis] = at(0.05);
    box.high[axis] = at(0.95);
  }
  return box;
}

double scene_extent(const std::vector<Vec3<float>>& points) {
  const ExtentBox box = extent_box(points);
  return glm::length(Vec3<double>(box.high) - Vec3<double>(box.low));
}

std::string describe_scene(const Scene& scene) {
  std::string table;
  const auto row = [&table](const char* label, const std::string& text) {
    table += fmt::format("{:<12}{}\n", label, text);
  };
  row("scene", scene.folder.string());
  row("origin", fmt::format("({}, {}, {}) in world coordinates", scene.origin_world.x, scene.origin_world.y,
                            scene.origin_world.z));
  for (const SceneCamera& camera : scene.cameras) {
    const auto uses = std::count_if(scene.images.begin(), scene.images.end(),
                                    [&](const SceneImage& image) { return image.camera_id == camera.id; });
    std::string size = fmt::format("{} x {}", camera.stored_width_px, camera.stored_height_px);
    if (camera.params.width_px != camera.stored_width_px || camera.params.height_px != camera.stored_height_px)
      size += fmt::format(", used at {} x {}", camera.params.width_px, camera.params.height_px);
    const bool two_focal_lengths = camera.params.model != CameraModel::equirectangular && camera.params.model != CameraModel::ocam;
    const std::string focal = two_focal_lengths
                                  ? fmt::format("fx {:.1f} fy {:.1f} px", camera.params.value[PinholeModel::fx], camera.params.value[PinholeModel::fy])
                                  : fmt::format("{:.1f} px a radian", focal_length_px(camera.params));
    row(&camera == &scene.cameras.front() ? "cameras" : "",
        fmt::format("{}: {}, {}{}, {} image{}", camera.id, size,
                    camera.params.model == CameraModel::pinhole ? "" : std::string(camera_table(camera.params.model).name) + " ", focal,
                    uses, uses == 1 ? "" : "s"));
  }
  const auto masks = std::count_if(scene.images.begin(), scene.images.end(),
                                   [](const SceneImage& image) { return !image.mask_path.empty(); });
  std::string images = fmt::format("{}", scene.images.size());
  if (!scene.images.empty()) images += fmt::format(", {} to {}", scene.images.front().name, scene.images.back().name);
  row("images", images);
  row("masks", masks == 0 ? "none" : fmt::format("{} of {} images", masks, scene.images.size()));

  double lowest = INFINITY, highest = -INFINITY, sum = 0;
  int known = 0;
  for (const SceneImage& image : scene.images)
    if (image.exposure_ev) {
      lowest = std::min(lowest, *image.exposure_ev);
      highest = std::max(highest, *image.exposure_ev);
      sum += *image.exposure_ev;
      ++known;
    }
  row("exposure", known == 0 ? "unknown (no EXIF): the same for all at first"
                             : fmt::format("EV {:.2f} to {:.2f}, a range of {:.2f} stops, mean {:.2f}; known of {} of {} "
                                           "images", lowest, highest, highest - lowest, sum / known, known,
                                           scene.images.size()));
  const auto timed = std::count_if(scene.images.begin(), scene.images.end(),
                                   [](const SceneImage& image) { return image.capture_time_s.has_value(); });
  row("neighbours", timed == static_cast<int64_t>(scene.images.size())
                        ? "by EXIF time"
                        : fmt::format("by name (EXIF time of {} of {} images)", timed, scene.images.size()));
  row("points", fmt::format("{} from {}{}", scene.cloud.size(), scene.cloud_source,
                            scene.cloud.normal.empty() ? "" : ", with normals"));
  if (!scene.edits_source.empty())
    row("edits", fmt::format("{} edit{} from {}", scene.edits.size(), scene.edits.size() == 1 ? "" : "s", scene.edits_source));
  row("extent", fmt::format("{:.4g} (box between the 5th and 95th percentile of the points)",
                            scene_extent(scene.cloud.position)));
  for (size_t i = 0; i < scene.oddities.size(); ++i) row(i == 0 ? "odd" : "", scene.oddities[i]);
  if (scene.oddities.empty()) row("odd", "nothing");
  return table;
}

}  // namespace ptl
