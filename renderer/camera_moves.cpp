#include "renderer/camera_moves.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "datasets/shutter.h"
#include "renderer/evaluate.h"
#include "renderer/image_tensor.h"
#include "renderer/metrics.h"
#include "renderer/photo_crop.h"
#include "renderer/pipeline.h"
#include "renderer/seen_points.h"

namespace ptl {

namespace {

double mean_px(const SceneModel& model, int64_t image, const float* position, int64_t count) {
  constexpr int64_t most_points = 20000;
  const ModelImage& entry = model.images[static_cast<size_t>(image)];
  const ModelCamera& camera = model.camera_of(image);
  double sum = 0;
  int64_t seen = 0;
  for_each_seen_point(camera.given, entry.given_camera_from_world, position, count, most_points,
                      [&](const Vec3<double>& point, const Projection<double>& a) {
                        const auto b = project(camera.params, entry.camera_from_world * point);
                        if (!b.valid) return;
                        sum += std::hypot(a.x_px - b.x_px, a.y_px - b.y_px);
                        ++seen;
                      });
  return seen ? sum / static_cast<double>(seen) : 0;
}

}  // namespace

std::vector<CameraMove> camera_moves(const SceneModel& model) {
  const torch::Tensor positions = model.points.position.detach().to(torch::kCPU).contiguous();
  std::vector<CameraMove> moves;
  bool moved = false;
  for (const int64_t image : model.training_images()) {
    const ModelImage& entry = model.images[static_cast<size_t>(image)];
    CameraMove move;
    move.image = image;
    move.mean_px = mean_px(model, image, positions.const_data_ptr<float>(), positions.size(0));
    move.distance_m =
        glm::distance(camera_centre(entry.camera_from_world), camera_centre(entry.given_camera_from_world));
    move.degrees =
        rotation_angle(entry.camera_from_world.rotation * glm::transpose(entry.given_camera_from_world.rotation)) *
        180 / std::numbers::pi;
    const CameraParams<double>& camera = model.camera_of(image).params;
    move.readout_px = mean_motion_px(camera, model.median_depth_m, entry.readout_motion);
    move.exposure_px = mean_motion_px(camera, model.median_depth_m, entry.exposure_motion);
    moved |= move.mean_px > 0 || move.readout_px > 0 || move.exposure_px > 0;
    moves.push_back(move);
  }
  return moved ? moves : std::vector<CameraMove>{};
}

std::vector<double> pose_gains_db(const SceneModel& model, ImageCache& photos, const std::vector<int64_t>& images,
                                  int side_px) {
  const torch::NoGradGuard no_gradient;
  std::vector<double> gains;
  for (const int64_t image : images) {
    const ModelImage& entry = model.images[static_cast<size_t>(image)];
    const ModelCamera& camera = model.camera_of(image);
    const PhotometricSetting setting = photometric_setting(model, image, ExposureProtocol::exif);
    const auto psnr = [&](RenderView view) {
      const CameraParams<double>& params = view.camera;
      const double zoom = std::min(1.0, static_cast<double>(side_px) / std::max(params.width_px, params.height_px));
      view.crop.zoom = static_cast<float>(zoom);
      view.crop.width_px = std::max(1, static_cast<int>(params.width_px * zoom));
      view.crop.height_px = std::max(1, static_cast<int>(params.height_px * zoom));
      const auto [photo, mask] = photo_crop(photos, image, view.crop);
      return psnr_db(develop(model, render_radiance(model, view), image, view, setting), photo, BorderProtocol::full,
                     mask);
    };
    gains.push_back(psnr(photo_view(model, image)) -
                    psnr({camera.given, entry.given_camera_from_world, whole_photo(camera.given)}));
  }
  return gains;
}

std::vector<ReportChart> camera_charts(const SceneModel& model, const std::vector<CameraMove>& moves) {
  ReportChart pixels{"How far cameras moved",
                     "photo (in capture order)",
                     "pixels of its mean point",
                     {{"training", {}, {}}},
                     false,
                     true,
                     false};
  ReportChart motions{"How far points moved while photos were taken",
                      "photo (in capture order)",
                      "pixels",
                      {{"rows read out", {}, {}}, {"exposure", {}, {}}},
                      false,
                      true,
                      false};
  ReportChart above{"Cameras from above",
                    "scene units",
                    "scene units",
                    {{"as given", {}, {}}, {"as fitted", {}, {}}},
                    false,
                    true,
                    false};
  Vec3<double> down(0);
  for (const ModelImage& image : model.images)
    down += glm::transpose(image.given_camera_from_world.rotation) * Vec3<double>(0, 1, 0);
  down = glm::length(down) > 0 ? glm::normalize(down) : Vec3<double>(0, 1, 0);
  const Vec3<double> right =
      glm::normalize(glm::cross(down, std::abs(down.z) < 0.9 ? Vec3<double>(0, 0, 1) : Vec3<double>(1, 0, 0)));
  const Vec3<double> forward = glm::cross(right, down);
  for (const CameraMove& move : moves) {
    pixels.series[0].x.push_back(static_cast<double>(move.image));
    pixels.series[0].y.push_back(move.mean_px);
    for (const auto& [series, px] : {std::pair{size_t{0}, move.readout_px}, std::pair{size_t{1}, move.exposure_px}}) {
      motions.series[series].x.push_back(static_cast<double>(move.image));
      motions.series[series].y.push_back(px);
    }
    const ModelImage& image = model.images[static_cast<size_t>(move.image)];
    for (const auto& [series, pose] :
         {std::pair{0, &image.given_camera_from_world}, std::pair{1, &image.camera_from_world}}) {
      above.series[static_cast<size_t>(series)].x.push_back(glm::dot(right, camera_centre(*pose)));
      above.series[static_cast<size_t>(series)].y.push_back(glm::dot(forward, camera_centre(*pose)));
    }
  }
  const auto any = [&](double CameraMove::* px) {
    return std::any_of(moves.begin(), moves.end(), [&](const CameraMove& move) { return move.*px > 0; });
  };
  std::vector<ReportChart> charts;
  if (any(&CameraMove::readout_px) || any(&CameraMove::exposure_px)) charts.push_back(motions);
  if (any(&CameraMove::mean_px)) charts.insert(charts.end(), {pixels, above});
  return charts;
}

}  // namespace ptl
