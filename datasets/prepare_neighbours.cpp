// Nearest neighbours by nanoflann. Each query writes its own element, so the result does not depend on the threads.
#define NANOFLANN_NO_THREADS  // the process has one threading runtime, OpenMP
#include <nanoflann.hpp>

#include <algorithm>
#include <cmath>

#include "datasets/prepare.h"

namespace ptl {

namespace {

struct PointsAdaptor {
  const std::vector<Vec3<float>>& points;
  size_t kdtree_get_point_count() const { return points.size(); }
  float kdtree_get_pt(size_t index, size_t axis) const { return points[index][static_cast<int>(axis)]; }
  template <class Box>
  bool kdtree_get_bbox(Box&) const {
    return false;
  }
};

using Tree = nanoflann::KDTreeSingleIndexAdaptor<nanoflann::L2_Simple_Adaptor<float, PointsAdaptor>, PointsAdaptor, 3,
                                                 uint32_t>;

}  // namespace

std::vector<float> kth_neighbour_distance(const std::vector<Vec3<float>>& points, int k) {
  std::vector<float> distance(points.size(), 0.0f);
  const size_t wanted = std::min(static_cast<size_t>(k) + 1, points.size());  // the point itself is found as well
  if (wanted < 2) return distance;
  const PointsAdaptor adaptor{points};
  const Tree tree(3, adaptor, nanoflann::KDTreeSingleIndexAdaptorParams(16));
  const auto count = static_cast<int64_t>(points.size());
#pragma omp parallel
  {
    std::vector<uint32_t> indices(wanted);
    std::vector<float> squared(wanted);
#pragma omp for schedule(dynamic, 4096)
    for (int64_t i = 0; i < count; ++i) {
      const size_t found = tree.knnSearch(&points[static_cast<size_t>(i)].x, wanted, indices.data(), squared.data());
      distance[static_cast<size_t>(i)] = std::sqrt(squared[found - 1]);
    }
  }
  return distance;
}

std::vector<uint32_t> nearest_target(const std::vector<Vec3<float>>& points, const std::vector<Vec3<float>>& targets) {
  std::vector<uint32_t> nearest(points.size(), 0);
  const PointsAdaptor adaptor{targets};
  const Tree tree(3, adaptor, nanoflann::KDTreeSingleIndexAdaptorParams(8));
  const auto count = static_cast<int64_t>(points.size());
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < count; ++i) {
    float squared = 0;
    tree.knnSearch(&points[static_cast<size_t>(i)].x, 1, &nearest[static_cast<size_t>(i)], &squared);
  }
  return nearest;
}

}  // namespace ptl
