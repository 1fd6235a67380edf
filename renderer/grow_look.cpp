#include "renderer/grow_look.h"

#include <algorithm>
#include <cmath>

#include "datasets/prepare.h"
#include "kernels/blend.h"
#include "kernels/tone.h"
#include "renderer/evaluate.h"
#include "renderer/pipeline.h"

namespace ptl {

namespace {

constexpr int smoothing_px = 2;      // errors of single pixels are noise: mean over 5 × 5
constexpr auto display_gamma = static_cast<float>(initial_response_gamma);
constexpr int solid_layers = 2;

/// The mean over a square, as far as it lies within the image.
std::vector<float> box_mean(const std::vector<float>& values, int width, int height, int reach) {
  std::vector<float> rows(values.size()), result(values.size());
  const auto pass = [](const float* in, float* out, int n, int stride, int reach_px) {
    for (int i = 0; i < n; ++i) {
      const int begin = std::max(0, i - reach_px), end = std::min(n, i + reach_px + 1);
      float sum = 0;
      for (int j = begin; j < end; ++j) sum += in[static_cast<std::ptrdiff_t>(j) * stride];
      out[static_cast<std::ptrdiff_t>(i) * stride] = sum / static_cast<float>(end - begin);
    }
  };
  for (int y = 0; y < height; ++y)
    pass(values.data() + static_cast<std::ptrdiff_t>(y) * width, rows.data() + static_cast<std::ptrdiff_t>(y) * width, width,
         1, reach);
  for (int x = 0; x < width; ++x) pass(rows.data() + x, result.data() + x, height, width, reach);
  return result;
}

/// Depth of the finest layer that knows one, and whether that is one of the finest.
void find_depths(const Pyramid& raster, WrongView& view) {
  const torch::Tensor depths = raster.min_depth_m.to(torch::kCPU);
  const float* depth = depths.const_data_ptr<float>();
  for (int y = 0; y < view.crop.height_px; ++y)
    for (int x = 0; x < view.crop.width_px; ++x) {
      WrongPixel& pixel = view.pixels[view.index(x, y)];
      for (int l = 0; l < raster.shape.layers && !std::isfinite(pixel.depth_m); ++l) {
        pixel.depth_m = depth[raster.shape.first(l) + static_cast<int64_t>(y >> l) * raster.shape.width(l) + (x >> l)];
        pixel.solid = l < solid_layers;
      }
    }
}

/// A photo as a view shows it, and where it counts.
struct Target {
  std::vector<float> photo, mask;  ///< [height, width, 3] and [height, width]
};

Target target_of(const WrongView& view, int64_t image, ImageCache& photos) {
  Target target{std::vector<float>(3 * view.pixels.size()), std::vector<float>(view.pixels.size())};
  photos.sample_crop(static_cast<int>(image), view.crop, target.photo.data(), target.mask.data());
  return target;
}

/// Smoothed mean absolute differences of a rendering [height, width, 3].
std::vector<float> smoothed_errors(const torch::Tensor& rendering, const Target& target, const Crop& crop) {
  std::vector<float> error(target.mask.size());
  const float* shown = rendering.const_data_ptr<float>();
  for (size_t i = 0; i < error.size(); ++i) {
    float sum = 0;
    for (size_t c = 0; c < 3; ++c) sum += std::abs(shown[3 * i + c] - target.photo[3 * i + c]);
    error[i] = sum / 3 * target.mask[i];
  }
  return box_mean(error, crop.width_px, crop.height_px, smoothing_px);
}

/// Factors that undo exposure and white balance of encoded colours.
Vec3<float> neutral_factor(const PhotometricSetting& setting) {
  const float brighten = std::exp2(static_cast<float>(setting.exposure_ev) / display_gamma);
  const auto undo = [&](double gain) { return brighten / std::pow(static_cast<float>(gain), 1 / display_gamma); };
  return {undo(setting.white_balance[0]), brighten, undo(setting.white_balance[1])};
}

/// Adds a view to the sums by point.
void add_points(const SceneModel& model, const Pyramid& raster, const WrongView& view, const std::vector<float>& radius,
                GrowLook& look) {
  const torch::Tensor bytes = raster.projected.to(torch::kCPU), depths = raster.min_depth_m.to(torch::kCPU);
  const auto* projected = reinterpret_cast<const ProjectedPoint*>(bytes.const_data_ptr<uint8_t>());
  const float* min_depth_m = depths.const_data_ptr<float>();
  const auto tolerance = static_cast<float>(model.config.raster.depth_tolerance);
  const auto focal_px = static_cast<float>(focal_length_px(view.camera));
  for (int64_t i = 0; i < bytes.size(0); ++i) {
    const ProjectedPoint& p = projected[i];
    if (p.x_px >= view.crop.width_px || p.y_px >= view.crop.height_px) continue;
    if (!contributes(p, min_depth_m[static_cast<int64_t>(p.y_px) * raster.shape.width_px + p.x_px], tolerance)) continue;
    const size_t pixel = view.index(p.x_px, p.y_px);
    look.drawn.back().push_back({p.point, static_cast<uint32_t>(pixel)});
    look.point_error[p.point] += view.pixels[pixel].error;
    look.point_footprint_px[p.point] =
        std::max(look.point_footprint_px[p.point], focal_px * radius[p.point] / p.depth_m);
    ++look.point_views[p.point];
  }
}

}  // namespace

std::vector<float> point_radii(const SceneModel& model) {
  const torch::Tensor over = model.points.radius_over_sqrt_u.to(torch::kCPU), ids = model.points.id.to(torch::kCPU);
  const float* over_sqrt_u = over.const_data_ptr<float>();
  const int64_t* id = ids.const_data_ptr<int64_t>();
  const auto seed = static_cast<uint64_t>(model.config.seed);
  std::vector<float> radius(static_cast<size_t>(model.points.size()));
  for (size_t i = 0; i < radius.size(); ++i)
    radius[i] = over_sqrt_u[i] * std::sqrt(footprint_u(seed, static_cast<uint64_t>(id[i])));
  return radius;
}

std::vector<float> errors_of(const SceneModel& model, ImageCache& photos, const GrowLook& look, size_t view) {
  const torch::NoGradGuard no_gradient;
  const WrongView& seen = look.views[view];
  const int64_t image = look.images[view];
  const RenderView render{seen.camera, seen.camera_from_world, seen.crop};
  return smoothed_errors(develop(model, render_radiance(model, render), image, render,
                                 photometric_setting(model, image, ExposureProtocol::exif)),
                         target_of(seen, image, photos), seen.crop);
}

torch::Tensor shown_descriptors(const SceneModel& model, const WrongView& view) {
  const torch::NoGradGuard no_gradient;
  const FilledPyramid pyramid = render_pyramid(model, {view.camera, view.camera_from_world, view.crop}, nullptr);
  const PyramidShape& shape = pyramid.raster.shape;
  return pyramid.filled.narrow(0, 0, static_cast<int64_t>(shape.width_px) * shape.height_px)
      .view({shape.height_px, shape.width_px, -1})
      .narrow(0, 0, view.crop.height_px)
      .narrow(1, 0, view.crop.width_px)
      .narrow(2, 0, model.config.raster.channels)
      .to(torch::kCPU)
      .contiguous()
      .view({static_cast<int64_t>(view.pixels.size()), -1});
}

GrowLook look_at(const SceneModel& model, ImageCache& photos, const std::vector<int64_t>& images, int side_px) {
  const torch::NoGradGuard no_gradient;
  GrowLook look;
  look.images = images;
  const std::vector<float> radius = point_radii(model);
  look.point_error.assign(radius.size(), 0.0f);
  look.point_footprint_px.assign(radius.size(), 0.0f);
  look.point_views.assign(radius.size(), 0);
  for (const int64_t image : images) {
    RenderView view = photo_view(model, image);
    Crop& crop = view.crop;
    crop.zoom = std::min(1.0f, static_cast<float>(side_px) / static_cast<float>(std::max(crop.width_px, crop.height_px)));
    for (int32_t* side : {&crop.width_px, &crop.height_px})
      *side = std::max(1, static_cast<int32_t>(static_cast<float>(*side) * crop.zoom));
    WrongView wrong{view.camera, view.camera_from_world, crop, {}};
    wrong.pixels.resize(static_cast<size_t>(crop.width_px) * static_cast<size_t>(crop.height_px));
    const FilledPyramid pyramid = render_pyramid(model, view, nullptr);
    const PhotometricSetting setting = photometric_setting(model, image, ExposureProtocol::exif);
    const Target target = target_of(wrong, image, photos);
    const std::vector<float> error =
        smoothed_errors(develop(model, radiance_of(model, pyramid, view), image, view, setting), target, crop);
    const Vec3<float> neutral = neutral_factor(setting);
    for (size_t i = 0; i < error.size(); ++i) {
      wrong.pixels[i].error = error[i];
      wrong.pixels[i].color = neutral * Vec3<float>(target.photo[3 * i], target.photo[3 * i + 1], target.photo[3 * i + 2]);
    }
    find_depths(pyramid.raster, wrong);
    look.drawn.emplace_back();
    add_points(model, pyramid.raster, wrong, radius, look);
    look.views.push_back(std::move(wrong));
  }
  return look;
}

}  // namespace ptl
