#include <algorithm>
#include <array>
#include <cmath>

#include "bench/patchmatch.h"

namespace ptl {

namespace {

constexpr int cell_px = 8;  ///< of the membrane

PlaneField empty_field(size_t count) {
  PlaneField field;
  field.inverse_depth.assign(count, 0.0f);
  field.slant_x.assign(count, 0.0f);
  field.slant_y.assign(count, 0.0f);
  return field;
}

/// Every pixel gets the seed that reaches it first, going from pixel to pixel.
PlaneField nearest_seed(const StereoCamera& camera, const std::vector<SeedDepth>& seeds) {
  PlaneField field = empty_field(camera.pixel_count());
  std::vector<std::pair<int, int>> front, next;
  for (const SeedDepth& seed : seeds) {
    float& there = field.inverse_depth[camera.index(seed.x, seed.y)];
    if (there > 0) continue;
    there = seed.inverse_depth;
    front.emplace_back(seed.x, seed.y);
  }
  for (; !front.empty(); front.swap(next), next.clear())
    for (const auto& [x, y] : front)
      for (const auto& [dx, dy] : std::array<std::pair<int, int>, 4>{{{1, 0}, {-1, 0}, {0, 1}, {0, -1}}}) {
        if (x + dx < 0 || y + dy < 0 || x + dx >= camera.width_px || y + dy >= camera.height_px) continue;
        float& there = field.inverse_depth[camera.index(x + dx, y + dy)];
        if (there > 0) continue;
        there = field.inverse_depth[camera.index(x, y)];
        next.emplace_back(x + dx, y + dy);
      }
  return field;
}

/// Laplace's equation between the seeds, on cells; bilinear between the cells' middles.
PlaneField membrane(const StereoCamera& camera, const std::vector<SeedDepth>& seeds, const PlaneField& nearest) {
  const int columns = (camera.width_px + cell_px - 1) / cell_px + 1,
            rows = (camera.height_px + cell_px - 1) / cell_px + 1;
  const auto cell = [&](int column, int row) {
    return static_cast<size_t>(row) * static_cast<size_t>(columns) + static_cast<size_t>(column);
  };
  std::vector<float> sum(cell(0, rows), 0.0f), count(cell(0, rows), 0.0f), value(cell(0, rows));
  for (const SeedDepth& seed : seeds) {
    const size_t at = cell((seed.x + cell_px / 2) / cell_px, (seed.y + cell_px / 2) / cell_px);
    sum[at] += seed.inverse_depth, count[at] += 1;
  }
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < columns; ++column) {
      const size_t at = cell(column, row);
      value[at] = count[at] > 0 ? sum[at] / count[at]
                                : nearest.inverse_depth[camera.index(std::min(column * cell_px, camera.width_px - 1),
                                                                     std::min(row * cell_px, camera.height_px - 1))];
    }
  constexpr int sweeps = 60;  // enough to round off the borders between nearest seeds
  for (int k = 0; k < sweeps; ++k)
    for (int row = 0; row < rows; ++row)
      for (int column = 0; column < columns; ++column)
        if (count[cell(column, row)] == 0)
          value[cell(column, row)] =
              0.25f * (value[cell(std::max(column - 1, 0), row)] + value[cell(std::min(column + 1, columns - 1), row)] +
                       value[cell(column, std::max(row - 1, 0))] + value[cell(column, std::min(row + 1, rows - 1))]);
  PlaneField field = empty_field(camera.pixel_count());
  for (int y = 0; y < camera.height_px; ++y)
    for (int x = 0; x < camera.width_px; ++x) {
      const int column = x / cell_px, row = y / cell_px;
      const float a = static_cast<float>(x % cell_px) / cell_px, b = static_cast<float>(y % cell_px) / cell_px;
      const float v00 = value[cell(column, row)], v10 = value[cell(column + 1, row)];
      const float v01 = value[cell(column, row + 1)], v11 = value[cell(column + 1, row + 1)];
      const size_t at = camera.index(x, y);
      field.inverse_depth[at] = (v00 * (1 - a) + v10 * a) * (1 - b) + (v01 * (1 - a) + v11 * a) * b;
      field.slant_x[at] = ((v10 - v00) * (1 - b) + (v11 - v01) * b) / cell_px;
      field.slant_y[at] = ((v01 - v00) * (1 - a) + (v11 - v10) * a) / cell_px;
    }
  return field;
}

}  // namespace

std::vector<PlaneField> planes_of_seeds(const StereoCamera& camera, const std::vector<SeedDepth>& seeds) {
  std::vector<PlaneField> fields;
  if (seeds.empty()) return fields;
  fields.push_back(nearest_seed(camera, seeds));
  fields.push_back(membrane(camera, seeds, fields.front()));
  return fields;
}

}  // namespace ptl
