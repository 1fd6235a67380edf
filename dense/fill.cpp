#include "dense/fill.h"

#include <algorithm>
#include <cmath>

namespace ptl {

namespace {

struct Edge {
  int a, b;
};

int root_of(std::vector<int>& parent, int i) {
  while (parent[static_cast<size_t>(i)] != i) {
    parent[static_cast<size_t>(i)] = parent[static_cast<size_t>(parent[static_cast<size_t>(i)])];
    i = parent[static_cast<size_t>(i)];
  }
  return i;
}

/// Means over 3 × 3: single noisy pixels shall not cut a wall into pieces.
std::vector<std::array<float, 3>> smoothed(const DepthMap& map) {
  const int width = map.camera.width_px, height = map.camera.height_px;
  std::vector<std::array<float, 3>> result(map.color.size());
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      std::array<float, 3> sum{};
      float count = 0;
      for (int py = std::max(0, y - 1); py <= std::min(height - 1, y + 1); ++py)
        for (int px = std::max(0, x - 1); px <= std::min(width - 1, x + 1); ++px, ++count)
          for (size_t c = 0; c < 3; ++c) sum[c] += static_cast<float>(map.color[map.camera.index(px, py)][c]);
      for (size_t c = 0; c < 3; ++c) result[map.camera.index(x, y)][c] = sum[c] / count;
    }
  return result;
}

/// w = a x + b y + c through the seeds of a segment, by least squares repeated on the inliers.
struct PlaneFit {
  Vec3<double> plane{0};
  double inliers = 0;                                              ///< share of the seeds
  int low_x = 1 << 30, high_x = -1, low_y = 1 << 30, high_y = -1;  ///< box around the inliers
};

PlaneFit fit_plane(const DepthMap& map, const std::vector<size_t>& seeds, double tolerance_share) {
  const size_t columns = static_cast<size_t>(map.camera.width_px);
  PlaneFit fit;
  std::vector<double> inverse(seeds.size());
  for (size_t i = 0; i < seeds.size(); ++i) inverse[i] = 1 / static_cast<double>(map.depth_m[seeds[i]]);
  std::vector<double> sorted = inverse;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2), sorted.end());
  const double typical = sorted[sorted.size() / 2];
  fit.plane = {0, 0, typical};
  double tolerance = 16 * tolerance_share * typical;
  for (int round = 0; round < 8; ++round) {
    Mat3<double> matrix(0.0);
    Vec3<double> right(0);
    double n = 0;
    for (size_t i = 0; i < seeds.size(); ++i) {
      const Vec3<double> p(static_cast<double>(seeds[i] % columns), static_cast<double>(seeds[i] / columns), 1);
      if (std::fabs(glm::dot(fit.plane, p) - inverse[i]) > tolerance) continue;
      matrix += glm::outerProduct(p, p);
      right += p * inverse[i];
      n += 1;
    }
    if (n < 10 || std::fabs(glm::determinant(matrix)) < 1e-6 * n * n * n) break;
    fit.plane = glm::inverse(matrix) * right;
    tolerance = std::max(tolerance / 2, tolerance_share * typical);
  }
  size_t inliers = 0;
  for (size_t i = 0; i < seeds.size(); ++i) {
    const int x = static_cast<int>(seeds[i] % columns), y = static_cast<int>(seeds[i] / columns);
    if (std::fabs(glm::dot(fit.plane, Vec3<double>(x, y, 1)) - inverse[i]) > tolerance_share * typical) continue;
    ++inliers;
    fit.low_x = std::min(fit.low_x, x), fit.high_x = std::max(fit.high_x, x);
    fit.low_y = std::min(fit.low_y, y), fit.high_y = std::max(fit.high_y, y);
  }
  fit.inliers = static_cast<double>(inliers) / static_cast<double>(seeds.size());
  return fit;
}

/// 1 where all pixels within `border_px` rows and columns belong to the same segment.
std::vector<uint8_t> insides(const std::vector<int>& segment, int width, int height, int border_px) {
  std::vector<uint8_t> along(segment.size(), 0), inside(segment.size(), 0);
  const auto index = [&](int x, int y) {
    return static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x);
  };
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      bool same = true;
      for (int d = -border_px; d <= border_px && same; ++d)
        same = x + d < 0 || x + d >= width || segment[index(x + d, y)] == segment[index(x, y)];
      along[index(x, y)] = same;
    }
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      bool same = true;
      for (int d = -border_px; d <= border_px && same; ++d)
        same = y + d < 0 || y + d >= height ||
               (segment[index(x, y + d)] == segment[index(x, y)] && along[index(x, y + d)] != 0);
      inside[index(x, y)] = same;
    }
  return inside;
}

}  // namespace

std::vector<int> segment_colors(const DepthMap& map, float scale) {
  const int width = map.camera.width_px, height = map.camera.height_px;
  const auto color = smoothed(map);
  constexpr int bins = 1024;
  std::vector<std::vector<Edge>> by_weight(bins);
  const auto add = [&](int a, int b) {
    float square = 0;
    for (size_t c = 0; c < 3; ++c) {
      const float d = color[static_cast<size_t>(a)][c] - color[static_cast<size_t>(b)][c];
      square += d * d;
    }
    by_weight[static_cast<size_t>(std::min(bins - 1, static_cast<int>(std::sqrt(square) * 8)))].push_back({a, b});
  };
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const int at = y * width + x;
      if (x + 1 < width) add(at, at + 1);
      if (y + 1 < height) add(at, at + width);
    }
  std::vector<int> parent(map.color.size()), size(map.color.size(), 1);
  std::vector<float> inner(map.color.size(), 0.0f);
  for (size_t i = 0; i < parent.size(); ++i) parent[i] = static_cast<int>(i);
  for (int bin = 0; bin < bins; ++bin)
    for (const Edge& edge : by_weight[static_cast<size_t>(bin)]) {
      int a = root_of(parent, edge.a), b = root_of(parent, edge.b);
      if (a == b) continue;
      if (a > b) std::swap(a, b);
      const size_t ia = static_cast<size_t>(a), ib = static_cast<size_t>(b);
      const float weight = static_cast<float>(bin) / 8;
      if (weight >
          std::min(inner[ia] + scale / static_cast<float>(size[ia]), inner[ib] + scale / static_cast<float>(size[ib])))
        continue;
      parent[ib] = a;
      size[ia] += size[ib];
      inner[ia] = weight;
    }
  std::vector<int> segment(parent.size());
  for (size_t i = 0; i < parent.size(); ++i) segment[i] = root_of(parent, static_cast<int>(i));
  return segment;
}

int64_t fill_depths(DepthMap& map, const FillOptions& options) {
  const std::vector<int> segment = segment_colors(map, options.scale);
  const size_t columns = static_cast<size_t>(map.camera.width_px);
  std::vector<std::vector<size_t>> members(segment.size());
  for (size_t at = 0; at < segment.size(); ++at) members[static_cast<size_t>(segment[at])].push_back(at);
  const std::vector<uint8_t> inside = insides(segment, map.camera.width_px, map.camera.height_px, options.border_px);
  int64_t filled = 0;
  for (const std::vector<size_t>& pixels : members) {
    if (static_cast<int>(pixels.size()) < options.least_pixels) continue;
    std::vector<size_t> seeds;
    size_t inner = 0;
    for (const size_t at : pixels) {
      inner += inside[at];
      if (inside[at] && map.depth_m[at] > 0 && map.agreeing[at] != filled_in) seeds.push_back(at);
    }
    // Thin segments are all border: nothing can be said about them.
    if (inner * 4 > pixels.size() &&
        static_cast<double>(seeds.size()) < options.bare_share * static_cast<double>(inner))
      for (const size_t at : pixels)
        if (!inside[at]) map.depth_m[at] = 0, map.agreeing[at] = 0;
    if (static_cast<int>(seeds.size()) < options.least_seeds || seeds.size() == inner) continue;
    const PlaneFit fit = fit_plane(map, seeds, options.tolerance_share);
    if (fit.inliers < options.least_inliers) continue;
    const double reach_x = options.reach * (fit.high_x - fit.low_x), reach_y = options.reach * (fit.high_y - fit.low_y);
    for (const size_t at : pixels) {
      const int x = static_cast<int>(at % columns), y = static_cast<int>(at / columns);
      if (map.depth_m[at] > 0 || ((x | y) & 1) != 0) continue;
      if (x < fit.low_x - reach_x || x > fit.high_x + reach_x || y < fit.low_y - reach_y || y > fit.high_y + reach_y)
        continue;
      const double w = glm::dot(fit.plane, Vec3<double>(x, y, 1));
      if (!(w > 0)) continue;
      map.depth_m[at] = static_cast<float>(1 / w);
      map.agreeing[at] = filled_in;
      ++filled;
    }
  }
  return filled;
}

}  // namespace ptl
