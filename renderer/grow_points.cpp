#include "renderer/grow_points.h"

#include <algorithm>
#include <cmath>

#include "datasets/prepare.h"

namespace ptl {

namespace {

/// A place for a new point: of a traced point, or beside a point that is split.
struct Candidate {
  float score = 0;
  int64_t ray = -1, parent = -1;
};

constexpr float split_footprint_px = 1.5f;
constexpr float split_weight = 0.75f;  // against traced points, whose score is an error times an agreement below 1

/// Children that a point's disc has room for: about one a pixel.
int children_of(float footprint_px) {
  return std::clamp(static_cast<int>(footprint_px * footprint_px) - 1, 1, most_children);
}

void add_splits(const GrowLook& look, const std::vector<uint8_t>& dropped, double wrong,
                std::vector<Candidate>& candidates) {
  for (size_t p = 0; p < look.point_error.size(); ++p) {
    if (dropped[p] || look.point_views[p] < 2 || look.point_footprint_px[p] < split_footprint_px) continue;
    const float error = look.mean_error(p);
    if (static_cast<double>(error) < wrong) continue;
    for (int k = children_of(look.point_footprint_px[p]); k > 0; --k)
      candidates.push_back({split_weight * error, -1, static_cast<int64_t>(p)});
  }
}

/// Collects what exchange_points wants.
class Collector {
 public:
  Collector(const SceneModel& model, const GrowLook& look, int64_t event)
      : model_(model), look_(look), event_(event), channels_(model.descriptors.size(1)), radius_(point_radii(model)),
        cloud_(model_cloud(model)), id_(model.points.id.to(torch::kCPU)),
        descriptors_(model.descriptors.detach().to(torch::kCPU)), children_(radius_.size(), 0) {}

  /// Rays come grouped by view.
  void add_traced(const RayPoint& ray) {
    if (shown_of_ != ray.view) {
      shown_ = shown_descriptors(model_, look_.views[ray.view]);
      shown_of_ = ray.view;
    }
    const RasterSettings& settings = model_.config.raster;
    const Vec3<float>& color = look_.views[ray.view].pixels[ray.pixel].color;
    const float* shown = shown_.const_data_ptr<float>() + static_cast<int64_t>(ray.pixel) * channels_;
    std::vector<float> descriptor(shown, shown + channels_);
    std::array<uint8_t, 3> stored;
    for (int c = 0; c < 3; ++c) {
      if (settings.descriptor_init != DescriptorInit::uniform && c < channels_)
        descriptor[static_cast<size_t>(c)] = color_descriptor(color[c], model_.radiance_ev, settings.log_descriptors);
      stored[static_cast<size_t>(c)] = static_cast<uint8_t>(std::lround(255 * std::clamp(color[c], 0.0f, 1.0f)));
    }
    push(ray.position, ray.normal, ray.spacing_m, stored, descriptor.data(), -1);
  }

  void add_child(int64_t parent) {
    const auto p = static_cast<size_t>(parent);
    const Vec3<float>& position = cloud_.position[p];
    const uint64_t child = ++children_[p];
    const auto draw = [&](uint64_t number) {
      return draw_unit(static_cast<uint64_t>(model_.config.seed), DrawPurpose::grow, static_cast<uint64_t>(event_),
                       static_cast<uint64_t>(id_.const_data_ptr<int64_t>()[parent]), child, number);
    };
    const Vec3<float> normal = cloud_.normal.empty() ? Vec3<float>(0.0f) : cloud_.normal[p];
    const Vec3<float> axis = glm::dot(normal, normal) > 0 ? normal : nearest_centre(p) - position;
    // Parent and children share the disc's area.
    const float radius = radius_[p] / std::sqrt(1.0f + static_cast<float>(children_of(look_.point_footprint_px[p])));
    push(jittered_in_plane(position, axis, radius_[p], draw(0), draw(1)), normal, radius, cloud_.color[p],
         descriptors_.const_data_ptr<float>() + parent * channels_, parent);
  }

  NewPoints take() { return std::move(points_); }

 private:
  void push(const Vec3<float>& position, const Vec3<float>& normal, float radius, const std::array<uint8_t, 3>& color,
            const float* descriptor, int64_t parent) {
    points_.position.push_back(position);
    points_.normal.push_back(normal);
    points_.radius.push_back(radius);
    points_.color.push_back(color);
    points_.descriptor.insert(points_.descriptor.end(), descriptor, descriptor + channels_);
    points_.parent.push_back(parent);
  }

  /// Of the cameras.
  const Vec3<float>& nearest_centre(size_t point) {
    if (nearest_.empty()) {
      for (const ModelImage& image : model_.images) centres_.emplace_back(camera_centre(image.camera_from_world));
      nearest_ = nearest_target(cloud_.position, centres_);
    }
    return centres_[nearest_[point]];
  }

  const SceneModel& model_;
  const GrowLook& look_;
  int64_t event_, channels_;
  std::vector<float> radius_;
  PointCloud cloud_;
  torch::Tensor id_, descriptors_;
  std::vector<Vec3<float>> centres_;  ///< and, of each point, the nearest: made when they are first needed
  std::vector<uint32_t> nearest_;
  std::vector<uint8_t> children_;  ///< of each point so far
  torch::Tensor shown_;            ///< of view shown_of_
  int64_t shown_of_ = -1;
  NewPoints points_;
};

}  // namespace

GrowAdditions choose_additions(const SceneModel& model, const GrowLook& look, double wrong,
                               const std::vector<uint8_t>& dropped, int64_t room, int64_t event) {
  const std::vector<RayPoint> rays = trace_errors(look.views, wrong);
  std::vector<Candidate> candidates;
  for (const uint32_t i : agreed_points(rays)) candidates.push_back({rays[i].score, i, -1});
  add_splits(look, dropped, wrong, candidates);
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  if (static_cast<int64_t>(candidates.size()) > room) candidates.resize(static_cast<size_t>(room));

  std::stable_sort(candidates.begin(), candidates.end(), [&](const Candidate& a, const Candidate& b) {
    const auto view = [&](const Candidate& c) { return c.ray < 0 ? UINT32_MAX : rays[static_cast<size_t>(c.ray)].view; };
    return view(a) < view(b);
  });
  GrowAdditions additions;
  Collector collector(model, look, event);
  for (const Candidate& candidate : candidates) {
    if (candidate.ray >= 0) {
      collector.add_traced(rays[static_cast<size_t>(candidate.ray)]);
      ++additions.traced;
    } else {
      collector.add_child(candidate.parent);
      ++additions.split;
    }
  }
  additions.points = collector.take();
  return additions;
}

}  // namespace ptl
