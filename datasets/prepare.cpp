#include "datasets/prepare.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "datasets/error.h"
#include "datasets/prepare_morton.h"

namespace ptl {

namespace {

/// The points on their way: parallel arrays, reordered together.
struct Working {
  std::vector<Vec3<float>> position, normal;
  std::vector<Vec3<float>> color_srgb;
  std::vector<uint64_t> id;

  template <class T>
  static void gather(std::vector<T>& values, const std::vector<uint32_t>& order) {
    if (values.empty()) return;
    std::vector<T> result(order.size());
    for (size_t i = 0; i < order.size(); ++i) result[i] = values[order[i]];
    values = std::move(result);
  }

  /// Element i becomes the one that was at order[i]; what order does not name is dropped.
  void reorder(const std::vector<uint32_t>& order) {
    gather(position, order);
    gather(normal, order);
    gather(color_srgb, order);
    gather(id, order);
  }
};

void check(const PrepareOptions& options, const PointCloud& cloud) {
  if (cloud.size() == 0) throw InputError("the cloud has no points; expected at least one; choose another with --points");
  if (options.neighbours < 1 || options.neighbours > 64)
    throw InputError("neighbours: expected 1 to 64, found {}", options.neighbours);
  if (options.densify < 1 || options.densify > 64)
    throw InputError("densify: expected 1 (off) to 64, found {}", options.densify);
  if (!(options.isolation_limit > 0) || !(options.isolation_spread >= 1) || !(options.isolation_share >= 0) ||
      options.isolation_share > 1)
    throw InputError("isolation: expected a limit above 0, a spread of 1 or more and a share from 0 to 1, found {}, {} and "
                     "{}", options.isolation_limit, options.isolation_spread, options.isolation_share);
  const uint64_t total = static_cast<uint64_t>(cloud.size()) * static_cast<uint64_t>(options.densify);
  if (total > UINT32_MAX / 2)
    throw InputError("the cloud has {} points (densify included); at most {} can be drawn; thin it out first", total,
                     UINT32_MAX / 2);
}

std::vector<Vec3<float>> camera_centers(const Scene& scene) {
  std::vector<Vec3<float>> centers;
  for (const SceneImage& image : scene.images)
    centers.emplace_back(camera_centre(image.camera_from_world));
  if (centers.empty()) centers.emplace_back(0.0f);  // without photos: as if taken from the origin
  return centers;
}

std::vector<float> nearest_camera_distance(const std::vector<Vec3<float>>& points,
                                           const std::vector<Vec3<float>>& centers,
                                           std::vector<uint32_t>* which = nullptr) {
  std::vector<uint32_t> nearest = nearest_target(points, centers);
  std::vector<float> distance(points.size());
  for (size_t i = 0; i < points.size(); ++i) {
    const Vec3<float> d = points[i] - centers[nearest[i]];
    distance[i] = std::sqrt(glm::dot(d, d));
  }
  if (which) *which = std::move(nearest);
  return distance;
}

/// Of the points at one float position only the one with the smallest id stays.
uint64_t remove_duplicates(Working& points) {
  std::vector<uint32_t> order(points.position.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    const Vec3<float>&p = points.position[a], &q = points.position[b];
    if (p.x != q.x) return p.x < q.x;
    if (p.y != q.y) return p.y < q.y;
    if (p.z != q.z) return p.z < q.z;
    return points.id[a] < points.id[b];
  });
  const auto last = std::unique(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return points.position[a] == points.position[b];
  });
  const auto removed = static_cast<uint64_t>(order.end() - last);
  order.erase(last, order.end());
  std::sort(order.begin(), order.end());  // the others keep their order
  if (removed > 0) points.reorder(order);
  return removed;
}

/// The rule of PrepareOptions::isolation_limit, _spread and _share.
void remove_isolated(Working& points, const std::vector<Vec3<float>>& centers, const PrepareOptions& options,
                     PreparedPoints& result) {
  constexpr int which_neighbour = 5;
  const size_t count = points.position.size();
  if (count <= which_neighbour) return;
  std::vector<float> ratio = kth_neighbour_distance(points.position, which_neighbour);
  const std::vector<float> distance = nearest_camera_distance(points.position, centers);
  for (size_t i = 0; i < count; ++i) ratio[i] = distance[i] > 0 ? ratio[i] / distance[i] : 0.0f;

  std::vector<float> sorted = ratio;
  std::sort(sorted.begin(), sorted.end());
  result.median_spacing_ratio = sorted[count / 2];
  const auto may_go = static_cast<size_t>(options.isolation_share * static_cast<double>(count));
  double limit = std::max(options.isolation_limit, options.isolation_spread * result.median_spacing_ratio);
  limit = std::max(limit, static_cast<double>(sorted[count - 1 - std::min(may_go, count - 1)]));
  result.isolation_limit_used = limit;

  std::vector<uint32_t> stay;
  for (size_t i = 0; i < count; ++i)
    if (!(static_cast<double>(ratio[i]) > limit)) stay.push_back(static_cast<uint32_t>(i));
  result.isolated_removed = count - stay.size();
  points.reorder(stay);
}

/// k − 1 copies of each point, uniform in the disc of the point's radius: in its tangent plane, or facing the nearest
/// camera where it has no normal. Ids: copy · original size + original index.
void densify(Working& points, const std::vector<Vec3<float>>& centers, uint64_t original_size,
             const PrepareOptions& options) {
  const size_t count = points.position.size();
  const std::vector<float> radius = kth_neighbour_distance(points.position, options.neighbours);
  std::vector<uint32_t> nearest;
  nearest_camera_distance(points.position, centers, &nearest);
  for (int copy = 1; copy < options.densify; ++copy)
    for (size_t i = 0; i < count; ++i) {
      const Vec3<float> axis = points.normal.empty() ? centers[nearest[i]] - points.position[i] : points.normal[i];
      const uint64_t id = points.id[i];
      const auto draw = [&](uint64_t number) {
        return draw_unit(options.seed, DrawPurpose::densify, id, static_cast<uint64_t>(copy), number);
      };
      points.position.push_back(jittered_in_plane(points.position[i], axis, radius[i], draw(0), draw(1)));
      points.color_srgb.push_back(Vec3<float>(points.color_srgb[i]));
      if (!points.normal.empty()) points.normal.push_back(Vec3<float>(points.normal[i]));
      points.id.push_back(static_cast<uint64_t>(copy) * original_size + id);
    }
}

/// Sorts each block by falling radius_over_sqrt_u (by id where equal) and notes its bounds.
void finish_blocks(Working& points, std::vector<float>& radius, uint64_t seed, PreparedPoints& result) {
  const size_t count = points.position.size();
  std::vector<float> over_sqrt_u(count);
  for (size_t i = 0; i < count; ++i) over_sqrt_u[i] = radius[i] / std::sqrt(footprint_u(seed, points.id[i]));
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  sort_blocks(order, over_sqrt_u.data(), points.id.data());
  for (size_t start = 0; start < count; start += prepared_block_size) {
    const size_t end = std::min(start + prepared_block_size, count);
    Vec3<float> low = points.position[start], high = low;
    for (size_t i = start; i < end; ++i) {
      low = glm::min(low, points.position[i]);
      high = glm::max(high, points.position[i]);
    }
    result.block_low.push_back(low);
    result.block_high.push_back(high);
  }
  points.reorder(order);
  Working::gather(radius, order);
  Working::gather(over_sqrt_u, order);
  result.radius = std::move(radius);
  result.radius_over_sqrt_u = std::move(over_sqrt_u);
}

void describe(PreparedPoints& result, size_t original_size, const PrepareOptions& options) {
  if (result.duplicates_removed > 0)
    result.remarks.push_back(fmt::format("{} of {} points removed: at the place of another", result.duplicates_removed,
                                         original_size));
  if (result.isolated_removed > 0)
    result.remarks.push_back(fmt::format("{} of {} points removed: isolated (5th neighbour farther than {:.3f} of the "
                                         "distance to the nearest camera; half of the points: {:.4f})",
                                         result.isolated_removed, original_size, result.isolation_limit_used,
                                         result.median_spacing_ratio));
  if (options.densify > 1)
    result.remarks.push_back(fmt::format("{} jittered copies added to each point", options.densify - 1));
}

}  // namespace

Vec3<float> jittered_in_plane(const Vec3<float>& position, const Vec3<float>& axis, float radius, float u, float v) {
  const float length = std::sqrt(glm::dot(axis, axis));
  const Vec3<float> unit = length > 0 ? axis / length : Vec3<float>(0, 0, 1);
  const Vec3<float> other = std::abs(unit.x) < 0.6f ? Vec3<float>(1, 0, 0) : Vec3<float>(0, 1, 0);
  const Vec3<float> side = glm::normalize(glm::cross(unit, other));
  const Vec3<float> up = glm::cross(unit, side);
  const float distance = radius * std::sqrt(u), angle = 6.2831853f * v;
  return position + distance * (std::cos(angle) * side + std::sin(angle) * up);
}

PreparedPoints prepare_points(const Scene& scene, const PrepareOptions& options) {
  const PointCloud& cloud = scene.cloud;
  check(options, cloud);
  PreparedPoints result;
  Working points;
  points.position = cloud.position;
  points.normal = cloud.normal;
  points.color_srgb.reserve(cloud.size());
  for (const auto& color : cloud.color)
    points.color_srgb.push_back(Vec3<float>(color[0], color[1], color[2]) * (1.0f / 255.0f));
  points.id.resize(cloud.size());
  std::iota(points.id.begin(), points.id.end(), uint64_t(0));
  const std::vector<Vec3<float>> centers = camera_centers(scene);

  points.reorder(prepare_morton_order(points.position));  // neighbours beside each other: searches run twice as fast
  if (options.remove_duplicates) result.duplicates_removed = remove_duplicates(points);
  if (options.remove_isolated) remove_isolated(points, centers, options, result);
  if (options.densify > 1) densify(points, centers, cloud.size(), options);
  points.reorder(prepare_morton_order(points.position));  // the order in the box of what is left

  std::vector<float> radius = kth_neighbour_distance(points.position, options.neighbours);
  // A lone point has no neighbour; it is drawn as if one were a hundredth of the way to the camera away.
  if (radius.size() == 1) radius[0] = 0.01f * nearest_camera_distance(points.position, centers)[0];
  finish_blocks(points, radius, options.seed, result);
  result.position = std::move(points.position);
  result.normal = std::move(points.normal);
  result.color_srgb = std::move(points.color_srgb);
  result.id = std::move(points.id);
  describe(result, cloud.size(), options);
  return result;
}

}  // namespace ptl
