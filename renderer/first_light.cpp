#include "renderer/first_light.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "renderer/photo_crop.h"
#include "renderer/seen_points.h"

namespace ptl {

namespace {

constexpr size_t most_images = 300;              // of one problem: its matrix is dense
constexpr double sightings_wanted = 1e6;         // images times points
constexpr int64_t fewest_points = 2000, most_points = 8000;
constexpr int64_t hiding_points = 200000;
constexpr int cells_across = 96;                 // of the map of nearest depths
constexpr double same_surface = 1.03;            // depth over the nearest in a cell
constexpr double boxes_across = 160;             // of which one is averaged
constexpr int64_t fewest_values = 300;           // of an image, on average

/// The nearest depth in each cell of a photo.
class NearestDepths {
 public:
  explicit NearestDepths(const CameraParams<double>& camera)
      : scale_(cells_across / static_cast<double>(std::max(camera.width_px, camera.height_px))),
        width_(static_cast<int>(camera.width_px * scale_) + 1),
        depth_m_(static_cast<size_t>(width_) * static_cast<size_t>(camera.height_px * scale_ + 1), std::numeric_limits<double>::infinity()) {}
  double& at(const Projection<double>& p) {
    return depth_m_[static_cast<size_t>(p.y_px * scale_) * static_cast<size_t>(width_) + static_cast<size_t>(p.x_px * scale_)];
  }

 private:
  double scale_;
  int width_;
  std::vector<double> depth_m_;
};

/// At most so many of the cloud's points, evenly, on the CPU.
torch::Tensor some_points(const torch::Tensor& position, int64_t most) {
  const int64_t stride = std::max<int64_t>(1, (position.size(0) + most - 1) / most);
  return position.slice(0, 0, position.size(0), stride).to(torch::kCPU, torch::kFloat).contiguous();
}

void look(const SceneModel& model, ImageCache& photos, int64_t image, int32_t place, const torch::Tensor& hiding, const torch::Tensor& points,
          std::vector<LightSighting>& sightings) {
  const CameraParams<double>& camera = model.camera_of(image).params;
  const Pose<double>& pose = model.images[static_cast<size_t>(image)].camera_from_world;
  NearestDepths nearest(camera);
  for_each_seen_point(camera, pose, hiding.const_data_ptr<float>(), hiding.size(0), hiding.size(0),
                      [&](const Vec3<double>&, const Projection<double>& at) { nearest.at(at) = std::min(nearest.at(at), at.depth_m); });
  const float box_px = std::max(2.0f, static_cast<float>(std::max(camera.width_px, camera.height_px) / boxes_across));
  Crop crop{1 / box_px, 0, 0, 1, 1};
  const float* position = points.const_data_ptr<float>();
  for (int64_t i = 0; i < points.size(0); ++i)
    for_each_seen_point(camera, pose, position + 3 * i, 1, 1, [&](const Vec3<double>&, const Projection<double>& at) {
      if (at.depth_m > same_surface * nearest.at(at)) return;
      crop.offset_x_px = static_cast<float>(at.x_px) / box_px - 0.5f;
      crop.offset_y_px = static_cast<float>(at.y_px) / box_px - 0.5f;
      float rgb[3], mask = 0;
      photos.sample_crop(static_cast<int>(image), crop, rgb, &mask);
      if (mask < 1) return;
      sightings.push_back({place, static_cast<int32_t>(i), vignette_position(Vec2<double>(at.x_px, at.y_px), camera.width_px, camera.height_px),
                           Vec3<double>(rgb[0], rgb[1], rgb[2])});
    });
}

/// Leaves out points with fewer than two sightings and numbers the others.
int32_t keep_shared(std::vector<LightSighting>& sightings, int64_t points) {
  std::vector<int32_t> seen(static_cast<size_t>(points), 0);
  for (const LightSighting& sighting : sightings) ++seen[static_cast<size_t>(sighting.point)];
  int32_t kept = 0;
  for (int32_t& count : seen) count = count >= 2 ? kept++ : -1;
  std::erase_if(sightings, [&](const LightSighting& sighting) { return seen[static_cast<size_t>(sighting.point)] < 0; });
  for (LightSighting& sighting : sightings) sighting.point = seen[static_cast<size_t>(sighting.point)];
  return kept;
}

/// Part `k` of `parts`: images 0, k, k + parts, ….
std::vector<int64_t> part_of(const std::vector<int64_t>& images, size_t k, size_t parts) {
  std::vector<int64_t> part;
  if (k > 0) part.push_back(images[0]);
  for (size_t i = k; i < images.size(); i += parts) part.push_back(images[i]);
  return part;
}

void apply_to_images(const LightProblem& problem, const LightSolution& solution, const std::vector<int64_t>& images, bool first_part,
                     SceneModel& model) {
  torch::NoGradGuard no_gradient;
  // The first photo keeps what the first part has found.
  const std::optional<double> known = first_part ? std::nullopt : model.images[static_cast<size_t>(images[0])].first_exposure_ev;
  const double shift = known ? *known - solution.exposure_ev[0] : 0;
  double tint[2] = {1, 1};
  if (known)
    for (int64_t k = 0; k < 2; ++k)
      tint[k] = model.tone->white_balance[images[0]][k].item<double>() / solution.white_balance[0][static_cast<size_t>(k)];
  for (size_t i = 0; i < images.size(); ++i) {
    ModelImage& image = model.images[static_cast<size_t>(images[i])];
    if (problem.exposure) {
      image.first_exposure_ev = solution.exposure_ev[i] + shift;
      model.tone->exposure_ev[images[i]].fill_(*image.first_exposure_ev);
    }
    if (problem.white_balance)
      for (int64_t k = 0; k < 2; ++k) model.tone->white_balance[images[i]][k].fill_(tint[k] * solution.white_balance[i][static_cast<size_t>(k)]);
  }
}

void apply_to_cameras(const LightProblem& problem, const std::vector<FittedTone<double>>& found, SceneModel& model) {
  torch::NoGradGuard no_gradient;
  for (size_t k = 0; k < found.size(); ++k) {
    const auto camera = static_cast<int64_t>(k);
    for (int64_t j = 0; problem.vignette && j < 5; ++j) model.tone->vignette[camera][j].fill_(found[k].vignette[j]);
    for (int64_t c = 0; problem.response && c < 3; ++c)
      for (int64_t j = 0; j < response_samples; ++j) model.tone->response[camera][c][j].fill_(found[k].response[c][j]);
  }
}

}  // namespace

LightProblem light_problem(const SceneModel& model, ImageCache& photos, const std::vector<int64_t>& images) {
  const GroupSettings& groups = model.config.groups;
  LightProblem problem;
  problem.cameras = static_cast<int32_t>(model.cameras.size());
  problem.log_stops = model.tone->options().log_stops;
  problem.exposure = !groups.exposure.frozen;
  problem.white_balance = !groups.white_balance.frozen;
  problem.vignette = !groups.vignette.frozen;
  problem.response = !groups.response.frozen;
  const auto wanted = static_cast<int64_t>(sightings_wanted / static_cast<double>(std::max<size_t>(1, images.size())));
  const torch::Tensor hiding = some_points(model.points.position, hiding_points);
  const torch::Tensor points = some_points(model.points.position, std::clamp(wanted, fewest_points, most_points));
  for (const int64_t image : images) {
    const ModelImage& entry = model.images[static_cast<size_t>(image)];
    look(model, photos, image, static_cast<int32_t>(problem.images.size()), hiding, points, problem.sightings);
    problem.images.push_back({static_cast<int32_t>(entry.camera), initial_exposure_ev(model, entry), entry.exif_ev.has_value()});
  }
  problem.points = keep_shared(problem.sightings, points.size(0));
  return problem;
}

std::string find_first_light(SceneModel& model, ImageCache& photos) {
  const std::vector<int64_t> training = model.training_images();
  const size_t parts = (training.size() + most_images - 1) / most_images;
  std::vector<FittedTone<double>> cameras;
  std::string found;
  const GroupSettings& groups = model.config.groups;
  const bool images_free = !groups.exposure.frozen || !groups.white_balance.frozen;
  const bool cameras_free = !groups.vignette.frozen || !groups.response.frozen;
  for (size_t k = 0; k < parts && (images_free || (k == 0 && cameras_free)); ++k) {
    const std::vector<int64_t> images = part_of(training, k, parts);
    LightProblem problem = light_problem(model, photos, images);
    if (k > 0) {
      problem.camera_at_first = cameras;
      problem.vignette = problem.response = false;
    }
    const LightSolution solution = solve_light(problem);
    if (solution.values < fewest_values * static_cast<int64_t>(images.size())) {
      if (k == 0)
        found = fmt::format("light not compared between photos: they share too few points ({} values of {} photos)", solution.values, images.size());
      continue;
    }
    if (k == 0) {
      double square = 0;
      for (size_t i = 0; i < images.size(); ++i) square += std::pow(solution.exposure_ev[i] - problem.images[i].exposure_ev, 2);
      found = fmt::format("light compared between photos: exposures differ from {} by {:.2f} stops (rms); points differ by {:.4f} instead of {:.4f}",
                          problem.images[0].exposure_known ? "EXIF's" : "each other", std::sqrt(square / static_cast<double>(images.size())),
                          solution.error_after, solution.error_before);
      cameras = solution.camera;
      apply_to_cameras(problem, cameras, model);
    }
    apply_to_images(problem, solution, images, k == 0, model);
  }
  model.tone->begin_with_these_exposures();
  return found;
}

}  // namespace ptl
