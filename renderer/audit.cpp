// The third question of renderer/audit.h: does the gradient point back?
#include "renderer/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "datasets/split.h"
#include "kernels/point_blocks.h"
#include "renderer/crops.h"
#include "renderer/losses.h"
#include "renderer/photo_crop.h"
#include "renderer/pipeline.h"
#include "renderer/seen_points.h"
#include "renderer/structure_steps.h"

namespace ptl {

namespace {

using torch::Tensor;

/// Normally distributed.
double draw_normal(uint64_t seed, uint64_t a, uint64_t b, uint64_t c) {
  const auto draw = [&](uint64_t number) {
    return static_cast<double>(draw_unit(seed, DrawPurpose::synthetic, a, b, c, number));
  };
  return normal_of(draw(0), draw(1));
}

Crop draw_crop(const CameraParams<double>& camera, const AuditOptions& options, uint64_t image_id, int number) {
  const auto share = [&](uint64_t which) {
    return draw_unit(options.seed, DrawPurpose::synthetic, 3, image_id, static_cast<uint64_t>(number), which);
  };
  return crop_at(share(0), share(1), camera.width_px, camera.height_px, options.crop_px);
}

Crop halved(const Crop& crop, int layer) {
  const float share = 1.0f / static_cast<float>(1 << layer);
  return {crop.zoom * share, crop.offset_x_px * share, crop.offset_y_px * share, crop.width_px >> layer,
          crop.height_px >> layer};
}

/// The loss of a crop with structure inputs: by the fitted network, or by the points' colours on all layers.
class AuditLoss {
 public:
  AuditLoss(const SceneModel& model, ImageCache& photos, const AuditOptions& options)
      : model_(model), photos_(photos), options_(options) {
    loss_.w_ssim = 0;
  }

  Tensor operator()(const SceneModel& shown, int64_t image, const RenderView& view, const StructureInputs& inputs,
                    uint64_t draw_number) const {
    TrainingDraw draw{draw_number, model_.images[static_cast<size_t>(image)].id, 0, inputs};
    if (options_.fitted) return compare(render_radiance(shown, view, &draw), image, view);
    const FilledPyramid pyramid = render_pyramid(shown, view, &draw);
    const std::vector<Tensor> layers = split_layers(pyramid.raster.shape, pyramid.filled);
    Tensor sum;
    for (int l = 0; l < pyramid.raster.shape.layers; ++l) {
      RenderView coarse = view;
      coarse.crop = halved(view.crop, l);
      if (coarse.crop.width_px < 4 || coarse.crop.height_px < 4) break;
      const Tensor colors = layers[static_cast<size_t>(l)]
                                .squeeze(0)
                                .narrow(0, 0, 3)
                                .narrow(1, 0, coarse.crop.height_px)
                                .narrow(2, 0, coarse.crop.width_px);
      const Tensor term = compare(colors, image, coarse);
      sum = sum.defined() ? sum + term : term;
    }
    return sum;
  }

 private:
  Tensor compare(const Tensor& radiance, int64_t image, const RenderView& view) const {
    const Tensor picture = apply_tone(model_, radiance, view, image, ToneMode::training);
    const auto [photo, mask] = photo_crop(photos_, image, view.crop);
    return image_loss(loss_, picture.unsqueeze(0), photo.permute({2, 0, 1}).unsqueeze(0).to(picture.device()),
                      mask.to(picture.device()))
        .total;
  }

  const SceneModel& model_;
  ImageCache& photos_;
  const AuditOptions& options_;
  LossConfig loss_;
};

/// Points of the model that an image sees, at most some hundred.
std::vector<Vec3<double>> seen_points(const SceneModel& model, int64_t image) {
  constexpr int64_t most = 20000;
  const Tensor position = model.points.position.detach().to(torch::kCPU).contiguous();
  std::vector<Vec3<double>> points;
  for_each_seen_point(model.camera_of(image).params, model.images[static_cast<size_t>(image)].camera_from_world,
                      position.const_data_ptr<float>(), position.size(0), most,
                      [&](const Vec3<double>& point, const Projection<double>&) { points.push_back(point); });
  return points;
}

/// Mean pixels that points move by for a step of 1 of each tangent component.
std::array<double, 6> pixels_per_step(const SceneModel& model, int64_t image, const std::vector<Vec3<double>>& points) {
  std::array<double, 6> pixels{};
  const CameraParams<double>& camera = model.camera_of(image).params;
  for (const Vec3<double>& point : points) {
    const Vec3<double> x_camera = model.images[static_cast<size_t>(image)].camera_from_world * point;
    const ProjectionJacobian<double> j = project_jacobian(camera, x_camera);
    double tangent[3][6];
    tangent_jacobian(x_camera, tangent);
    for (int k = 0; k < 6; ++k) {
      const Vec3<double> moved(tangent[0][k], tangent[1][k], tangent[2][k]);
      pixels[static_cast<size_t>(k)] +=
          std::hypot(glm::dot(j.point[0], moved), glm::dot(j.point[1], moved)) / static_cast<double>(points.size());
    }
  }
  return pixels;
}

/// The parameters that a picture grows by when all grow by one factor: focal lengths, a polynomial in pixels; none of a panorama.
std::vector<int> focal_parameters(const CameraParams<double>& camera) {
  std::vector<int> result;
  const CameraTable& table = camera_table(camera.model);
  if (camera.model == CameraModel::ocam)
    for (int k = OcamModel::a0; k < table.param_count; ++k) result.push_back(k);
  else if (table.param_count > 0)
    result = {PinholeModel::fx, PinholeModel::fy};  // of all these models the first two
  return result;
}

AuditImage audit_image(const SceneModel& model, const AuditLoss& loss, int64_t image, const AuditOptions& options,
                       const AuditSubject& subject) {
  const ModelImage& entry = model.images[static_cast<size_t>(image)];
  AuditImage result;
  result.name = entry.name;
  const std::vector<Vec3<double>> points = seen_points(model, image);
  if (points.empty()) return result;
  const std::array<double, 6> pixels = pixels_per_step(model, image, points);
  double xi[6];
  for (int k = 0; k < 6; ++k) {
    result.knock[k] =
        options.knock_px / std::sqrt(6.0) * draw_normal(options.seed, 4, entry.id, static_cast<uint64_t>(k));
    xi[k] = result.knock[k] / std::max(1e-12, pixels[static_cast<size_t>(k)]);
  }
  RenderView view = photo_view(model, image);
  const CameraParams<double> camera = view.camera;
  const std::vector<int> focal_params = focal_parameters(camera);
  for (const bool focal : {false, true}) {
    if (focal && focal_params.empty()) continue;
    view.camera = camera;
    view.camera_from_world = entry.camera_from_world;
    if (focal) {
      result.focal_knock = entry.id % 2 ? options.focal_knock : -options.focal_knock;
      for (const int k : focal_params) view.camera.value[k] *= 1 + result.focal_knock;
      update_valid_radius(view.camera);
    } else {
      view.camera_from_world = moved_pose(entry.camera_from_world, xi);
    }
    Tensor sum = torch::zeros({focal ? camera_param_capacity : 6}, torch::kDouble);
    for (int c = 0; c < options.crops; ++c) {
      view.crop = draw_crop(camera, options, entry.id, c);
      StructureInputs inputs;
      Tensor leaf = torch::zeros_like(sum).requires_grad_(true);
      (focal ? inputs.camera : inputs.pose_tangent) = leaf;
      sum += torch::autograd::grad({loss(model, image, view, inputs, static_cast<uint64_t>(c))}, {leaf})[0];
    }
    const double* const g = sum.const_data_ptr<double>();
    if (focal) {
      for (const int k : focal_params) result.focal_gradient += g[k] * camera.value[k] / std::abs(camera.value[focal_params.front()]);
      continue;
    }
    const Tensor audited = subject.pose_gradient(sum).contiguous();
    double dot = 0, size_a = 0, size_b = 0;
    for (int k = 0; k < 6; ++k) {
      result.gradient[k] = audited.const_data_ptr<double>()[k] / std::max(1e-12, pixels[static_cast<size_t>(k)]);
      dot += result.gradient[k] * result.knock[k];
      size_a += result.gradient[k] * result.gradient[k];
      size_b += result.knock[k] * result.knock[k];
    }
    result.cosine = size_a > 0 && size_b > 0 ? dot / std::sqrt(size_a * size_b) : 0;
  }
  return result;
}

/// A twentieth of the points moved across the ray of one image; whose gradients point back?
void audit_points(const SceneModel& model, const AuditLoss& loss, int64_t image, const AuditOptions& options,
                  std::vector<double>& cosines) {
  SceneModel moved = model;
  moved.points.position = model.points.position.clone();
  moved.points.block_bounds = model.points.block_bounds.clone();
  const Pose<double>& pose = model.images[static_cast<size_t>(image)].camera_from_world;
  const CameraParams<double>& camera = model.camera_of(image).params;
  float* const position = moved.points.position.mutable_data_ptr<float>();
  const int64_t count = moved.points.size();
  std::vector<Vec3<float>> shift(static_cast<size_t>(count), Vec3<float>(0));
  for (int64_t i = 0; i < count; ++i) {
    if (draw_bits(options.seed, DrawPurpose::synthetic, 5, static_cast<uint64_t>(image), static_cast<uint64_t>(i)) % 20)
      continue;
    Vec3<double> p(position[3 * i], position[3 * i + 1], position[3 * i + 2]);
    const Vec3<double> x_camera = pose * p;
    if (!project(camera, x_camera).valid) continue;
    const double angle = 6.283185307179586 * static_cast<double>(draw_unit(options.seed, DrawPurpose::synthetic, 6,
                                                                           static_cast<uint64_t>(i)));
    const bool pinhole = camera.model == CameraModel::pinhole;
    const Vec3<double> ray = glm::normalize(x_camera);
    const Vec3<double> right = pinhole ? Vec3<double>(1, 0, 0)
                                       : glm::normalize(glm::cross(std::abs(ray.y) < 0.9 ? Vec3<double>(0, 1, 0) : Vec3<double>(1, 0, 0), ray));
    const Vec3<double> down = pinhole ? Vec3<double>(0, 1, 0) : glm::cross(ray, right);
    const double length = options.knock_px * project(camera, x_camera).depth_m / focal_length_px(camera);
    const Vec3<double> by = glm::transpose(pose.rotation) * (length * (std::cos(angle) * right + std::sin(angle) * down));
    shift[static_cast<size_t>(i)] = Vec3<float>(by);
    for (int axis = 0; axis < 3; ++axis) position[3 * i + axis] += static_cast<float>(by[axis]);
  }
  compute_block_bounds(Device{}, position, count, moved.points.block_bounds.mutable_data_ptr<float>());
  std::vector<Vec3<float>> sum(static_cast<size_t>(count), Vec3<float>(0));
  RenderView view = photo_view(model, image);
  for (int c = 0; c < 4 * options.crops; ++c) {  // a point is a ghost in one draw of four
    view.crop = draw_crop(camera, options, model.images[static_cast<size_t>(image)].id, c / 4);
    StructureInputs inputs;
    inputs.position = moved.points.position.detach().requires_grad_(true);
    const Tensor gradient =
        torch::autograd::grad({loss(moved, image, view, inputs, 100 + static_cast<uint64_t>(c))}, {inputs.position})[0];
    const Tensor rows = gradient._indices().select(0, 0).contiguous(), values = gradient._values().contiguous();
    for (int64_t k = 0; k < rows.size(0); ++k) {
      const float* g = values.const_data_ptr<float>() + 3 * k;
      sum[static_cast<size_t>(rows.const_data_ptr<int64_t>()[k])] += Vec3<float>(g[0], g[1], g[2]);
    }
  }
  for (size_t i = 0; i < sum.size(); ++i) {
    const float a = glm::length(sum[i]), b = glm::length(shift[i]);
    if (a > 0 && b > 0) cosines.push_back(static_cast<double>(glm::dot(sum[i], shift[i]) / (a * b)));
  }
}

double share(const std::vector<AuditImage>& images, const std::function<bool(const AuditImage&)>& holds) {
  if (images.empty()) return 0;
  return static_cast<double>(std::count_if(images.begin(), images.end(), holds)) / static_cast<double>(images.size());
}

}  // namespace

double AuditResult::mean_cosine() const {
  double sum = 0;
  for (const AuditImage& image : images) sum += image.cosine;
  return images.empty() ? 0 : sum / static_cast<double>(images.size());
}
double AuditResult::share_pointing_back() const {
  return share(images, [](const AuditImage& image) { return image.cosine > 0; });
}
double AuditResult::share_of_axis(int axis) const {
  return share(images, [&](const AuditImage& image) { return image.knock[axis] * image.gradient[axis] > 0; });
}
double AuditResult::share_of_focal() const {
  return share(images, [](const AuditImage& image) { return image.focal_knock == 0 || image.focal_knock * image.focal_gradient > 0; });
}

AuditResult audit(const SceneModel& model, ImageCache& photos, const AuditOptions& options, const AuditSubject& subject,
                  const std::function<void(const char* step, int done, int total)>& progress) {
  const auto tell = [&](const char* step, int done, int total) {
    if (progress) progress(step, done, total);
  };
  AuditResult result;
  for (const ModelCamera& camera : model.cameras) result.cameras.push_back(audit_camera(camera, subject));
  tell("the definition, with points moved", 0, 1);
  result.definition = audit_definition(model, options, subject);
  const AuditLoss loss(model, photos, options);
  const std::vector<int64_t> images = spread_evenly(model.training_images(), static_cast<size_t>(options.images));
  for (size_t i = 0; i < images.size(); ++i) {
    tell("poses and focal lengths, knocked", static_cast<int>(i), static_cast<int>(images.size()));
    result.images.push_back(audit_image(model, loss, images[i], options, subject));
  }
  const std::vector<int64_t> for_points = spread_evenly(images, 4);
  std::vector<double> cosines;
  for (size_t i = 0; i < for_points.size(); ++i) {
    tell("points, knocked", static_cast<int>(i), static_cast<int>(for_points.size()));
    audit_points(model, loss, for_points[i], options, cosines);
  }
  result.points.compared = static_cast<int64_t>(cosines.size());
  if (!cosines.empty()) {
    result.points.share =
        static_cast<double>(std::count_if(cosines.begin(), cosines.end(), [](double c) { return c > 0; })) /
        static_cast<double>(cosines.size());
    std::nth_element(cosines.begin(), cosines.begin() + static_cast<std::ptrdiff_t>(cosines.size() / 2), cosines.end());
    result.points.median_cosine = cosines[cosines.size() / 2];
  }

  constexpr double most_jacobian_error = 1e-5, most_definition_error = 1e-3, least_share = 0.75;
  for (const AuditCamera& camera : result.cameras)
    if (camera.worst > most_jacobian_error)
      result.problems.push_back(fmt::format("camera {}: the derivative of {} differs from finite differences by {:.2g}",
                                            camera.id, camera.worst_entry, camera.worst));
  if (result.definition.worst > most_definition_error)
    result.problems.push_back(fmt::format("the structure gradient differs from its definition by {:.2g} of its size",
                                          result.definition.worst));
  if (result.definition.not_zero == 0)
    result.problems.push_back("no point with a structure gradient was found in the photo that was looked at");
  if (result.share_pointing_back() < least_share) {
    const std::string few = fmt::format("only {:.0f} % of the knocked poses have a gradient that points back",
                                        100 * result.share_pointing_back());
    if (options.fitted || result.mean_cosine() < 0)
      result.problems.push_back(few);
    else
      result.doubts.push_back(few + "; the scene has not been fitted, so that the points' colours were compared with "
                                    "the photos, and few points or exposures that differ can hide the answer: fit it "
                                    "and audit the run");
  }
  return result;
}

}  // namespace ptl
