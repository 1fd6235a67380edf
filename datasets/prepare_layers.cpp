#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "datasets/error.h"
#include "datasets/prepare.h"
#include "datasets/split.h"
#include "kernels/camera.h"

namespace ptl {

namespace {

constexpr int photos_looked_at = 16;
constexpr int cells_along_longer_side = 24;
constexpr int fewest_layers = 4;
constexpr int most_layers = 8;
constexpr int coarsest_side_px = 2;
constexpr double covered_share = 0.95;  ///< of the coarsest layer's pixels: the rest shows the background

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Where the cloud falls in one photo, pixels.
std::vector<Vec2<double>> seen_points(const CameraParams<double>& camera, const Pose<double>& camera_from_world,
                                      const std::vector<Vec3<float>>& positions) {
  std::vector<Vec2<double>> seen;
  for (const Vec3<float>& position : positions) {
    const Projection<double> projected = project(camera, camera_from_world * Vec3<double>(position));
    if (projected.valid && projected.x_px >= 0 && projected.y_px >= 0 && projected.x_px < camera.width_px &&
        projected.y_px < camera.height_px)
      seen.emplace_back(projected.x_px, projected.y_px);
  }
  return seen;
}

/// Points in each square cell of a photo.
std::vector<int> count_by_cell(const CameraParams<double>& camera, const std::vector<Vec2<double>>& seen, double side_px) {
  const int columns = static_cast<int>(std::ceil(camera.width_px / side_px));
  const int rows = static_cast<int>(std::ceil(camera.height_px / side_px));
  std::vector<int> count(static_cast<size_t>(columns * rows), 0);
  for (const Vec2<double>& p : seen)
    ++count[static_cast<size_t>(static_cast<int>(p.y / side_px) * columns + static_cast<int>(p.x / side_px))];
  return count;
}

/// Median over the cells of one photo that hold points; nothing when no point falls into it.
std::optional<double> spacing_in_photo(const CameraParams<double>& camera, const std::vector<Vec2<double>>& seen) {
  const double side = static_cast<double>(std::max(camera.width_px, camera.height_px)) / cells_along_longer_side;
  std::vector<double> spacing;
  for (const int points : count_by_cell(camera, seen, side))
    if (points > 0) spacing.push_back(side / std::sqrt(static_cast<double>(points)));
  if (spacing.empty()) return std::nullopt;
  return median(std::move(spacing));
}

/// The cloud in up to photos_looked_at training photos, spread evenly.
struct CloudInPhotos {
  double spacing_px;
  std::vector<double> covered;  ///< [l]: share of the pixels of layer l that hold a point, mean over the photos

  CloudInPhotos(const Scene& scene, const std::vector<Vec3<float>>& positions, const std::vector<int>& training_images,
                int layers)
      : covered(static_cast<size_t>(layers), 0.0) {
    std::vector<double> spacings;
    const std::vector<int> looked_at = spread_evenly(training_images, photos_looked_at);
    for (const int which : looked_at) {
      const SceneImage& image = scene.images[static_cast<size_t>(which)];
      const CameraParams<double>& camera = scene.camera_of(image).params;
      const std::vector<Vec2<double>> seen = seen_points(camera, image.camera_from_world, positions);
      if (const auto spacing = spacing_in_photo(camera, seen)) spacings.push_back(*spacing);
      for (size_t l = 0; l < covered.size(); ++l) {
        const std::vector<int> count = count_by_cell(camera, seen, std::ldexp(1.0, static_cast<int>(l)));
        const auto empty = static_cast<double>(std::count(count.begin(), count.end(), 0));
        covered[l] += (1 - empty / static_cast<double>(count.size())) / static_cast<double>(looked_at.size());
      }
    }
    if (spacings.empty())
      throw InputError("{}: no point of the cloud falls into any of {} training photos; expected points that the photos "
                       "show. Are the cloud and the poses in the same frame?", scene.folder.string(), looked_at.size());
    spacing_px = median(std::move(spacings));
  }
};

}  // namespace

double point_spacing_px(const Scene& scene, const std::vector<Vec3<float>>& positions,
                        const std::vector<int>& training_images) {
  return CloudInPhotos(scene, positions, training_images, 0).spacing_px;
}

LayerChoice choose_layers(const Scene& scene, const PreparedPoints& points, const std::vector<int>& training_images,
                          int crop_px) {
  if (crop_px < coarsest_side_px)
    throw InputError("crop: expected a side of at least {} pixels, found {}", coarsest_side_px, crop_px);
  const CloudInPhotos cloud(scene, points.position, training_images, most_layers);
  LayerChoice choice;
  choice.spacing_px = cloud.spacing_px;
  const int by_spacing = 1 + static_cast<int>(std::ceil(std::log2(std::max(choice.spacing_px, 1.0))));
  int by_holes = 1;
  while (by_holes < most_layers && cloud.covered[static_cast<size_t>(by_holes - 1)] < covered_share) ++by_holes;
  const int wanted = std::max(by_spacing, by_holes);
  int allowed = 1;
  while (allowed < most_layers && (crop_px >> allowed) >= coarsest_side_px) ++allowed;
  choice.layers = std::min(std::max(wanted, fewest_layers), allowed);
  choice.covered = cloud.covered[static_cast<size_t>(choice.layers - 1)];
  const char* why = choice.layers < wanted    ? " (as many as the crops allow)"
                    : choice.layers > wanted ? " (the fewest that are used)"
                                             : "";
  choice.reason = fmt::format("{} layers{}: points lie about {:.1f} px apart in the photos and reach {:.0f} % of the pixels "
                              "of the coarsest one", choice.layers, why, choice.spacing_px, 100 * choice.covered);
  return choice;
}

}  // namespace ptl
