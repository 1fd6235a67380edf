// The first two questions of renderer/audit.h: derivatives and definition.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "renderer/audit.h"
#include "renderer/pipeline.h"
#include "renderer/rasterize.h"
#include "renderer/structure_gradient.h"

namespace ptl {

AuditCamera audit_camera(const ModelCamera& camera, const AuditSubject& subject) {
  const CameraParams<double>& params = camera.params;
  const CameraTable& table = camera_table(params.model);
  AuditCamera result;
  result.id = camera.id;
  const auto compare = [&](double analytic, double plus, double minus, double step, const std::string& entry) {
    const double expected = (plus - minus) / (2 * step);
    const double error = std::abs(analytic - expected) / (1 + std::abs(expected));
    if (error > result.worst || !(error == error)) {
      result.worst = error == error ? error : 1e30;
      result.worst_entry = entry;
    }
  };
  constexpr int grid = 16;
  for (int i = -1; i <= grid + 1; ++i)
    for (int j = -1; j <= grid + 1; ++j) {
      Vec3<double> ray;
      if (!unproject_ray(params, static_cast<double>(i) / grid * params.width_px,
                         static_cast<double>(j) / grid * params.height_px, ray))
        continue;
      const Vec3<double> point = ray * 3.0;
      if (!project(params, point).valid) continue;
      ++result.compared;
      const ProjectionJacobian<double> jacobian = subject.jacobian(params, point);
      const double step = 1e-6;
      for (int axis = 0; axis < 3; ++axis) {
        Vec3<double> plus = point, minus = point;
        plus[axis] += step;
        minus[axis] -= step;
        const auto a = project(params, plus), b = project(params, minus);
        compare(jacobian.point[0][axis], a.x_px, b.x_px, step, fmt::format("x by the point's {}", "xyz"[axis]));
        compare(jacobian.point[1][axis], a.y_px, b.y_px, step, fmt::format("y by the point's {}", "xyz"[axis]));
      }
      for (int k = 0; k < table.param_count; ++k) {
        CameraParams<double> plus = params, minus = params;
        plus.value[k] += step;
        minus.value[k] -= step;
        const auto a = project(plus, point), b = project(minus, point);
        compare(jacobian.params[0][k], a.x_px, b.x_px, step, fmt::format("x by {}", table.params[k].name));
        compare(jacobian.params[1][k], a.y_px, b.y_px, step, fmt::format("y by {}", table.params[k].name));
      }
    }
  return result;
}

namespace {

/// An image rasterised with ghosts, its holes filled, and a loss that is linear in what it displays.
struct Rendered {
  RenderView view;
  TrainingDraw draw;
  FilledPyramid pyramid;
  torch::Tensor weights;  ///< [P, C]: the loss is their sum over what is displayed
};

int64_t first_channels(const SceneModel& model) {
  return model.config.raster.channels;
}

/// The loss of one pixel.
double pixel_loss(const SceneModel& model, const Rendered& rendered, const torch::Tensor& displayed, int64_t pixel) {
  return (displayed[pixel].narrow(0, 0, first_channels(model)).to(torch::kDouble) * rendered.weights[pixel])
      .sum()
      .item<double>();
}

/// `model` without holes that show coarser layers: a layer is changed alone then.
SceneModel with_plain_holes(SceneModel model) {
  model.config.raster.holes = HoleFill::background;
  return model;
}

}  // namespace

AuditDefinition audit_definition(const SceneModel& given, const AuditOptions& options, const AuditSubject& subject) {
  const torch::NoGradGuard no_gradient;
  SceneModel model = with_plain_holes(given);
  model.points.position = given.points.position.clone();
  model.points.id = given.points.id.clone();
  model.points.block_bounds = given.points.block_bounds.clone();
  AuditDefinition result;
  const std::vector<int64_t> training = model.training_images();
  if (training.empty() || !model.points.position.is_cpu()) return result;
  const int64_t image = training[training.size() / 2];
  Rendered rendered;
  rendered.view = photo_view(model, image);
  rendered.view.crop.width_px = std::min(options.crop_px, rendered.view.camera.width_px);
  rendered.view.crop.height_px = std::min(options.crop_px, rendered.view.camera.height_px);
  rendered.view.crop.offset_x_px =
      static_cast<float>((rendered.view.camera.width_px - rendered.view.crop.width_px) / 2);
  rendered.view.crop.offset_y_px =
      static_cast<float>((rendered.view.camera.height_px - rendered.view.crop.height_px) / 2);
  rendered.draw = {options.seed, model.images[static_cast<size_t>(image)].id, 0, {}};
  rendered.pyramid = render_pyramid(model, rendered.view, &rendered.draw);
  const Pyramid& raster = rendered.pyramid.raster;
  const torch::Tensor displayed = rendered.pyramid.filled.contiguous();
  const int64_t channels = first_channels(model), pixels = displayed.size(0);
  torch::Tensor weights = torch::empty({pixels, channels});
  for (int64_t i = 0; i < weights.numel(); ++i)
    weights.mutable_data_ptr<float>()[i] =
        draw_unit(options.seed, DrawPurpose::synthetic, 1, static_cast<uint64_t>(i)) - 0.5f;
  rendered.weights = weights.to(torch::kDouble);

  StructureImage input = structure_image(raster.shape, displayed, model.descriptors, raster.weight, raster.min_depth_m,
                                         raster.projected, model.config.raster.depth_tolerance);
  input.grad_displayed = weights.const_data_ptr<float>();
  const float tolerance = input.depth_tolerance;

  // An id that is not left out by this draw, so that the moved point is drawn.
  const uint64_t prefix = draw_prefix(static_cast<uint64_t>(model.config.seed), DrawPurpose::dropout,
                                      rendered.draw.step, rendered.draw.image_id, 0);
  int64_t drawn_id = int64_t{1} << 40;
  while (static_cast<double>(mix64(prefix ^ static_cast<uint64_t>(drawn_id)) >> 40) <
         model.config.raster.dropout * 16777216.0)
    ++drawn_id;

  const Pose<double>& pose = rendered.view.camera_from_world;
  double largest = 0;
  std::vector<double> differences;
  for (int64_t i = 0; i < input.count && result.compared < options.moved_points;
       i += 1 + input.count / (40 * options.moved_points)) {
    const ProjectedPoint p = input.projected[i];
    const PixelGradient found = subject.pixel_gradient(input, {}, i);
    if (!p.ghost) continue;
    float* const position = model.points.position.mutable_data_ptr<float>() + 3 * p.point;
    int64_t& id = model.points.id.mutable_data_ptr<int64_t>()[p.point];
    const Vec3<float> kept(position[0], position[1], position[2]);
    const int64_t kept_id = id;
    id = drawn_id;
    double expected[2] = {0, 0};
    int terms = 0;
    bool evicting = false, lost = false;
    for (int l = 0; l < p.layers && !lost; ++l) {
      const int x = p.x_px >> l, y = p.y_px >> l, width = raster.shape.width(l), height = raster.shape.height(l);
      const auto number = [&](int px, int py) { return raster.shape.first(l) + static_cast<int64_t>(py) * width + px; };
      if (x < 2 || y < 2 || x >= width - 2 || y >= height - 2) continue;
      if (p.depth_m > (1 + tolerance) * input.min_depth_m[number(x, y)]) continue;
      ++terms;
      const auto change = [&](int dx, int dy) {
        const float nearest = input.min_depth_m[number(x + dx, y + dy)];
        evicting |= p.depth_m < nearest && (1 + tolerance) * p.depth_m >= nearest;
        // To the middle of the pixel beside its own on this layer, at the same depth.
        const double size = static_cast<double>(1 << l);
        const Vec2<double> photo =
            undo_crop(rendered.view.crop, Vec2<double>((x + dx + 0.5) * size, (y + dy + 0.5) * size));
        Vec3<double> ray;
        if (!unproject_ray(rendered.view.camera, photo.x, photo.y, ray)) {
          lost = true;
          return 0.0;
        }
        const Vec3<double> moved = inverse(pose) * (ray * static_cast<double>(p.depth_m));
        for (int axis = 0; axis < 3; ++axis) position[axis] = static_cast<float>(moved[axis]);
        float* const bounds = model.points.block_bounds.mutable_data_ptr<float>() + 6 * (p.point / points_per_block);
        float kept_bounds[6];
        std::copy_n(bounds, 6, kept_bounds);
        for (int axis = 0; axis < 3; ++axis) {
          bounds[axis] = std::min(bounds[axis], position[axis]);
          bounds[3 + axis] = std::max(bounds[3 + axis], position[axis]);
        }
        const torch::Tensor shown = render_pyramid(model, rendered.view, &rendered.draw).filled;
        std::copy_n(kept_bounds, 6, bounds);
        const int64_t pixel = number(x + dx, y + dy);
        return pixel_loss(model, rendered, shown, pixel) - pixel_loss(model, rendered, displayed, pixel);
      };
      const double scale = 0.5 / static_cast<double>(channels) / (1 << l);
      const double right = change(1, 0), left = change(-1, 0), below = change(0, 1), above = change(0, -1);
      expected[0] += scale * (right - left);
      expected[1] += scale * (below - above);
    }
    for (int axis = 0; axis < 3; ++axis) position[axis] = kept[axis];
    id = kept_id;
    if (lost || terms == 0) continue;
    if (evicting) {
      ++result.evicting;
      continue;
    }
    ++result.compared;
    result.not_zero += expected[0] != 0 || expected[1] != 0;
    largest = std::max({largest, std::abs(expected[0]), std::abs(expected[1])});
    differences.push_back(std::max(std::abs(expected[0] - static_cast<double>(found.x)),
                                   std::abs(expected[1] - static_cast<double>(found.y))));
  }
  if (!differences.empty() && largest > 0)
    result.worst = *std::max_element(differences.begin(), differences.end()) / largest;
  return result;
}

}  // namespace ptl
