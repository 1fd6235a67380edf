#include "dense/error_rays.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace ptl {

namespace {

/// Where a position falls in a view.
struct Sight {
  bool inside = false;
  Vec2<double> px = Vec2<double>(0.0);
  double depth_m = 0;
};

Sight sight_of(const WrongView& view, const Vec3<double>& position) {
  const Projection<double> projection = project(view.camera, view.camera_from_world * position);
  if (!projection.valid) return {};
  const Vec2<double> px = apply_crop(view.crop, Vec2<double>(projection.x_px, projection.y_px));
  const bool inside = px.x >= 0 && px.y >= 0 && px.x < view.crop.width_px && px.y < view.crop.height_px;
  return {inside, px, projection.depth_m};
}

/// The pixel of a position within the image, or the nearest one.
size_t nearest_pixel(const WrongView& view, const Vec2<double>& px) {
  const auto within = [](double at, int size) {
    return static_cast<int>(std::clamp(at, 0.0, static_cast<double>(size - 1)));
  };
  return view.index(within(px.x, view.crop.width_px), within(px.y, view.crop.height_px));
}

/// Between pixels: those around an interesting edge differ by more than photos do.
Vec3<float> bilinear_color(const WrongView& view, const Vec2<double>& px) {
  const double x = px.x - 0.5, y = px.y - 0.5;
  const auto fx = static_cast<float>(x - std::floor(x)), fy = static_cast<float>(y - std::floor(y));
  const auto at = [&](double dx, double dy) -> const Vec3<float>& {
    return view.pixels[nearest_pixel(view, Vec2<double>(px.x - 0.5 + dx, px.y - 0.5 + dy))].color;
  };
  return (1 - fy) * ((1 - fx) * at(0, 0) + fx * at(1, 0)) + fy * ((1 - fx) * at(0, 1) + fx * at(1, 1));
}

/// A pixel's line of sight: position(depth) = centre + depth · direction.
struct Ray {
  Vec3<double> centre{0.0}, direction{0.0};
  bool valid = false;
  Vec3<double> at(double depth_m) const { return centre + depth_m * direction; }
};

Ray ray_of(const WrongView& view, int x, int y) {
  const Vec2<double> photo_px = undo_crop(view.crop, Vec2<double>(x + 0.5, y + 0.5));
  Ray ray;
  Vec3<double> direction(0.0);
  if (!unproject_ray(view.camera, photo_px.x, photo_px.y, direction)) return ray;
  const Projection<double> unit = project(view.camera, direction);
  if (!unit.valid || !(unit.depth_m > 0)) return ray;
  ray.centre = camera_centre(view.camera_from_world);
  ray.direction = glm::transpose(view.camera_from_world.rotation) * (direction / unit.depth_m);
  ray.valid = true;
  return ray;
}

/// Depths between which a view's rays are searched: what it sees now, and somewhat beyond.
struct DepthRange {
  double near_m = 0, far_m = 0;
};

DepthRange range_of(const WrongView& view) {
  std::vector<float> known;
  for (const WrongPixel& pixel : view.pixels)
    if (std::isfinite(pixel.depth_m)) known.push_back(pixel.depth_m);
  if (known.empty()) return {};
  const auto quantile = [&](double share) {
    const auto place = known.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(known.size() - 1));
    std::nth_element(known.begin(), place, known.end());
    return static_cast<double>(*place);
  };
  return {quantile(0.02) / 1.3, quantile(0.98) * 1.5};
}

/// The views that share most with one: the share of a grid of its positions that fall into them, by the angle between the
/// lines of sight (full weight from 5° on).
std::vector<uint32_t> sources_of(const std::vector<WrongView>& views, size_t self, int count) {
  constexpr int grid = 12;
  constexpr double full_angle = 5 * std::numbers::pi / 180;
  const WrongView& view = views[self];
  std::vector<Vec3<double>> positions;
  for (int j = 0; j < grid; ++j)
    for (int i = 0; i < grid; ++i) {
      const int x = (2 * i + 1) * view.crop.width_px / (2 * grid), y = (2 * j + 1) * view.crop.height_px / (2 * grid);
      const float depth_m = view.pixels[view.index(x, y)].depth_m;
      const Ray ray = ray_of(view, x, y);
      if (ray.valid && std::isfinite(depth_m)) positions.push_back(ray.at(static_cast<double>(depth_m)));
    }
  const Vec3<double> here = camera_centre(view.camera_from_world);
  std::vector<std::pair<double, uint32_t>> ranked;
  for (size_t other = 0; other < views.size(); ++other) {
    if (other == self) continue;
    const Vec3<double> there = camera_centre(views[other].camera_from_world);
    double sum = 0;
    for (const Vec3<double>& position : positions) {
      if (!sight_of(views[other], position).inside) continue;
      const double cosine = glm::dot(glm::normalize(position - here), glm::normalize(position - there));
      sum += std::min(1.0, std::acos(std::clamp(cosine, -1.0, 1.0)) / full_angle);
    }
    if (sum > 0) ranked.emplace_back(-sum, static_cast<uint32_t>(other));
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<uint32_t> sources;
  for (const auto& [weight, other] : ranked)
    if (sources.size() < static_cast<size_t>(count)) sources.push_back(other);
  return sources;
}

double mean_square(const Vec3<float>& difference) { return static_cast<double>(glm::dot(difference, difference)) / 3; }

constexpr int patch_step_px = 2;
constexpr size_t patch_centre = 4;

/// A wrong pixel: the rays that span its patch, and the patch's colours, 3 × 3 pixels a step apart.
struct Patch {
  Ray ray, right, below;
  std::array<Vec3<float>, 9> color;

  Patch(const WrongView& view, int x, int y)
      : ray(ray_of(view, x, y)), right(ray_of(view, x + patch_step_px, y)), below(ray_of(view, x, y + patch_step_px)) {
    for (int i = 0; i < 9; ++i)
      color[static_cast<size_t>(i)] =
          view.pixels[nearest_pixel(view, Vec2<double>(x + patch_step_px * (i % 3 - 1), y + patch_step_px * (i / 3 - 1)))]
              .color;
  }
  bool valid() const { return ray.valid && right.valid && below.valid; }

  /// Mean squared difference to a view's picture, the patch at this depth and facing its own camera.
  double difference(const WrongView& view, double depth_m, const Vec2<double>& centre) const {
    const Vec2<double> along = sight_of(view, right.at(depth_m)).px - centre;
    const Vec2<double> down = sight_of(view, below.at(depth_m)).px - centre;
    double sum = 0;
    for (int i = 0; i < 9; ++i) {
      const Vec2<double> px = centre + static_cast<double>(i % 3 - 1) * along + static_cast<double>(i / 3 - 1) * down;
      sum += mean_square(bilinear_color(view, px) - color[static_cast<size_t>(i)]);
    }
    return sum / 9;
  }
};

/// The best depth of a ray so far.
struct BestDepth {
  double agreement = 0, inverse = 0;
  void offer(double value, double at_inverse) {
    if (value <= agreement) return;
    agreement = value;
    inverse = at_inverse;
  }
};

struct Tracer {
  const std::vector<WrongView>& views;
  const ErrorRayOptions& options;
  double wrong;

  /// How far the sources agree that the patch is at this depth: 0 to 1 (docs/method.md, 11.1 without its error).
  double agreement(const Patch& patch, double depth_m, const std::vector<uint32_t>& sources) const {
    const double variance = options.color_sigma * options.color_sigma;
    const Vec3<double> position = patch.ray.at(depth_m);
    int agree = 0, contradict = 0;
    double differences = 0;
    for (const uint32_t source : sources) {
      const WrongView& view = views[source];
      const Sight sight = sight_of(view, position);
      if (!sight.inside) continue;
      const WrongPixel& pixel = view.pixels[nearest_pixel(view, sight.px)];
      const double surface_m = static_cast<double>(pixel.depth_m);
      if (pixel.solid && sight.depth_m > surface_m * (1 + options.depth_tolerance)) continue;
      const bool in_front = sight.depth_m < surface_m * (1 - options.depth_tolerance);
      if (in_front && static_cast<double>(pixel.error) < 0.5 * wrong) {
        ++contradict;
        continue;
      }
      // A centre that differs by more than three sigma settles it: most depths of a ray, at a third of the cost.
      const double at_centre = mean_square(pixel.color - patch.color[patch_centre]);
      differences += at_centre > 9 * variance ? at_centre : patch.difference(view, depth_m, sight.px);
      ++agree;
    }
    if (agree < options.agreeing || 3 * contradict > agree) return 0;
    return std::exp(-differences / agree / (2 * variance)) * agree / (agree + 1.0);
  }

  /// Whether the largest of the values along a ray is the only peak, and a narrow one.
  bool stands_out(const std::vector<double>& values, double step, const BestDepth& best) const {
    const auto top = std::max_element(values.begin(), values.end());
    auto begin = top, end = top;
    while (begin != values.begin() && *(begin - 1) >= 0.5 * *top) --begin;
    while (end != values.end() && *end >= 0.5 * *top) ++end;
    double elsewhere = 0;
    for (auto value = values.begin(); value != values.end(); ++value)
      if (value < begin || value >= end) elsewhere = std::max(elsewhere, *value);
    const double width = static_cast<double>(end - begin) * step;
    return width <= options.peak_width * best.inverse && *top >= options.distinct * elsewhere;
  }

  /// The depth at which most views agree, if it stands out; else that of the points around, if they agree there too.
  BestDepth best_depth(const Patch& patch, const WrongPixel& pixel, const DepthRange& range,
                       const std::vector<uint32_t>& sources) const {
    const double known_m = static_cast<double>(pixel.depth_m);
    const double far_m = pixel.solid ? std::min(range.far_m, known_m * (1 + options.depth_tolerance)) : range.far_m;
    const double from = 1 / range.far_m, step = (1 / range.near_m - from) / (options.depths - 1);
    const auto value_at = [&](double inverse) {
      return inverse >= 1 / far_m ? agreement(patch, 1 / inverse, sources) : 0;
    };
    std::vector<double> values(static_cast<size_t>(options.depths));
    BestDepth best;
    for (int i = 0; i < options.depths; ++i) {
      values[static_cast<size_t>(i)] = value_at(from + i * step);
      best.offer(values[static_cast<size_t>(i)], from + i * step);
    }
    if (best.agreement < options.least_agreement) return {};
    if (stands_out(values, step, best)) {
      for (const double part : {0.5, 0.25, 0.125}) {
        const double middle = best.inverse;
        for (const double inverse : {middle - part * step, middle + part * step}) best.offer(value_at(inverse), inverse);
      }
      return best;
    }
    if (!std::isfinite(known_m)) return {};
    const BestDepth interpolated{agreement(patch, known_m, sources), 1 / known_m};
    return interpolated.agreement >= options.interpolated_share * best.agreement ? interpolated : BestDepth{};
  }

  /// The point that one pixel misses; a score of 0 where none is found.
  RayPoint trace(size_t self, int x, int y, const DepthRange& range, const std::vector<uint32_t>& sources) const {
    const WrongView& view = views[self];
    const Patch patch(view, x, y);
    RayPoint point;
    if (!patch.valid()) return point;
    const size_t pixel = view.index(x, y);
    const BestDepth best = best_depth(patch, view.pixels[pixel], range, sources);
    if (best.agreement <= 0) return point;
    point.position = Vec3<float>(patch.ray.at(1 / best.inverse));
    point.normal = Vec3<float>(-glm::normalize(patch.ray.direction));
    point.spacing_m = static_cast<float>(1 / best.inverse / focal_length_px(view.camera, view.crop));
    point.score = view.pixels[pixel].error * static_cast<float>(best.agreement);
    point.view = static_cast<uint32_t>(self);
    point.pixel = static_cast<uint32_t>(pixel);
    return point;
  }
};

}  // namespace

double wrong_error(const std::vector<WrongView>& views, const ErrorRayOptions& options) {
  std::vector<float> errors;
  for (const WrongView& view : views)
    for (const WrongPixel& pixel : view.pixels) errors.push_back(pixel.error);
  if (errors.empty()) return options.least_error;
  const auto place =
      errors.begin() + static_cast<std::ptrdiff_t>((1 - options.worst_share) * static_cast<double>(errors.size() - 1));
  std::nth_element(errors.begin(), place, errors.end());
  return std::max(options.least_error, static_cast<double>(*place));
}

std::vector<RayPoint> trace_errors(const std::vector<WrongView>& views, double wrong, const ErrorRayOptions& options) {
  const Tracer tracer{views, options, wrong};
  std::vector<RayPoint> found;
  for (size_t self = 0; self < views.size(); ++self) {
    const WrongView& view = views[self];
    const DepthRange range = range_of(view);
    const std::vector<uint32_t> sources = sources_of(views, self, options.sources);
    if (!(range.near_m > 0) || static_cast<int>(sources.size()) < options.agreeing) continue;
    std::vector<std::vector<RayPoint>> rows(static_cast<size_t>(view.crop.height_px));
#pragma omp parallel for schedule(dynamic, 1)
    for (int y = 0; y < view.crop.height_px; ++y)
      for (int x = y % 2; x < view.crop.width_px; x += 2) {
        if (static_cast<double>(view.pixels[view.index(x, y)].error) < wrong) continue;
        const RayPoint point = tracer.trace(self, x, y, range, sources);
        if (point.score > 0) rows[static_cast<size_t>(y)].push_back(point);
      }
    for (const std::vector<RayPoint>& row : rows) found.insert(found.end(), row.begin(), row.end());
  }
  return found;
}

}  // namespace ptl
