// The plan: cameras and points from above.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "datasets/html_text.h"
#include "datasets/image_io.h"
#include "datasets/scene_info.h"
#include "doctor/page_parts.h"
#include "doctor/statistics.h"

namespace ptl::doctor {

namespace {

constexpr int side_px = 560;
constexpr size_t most_rings = 60;  // of one finding

struct Plan {
  Vec3<double> right{1, 0, 0}, ahead{0, 1, 0}, up{0, 0, 1};
  double low_x = 0, low_y = 0, units_per_px = 1;

  Vec2<double> place(const Vec3<double>& point) const {
    return {(glm::dot(point, right) - low_x) / units_per_px, side_px - (glm::dot(point, ahead) - low_y) / units_per_px};
  }
};

bool finite(const Vec3<float>& p) {
  return std::isfinite(p.x) && std::isfinite(p.y) && std::isfinite(p.z);
}

Plan make_plan(const Scene& scene) {
  Plan plan;
  Vec3<double> up(0);
  for (const SceneImage& image : scene.images)
    up -= glm::transpose(image.camera_from_world.rotation) * Vec3<double>(0, 1, 0);
  plan.up = glm::length(up) > 1e-6 ? glm::normalize(up) : Vec3<double>(0, 0, 1);
  const Vec3<double> other = std::abs(plan.up.x) < 0.7 ? Vec3<double>(1, 0, 0) : Vec3<double>(0, 1, 0);
  plan.right = glm::normalize(other - plan.up * glm::dot(other, plan.up));
  plan.ahead = glm::cross(plan.up, plan.right);
  std::vector<double> x, y, point_x, point_y;
  for (const SceneImage& image : scene.images) {
    const Vec3<double> centre = camera_centre(image.camera_from_world);
    x.push_back(glm::dot(centre, plan.right)), y.push_back(glm::dot(centre, plan.ahead));
  }
  for (const Vec3<float>& p : scene.cloud.position)
    if (finite(p))
      point_x.push_back(glm::dot(Vec3<double>(p), plan.right)),
          point_y.push_back(glm::dot(Vec3<double>(p), plan.ahead));
  const auto range = [](const std::vector<double>& cameras, const std::vector<double>& points) {
    std::array<double, 2> span{known_quantile(cameras, 0.03), known_quantile(cameras, 0.97)};
    if (!points.empty())
      span = {std::min(span[0], known_quantile(points, 0.05)), std::max(span[1], known_quantile(points, 0.95))};
    return span;
  };
  const auto [low_x, high_x] = range(x, point_x);
  const auto [low_y, high_y] = range(y, point_y);
  const double side = 1.2 * std::max({high_x - low_x, high_y - low_y, 1e-9});
  plan.low_x = 0.5 * (low_x + high_x - side), plan.low_y = 0.5 * (low_y + high_y - side);
  plan.units_per_px = side / side_px;
  return plan;
}

/// The points' colours on transparent ground, the highest in front.
std::string points_image(const Scene& scene, const Plan& plan) {
  StoredImage picture;
  picture.width = picture.height = side_px, picture.channels = 4;
  picture.values8.assign(static_cast<size_t>(side_px) * side_px * 4, 0);
  std::vector<double> highest(static_cast<size_t>(side_px) * side_px, -INFINITY);
  for (size_t i = 0; i < scene.cloud.size(); ++i) {
    if (!finite(scene.cloud.position[i])) continue;
    const Vec3<double> point(scene.cloud.position[i]);
    const Vec2<double> at = plan.place(point);
    if (!(at.x >= 0 && at.y >= 0 && at.x < side_px && at.y < side_px)) continue;
    const size_t pixel = static_cast<size_t>(at.y) * side_px + static_cast<size_t>(at.x);
    if (glm::dot(point, plan.up) <= highest[pixel]) continue;
    highest[pixel] = glm::dot(point, plan.up);
    for (size_t c = 0; c < 3; ++c) picture.values8[4 * pixel + c] = scene.cloud.color[i][c];
    picture.values8[4 * pixel + 3] = 255;
  }
  return html::data_uri(encode_png(picture));
}

}  // namespace

std::string plan_svg(const Examination& examination) {
  const Scene& scene = examination.opened.scene;
  const Plan plan = make_plan(scene);
  std::string svg = fmt::format(
      "<svg class=\"plan\" viewBox=\"0 0 {0} {0}\" role=\"img\" aria-label=\"cameras and points from above\">"
      "<rect class=\"ground\" width=\"{0}\" height=\"{0}\"/><image href=\"{1}\" width=\"{0}\" height=\"{0}\"/>",
      side_px, points_image(scene, plan));
  for (const Finding& finding : examination.diagnosis.findings)
    for (size_t k = 0; k < std::min(most_rings, finding.points.size()); ++k) {
      const Vec3<float>& p = scene.cloud.position[finding.points[k]];
      if (!finite(p)) continue;
      const Vec2<double> at = glm::clamp(plan.place(Vec3<double>(p)), 3.0, side_px - 3.0);
      svg += fmt::format(
          "<circle class=\"ring {}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"><title>point {}: {}</title></circle>",
          severity_class[static_cast<int>(finding.severity)], at.x, at.y, finding.points[k],
          html::escape(finding.check));
    }
  const std::vector<int> worst = worst_by_image(examination);
  for (int drawn = -1; drawn <= 2; ++drawn)  // what is worst lies on top
    for (size_t i = 0; i < scene.images.size(); ++i) {
      if (worst[i] != drawn) continue;
      const Pose<double>& pose = scene.images[i].camera_from_world;
      const Vec2<double> at = glm::clamp(plan.place(camera_centre(pose)), 8.0, side_px - 8.0);
      const Vec3<double> forward = glm::transpose(pose.rotation) * Vec3<double>(0, 0, 1);
      const Vec2<double> flat(glm::dot(forward, plan.right), -glm::dot(forward, plan.ahead));
      const Vec2<double> to = 11.0 * (glm::length(flat) > 1e-6 ? flat / std::max(glm::length(flat), 0.3) : flat);
      const Vec2<double> aside(-0.45 * to.y, 0.45 * to.x);
      svg += fmt::format(
          "<path class=\"camera {}\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}L{:.1f} {:.1f}Z\"><title>{}</title></path>",
          drawn < 0 ? "sound" : severity_class[drawn], at.x, at.y, at.x + to.x + aside.x, at.y + to.y + aside.y,
          at.x + to.x - aside.x, at.y + to.y - aside.y, html::escape(scene.images[i].name));
    }
  const double bar = std::pow(10, std::floor(std::log10(plan.units_per_px * side_px / 3)));
  svg += fmt::format("<path class=\"bar\" d=\"M12 {0}H{1:.1f}\"/><text x=\"12\" y=\"{2}\">{3:g} units</text></svg>",
                     side_px - 12, 12 + bar / plan.units_per_px, side_px - 18, bar);
  return svg;
}

}  // namespace ptl::doctor
