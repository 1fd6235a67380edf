#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "datasets/error.h"
#include "datasets/prepare.h"
#include "kernels/camera.h"

namespace ptl {

namespace {

constexpr int photos_looked_at = 16;
constexpr int cells_along_longer_side = 24;
constexpr int fewest_layers = 4;
constexpr int most_layers = 8;
constexpr int coarsest_side_px = 4;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Median over the cells of one photo that hold points; nothing when no point falls into it.
std::optional<double> spacing_in_photo(const CameraParams<double>& camera, const Pose<double>& camera_from_world,
                                       const std::vector<Vec3<float>>& positions) {
  const double side = static_cast<double>(std::max(camera.width_px, camera.height_px)) / cells_along_longer_side;
  const int columns = static_cast<int>(std::ceil(camera.width_px / side));
  const int rows = static_cast<int>(std::ceil(camera.height_px / side));
  std::vector<int> count(static_cast<size_t>(columns * rows), 0);
  for (const Vec3<float>& position : positions) {
    const Projection<double> projected = project(camera, camera_from_world * Vec3<double>(position));
    if (!projected.valid || projected.x_px < 0 || projected.y_px < 0 || projected.x_px >= camera.width_px ||
        projected.y_px >= camera.height_px)
      continue;
    const int column = static_cast<int>(projected.x_px / side), row = static_cast<int>(projected.y_px / side);
    ++count[static_cast<size_t>(row * columns + column)];
  }
  std::vector<double> spacing;
  for (const int points : count)
    if (points > 0) spacing.push_back(side / std::sqrt(static_cast<double>(points)));
  if (spacing.empty()) return std::nullopt;
  return median(std::move(spacing));
}

}  // namespace

double point_spacing_px(const Scene& scene, const std::vector<Vec3<float>>& positions,
                        const std::vector<int>& training_images) {
  std::vector<double> spacings;
  const size_t looked_at = std::min<size_t>(photos_looked_at, training_images.size());
  for (size_t i = 0; i < looked_at; ++i) {
    const int which = training_images[i * training_images.size() / looked_at];  // spread evenly
    const SceneImage& image = scene.images[static_cast<size_t>(which)];
    if (const auto spacing = spacing_in_photo(scene.camera_of(image).params, image.camera_from_world, positions))
      spacings.push_back(*spacing);
  }
  if (spacings.empty())
    throw InputError("{}: no point of the cloud falls into any of {} training photos; expected points that the photos show. "
                     "Are the cloud and the poses in the same frame?", scene.folder.string(), looked_at);
  return median(std::move(spacings));
}

LayerChoice choose_layers(const Scene& scene, const PreparedPoints& points, const std::vector<int>& training_images,
                          int crop_px) {
  if (crop_px < coarsest_side_px)
    throw InputError("crop: expected a side of at least {} pixels, found {}", coarsest_side_px, crop_px);
  LayerChoice choice;
  choice.spacing_px = point_spacing_px(scene, points.position, training_images);
  const int wanted = 1 + static_cast<int>(std::ceil(std::log2(std::max(choice.spacing_px, 1.0))));
  int allowed = 1;
  while (allowed < most_layers && (crop_px >> allowed) >= coarsest_side_px) ++allowed;
  choice.layers = std::min(std::max(wanted, fewest_layers), allowed);
  const char* why = choice.layers < wanted    ? " (as many as the crops allow)"
                    : choice.layers > wanted ? " (the fewest that are used)"
                                             : "";
  choice.reason = fmt::format("{} layers{}: points lie about {:.1f} px apart in the photos", choice.layers, why,
                              choice.spacing_px);
  return choice;
}

}  // namespace ptl
