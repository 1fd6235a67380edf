#include "dense/sparse_planes.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <unordered_map>

namespace ptl {
namespace {

constexpr int cell_px = 8;           ///< of the membrane
constexpr int membrane_sweeps = 60;  ///< enough to round off the borders between nearest points

PlaneField empty_field(size_t count) {
  return {std::vector<float>(count, 0.0f), std::vector<float>(count, 0.0f), std::vector<float>(count, 0.0f)};
}

/// Every pixel gets the point that reaches it first, going from pixel to pixel.
PlaneField nearest_point(const StereoCamera& camera, const std::vector<SeenDepth>& points) {
  PlaneField field = empty_field(camera.pixel_count());
  std::vector<std::pair<int, int>> front, next;
  for (const SeenDepth& point : points) {
    float& there = field.inverse_depth[camera.index(point.x, point.y)];
    if (there > 0) continue;
    there = point.inverse_depth;
    front.emplace_back(point.x, point.y);
  }
  constexpr std::array<std::pair<int, int>, 4> beside{{{1, 0}, {-1, 0}, {0, 1}, {0, -1}}};
  for (; !front.empty(); front.swap(next), next.clear())
    for (const auto& [x, y] : front)
      for (const auto& [dx, dy] : beside) {
        if (x + dx < 0 || y + dy < 0 || x + dx >= camera.width_px || y + dy >= camera.height_px) continue;
        float& there = field.inverse_depth[camera.index(x + dx, y + dy)];
        if (there > 0) continue;
        there = field.inverse_depth[camera.index(x, y)];
        next.emplace_back(x + dx, y + dy);
      }
  return field;
}

/// Values at the corners of cells, [rows, columns].
struct CellGrid {
  int columns, rows;
  std::vector<float> value;

  explicit CellGrid(const StereoCamera& camera)
      : columns((camera.width_px + cell_px - 1) / cell_px + 1),
        rows((camera.height_px + cell_px - 1) / cell_px + 1),
        value(static_cast<size_t>(columns) * static_cast<size_t>(rows), 0.0f) {}
  size_t index(int column, int row) const {
    return static_cast<size_t>(row) * static_cast<size_t>(columns) + static_cast<size_t>(column);
  }
  float at(int column, int row) const {
    return value[index(std::clamp(column, 0, columns - 1), std::clamp(row, 0, rows - 1))];
  }
};

PlaneField membrane(const StereoCamera& camera, const std::vector<SeenDepth>& points, const PlaneField& nearest) {
  CellGrid grid(camera), count(camera);
  for (const SeenDepth& point : points) {
    const size_t at = grid.index((point.x + cell_px / 2) / cell_px, (point.y + cell_px / 2) / cell_px);
    grid.value[at] += point.inverse_depth;
    count.value[at] += 1;
  }
  for (int row = 0; row < grid.rows; ++row)
    for (int column = 0; column < grid.columns; ++column) {
      const size_t at = grid.index(column, row);
      const size_t pixel =
          camera.index(std::min(column * cell_px, camera.width_px - 1), std::min(row * cell_px, camera.height_px - 1));
      grid.value[at] = count.value[at] > 0 ? grid.value[at] / count.value[at] : nearest.inverse_depth[pixel];
    }
  for (int k = 0; k < membrane_sweeps; ++k)
    for (int row = 0; row < grid.rows; ++row)
      for (int column = 0; column < grid.columns; ++column)
        if (count.value[grid.index(column, row)] == 0)
          grid.value[grid.index(column, row)] = 0.25f * (grid.at(column - 1, row) + grid.at(column + 1, row) +
                                                         grid.at(column, row - 1) + grid.at(column, row + 1));
  PlaneField field = empty_field(camera.pixel_count());
  for (int y = 0; y < camera.height_px; ++y)
    for (int x = 0; x < camera.width_px; ++x) {
      const int column = x / cell_px, row = y / cell_px;
      const float a = static_cast<float>(x % cell_px) / cell_px, b = static_cast<float>(y % cell_px) / cell_px;
      const float v00 = grid.at(column, row), v10 = grid.at(column + 1, row);
      const float v01 = grid.at(column, row + 1), v11 = grid.at(column + 1, row + 1);
      const size_t at = camera.index(x, y);
      field.inverse_depth[at] = (v00 * (1 - a) + v10 * a) * (1 - b) + (v01 * (1 - a) + v11 * a) * b;
      field.slant_x[at] = ((v10 - v00) * (1 - b) + (v11 - v01) * b) / cell_px;
      field.slant_y[at] = ((v01 - v00) * (1 - a) + (v11 - v10) * a) / cell_px;
    }
  return field;
}

}  // namespace

SeenPoints::SeenPoints(const Scene& scene, const std::vector<int>& photos, bool strict_split)
    : scene_(scene), points_(photos.size()) {
  std::unordered_map<uint32_t, size_t> place_of;
  for (size_t i = 0; i < photos.size(); ++i) place_of[scene.images[static_cast<size_t>(photos[i])].id] = i;
  for (size_t k = 0; k < scene.sparse_points.size(); ++k) {
    std::vector<size_t> seen;
    for (const auto& [image, observation] : scene.sparse_points[k].track)
      if (const auto found = place_of.find(image); found != place_of.end()) seen.push_back(found->second);
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    if (strict_split && seen.size() < 2) continue;
    for (const size_t place : seen) points_[place].push_back(k);
  }
}

std::vector<SeenDepth> SeenPoints::in_view(size_t place, const StereoCamera& camera) const {
  std::vector<SeenDepth> seen;
  for (const size_t k : points_[place]) {
    const Vec3<double> x = camera.camera_from_world * scene_.sparse_points[k].position;
    if (!(x.z > 0)) continue;
    const Vec2<double> pixel = camera.pixel(x);
    if (camera.contains(pixel))
      seen.push_back({static_cast<int>(pixel.x), static_cast<int>(pixel.y), static_cast<float>(1 / x.z)});
  }
  std::sort(seen.begin(), seen.end(), [](const SeenDepth& a, const SeenDepth& b) {
    return std::tuple(a.y, a.x, a.inverse_depth) < std::tuple(b.y, b.x, b.inverse_depth);
  });
  return seen;
}

std::vector<PlaneField> planes_of_points(const StereoCamera& camera, const std::vector<SeenDepth>& points) {
  std::vector<PlaneField> fields;
  if (points.empty()) return fields;
  fields.push_back(nearest_point(camera, points));
  fields.push_back(membrane(camera, points, fields.front()));
  return fields;
}

}  // namespace ptl
