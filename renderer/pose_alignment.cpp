#include "renderer/pose_alignment.h"

#include <torch/torch.h>

#include <cmath>

namespace ptl {

namespace {

/// The rotation nearest to a matrix in the Frobenius norm.
Mat3<double> nearest_rotation(const Mat3<double>& m) {
  torch::Tensor matrix = torch::empty({3, 3}, torch::kDouble);
  for (int row = 0; row < 3; ++row)
    for (int column = 0; column < 3; ++column) matrix.mutable_data_ptr<double>()[3 * row + column] = m[column][row];
  const auto [u, s, vh] = torch::linalg_svd(matrix);
  torch::Tensor signs = torch::ones({3}, torch::kDouble);
  signs[2] = torch::linalg_det(torch::matmul(u, vh)).item<double>() < 0 ? -1.0 : 1.0;
  const torch::Tensor nearest = torch::matmul(u * signs, vh).contiguous();
  Mat3<double> result;
  for (int row = 0; row < 3; ++row)
    for (int column = 0; column < 3; ++column) result[column][row] = nearest.const_data_ptr<double>()[3 * row + column];
  return result;
}

}  // namespace

Similarity align_poses(const std::vector<Pose<double>>& from, const std::vector<Pose<double>>& to) {
  TORCH_CHECK(!from.empty() && from.size() == to.size(), "align_poses: expected as many poses on both sides, found ",
              from.size(), " and ", to.size());
  const double share = 1.0 / static_cast<double>(from.size());
  Mat3<double> sum(0.0);
  Vec3<double> from_centre(0), to_centre(0);
  for (size_t i = 0; i < from.size(); ++i) {
    sum += glm::transpose(to[i].rotation) * from[i].rotation;
    from_centre += share * camera_centre(from[i]);
    to_centre += share * camera_centre(to[i]);
  }
  Similarity result;
  result.rotation = nearest_rotation(sum);
  double both = 0, spread = 0;
  for (size_t i = 0; i < from.size(); ++i) {
    const Vec3<double> a = result.rotation * (camera_centre(from[i]) - from_centre),
                       b = camera_centre(to[i]) - to_centre;
    both += glm::dot(a, b);
    spread += glm::dot(a, a);
  }
  if (spread > 0 && both > 0) result.scale = both / spread;
  result.translation = to_centre - result.scale * (result.rotation * from_centre);
  return result;
}

Pose<double> mapped(const Similarity& similarity, const Pose<double>& camera_from_world) {
  const Mat3<double> rotation = camera_from_world.rotation * glm::transpose(similarity.rotation);
  const Vec3<double> centre =
      similarity.scale * (similarity.rotation * camera_centre(camera_from_world)) + similarity.translation;
  return {rotation, -(rotation * centre)};
}

}  // namespace ptl
