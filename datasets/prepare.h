// Scene preparation (method section 10): from the cloud as read to the points as they are drawn.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "datasets/scene.h"
#include "kernels/hash.h"

namespace ptl {

/// Points in blocks of 256: block b is [256 b, min(256 b + 256, size)). Blocks follow each other in Morton order; within
/// a block the points stand by falling radius_over_sqrt_u, so that a block's loop can end early.
inline constexpr int prepared_block_size = 256;

/// Sorts each block of `order` (indices of points) by falling radius_over_sqrt_u, by id where that is equal.
template <class Index, class Id>
void sort_blocks(std::vector<Index>& order, const float* radius_over_sqrt_u, const Id* id) {
  for (size_t start = 0; start < order.size(); start += prepared_block_size) {
    const auto begin = order.begin() + static_cast<std::ptrdiff_t>(start);
    std::sort(begin, begin + static_cast<std::ptrdiff_t>(std::min<size_t>(prepared_block_size, order.size() - start)),
              [&](Index a, Index b) {
                if (radius_over_sqrt_u[a] != radius_over_sqrt_u[b]) return radius_over_sqrt_u[a] > radius_over_sqrt_u[b];
                return id[a] < id[b];
              });
  }
}

struct PrepareOptions {
  uint64_t seed = 0;
  int neighbours = 4;               ///< a point's radius is the distance to its k-th nearest neighbour, k = 4
  bool remove_duplicates = true;    ///< points at the same float position: the first one stays
  bool remove_isolated = true;
  /// Isolated: the 5th neighbour is farther than this times the distance to the nearest camera, where the cloud is dense
  /// (ADOP). Where it is sparse the limit grows to isolation_spread times the cloud's own median of that ratio.
  double isolation_limit = 0.02;
  double isolation_spread = 10.0;   ///< chosen on the test scenes: removes what floats, keeps thin regions
  double isolation_share = 0.02;    ///< never more than this share of the points: only the most isolated go
  int densify = 1;                  ///< k: every point and k − 1 jittered copies in its tangent plane
};

struct PreparedPoints {
  std::vector<Vec3<float>> position;            ///< scene coordinates
  std::vector<Vec3<float>> color_srgb;          ///< 0..1, as in photos (not linear)
  std::vector<Vec3<float>> normal;              ///< unit, or empty
  std::vector<uint64_t> id;                     ///< for life: index in the cloud as read; copy j of it: j · cloud size + index
  std::vector<float> radius;                    ///< world radius r: distance to the k-th nearest neighbour
  std::vector<float> radius_over_sqrt_u;        ///< r / sqrt(u), u = footprint_u(seed, id)
  std::vector<Vec3<float>> block_low, block_high;  ///< bounds of each block
  std::vector<std::string> remarks;             ///< what was removed and why, for people
  uint64_t duplicates_removed = 0;
  uint64_t isolated_removed = 0;
  double isolation_limit_used = 0;              ///< of 5th-neighbour distance / distance to the nearest camera
  double median_spacing_ratio = 0;              ///< median of that ratio over the cloud

  size_t size() const { return position.size(); }
  size_t blocks() const { return (position.size() + prepared_block_size - 1) / prepared_block_size; }
};

/// The fixed random number of a point (method section 1), in (0, 1].
inline float footprint_u(uint64_t seed, uint64_t id) { return draw_unit(seed, DrawPurpose::footprint_u, id); }

/// Everything of method section 10, in its order. The result does not depend on the number of threads. Throws InputError
/// when no point is left, or when an option is out of range.
PreparedPoints prepare_points(const Scene& scene, const PrepareOptions& options);

/// Distance of each point to its k-th nearest neighbour (the point itself does not count; 0 for a cloud of one point,
/// the farthest where there are fewer than k others).
std::vector<float> kth_neighbour_distance(const std::vector<Vec3<float>>& points, int k);

/// Uniform in the disc of this radius around a position, across `axis` (any length but 0), from two draws in (0, 1].
Vec3<float> jittered_in_plane(const Vec3<float>& position, const Vec3<float>& axis, float radius, float u, float v);

/// Index of the nearest of `targets` (at least one) for each point.
std::vector<uint32_t> nearest_target(const std::vector<Vec3<float>>& points, const std::vector<Vec3<float>>& targets);

/// Points that lie farther apart than this in the photos are too few for one-pixel points.
inline constexpr double sparse_spacing_px = 4;

/// p, the median spacing of points in the photos, in pixels of the used resolution: the points are projected into up to 16
/// of the training photos; a square cell of a photo (1/24 of its longer side) that holds n > 0 points has the spacing
/// side / sqrt(n); p is the median over the cells, then over the photos. So each covered part of a photo counts alike,
/// however its points are crowded. Throws InputError when no photo shows any point.
double point_spacing_px(const Scene& scene, const std::vector<Vec3<float>>& positions,
                        const std::vector<int>& training_images);

struct LayerChoice {
  int layers = 4;
  double spacing_px = 0;  ///< p of point_spacing_px
  double covered = 0;     ///< share of the coarsest layer's pixels with a point, mean over the photos looked at
  std::string reason;     ///< one sentence for people
};

/// Method section 5: 1 + ceil(log2 p) layers with p of point_spacing_px, or more, until the coarsest layer has points in 95 %
/// of its pixels: holes larger than that show the background. At least 4, at most 8, and no more than a training crop allows
/// (its coarsest layer keeps 2 pixels on a side).
LayerChoice choose_layers(const Scene& scene, const PreparedPoints& points, const std::vector<int>& training_images,
                          int crop_px = 256);

}  // namespace ptl
