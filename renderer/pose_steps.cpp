#include "renderer/pose_steps.h"

#include <algorithm>

#include "renderer/seen_points.h"

namespace ptl {

torch::Tensor pose_units(double median_depth_m) {
  return torch::tensor({median_depth_m, median_depth_m, median_depth_m, 1.0, 1.0, 1.0}, torch::kDouble);
}

namespace {

constexpr int64_t most_points = 32768, fewest_points = 32;
constexpr double damping = 0.1;

/// H and the number of points that it is the mean over.
std::pair<torch::Tensor, int64_t> picture_metric(const SceneModel& model, int64_t image, const torch::Tensor& positions) {
  const CameraParams<double>& camera = model.camera_of(image).given;
  const Pose<double>& pose = model.images[static_cast<size_t>(image)].given_camera_from_world;
  torch::Tensor metric = torch::zeros({6, 6}, torch::kDouble);
  double* const sum = metric.mutable_data_ptr<double>();
  int64_t count = 0;
  for_each_seen_point(camera, pose, positions.const_data_ptr<float>(), positions.size(0), most_points,
                      [&](const Vec3<double>& point, const Projection<double>&) {
                        const Vec3<double> x = pose * point;
                        for (const Vec3<double>& row : project_jacobian(camera, x).point) {
                          // exp(ξ) x = x + v + ω × x to first order, and row · (ω × x) = ω · (x × row).
                          const Vec3<double> turn = glm::cross(x, row);
                          const double j[6] = {row.x, row.y, row.z, turn.x, turn.y, turn.z};
                          for (int a = 0; a < 6; ++a)
                            for (int b = 0; b < 6; ++b) sum[6 * a + b] += j[a] * j[b];
                        }
                        ++count;
                      });
  const double focal_px = focal_length_px(camera);
  const torch::Tensor units = pose_units(model.median_depth_m);
  return {metric * torch::outer(units, units) / (static_cast<double>(std::max<int64_t>(count, 1)) * focal_px * focal_px),
          count};
}

}  // namespace

torch::Tensor pose_from_steps(const SceneModel& model) {
  const torch::NoGradGuard no_gradient;
  const torch::Tensor units = pose_units(model.median_depth_m);
  const torch::Tensor positions = model.points.position.detach().to(torch::kCPU).contiguous();
  std::vector<torch::Tensor> matrices;
  for (int64_t image = 0; image < static_cast<int64_t>(model.images.size()); ++image) {
    matrices.push_back(torch::diag(units));
    if (!model.config.structure.even_pose_steps) continue;
    const auto [metric, count] = picture_metric(model, image, positions);
    if (count < fewest_points) continue;
    const auto [values, vectors] = torch::linalg_eigh(metric + damping * torch::diag(metric.diag()));
    matrices.back() = units.unsqueeze(1) * vectors.matmul(torch::diag(values.rsqrt())).matmul(vectors.t());
  }
  return torch::stack(matrices);
}

}  // namespace ptl
